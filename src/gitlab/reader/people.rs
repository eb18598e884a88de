//! Who people are and what they may: the token's user, users, members.

use convenor_core::ids::{GroupId, ProjectId, UserId, Username};
use gitlab::api::{groups, personal_access_tokens, projects, users};

use super::Reader;
use crate::gitlab::answer;
use crate::gitlab::client::server_date;
use crate::gitlab::endpoints;
use crate::gitlab::error::GitLabError;
use crate::gitlab::operation::Operation;
use crate::gitlab::query::{Total, built};
use crate::gitlab::wire::{CurrentUser, Member, TokenSelf, User, Version};

impl Reader {
    /// The user that the token belongs to.
    ///
    /// # Errors
    /// `Unauthorized` when the token is not valid.
    pub async fn current_user(&self) -> Result<CurrentUser, GitLabError> {
        let operation = Operation::reads("user.get");
        let endpoint = built(operation, users::CurrentUser::builder().build())?;
        self.client.ask(operation, &endpoint).await
    }

    /// The token's scopes and end; `None` for tokens that may not read themselves (GitLab answers 403 or 404).
    ///
    /// # Errors
    /// All but 403 and 404.
    pub async fn token_self(&self) -> Result<Option<TokenSelf>, GitLabError> {
        let operation = Operation::reads("token.get");
        let endpoint = built(
            operation,
            personal_access_tokens::PersonalAccessTokenSelf::builder().build(),
        )?;
        match self.client.ask(operation, &endpoint).await {
            Err(
                GitLabError::NotFound { .. } | GitLabError::Forbidden { .. } | GitLabError::InsufficientScope { .. },
            ) => Ok(None),
            other => other.map(Some),
        }
    }

    /// GitLab's version and clock.
    ///
    /// # Errors
    /// As every call.
    pub async fn version(&self) -> Result<Version, GitLabError> {
        let operation = Operation::reads("version.get");
        let answer = self
            .client
            .raw(operation, &endpoints::Plain::get("version".to_owned()), &[])
            .await?;
        let version: Version = answer::read(operation, &answer)?;
        Ok(Version {
            server_date: server_date(&answer),
            ..version
        })
    }

    /// The user of that name, blocked ones too; `None` when there is none.
    ///
    /// # Errors
    /// As every call.
    pub async fn user_by_username(&self, username: &Username) -> Result<Option<User>, GitLabError> {
        let operation = Operation::reads("users.by_name");
        let endpoint = built(operation, users::Users::builder().username(username.as_str()).build())?;
        // A list of one or none, and one that is cut says that there is nobody: its length is checked as of every list.
        let key = |user: &User| user.id.0;
        let found = self.client.list(operation, &endpoint, &[], Total::Exact, key).await?;
        Ok(found.into_iter().find(|user| user.username == *username))
    }

    /// The user of that id; `None` when the account is gone.
    ///
    /// # Errors
    /// All but 404.
    pub async fn user(&self, user: UserId) -> Result<Option<User>, GitLabError> {
        let operation = Operation::reads("users.get");
        let endpoint = built(operation, users::User::builder().user(user.0).build())?;
        match self.client.ask(operation, &endpoint).await {
            Err(GitLabError::NotFound { .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    /// What a user is in a group, directly or through a group above; `None`: no member.
    ///
    /// # Errors
    /// `NotFound` when the group itself is not visible.
    pub async fn group_member(&self, group: GroupId, user: UserId) -> Result<Option<Member>, GitLabError> {
        let operation = Operation::reads("group_members.get");
        match self
            .client
            .ask(operation, &endpoints::groups::member(group, user))
            .await
        {
            Err(GitLabError::NotFound { message, .. }) if message.contain("404 Group Not Found") => {
                Err(GitLabError::NotFound {
                    call: operation.name,
                    message,
                })
            }
            // `{"error":"404 Not Found"}` is also what a GitLab without this route says; the list tells for certain.
            Err(GitLabError::NotFound { .. }) => self.group_member_from_list(group, user).await,
            other => other.map(Some),
        }
    }

    async fn group_member_from_list(&self, group: GroupId, user: UserId) -> Result<Option<Member>, GitLabError> {
        let operation = Operation::reads("group_members.list");
        let endpoint = groups::members::AllGroupMembers::builder()
            .group(group.0)
            .user_id(user.0)
            .build();
        let endpoint = built(operation, endpoint)?;
        let key = |member: &Member| member.id.0;
        let members = self.client.list(operation, &endpoint, &[], Total::Exact, key).await?;
        Ok(members.into_iter().find(|member| member.id == user))
    }

    /// Who is a member of the project itself, inherited ones left out.
    ///
    /// # Errors
    /// As every list.
    pub async fn project_members_direct(&self, project: ProjectId) -> Result<Vec<Member>, GitLabError> {
        let operation = Operation::reads("project_members.direct");
        let endpoint = projects::members::ProjectMembers::builder().project(project.0).build();
        let endpoint = built(operation, endpoint)?;
        self.client
            .list(operation, &endpoint, &[], Total::Exact, |member: &Member| member.id.0)
            .await
    }

    /// All members of a project, inherited ones too, each with the highest role.
    ///
    /// # Errors
    /// As every list.
    pub async fn project_members_all(&self, project: ProjectId) -> Result<Vec<Member>, GitLabError> {
        let operation = Operation::reads("project_members.list");
        let endpoint = built(
            operation,
            projects::members::AllProjectMembers::builder()
                .project(project.0)
                .build(),
        )?;
        self.client
            .list(operation, &endpoint, &[], Total::Exact, |member: &Member| member.id.0)
            .await
    }
}
