//! What `init` and `doctor` need to know of a program's places.

use convenor_core::ids::{AccessLevel, GroupId, ProjectId};
use convenor_core::plan::init::{HookSeen, InitSeen, TEMPLATE_BRANCH, TEMPLATE_PATH};
use url::Url;

use super::{ObserveError, Observer, file_version, is_in_group};
use crate::gitlab::GitLabError;
use crate::gitlab::wire::Hook;
use crate::hooks;

impl Observer {
    /// What is set up already. `address` is where deliveries should go, if GitLab can reach us.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn setup(&self, address: Option<Url>) -> Result<InitSeen, ObserveError> {
        let places = self.places().await?;
        let intake = &places.intake;
        let branch = intake.default_branch.clone().unwrap_or_else(|| "main".to_owned());
        let labels = self.reader.project_labels(intake.id).await?;
        let template = match intake.empty == Some(true) {
            true => None,
            false => self
                .reader
                .file(intake.id, TEMPLATE_PATH, &branch)
                .await?
                .map(file_version),
        };
        let replacement = self.reader.branch(intake.id, TEMPLATE_BRANCH).await?;
        let role = self.role_in_group().await?;
        let mut project_hooks = vec![(intake.id, self.project_hooks(intake.id).await?)];
        let mut outside_group = Vec::new();
        if !is_in_group(intake, &self.program.group) {
            outside_group.push(intake.id);
        }
        for handbook in &places.handbooks {
            if project_hooks.iter().any(|(known, _)| *known == handbook.id) {
                continue;
            }
            project_hooks.push((handbook.id, self.project_hooks(handbook.id).await?));
            if !is_in_group(handbook, &self.program.group) {
                outside_group.push(handbook.id);
            }
        }
        Ok(InitSeen {
            group: places.group.id,
            may_label_group: role.is_some_and(|role| role >= AccessLevel::REPORTER),
            intake: intake.id,
            intake_in_group: is_in_group(intake, &self.program.group),
            labels: labels.into_iter().map(|label| label.name).collect(),
            branch,
            template,
            replacement_is_proposed: replacement.is_some(),
            group_hooks: self.group_hooks(places.group.id).await?,
            project_hooks,
            outside_group,
            address,
        })
    }

    /// The bot's own role in the program's group.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn role_in_group(&self) -> Result<Option<AccessLevel>, ObserveError> {
        let places = self.places().await?;
        let member = self.reader.group_member(places.group.id, places.bot.id).await?;
        Ok(member.map(|member| member.access_level))
    }

    /// The bot's own role in a project, inherited or direct.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn role_in_project(&self, project: ProjectId) -> Result<Option<AccessLevel>, ObserveError> {
        let bot = self.places().await?.bot.id;
        let members = self.reader.project_members_all(project).await?;
        Ok(members
            .into_iter()
            .find(|member| member.id == bot)
            .map(|member| member.access_level))
    }

    /// The group's hooks; `None` where GitLab has none (Free) or does not let us see them.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn group_hooks(&self, group: GroupId) -> Result<Option<Vec<HookSeen>>, ObserveError> {
        Ok(visible(self.reader.group_hooks(group).await)?.map(|hooks| hooks_seen(hooks, true)))
    }

    /// A project's hooks; `None` where GitLab does not let us see them.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn project_hooks(&self, project: ProjectId) -> Result<Option<Vec<HookSeen>>, ObserveError> {
        Ok(visible(self.reader.project_hooks(project).await)?.map(|hooks| hooks_seen(hooks, false)))
    }
}

/// "Not found" and "forbidden" both mean that there is nothing for us to manage.
fn visible(found: Result<Vec<Hook>, GitLabError>) -> Result<Option<Vec<Hook>>, GitLabError> {
    match found {
        Ok(hooks) => Ok(Some(hooks)),
        Err(GitLabError::NotFound { .. } | GitLabError::Forbidden { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn hooks_seen(hooks: Vec<Hook>, for_group: bool) -> Vec<HookSeen> {
    let seen = |hook: Hook| HookSeen {
        id: hook.id,
        events_are_complete: hooks::is_complete(&hook, for_group),
        enabled: hook.alert_status.as_deref().is_none_or(|status| status == "executable"),
        url: hook.url,
    };
    hooks.into_iter().map(seen).collect()
}
