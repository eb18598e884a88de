//! Setting up a program: state labels, the issue template, webhooks. Safe to repeat; what people made stays.

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
    /// Hooks of the projects that matter besides: intake and handbook; `None` where we may not see them.
    pub project_hooks: Vec<(ProjectId, Option<Vec<HookSeen>>)>,
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
}

/// What is due to set a program up.
#[must_use]
pub fn plan(seen: &InitSeen, replace_template: bool) -> InitPlan {
    let mut plan = InitPlan {
        steps: labels(seen),
        notes: Vec::new(),
    };
    template(seen, replace_template, &mut plan);
    hooks(seen, &mut plan);
    plan
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
            force: false,
            message: CommitMessage::new().words("Add the issue template for new communities"),
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
        force: false,
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

fn hooks(seen: &InitSeen, plan: &mut InitPlan) {
    let Some(address) = &seen.address else {
        plan.notes.push(InitNote::NoAddress);
        return;
    };
    if let Some(hooks) = &seen.group_hooks {
        plan.steps.extend(hook(HookScope::Group(seen.group), hooks, address));
    }
    for (project, hooks) in &seen.project_hooks {
        if seen.group_hooks.is_some() && !seen.outside_group.contains(project) {
            continue;
        }
        match hooks {
            Some(hooks) => plan.steps.extend(hook(HookScope::Project(*project), hooks, address)),
            None => plan.notes.push(InitNote::NoHooks(*project)),
        }
    }
}

/// A hook is ours by its address: creating one is not idempotent in GitLab.
fn hook(scope: HookScope, hooks: &[HookSeen], address: &Url) -> Option<Step> {
    match hooks.iter().find(|hook| hook.url == address.as_str()) {
        None => Some(Step::CreateHook {
            scope,
            url: address.clone(),
        }),
        Some(hook) if !hook.events_are_complete => Some(Step::UpdateHook {
            scope,
            hook: hook.id,
            url: address.clone(),
        }),
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
            outside_group: vec![ProjectId(3)],
            address: Some(Url::parse("https://convenor.example.com/webhooks/gitlab").unwrap()),
        }
    }

    fn kinds(seen: &InitSeen, replace: bool) -> Vec<&'static str> {
        plan(seen, replace).steps.iter().map(Step::kind).collect()
    }

    fn hook_seen(complete: bool) -> HookSeen {
        let url = fresh().address.unwrap().to_string();
        HookSeen {
            id: HookId(9),
            url,
            events_are_complete: complete,
            enabled: true,
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
        assert_eq!(plan(&seen, false).steps, Vec::new());
        assert_eq!(plan(&seen, false).notes, Vec::new());
    }

    #[test]
    fn without_group_hooks_every_project_gets_its_own() {
        let seen = InitSeen {
            group_hooks: None,
            ..fresh()
        };
        let hooks: Vec<_> = plan(&seen, false)
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
        assert_eq!(plan(&seen, false).notes, vec![InitNote::TemplateIsAPersons]);
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
}
