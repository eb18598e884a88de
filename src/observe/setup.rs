//! What `init` and `doctor` need to know of a program's places.

use std::collections::BTreeMap;
use std::time::Duration;

use convenor_core::ids::{AccessLevel, GroupId, ProjectId};
use convenor_core::plan::init::{HOOK_DESCRIPTION, HookSeen, InitSeen, TEMPLATE_BRANCH, TEMPLATE_PATH};
use convenor_core::plan::step::HookScope;

use super::{Chartered, ObserveError, Observer, file_version, is_in_group};
use crate::gitlab::wire::Hook;
use crate::gitlab::{GitLabError, IssueFilter};
use crate::hooks::{self, OwnHooks};

/// How long after a refusal it is worth to ask whether it was meant.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(200);

impl Observer {
    /// What is set up already. `own` is what our side knows of the webhooks.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn setup(&self, own: &OwnHooks) -> Result<InitSeen, ObserveError> {
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
        let group_hooks = self.group_hooks(places.group.id).await?;
        let mut paths = BTreeMap::from([
            (HookScope::Group(places.group.id), self.program.group.clone()),
            (HookScope::Project(intake.id), intake.full_path.clone()),
        ]);
        let handbooks = places.handbooks.iter();
        paths.extend(handbooks.map(|handbook| (HookScope::Project(handbook.id), handbook.full_path.clone())));
        if group_hooks.is_none() {
            // Without a hook of the group (Free) every community needs one of its own.
            for Chartered { project, .. } in self.communities().await? {
                project_hooks.push((project.id, self.project_hooks(project.id).await?));
                paths.insert(HookScope::Project(project.id), project.full_path);
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
            group_hooks,
            project_hooks,
            paths,
            made_hooks: own.made.clone(),
            has_secret: own.has_secret,
            outside_group,
            address: own.address.clone(),
        })
    }

    /// How many issues carry a label; `None` when the label is gone.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn label_use(&self, scope: HookScope, name: &str) -> Result<Option<usize>, ObserveError> {
        let labels = match scope {
            HookScope::Group(group) => self.reader.group_labels(group).await?,
            HookScope::Project(project) => self.reader.project_labels(project).await?,
        };
        if !labels.iter().any(|label| label.name == name) {
            return Ok(None);
        }
        let issues = match scope {
            HookScope::Group(group) => self.reader.group_issues_with(group, name).await?,
            HookScope::Project(project) => {
                let filter = IssueFilter {
                    labels: vec![name.to_owned()],
                    ..IssueFilter::default()
                };
                self.reader.issues(project, &filter).await?
            }
        };
        Ok(Some(issues.len()))
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
        let hooks = visible(|| self.reader.group_hooks(group)).await?;
        Ok(hooks.map(|hooks| hooks_seen(hooks, true)))
    }

    /// A project's hooks; `None` where GitLab does not let us see them.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn project_hooks(&self, project: ProjectId) -> Result<Option<Vec<HookSeen>>, ObserveError> {
        let hooks = visible(|| self.reader.project_hooks(project)).await?;
        Ok(hooks.map(|hooks| hooks_seen(hooks, false)))
    }
}

/// "Not found" and "forbidden" both mean that there is nothing for us to manage, when GitLab says so twice: hooks are made
/// elsewhere and people are asked for rights because of it, and rights flicker while they are changed.
async fn visible<F>(ask: impl Fn() -> F) -> Result<Option<Vec<Hook>>, GitLabError>
where
    F: Future<Output = Result<Vec<Hook>, GitLabError>>,
{
    let refused =
        |found: &Result<_, _>| matches!(found, Err(GitLabError::NotFound { .. } | GitLabError::Forbidden { .. }));
    let mut found = ask().await;
    if refused(&found) {
        tokio::time::sleep(ASK_AGAIN_AFTER).await;
        found = ask().await;
    }
    if refused(&found) {
        return Ok(None);
    }
    found.map(Some)
}

fn hooks_seen(hooks: Vec<Hook>, for_group: bool) -> Vec<HookSeen> {
    let seen = |hook: Hook| HookSeen {
        id: hook.id,
        events_are_complete: hooks::is_complete(&hook, for_group),
        enabled: hook.alert_status.as_deref().is_none_or(|status| status == "executable"),
        has_secret: match (hook.token_present, hook.signing_token_present) {
            (None, None) => None,
            (token, signing) => Some(token == Some(true) || signing == Some(true)),
        },
        verifies_tls: hook.enable_ssl_verification,
        marked: hook.description.as_deref() == Some(HOOK_DESCRIPTION),
        url: hook.url,
    };
    hooks.into_iter().map(seen).collect()
}
