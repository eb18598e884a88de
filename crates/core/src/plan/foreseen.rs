//! What would be observed now, given that a step was answered so.
//!
//! After a definite answer the next steps need no new observation: what was seen, changed by what GitLab says that it did, is what
//! would be seen. Only what a plan for a new community depends on is foreseen here. Whatever else was done or answered gives
//! `None`, and then there is one way: to look again.

use std::fmt;

use jiff::Timestamp;
use url::Url;

use super::FileVersion;
use super::Step;
use super::provision::TOPIC;
use super::seen::{
    BoardSeen, BranchSeen, CommunitySeen, InsideSeen, LabelEventSeen, LabelSeen, ListingSeen, MergeRequestSeen,
    MergeRequestState, NoteSeen, OwnIssueSeen, ProjectSeen, ProjectStanding, ProposalSeen,
};
use super::step::FileChange;
use crate::charter;
use crate::ids::{BoardId, BoardListId, CommitSha, IssueIid, LabelId, MergeRequestIid, NoteId, ProjectId};
use crate::program::Visibility;
use crate::untrusted::Untrusted;

/// What GitLab says that a step made or changed. Prints as its name there, for the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing that has a name.
    Nothing,
    /// A name that is no number.
    Name(String),
    /// An id or a number inside a project.
    Number(u64),
    /// A commit.
    Commit(CommitSha),
    /// A new project.
    Project(Box<MadeProject>),
    /// A new issue.
    Issue {
        /// Its number.
        iid: IssueIid,
        /// Its address.
        web_url: Url,
    },
    /// A new merge request.
    MergeRequest {
        /// Its number.
        iid: MergeRequestIid,
        /// Its address.
        web_url: Url,
        /// When it was opened.
        at: Timestamp,
    },
}

/// A new project as GitLab made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeProject {
    /// Its id.
    pub id: ProjectId,
    /// Full path.
    pub full_path: String,
    /// Last segment of it.
    pub path: String,
    /// Its address.
    pub web_url: Url,
    /// Who sees it, where GitLab tells.
    pub visibility: Option<Visibility>,
    /// The branch that its first commit goes to, where GitLab tells.
    pub default_branch: Option<String>,
    /// When it was made.
    pub at: Timestamp,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => Ok(()),
            Self::Name(name) => f.write_str(name),
            Self::Number(number) => write!(f, "{number}"),
            Self::Commit(commit) => write!(f, "{commit}"),
            Self::Project(project) => write!(f, "{}", project.id),
            Self::Issue { iid, .. } => write!(f, "{iid}"),
            Self::MergeRequest { iid, .. } => write!(f, "{iid}"),
        }
    }
}

impl Answer {
    fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// What would be seen of a proposal after this step; `None`: that cannot be told.
#[must_use]
pub fn of_proposal(seen: ProposalSeen, step: &Step, answer: &Answer, at: Timestamp) -> Option<ProposalSeen> {
    let mut seen = ProposalSeen {
        is_foreseen: true,
        ..seen
    };
    match step {
        Step::RecordAcceptance(acceptance) => seen.acceptance = Some(acceptance.clone()),
        Step::CreateNote { body, .. } => seen.notes.push(NoteSeen {
            id: NoteId(answer.number()?),
            author: seen.bot.clone(),
            body: Untrusted::new(body.as_str()),
            system: false,
            internal: false,
            created_at: at,
            edited: false,
        }),
        Step::UpdateNote { note, body, .. } => {
            let known = seen.notes.iter_mut().find(|known| known.id == *note)?;
            known.body = Untrusted::new(body.as_str());
        }
        Step::DeleteOwnNote { note, .. } => seen.notes.retain(|known| known.id != *note),
        Step::SetIssueState { add, remove, close, .. } => {
            relabel(&mut seen, add.as_slice(), remove, at);
            seen.issue.open &= !close;
        }
        Step::CreateProject { slug, visibility, .. } => {
            let Answer::Project(made) = answer else { return None };
            // Where GitLab made something else of it than was asked for, it has to be looked at.
            if made.path != slug.as_str() || made.visibility != Some(*visibility) {
                return None;
            }
            let made = made_project(&seen, step, made)?;
            seen.projects.push(made.clone());
            seen.project = ProjectStanding::Ours(made);
            seen.inside = Some(InsideSeen::default());
        }
        step => fill(&mut seen, step, answer)?,
    }
    Some(seen)
}

/// Events of ours count too: the last one about a label says whose wish it is.
fn relabel(seen: &mut ProposalSeen, add: &[&'static str], remove: &[&'static str], at: Timestamp) {
    seen.issue.labels.retain(|label| !remove.contains(&label.as_str()));
    seen.issue.labels.extend(add.iter().map(|label| (*label).to_owned()));
    let all = add.iter().map(|label| (label, true));
    let all = all.chain(remove.iter().map(|label| (label, false)));
    let user = seen.bot.clone();
    seen.label_events.extend(all.map(|(label, added)| LabelEventSeen {
        user: user.clone(),
        label: (*label).to_owned(),
        added,
        at,
    }));
}

fn made_project(seen: &ProposalSeen, step: &Step, made: &MadeProject) -> Option<ProjectSeen> {
    let Step::CreateProject { name, description, .. } = step else {
        return None;
    };
    Some(ProjectSeen {
        id: made.id,
        name: name.untrusted(),
        path: made.path.clone(),
        full_path: made.full_path.clone(),
        description: Untrusted::new(description.as_str()),
        web_url: made.web_url.clone(),
        archived: false,
        marked_for_deletion: false,
        creator: Some(seen.bot.id),
        created_at: Some(made.at),
        empty: Some(true),
        default_branch: made.default_branch.clone(),
        visibility: made.visibility?,
        topics: vec![Untrusted::new(TOPIC)],
    })
}

/// What would be seen inside the project.
fn fill(seen: &mut ProposalSeen, step: &Step, answer: &Answer) -> Option<()> {
    let ProjectStanding::Ours(project) = &mut seen.project else {
        return None;
    };
    let inside = seen.inside.as_mut()?;
    match step {
        Step::Commit {
            project: of,
            start: None,
            replaces: None,
            files,
            ..
        } if *of == project.id => {
            inside.files.extend(files.iter().map(|file| match file {
                FileChange::Create { path, .. } | FileChange::Update { path, .. } | FileChange::Delete { path, .. } => {
                    path.clone()
                }
            }));
            inside.charter = charter_in(files, answer);
            project.empty = Some(false);
        }
        Step::CreateLabel { name, .. } => inside.labels.push(LabelSeen {
            id: LabelId(answer.number()?),
            name: name.clone(),
            of_group: false,
        }),
        Step::CreateBoard { name, .. } => inside.boards.push(BoardSeen {
            id: BoardId(answer.number()?),
            name: Untrusted::new(name.as_str()),
            lists: Vec::new(),
        }),
        Step::CreateBoardList { board, label, .. } => {
            let board = inside.boards.iter_mut().find(|known| known.id == *board)?;
            board.lists.push((BoardListId(answer.number()?), Some(*label)));
        }
        Step::AddMember { user, level, .. } => {
            inside.members.as_mut()?.insert(*user, *level);
        }
        Step::CreateIssue { description, .. } => {
            let Answer::Issue { iid, web_url } = answer else {
                return None;
            };
            inside.issues.push(OwnIssueSeen {
                iid: *iid,
                open: true,
                closed_by: None,
                description: Untrusted::new(description.as_str()),
                web_url: web_url.clone(),
            });
        }
        _ => return None,
    }
    Some(())
}

fn charter_in(files: &[FileChange], answer: &Answer) -> Option<FileVersion> {
    let Answer::Commit(commit) = answer else { return None };
    files.iter().find_map(|file| match file {
        FileChange::Create { path, content } if path == charter::PATH => Some(FileVersion {
            bytes: content.clone(),
            last_commit: Some(commit.clone()),
        }),
        _ => None,
    })
}

/// What would be seen of a community after this step; `None`: that cannot be told.
#[must_use]
pub fn of_community(mut seen: CommunitySeen, step: &Step, answer: &Answer) -> Option<CommunitySeen> {
    let bot = seen.bot.id;
    match (step, answer) {
        (
            Step::Commit {
                project,
                branch,
                start: Some(_),
                message,
                files,
                ..
            },
            Answer::Commit(head),
        ) => {
            let [FileChange::Create { content, .. } | FileChange::Update { content, .. }] = files.as_slice() else {
                return None;
            };
            let listing = listing_of(&mut seen, *project, branch)?;
            listing.place.branch = Some(BranchSeen {
                head: head.clone(),
                message: Untrusted::new(message.as_str()),
                page: Some(FileVersion {
                    bytes: content.clone(),
                    last_commit: Some(head.clone()),
                }),
                parent: None,
                base_page: listing.page.file.as_ref().map(|file| file.bytes.clone()),
            });
        }
        (
            Step::CreateMergeRequest {
                project,
                source,
                title,
                description,
                ..
            },
            Answer::MergeRequest { iid, web_url, at },
        ) => {
            let listing = listing_of(&mut seen, *project, source)?;
            let opened = MergeRequestSeen {
                iid: *iid,
                state: MergeRequestState::Opened,
                author: bot,
                closed_by: None,
                title: Untrusted::new(title.as_str()),
                description: Untrusted::new(description.as_str()),
                web_url: web_url.clone(),
                conflicts: None,
                needs_rebase: false,
                head: listing.place.branch.as_ref().map(|branch| branch.head.clone()),
                created_at: *at,
            };
            listing.place.merge_requests.insert(0, opened);
        }
        _ => return None,
    }
    Some(seen)
}

/// The one page whose change comes from this branch.
fn listing_of<'s>(seen: &'s mut CommunitySeen, project: ProjectId, branch: &str) -> Option<&'s mut ListingSeen> {
    let is_it = |listing: &&mut ListingSeen| listing.page.project == project && listing.place.name == branch;
    let mut found = seen.listings.iter_mut().filter(is_it);
    let listing = found.next()?;
    found.next().is_none().then_some(listing)
}
