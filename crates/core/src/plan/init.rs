//! Setting up a program: state labels, the issue template, webhooks. Safe to repeat; what people made stays.

use std::collections::BTreeMap;

use url::Url;

use super::labels::State;
use super::step::{FileChange, HookScope, Opening};
use super::{FileVersion, Step};
use crate::escape::{CommitMessage, Markdown, Title};
use crate::ids::{GroupId, HookId, ProjectId};
use crate::proposal;

/// Where the issue template lies in the intake project.
pub const TEMPLATE_PATH: &str = ".gitlab/issue_templates/New community.md";

/// Branch of the merge request that replaces a person's template, when that was asked for.
pub const TEMPLATE_BRANCH: &str = "convenor/issue-template";

/// Message of the commit that adds the template.
const TEMPLATE_COMMIT: &str = "Add the issue template for new communities";

/// Description of the webhooks that we make.
pub const HOOK_DESCRIPTION: &str = "Made by Convenor; `convenor init --remove` takes it back.";

/// What is there already.
#[derive(Clone, Debug)]
pub struct InitSeen {
    /// The program's group.
    pub group: GroupId,
    /// Whether we may make labels in the group, where every project then has them.
    pub may_label_group: bool,
    /// The intake project.
    pub intake: ProjectId,
    /// Whether the intake project is inside the group, so that group labels and a group hook reach it.
    pub intake_in_group: bool,
    /// Names of labels that the intake project has, its groups' included.
    pub labels: Vec<String>,
    /// Default branch of the intake project.
    pub branch: String,
    /// The issue template.
    pub template: Option<FileVersion>,
    /// Whether the branch of a replacement exists already.
    pub replacement_is_proposed: bool,
    /// The group's hooks; `None` where GitLab has none (Free) or we may not see them.
    pub group_hooks: Option<Vec<HookSeen>>,
    /// Hooks of the projects that matter besides: intake, handbook and, where the group can have none, the communities; `None`
    /// where we may not see them.
    pub project_hooks: Vec<(ProjectId, Option<Vec<HookSeen>>)>,
    /// Full paths of those projects and of the group, for messages.
    pub paths: BTreeMap<HookScope, String>,
    /// Hooks that we made, as the ledger remembers them.
    pub made_hooks: BTreeMap<HookScope, HookId>,
    /// Whether there is a secret that a hook could carry; without one no delivery would be believed.
    pub has_secret: bool,
    /// Projects that a hook of the group does not reach.
    pub outside_group: Vec<ProjectId>,
    /// Where deliveries should go; `None`: the service has no address that GitLab reaches, so hooks are left alone.
    pub address: Option<Url>,
}

/// A webhook.
#[derive(Clone, Debug)]
pub struct HookSeen {
    /// Its id.
    pub id: HookId,
    /// Where it sends to.
    pub url: String,
    /// Whether it tells everything that we listen to.
    pub events_are_complete: bool,
    /// Whether GitLab sends to it; after many failed deliveries it stops.
    pub enabled: bool,
    /// Whether it carries a secret of either kind; `None`: this GitLab does not tell.
    pub has_secret: Option<bool>,
    /// Whether GitLab checks our TLS certificate; `None`: it does not tell.
    pub verifies_tls: Option<bool>,
    /// Whether it carries the description that ours carry.
    pub marked: bool,
}

/// What is due, and what was left to a person.
#[derive(Clone, Debug, Default)]
pub struct InitPlan {
    /// The steps.
    pub steps: Vec<Step>,
    /// What a person decides or does.
    pub notes: Vec<InitNote>,
}

/// Something that `init` left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitNote {
    /// A template of that name that is not ours stays; `--replace-template` proposes ours.
    TemplateIsAPersons,
    /// The replacement was proposed and waits for a merge.
    ReplacementIsProposed,
    /// Neither group hooks nor a project's hooks can be managed with this token.
    NoHooks(ProjectId),
    /// The service has no public address yet.
    NoAddress,
    /// No webhook secret is configured, so no delivery would be believed.
    NoSecret,
}

/// What `init` is told beside the settings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wishes {
    /// Propose our issue template in place of a person's.
    pub replace_template: bool,
    /// Give every webhook of ours the secret of the settings anew: GitLab does not tell which one it has.
    pub renew_hooks: bool,
}

/// What is due to set a program up.
#[must_use]
pub fn plan(seen: &InitSeen, wishes: Wishes) -> InitPlan {
    let mut plan = InitPlan {
        steps: labels(seen),
        notes: Vec::new(),
    };
    template(seen, wishes.replace_template, &mut plan);
    hooks(seen, wishes.renew_hooks, &mut plan);
    plan
}

/// The webhooks only: those that are missing or tell too little.
#[must_use]
pub fn missing_hooks(seen: &InitSeen) -> Vec<Step> {
    let mut plan = InitPlan::default();
    hooks(seen, false, &mut plan);
    plan.steps
}

/// Our hook among those of a place: by its address, or because the ledger remembers it under another one.
#[must_use]
pub fn our_hook<'h>(seen: &InitSeen, scope: HookScope, hooks: &'h [HookSeen]) -> Option<&'h HookSeen> {
    let address = seen.address.as_ref()?;
    let made = seen.made_hooks.get(&scope);
    let by_address = hooks.iter().find(|hook| hook.url == address.as_str());
    by_address.or_else(|| hooks.iter().find(|hook| Some(&hook.id) == made))
}

/// Every place that should have a webhook of ours, with its hooks.
pub fn hook_places(seen: &InitSeen) -> impl Iterator<Item = (HookScope, Option<&[HookSeen]>)> {
    let group = seen
        .group_hooks
        .as_deref()
        .map(|hooks| (HookScope::Group(seen.group), Some(hooks)));
    let covered = |project: &ProjectId| seen.group_hooks.is_some() && !seen.outside_group.contains(project);
    let projects = seen.project_hooks.iter().filter(move |(project, _)| !covered(project));
    group
        .into_iter()
        .chain(projects.map(|(project, hooks)| (HookScope::Project(*project), hooks.as_deref())))
}

fn labels(seen: &InitSeen) -> Vec<Step> {
    let missing = State::ALL
        .into_iter()
        .filter(|state| !seen.labels.iter().any(|label| label == state.label()));
    missing
        .map(|state| {
            let (name, color) = (state.label().to_owned(), state.color().to_owned());
            let description = state.description().to_owned();
            if seen.may_label_group && seen.intake_in_group {
                Step::CreateGroupLabel {
                    group: seen.group,
                    name,
                    color,
                    description,
                }
            } else {
                Step::CreateLabel {
                    project: seen.intake,
                    name,
                    color,
                    description,
                }
            }
        })
        .collect()
}

fn template(seen: &InitSeen, replace: bool, plan: &mut InitPlan) {
    let content = proposal::template().as_bytes().to_vec();
    match &seen.template {
        None => plan.steps.push(Step::Commit {
            project: seen.intake,
            branch: seen.branch.clone(),
            start: None,
            replaces: None,
            message: CommitMessage::new().words(TEMPLATE_COMMIT),
            files: vec![FileChange::Create {
                path: TEMPLATE_PATH.to_owned(),
                content,
            }],
        }),
        Some(file) if file.bytes == content => {}
        Some(_) if seen.replacement_is_proposed => plan.notes.push(InitNote::ReplacementIsProposed),
        Some(file) if replace => replace_template(seen, file, content, plan),
        Some(_) => plan.notes.push(InitNote::TemplateIsAPersons),
    }
}

fn replace_template(seen: &InitSeen, file: &FileVersion, content: Vec<u8>, plan: &mut InitPlan) {
    plan.steps.push(Step::Commit {
        project: seen.intake,
        branch: TEMPLATE_BRANCH.to_owned(),
        start: Some(seen.branch.clone()),
        replaces: None,
        message: CommitMessage::new().words("Replace the issue template for new communities"),
        files: vec![FileChange::Update {
            path: TEMPLATE_PATH.to_owned(),
            content,
            last_commit: file.last_commit.clone(),
        }],
    });
    plan.steps.push(Step::CreateMergeRequest {
        project: seen.intake,
        source: TEMPLATE_BRANCH.to_owned(),
        target: seen.branch.clone(),
        title: Title::new().words("Replace the issue template for new communities"),
        description: Markdown::new().words("Convenor reads proposals by the headings of this template."),
        opening: Opening::default(),
        removes_row: false,
    });
}

fn hooks(seen: &InitSeen, renew: bool, plan: &mut InitPlan) {
    let Some(address) = &seen.address else {
        plan.notes.push(InitNote::NoAddress);
        return;
    };
    if !seen.has_secret {
        plan.notes.push(InitNote::NoSecret);
        return;
    }
    for (scope, hooks) in hook_places(seen) {
        match (hooks, scope) {
            (Some(hooks), _) => plan.steps.extend(hook(seen, scope, hooks, address, renew)),
            (None, HookScope::Project(project)) => plan.notes.push(InitNote::NoHooks(project)),
            (None, HookScope::Group(_)) => {}
        }
    }
}

/// A hook is ours by its address or by the ledger: creating one is not idempotent in GitLab.
fn hook(seen: &InitSeen, scope: HookScope, hooks: &[HookSeen], address: &Url, renew: bool) -> Option<Step> {
    let url = address.clone();
    match our_hook(seen, scope, hooks) {
        None => Some(Step::CreateHook { scope, url }),
        Some(hook)
            if renew || !hook.events_are_complete || hook.url != address.as_str() || hook.has_secret == Some(false) =>
        {
            Some(Step::UpdateHook {
                scope,
                hook: hook.id,
                url,
            })
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> InitSeen {
        InitSeen {
            group: GroupId(1),
            may_label_group: true,
            intake: ProjectId(2),
            intake_in_group: true,
            labels: Vec::new(),
            branch: "main".to_owned(),
            template: None,
            replacement_is_proposed: false,
            group_hooks: Some(Vec::new()),
            project_hooks: vec![(ProjectId(2), Some(Vec::new())), (ProjectId(3), Some(Vec::new()))],
            paths: BTreeMap::new(),
            made_hooks: BTreeMap::new(),
            has_secret: true,
            outside_group: vec![ProjectId(3)],
            address: Some(Url::parse("https://convenor.example.com/webhooks/gitlab").unwrap()),
        }
    }

    fn kinds(seen: &InitSeen, replace: bool) -> Vec<&'static str> {
        plan(
            seen,
            Wishes {
                replace_template: replace,
                ..Wishes::default()
            },
        )
        .steps
        .iter()
        .map(Step::kind)
        .collect()
    }

    fn hook_seen(complete: bool) -> HookSeen {
        let url = fresh().address.unwrap().to_string();
        HookSeen {
            id: HookId(9),
            url,
            events_are_complete: complete,
            enabled: true,
            has_secret: Some(true),
            verifies_tls: Some(true),
            marked: true,
        }
    }

    #[test]
    fn a_fresh_program_gets_labels_template_and_hooks() {
        let mut expected = vec!["create_group_label"; 6];
        expected.extend(["commit", "create_hook", "create_hook"]);
        assert_eq!(kinds(&fresh(), false), expected);
    }

    #[test]
    fn a_second_run_does_nothing() {
        let mut seen = fresh();
        seen.labels = State::ALL.iter().map(|state| state.label().to_owned()).collect();
        seen.template = Some(FileVersion {
            bytes: proposal::template().into(),
            last_commit: None,
        });
        seen.group_hooks = Some(vec![hook_seen(true)]);
        seen.project_hooks = vec![
            (ProjectId(2), Some(Vec::new())),
            (ProjectId(3), Some(vec![hook_seen(true)])),
        ];
        assert_eq!(plan(&seen, Wishes::default()).steps, Vec::new());
        assert_eq!(plan(&seen, Wishes::default()).notes, Vec::new());
    }

    #[test]
    fn without_group_hooks_every_project_gets_its_own() {
        let seen = InitSeen {
            group_hooks: None,
            ..fresh()
        };
        let hooks: Vec<_> = plan(&seen, Wishes::default())
            .steps
            .into_iter()
            .filter(|step| step.kind() == "create_hook")
            .collect();
        assert_eq!(hooks.len(), 2);
    }

    #[test]
    fn a_persons_template_stays_unless_its_replacement_is_asked_for() {
        let template = Some(FileVersion {
            bytes: b"### My own\n".to_vec(),
            last_commit: None,
        });
        let seen = InitSeen { template, ..fresh() };
        assert!(!kinds(&seen, false).contains(&"commit"));
        assert_eq!(plan(&seen, Wishes::default()).notes, vec![InitNote::TemplateIsAPersons]);
        assert!(kinds(&seen, true).contains(&"create_merge_request"));
        let proposed = InitSeen {
            replacement_is_proposed: true,
            ..seen
        };
        assert!(!kinds(&proposed, true).contains(&"create_merge_request"));
    }

    #[test]
    fn a_hook_that_tells_too_little_is_mended() {
        let seen = InitSeen {
            group_hooks: Some(vec![hook_seen(false)]),
            ..fresh()
        };
        assert!(kinds(&seen, false).contains(&"update_hook"));
    }

    #[test]
    fn without_a_secret_no_hook_is_made() {
        let seen = InitSeen {
            has_secret: false,
            ..fresh()
        };
        assert!(!kinds(&seen, false).contains(&"create_hook"));
        assert_eq!(plan(&seen, Wishes::default()).notes, vec![InitNote::NoSecret]);
    }

    #[test]
    fn a_hook_of_ours_with_an_old_address_or_without_a_secret_is_renewed() {
        let old = HookSeen {
            url: "https://old.example.com/webhooks/gitlab".to_owned(),
            ..hook_seen(true)
        };
        let mut seen = InitSeen {
            group_hooks: Some(vec![old]),
            project_hooks: Vec::new(),
            ..fresh()
        };
        assert!(kinds(&seen, false).contains(&"create_hook"), "not known to be ours");
        seen.made_hooks.insert(HookScope::Group(GroupId(1)), HookId(9));
        assert!(kinds(&seen, false).contains(&"update_hook"));
        let bare = HookSeen {
            has_secret: Some(false),
            ..hook_seen(true)
        };
        let seen = InitSeen {
            group_hooks: Some(vec![bare]),
            ..fresh()
        };
        assert!(kinds(&seen, false).contains(&"update_hook"));
    }
}
