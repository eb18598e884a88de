//! GitLab's API: what we read, what we write, and how it fails.
