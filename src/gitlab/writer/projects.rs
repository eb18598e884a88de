//! Projects, their members, labels and boards.

use convenor_core::ids::{AccessLevel, BoardId, BoardListId, GroupId, LabelId, ProjectId, UserId};
use convenor_core::program::Visibility;
use gitlab::api::common::VisibilityLevel;
use gitlab::api::projects;
use serde::Deserialize;

use super::{NewLabel, NewProject, Writer};
use crate::gitlab::endpoints;
use crate::gitlab::endpoints::hooks::HookOwner;
use crate::gitlab::error::{GitLabError, Words};
use crate::gitlab::operation::Operation;
use crate::gitlab::query::built;
use crate::gitlab::wire::{Board, BoardList, Label, Member, Project};

impl Writer {
    /// Makes an empty project in a group.
    ///
    /// # Errors
    /// `Taken` when the group has a project of that name or path.
    pub async fn create_project(&self, project: &NewProject) -> Result<Project, GitLabError> {
        let operation = Operation::writes("projects.create");
        let endpoint = projects::CreateProject::builder()
            .name(project.name.as_str())
            .path(project.path.as_str())
            .namespace_id(project.group.0)
            .description(project.description.as_str())
            .visibility(match project.visibility {
                Visibility::Private => VisibilityLevel::Private,
                Visibility::Internal => VisibilityLevel::Internal,
                Visibility::Public => VisibilityLevel::Public,
            })
            .topics(project.topics.iter().map(String::as_str))
            .build();
        self.client.ask(operation, &built(operation, endpoint)?).await
    }

    /// Makes a user a direct member of a project.
    ///
    /// # Errors
    /// `Conflict` when they are one; `Invalid` when they inherit a higher role; `NotFound` when there is no such user.
    pub async fn add_member(
        &self,
        project: ProjectId,
        user: UserId,
        level: AccessLevel,
    ) -> Result<Member, GitLabError> {
        let operation = Operation::writes("project_members.create");
        self.client
            .ask(operation, &endpoints::members::add(project, user, level))
            .await
    }

    /// Makes several users direct members of a project with the same role, in one call.
    ///
    /// # Errors
    /// `Invalid` when GitLab took only some of them: it then says so in a success, name by name.
    pub async fn add_members(
        &self,
        project: ProjectId,
        users: &[UserId],
        level: AccessLevel,
    ) -> Result<(), GitLabError> {
        let operation = Operation::writes("project_members.create");
        match users {
            [] => return Ok(()),
            [user] => return self.add_member(project, *user, level).await.map(|_| ()),
            _ => {}
        }
        let endpoint = endpoints::members::add_all(project, users, level);
        let answer: AddedMembers = self.client.ask(operation, &endpoint).await?;
        match answer.status.as_str() {
            "error" => Err(GitLabError::Invalid {
                call: operation.name,
                message: Words::new(answer.message.to_string()),
            }),
            _ => Ok(()),
        }
    }

    /// Makes a label of a project.
    ///
    /// # Errors
    /// `Conflict` when the project or a group above has one of that name.
    pub async fn create_project_label(&self, project: ProjectId, label: &NewLabel) -> Result<Label, GitLabError> {
        let operation = Operation::writes("project_labels.create");
        let endpoint = projects::labels::CreateLabel::builder()
            .project(project.0)
            .name(label.name.as_str())
            .color(label.color.as_str())
            .description(label.description.as_str())
            .build();
        self.client.ask(operation, &built(operation, endpoint)?).await
    }

    /// Removes a label of a project or group, by its name.
    ///
    /// # Errors
    /// `NotFound` when it is gone already.
    pub async fn delete_label(&self, owner: HookOwner, name: &str) -> Result<(), GitLabError> {
        let endpoint = endpoints::groups::delete_label(owner, name);
        self.client.tell(Operation::writes("labels.delete"), &endpoint).await
    }

    /// Makes a label of a group, for all its projects.
    ///
    /// # Errors
    /// `Conflict` when the group or one above has one of that name.
    pub async fn create_group_label(&self, group: GroupId, label: &NewLabel) -> Result<Label, GitLabError> {
        let endpoint = endpoints::groups::create_label(group, &label.name, &label.color, label.description.as_str());
        self.client
            .ask(Operation::writes("group_labels.create"), &endpoint)
            .await
    }

    /// Makes a board. GitLab makes a second one of the same name without a word.
    ///
    /// # Errors
    /// `Forbidden` without the role.
    pub async fn create_board(&self, project: ProjectId, name: &str) -> Result<Board, GitLabError> {
        let endpoint = endpoints::boards::create(project, name);
        self.client.ask(Operation::writes("boards.create"), &endpoint).await
    }

    /// Adds a list for a label at the right end of a board.
    ///
    /// # Errors
    /// `Taken` when the board has a list for that label.
    pub async fn create_board_list(
        &self,
        project: ProjectId,
        board: BoardId,
        label: LabelId,
    ) -> Result<BoardList, GitLabError> {
        let endpoint = endpoints::boards::create_list(project, board, label);
        self.client
            .ask(Operation::writes("board_lists.create"), &endpoint)
            .await
    }

    /// Moves a list of a board to a place from the left, from 0.
    ///
    /// # Errors
    /// `NotFound` when the list is gone.
    pub async fn update_board_list(
        &self,
        project: ProjectId,
        board: BoardId,
        list: BoardListId,
        position: u64,
    ) -> Result<(), GitLabError> {
        let endpoint = endpoints::boards::move_list(project, board, list, position);
        self.client
            .tell(Operation::writes("board_lists.update"), &endpoint)
            .await
    }
}

/// The answer to several users at once; also a failure comes with 201 (GitLab's "Project members API").
#[derive(Deserialize)]
struct AddedMembers {
    status: String,
    #[serde(default)]
    message: serde_json::Value,
}
