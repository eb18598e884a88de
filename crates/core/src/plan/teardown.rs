//! Taking back what `init` made, and nothing else.
//!
//! Made by us is what the ledger of our own store names, or, for a webhook, what carries our description and our address.
//! A label that somebody uses, a template that somebody edited and everything that cannot be proven stays, with a word.

use std::collections::BTreeMap;

use super::init::{HookSeen, InitSeen, TEMPLATE_PATH};
use super::step::{FileChange, HookScope, Step};
use crate::escape::CommitMessage;
use crate::ids::{HookId, ProjectId};
use crate::proposal;

/// What is there, and what is ours of it.
#[derive(Clone, Debug)]
pub struct TeardownSeen {
    /// The program's places.
    pub setup: InitSeen,
    /// Webhooks of every place that may have one of ours.
    pub hooks: Vec<(HookScope, Vec<HookSeen>)>,
    /// Labels that the ledger names, by whose they are; each with the number of issues that carry it, or `None` when it is gone.
    pub labels: BTreeMap<(HookScope, String), Option<usize>>,
    /// The commit that the ledger names for the issue template.
    pub template_commit: Option<String>,
}

/// What is due, and what stays.
#[derive(Clone, Debug, Default)]
pub struct Teardown {
    /// The steps.
    pub steps: Vec<Step>,
    /// What stays, and why.
    pub stays: Vec<Stays>,
}

/// Something that is not taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stays {
    /// A webhook with our address of which nobody knows who made it.
    Hook(HookScope, HookId),
    /// A label that issues carry.
    LabelInUse(String, usize),
    /// A template that is not, or no longer, the one that we made.
    Template(ProjectId),
}

/// What is due to take the setup back.
#[must_use]
pub fn plan(seen: &TeardownSeen) -> Teardown {
    let mut teardown = Teardown::default();
    for (scope, hooks) in &seen.hooks {
        for hook in hooks {
            hook_of(seen, *scope, hook, &mut teardown);
        }
    }
    for ((scope, name), used) in &seen.labels {
        match used {
            None => {}
            Some(0) => teardown.steps.push(Step::DeleteLabel {
                scope: *scope,
                name: name.clone(),
            }),
            Some(issues) => teardown.stays.push(Stays::LabelInUse(name.clone(), *issues)),
        }
    }
    template(seen, &mut teardown);
    teardown
}

fn hook_of(seen: &TeardownSeen, scope: HookScope, hook: &HookSeen, teardown: &mut Teardown) {
    let address = seen
        .setup
        .address
        .as_ref()
        .is_some_and(|address| hook.url == address.as_str());
    let made = seen.setup.made_hooks.get(&scope) == Some(&hook.id);
    if made || (address && hook.marked) {
        teardown.steps.push(Step::DeleteHook { scope, hook: hook.id });
    } else if address {
        teardown.stays.push(Stays::Hook(scope, hook.id));
    }
}

fn template(seen: &TeardownSeen, teardown: &mut Teardown) {
    let Some(file) = &seen.setup.template else { return };
    let made = seen.template_commit.as_ref();
    let is_ours = made.is_some() && file.last_commit.as_ref().map(|commit| &commit.0) == made;
    if !is_ours || file.bytes != proposal::template().as_bytes() {
        teardown.stays.push(Stays::Template(seen.setup.intake));
        return;
    }
    teardown.steps.push(Step::Commit {
        project: seen.setup.intake,
        branch: seen.setup.branch.clone(),
        start: None,
        replaces: None,
        message: CommitMessage::new().words("Remove the issue template for new communities"),
        files: vec![FileChange::Delete {
            path: TEMPLATE_PATH.to_owned(),
            last_commit: file.last_commit.clone(),
        }],
    });
}

#[cfg(test)]
mod tests {
    use super::super::FileVersion;
    use super::*;
    use crate::ids::{CommitSha, GroupId};

    const ADDRESS: &str = "https://convenor.example.com/webhooks/gitlab";
    const GROUP: HookScope = HookScope::Group(GroupId(1));

    fn hook(id: u64, url: &str, marked: bool) -> HookSeen {
        HookSeen {
            id: HookId(id),
            url: url.to_owned(),
            events_are_complete: true,
            enabled: true,
            has_secret: Some(true),
            verifies_tls: Some(true),
            marked,
        }
    }

    fn seen() -> TeardownSeen {
        let template = FileVersion {
            bytes: proposal::template().as_bytes().to_vec(),
            last_commit: Some(CommitSha("c1".to_owned())),
        };
        TeardownSeen {
            setup: InitSeen {
                group: GroupId(1),
                may_label_group: true,
                intake: ProjectId(2),
                intake_in_group: true,
                labels: Vec::new(),
                branch: "main".to_owned(),
                template: Some(template),
                replacement_is_proposed: false,
                group_hooks: None,
                project_hooks: Vec::new(),
                paths: BTreeMap::new(),
                made_hooks: BTreeMap::from([(GROUP, HookId(1))]),
                has_secret: true,
                outside_group: Vec::new(),
                address: url::Url::parse(ADDRESS).ok(),
            },
            hooks: vec![(
                GROUP,
                vec![
                    hook(1, "https://moved.example.com/x", false),
                    hook(2, ADDRESS, true),
                    hook(3, ADDRESS, false),
                    hook(4, "https://others.example.com/", true),
                ],
            )],
            labels: BTreeMap::from([
                ((GROUP, "cop::ready".to_owned()), Some(0)),
                ((GROUP, "cop::active".to_owned()), Some(3)),
                ((GROUP, "cop::gone".to_owned()), None),
            ]),
            template_commit: Some("c1".to_owned()),
        }
    }

    #[test]
    fn only_what_is_proven_ours_is_taken_back() {
        let teardown = plan(&seen());
        let said: Vec<String> = teardown.steps.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "remove webhook 1 of group 1",
                "remove webhook 2 of group 1",
                "remove label cop::ready of group 1",
                "commit to branch main of project 2 (1 file)",
            ]
        );
        let active = "cop::active".to_owned();
        assert_eq!(
            teardown.stays,
            [Stays::Hook(GROUP, HookId(3)), Stays::LabelInUse(active, 3)]
        );
    }

    #[test]
    fn a_template_that_somebody_touched_stays() {
        let mut touched = seen();
        touched.template_commit = Some("c0".to_owned());
        assert!(plan(&touched).stays.contains(&Stays::Template(ProjectId(2))));
        touched.template_commit = None;
        assert!(plan(&touched).stays.contains(&Stays::Template(ProjectId(2))));
    }
}
