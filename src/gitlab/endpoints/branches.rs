//! Removal of a branch: the crate's endpoint does not encode the `/` of names such as `convenor/rust`.

use convenor_core::ids::ProjectId;

use super::{Plain, segment};

pub(crate) fn delete(project: ProjectId, branch: &str) -> Plain {
    Plain::delete(format!("projects/{project}/repository/branches/{}", segment(branch)))
}
