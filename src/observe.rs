//! From GitLab to what the plans need to know.
