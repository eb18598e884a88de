//! The steps that make a project out of an accepted proposal.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::Step;
use super::brakes;
use super::seen::{InsideSeen, ProjectSeen, ProjectStanding, ProposalSeen};
use super::step::FileChange;
use super::wanted::Wanted;
use crate::charter::IssueReference;
use crate::escape::{CommitMessage, Marker};
use crate::ids::{IssueIid, ProjectId, UserId};

/// Topic of every community's project.
pub const TOPIC: &str = "community-of-practice";

/// What a project at the wanted path, or the one we remember, is to a proposal.
///
/// Ours is a project that we remember by id. Failing that (the answer to its creation was lost), it is one that the bot
/// made at this path after it announced that, for no other proposal, and that is either still empty or says in its charter that
/// it comes from this proposal. Everything else is foreign: an existing project is never adopted, whatever its path.
#[must_use]
pub fn standing(evidence: Evidence<'_>) -> ProjectStanding {
    if let Some(recorded) = evidence.recorded {
        return match recorded {
            Some(project) if !evidence.remembered && is_anothers(&evidence, project) => {
                ProjectStanding::Foreign(project.clone())
            }
            Some(project) if !project.archived && !project.marked_for_deletion => {
                ProjectStanding::Ours(project.clone())
            }
            _ => ProjectStanding::Gone,
        };
    }
    match evidence.at_path {
        None if evidence.group_at_path => ProjectStanding::Group,
        None => ProjectStanding::Free,
        Some(project) if project.marked_for_deletion || project.archived => ProjectStanding::Foreign(project.clone()),
        Some(project) if is_ours(&evidence, project) => ProjectStanding::Ours(project.clone()),
        Some(project) => ProjectStanding::Foreign(project.clone()),
    }
}

/// What [`standing`] decides on.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The project that we remember for this proposal: `Some(None)` when GitLab no longer has it.
    pub recorded: Option<Option<&'a ProjectSeen>>,
    /// Whether our own store remembers it. The comment remembers it too, but whoever may edit our comment could write another
    /// project's id there.
    pub remembered: bool,
    /// The project at the wanted path.
    pub at_path: Option<&'a ProjectSeen>,
    /// Whether a group has that path: GitLab would refuse the project, each time that we asked.
    pub group_at_path: bool,
    /// The `proposal` of that project's charter, when it has one.
    pub charter_proposal: Option<&'a IssueReference>,
    /// Full path of the intake project.
    pub intake: &'a str,
    /// This proposal.
    pub issue: IssueIid,
    /// When the proposal was opened.
    pub proposed_at: Timestamp,
    /// Whether we announced that we make a project here, before it was there.
    pub announced: bool,
    /// When we did, by our clock; `None`: not told.
    pub announced_at: Option<Timestamp>,
    /// Projects that we made for other proposals. Whoever runs one can move it to this path and write this proposal into its
    /// charter.
    pub of_others: &'a BTreeSet<ProjectId>,
    /// Who we are.
    pub bot: UserId,
}

/// The kinds of steps that put something into the project, of which each is done once.
pub const FURNISHES: &[&str] = &[
    "create_label",
    "create_board",
    "create_board_list",
    "create_issue",
    "add_member",
];

/// Our clock and GitLab's may differ by so much: a project of ours is not older than its announcement.
const MOST_SKEW: SignedDuration = SignedDuration::from_mins(10);

/// Made by somebody else, or for another proposal.
fn is_anothers(evidence: &Evidence<'_>, project: &ProjectSeen) -> bool {
    project.creator.is_some_and(|maker| maker != evidence.bot) || evidence.of_others.contains(&project.id)
}

/// Whether it was made before we said that we would make it.
fn was_there_before(evidence: &Evidence<'_>, project: &ProjectSeen) -> bool {
    let (Some(announced), Some(made)) = (evidence.announced_at, project.created_at) else {
        return false;
    };
    made.saturating_add(MOST_SKEW).is_ok_and(|made| made < announced)
}

fn is_ours(evidence: &Evidence<'_>, project: &ProjectSeen) -> bool {
    if is_anothers(evidence, project) || !evidence.announced || was_there_before(evidence, project) {
        return false;
    }
    let made_by_bot = match project.creator {
        Some(creator) => creator == evidence.bot,
        // A GitLab that does not tell the creator: then it has to be younger than the proposal.
        None => project.created_at.is_some_and(|made| made >= evidence.proposed_at),
    };
    let for_this = match evidence.charter_proposal {
        Some(proposal) => {
            proposal.iid == evidence.issue && proposal.project.as_str().eq_ignore_ascii_case(evidence.intake)
        }
        None => project.empty != Some(false),
    };
    made_by_bot && for_this
}

/// Whether everything that a new project has is there, or was and a person took it away.
#[must_use]
pub fn is_made(seen: &ProposalSeen, wanted: &Wanted) -> bool {
    let is_ours = matches!(seen.project, ProjectStanding::Ours(_));
    let knows_members = seen.inside.as_ref().is_some_and(|inside| inside.members.is_some());
    // What was made a moment ago and is not there may only not be seen yet; and more may hang on it, as a board's lists do on their labels.
    let was_taken = |step: &Step| made_at(seen, step).is_some_and(|at| brakes::is_seen(at, seen.looked_at));
    is_ours && knows_members && missing(seen, wanted).iter().all(was_taken)
}

/// When a look would show what was made a moment ago and is not seen; `None`: nothing is waited for.
#[must_use]
pub fn waits_until(seen: &ProposalSeen, wanted: &Wanted) -> Option<Timestamp> {
    let missing = missing(seen, wanted);
    let made = missing.iter().filter_map(|step| made_at(seen, step));
    made.filter(|at| !brakes::is_seen(*at, seen.looked_at))
        .map(brakes::seen_by)
        .max()
}

/// What is due in GitLab for the project, given how far it is.
#[must_use]
pub fn steps(seen: &ProposalSeen, wanted: &Wanted) -> Vec<Step> {
    let mut steps = missing(seen, wanted);
    // What is not there any more somebody took away, even where our comment, which says that all is made, went with it.
    steps.retain(|step| made_at(seen, step).is_none());
    steps
}

/// When a step was done that is done once.
fn made_at(seen: &ProposalSeen, step: &Step) -> Option<Timestamp> {
    let made = seen.made_before.get(&step.to_string()).copied();
    made.filter(|_| FURNISHES.contains(&step.kind()))
}

/// The steps for what is not there, or not seen.
fn missing(seen: &ProposalSeen, wanted: &Wanted) -> Vec<Step> {
    let project = match (&seen.project, &seen.inside) {
        (ProjectStanding::Free, _) => return vec![create_project(seen, wanted)],
        (ProjectStanding::Ours(project), Some(_)) => project,
        _ => return Vec::new(),
    };
    let Some(inside) = &seen.inside else { return Vec::new() };
    let mut steps = Vec::new();
    steps.extend(first_commit(project, inside, wanted, seen.issue.iid));
    steps.extend(labels(project, inside, wanted));
    steps.extend(board(project, inside, wanted));
    // People's text goes while it is fresh that it may be told; members need no such question, and have time.
    steps.extend(issues(project.id, inside, wanted));
    steps.extend(members(project.id, inside, wanted, seen));
    steps
}

fn create_project(seen: &ProposalSeen, wanted: &Wanted) -> Step {
    Step::CreateProject {
        group: seen.group.id,
        name: wanted.name.clone(),
        slug: wanted.slug.clone(),
        description: wanted.description.clone(),
        visibility: wanted.visibility,
    }
}

fn first_commit(project: &ProjectSeen, inside: &InsideSeen, wanted: &Wanted, issue: IssueIid) -> Option<Step> {
    let missing = wanted.files.iter().filter(|file| !inside.files.contains(&file.path));
    let files: Vec<FileChange> = missing
        .map(|file| FileChange::Create {
            path: file.path.clone(),
            content: file.content.clone(),
        })
        .collect();
    let charter_is_missing = !inside.files.iter().any(|path| path == crate::charter::PATH);
    (charter_is_missing && !files.is_empty()).then(|| Step::Commit {
        project: project.id,
        branch: project.default_branch.clone().unwrap_or_else(|| "main".to_owned()),
        start: None,
        replaces: None,
        message: CommitMessage::new()
            .words("Set up the community from its proposal")
            .trailer_number("Convenor-Proposal", issue.0),
        files,
    })
}

fn labels(project: &ProjectSeen, inside: &InsideSeen, wanted: &Wanted) -> Vec<Step> {
    let missing = wanted
        .board
        .lists
        .iter()
        .filter(|list| !inside.labels.iter().any(|label| label.name == list.label));
    missing
        .map(|list| Step::CreateLabel {
            project: project.id,
            name: list.label.clone(),
            color: list.color.clone(),
            description: list.description.clone(),
        })
        .collect()
}

/// The board first; its lists once the board and their labels have ids.
fn board(project: &ProjectSeen, inside: &InsideSeen, wanted: &Wanted) -> Vec<Step> {
    let Some(board) = inside.boards.iter().find(|board| board.name.is(&wanted.board.name)) else {
        return vec![Step::CreateBoard {
            project: project.id,
            name: wanted.board.name.clone(),
        }];
    };
    let mut steps = Vec::new();
    for list in &wanted.board.lists {
        let Some(label) = inside.labels.iter().find(|label| label.name == list.label) else {
            continue;
        };
        if !board.lists.iter().any(|(_, shown)| *shown == Some(label.id)) {
            steps.push(Step::CreateBoardList {
                project: project.id,
                board: board.id,
                label: label.id,
                of_group: label.of_group,
                name: list.label.clone(),
            });
        }
    }
    steps
}

/// Whoever has the role already, by inheritance or by a person's hand, is left alone.
fn members(project: ProjectId, inside: &InsideSeen, wanted: &Wanted, seen: &ProposalSeen) -> Vec<Step> {
    let asked = |user: &UserId| *user != seen.bot.id && !seen.refused_members.contains(user);
    let Some(there) = &inside.members else {
        return Vec::new();
    };
    let lacks = |user: &UserId, level| asked(user) && there.get(user).is_none_or(|has| *has < level);
    let missing = wanted.members.iter().filter(|member| lacks(&member.user, member.level));
    missing
        .map(|member| Step::AddMember {
            project,
            user: member.user,
            username: member.username.clone(),
            level: member.level,
        })
        .collect()
}

fn issues(project: ProjectId, inside: &InsideSeen, wanted: &Wanted) -> Vec<Step> {
    let is_there = |kind: &str| {
        inside
            .issues
            .iter()
            .any(|issue| Marker::find(issue.description.expose(), kind).is_some())
    };
    let missing = wanted.issues.iter().filter(|issue| !is_there(issue.marker));
    missing
        .map(|issue| Step::CreateIssue {
            project,
            title: issue.title.clone(),
            description: issue.description.clone(),
            confidential: false,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::project;
    use super::*;
    use crate::charter::FullPath;

    const BOT: UserId = UserId(1);

    fn evidence<'a>() -> Evidence<'a> {
        Evidence {
            recorded: None,
            remembered: false,
            at_path: None,
            group_at_path: false,
            charter_proposal: None,
            intake: "cops/intake",
            issue: IssueIid(12),
            proposed_at: Timestamp::from_second(1_700_000_000).unwrap(),
            announced: false,
            announced_at: None,
            of_others: NOBODYS,
            bot: BOT,
        }
    }

    const NOBODYS: &BTreeSet<ProjectId> = &BTreeSet::new();

    fn reference(intake: &str, iid: u64) -> IssueReference {
        IssueReference {
            project: FullPath::new(intake).unwrap(),
            iid: IssueIid(iid),
        }
    }

    #[test]
    fn a_project_that_was_made_for_another_proposal_is_not_taken_over_by_its_charter() {
        let moved_here = project(77, "Rust", "rust");
        let forged = reference("cops/intake", 12);
        let others = BTreeSet::from([moved_here.id]);
        let found = Evidence {
            at_path: Some(&moved_here),
            charter_proposal: Some(&forged),
            announced: true,
            ..evidence()
        };
        assert_eq!(word(found), "ours");
        assert_eq!(
            word(Evidence {
                of_others: &others,
                ..found
            }),
            "foreign"
        );
        let recorded = Evidence {
            recorded: Some(Some(&moved_here)),
            ..evidence()
        };
        assert_eq!(word(recorded), "ours");
        assert_eq!(
            word(Evidence {
                of_others: &others,
                ..recorded
            }),
            "foreign"
        );
    }

    #[test]
    fn a_project_that_was_there_before_we_announced_ours_is_another() {
        let made = project(77, "Rust", "rust");
        let at = made.created_at.unwrap();
        let forged = reference("cops/intake", 12);
        for (minutes, expected) in [(0, "ours"), (9, "ours"), (-60, "ours"), (11, "foreign")] {
            let found = Evidence {
                at_path: Some(&made),
                charter_proposal: Some(&forged),
                announced: true,
                announced_at: Some(at + SignedDuration::from_mins(minutes)),
                ..evidence()
            };
            assert_eq!(word(found), expected, "{minutes}");
            assert_eq!(
                word(Evidence {
                    announced: false,
                    ..found
                }),
                "foreign",
                "never announced"
            );
        }
    }

    fn word(evidence: Evidence<'_>) -> &'static str {
        match standing(evidence) {
            ProjectStanding::Free => "free",
            ProjectStanding::Ours(_) => "ours",
            ProjectStanding::Gone => "gone",
            ProjectStanding::Foreign(_) => "foreign",
            ProjectStanding::Group => "group",
            ProjectStanding::Unknown => "unknown",
        }
    }

    #[test]
    fn a_free_path_is_free() {
        assert_eq!(word(evidence()), "free");
    }

    #[test]
    fn a_remembered_project_is_ours_until_a_person_ends_it() {
        let made = project(77, "Rust", "rust");
        let recorded = Evidence {
            recorded: Some(Some(&made)),
            ..evidence()
        };
        assert_eq!(word(recorded), "ours");
        for ended in [
            ProjectSeen {
                archived: true,
                ..made.clone()
            },
            ProjectSeen {
                marked_for_deletion: true,
                ..made.clone()
            },
        ] {
            assert_eq!(
                word(Evidence {
                    recorded: Some(Some(&ended)),
                    ..evidence()
                }),
                "gone"
            );
        }
        assert_eq!(
            word(Evidence {
                recorded: Some(None),
                ..evidence()
            }),
            "gone"
        );
    }

    #[test]
    fn an_id_that_somebody_wrote_into_our_comment_proves_nothing() {
        let foreign = ProjectSeen {
            creator: Some(UserId(9)),
            ..project(55, "Payroll", "payroll")
        };
        assert_eq!(
            word(Evidence {
                recorded: Some(Some(&foreign)),
                ..evidence()
            }),
            "foreign"
        );
    }

    #[test]
    fn an_empty_project_of_ours_is_ours_only_when_it_was_announced() {
        let empty = ProjectSeen {
            empty: Some(true),
            ..project(77, "Rust", "rust")
        };
        let found = Evidence {
            at_path: Some(&empty),
            ..evidence()
        };
        assert_eq!(word(found), "foreign");
        assert_eq!(
            word(Evidence {
                announced: true,
                ..found
            }),
            "ours"
        );
    }

    #[test]
    fn a_charter_says_whose_project_it_is() {
        let made = project(77, "Rust", "rust");
        for (intake, iid, expected) in [
            ("Cops/Intake", 12, "ours"),
            ("cops/intake", 3, "foreign"),
            ("a/b", 12, "foreign"),
        ] {
            let reference = reference(intake, iid);
            let found = Evidence {
                at_path: Some(&made),
                charter_proposal: Some(&reference),
                announced: true,
                ..evidence()
            };
            assert_eq!(word(found), expected, "{intake}#{iid}");
        }
    }

    #[test]
    fn somebody_elses_project_is_foreign_even_with_a_charter_that_names_us() {
        let reference = reference("cops/intake", 12);
        let foreign = ProjectSeen {
            creator: Some(UserId(9)),
            ..project(55, "Rust", "rust")
        };
        let found = Evidence {
            at_path: Some(&foreign),
            charter_proposal: Some(&reference),
            announced: true,
            ..evidence()
        };
        assert_eq!(word(found), "foreign");
    }
}
