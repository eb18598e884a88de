//! Issue boards and their lists (GitLab's "Project issue boards API").

use convenor_core::ids::{BoardId, BoardListId, LabelId, ProjectId};
use serde_json::json;

use super::Plain;

pub(crate) fn list(project: ProjectId) -> Plain {
    Plain::get(format!("projects/{project}/boards"))
}

pub(crate) fn lists(project: ProjectId, board: BoardId) -> Plain {
    Plain::get(format!("projects/{project}/boards/{board}/lists"))
}

pub(crate) fn create(project: ProjectId, name: &str) -> Plain {
    Plain::post(format!("projects/{project}/boards"), json!({ "name": name }))
}

pub(crate) fn create_list(project: ProjectId, board: BoardId, label: LabelId) -> Plain {
    Plain::post(
        format!("projects/{project}/boards/{board}/lists"),
        json!({ "label_id": label }),
    )
}

pub(crate) fn move_list(project: ProjectId, board: BoardId, list: BoardListId, position: u64) -> Plain {
    Plain::put(
        format!("projects/{project}/boards/{board}/lists/{list}"),
        json!({ "position": position }),
    )
}
