//! The charter: a community's own record, `.gitlab/community.yml`.
