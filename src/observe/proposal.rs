//! All that a proposal's plan depends on.

use std::collections::{BTreeMap, BTreeSet};

use convenor_core::approval::Acceptance;
use convenor_core::charter;
use convenor_core::command::{self, Command};
use convenor_core::escape::Marker;
use convenor_core::ids::{AccessLevel, IssueIid, NoteId, ProjectId, UserId};
use convenor_core::plan::provision::{self, Evidence};
use convenor_core::plan::seen::{
    BoardSeen, InsideSeen, IssueSeen, LabelEventSeen, LabelSeen, MergeRequestSeen, NoteSeen, OwnIssueSeen, PageSeen,
    ProjectSeen, ProjectStanding, ProposalSeen, UserSeen,
};
use convenor_core::plan::status::{self, Status, recorded_status};
use convenor_core::plan::{labels, wishes};
use convenor_core::program::PageKind;
use convenor_core::proposal as form;
use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};

use super::{ObserveError, Observer, Places, address, project_seen};
use crate::gitlab::{GitLabError, IssueFilter, wire};

/// What our own store remembers of a proposal.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// What was made in its project, in the sentences of the steps.
    pub made_before: BTreeMap<String, Timestamp>,
    /// The sentence of the step that began to make its project, and when that was.
    pub begun: Option<(String, Timestamp)>,
    /// The accepted text.
    pub acceptance: Option<Acceptance>,
    /// The project that was made for it.
    pub project: Option<ProjectId>,
    /// Projects that were made for other proposals.
    pub of_others: BTreeSet<ProjectId>,
    /// The comment that was written last.
    pub comment: Option<NoteId>,
}

/// What was said about a proposal.
struct Talk {
    notes: Vec<NoteSeen>,
    label_events: Vec<LabelEventSeen>,
    /// Those of them whose accounts are not in use.
    blocked: BTreeSet<UserId>,
}

impl Observer {
    /// The issue of a proposal; `None` when there is no such issue (any more).
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn issue(&self, iid: IssueIid) -> Result<Option<IssueSeen>, ObserveError> {
        let intake = self.places().await?.intake.id;
        self.reader.issue(intake, iid).await?.map(issue_seen).transpose()
    }

    /// Everything else about the proposal of this issue.
    ///
    /// `looked_at` is when reading began, the issue included; `template_files` are the paths that a new community's first commit makes.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn proposal(
        &self,
        issue: IssueSeen,
        looked_at: Timestamp,
        remembered: Remembered,
        template_files: &[String],
    ) -> Result<ProposalSeen, ObserveError> {
        let places = self.places().await?;
        let iid = issue.iid;
        let read = match &remembered.acceptance {
            Some(accepted) => form::parse(&accepted.title, &accepted.description),
            None => form::parse(&issue.title, &issue.description),
        };
        let people = read.understood.facilitators.iter().chain(&read.understood.members);
        let named: BTreeSet<_> = people.cloned().collect();
        let slug = read.understood.slug.as_ref().map(|slug| slug.as_str().to_owned());
        // What follows from what was said is asked for while other answers are still on their way.
        let told = async {
            let talk = self.talk(places, iid, remembered.comment);
            let (talk, known) = tokio::try_join!(talk, self.known_project(remembered.project))?;
            let status = recorded_status(&talk.notes, places.bot.id).unwrap_or_default();
            let project = async {
                let project = self.standing(places, &issue, slug.as_deref(), &status, &remembered, known);
                self.filled(places, project.await?, &status, template_files).await
            };
            let roles = self.roles(who_matters(places, &issue, &talk.notes, &talk.label_events));
            let (project, roles) = tokio::try_join!(project, roles)?;
            Ok((talk, roles, project))
        };
        // Whatever needs no other answer is asked for at once.
        let ((talk, roles, (project, inside)), projects, people, rivals, pages) = tokio::try_join!(
            told,
            self.group_projects(),
            self.people(named),
            self.rivals(places.intake.id, iid),
            self.table_pages(),
        )?;
        if let (ProjectStanding::Free, Some(slug)) = (&project, slug) {
            not_listed(&projects, &format!("{}/{slug}", self.program.group))?;
        }
        // After the pages: whoever sees a line on a page then sees that it was merged.
        let (intake, lines) = tokio::try_join!(self.intake_among(&projects), self.lines(&project))?;
        Ok(ProposalSeen {
            bot: places.bot.clone(),
            group: places.group.clone(),
            intake,
            issue,
            notes: talk.notes,
            label_events: talk.label_events,
            roles,
            blocked: talk.blocked,
            people,
            projects,
            rivals,
            acceptance: remembered.acceptance,
            project,
            refused_members: BTreeSet::new(),
            made_before: remembered.made_before,
            looked_at,
            is_foreseen: false,
            inside,
            pages: pages.into_iter().zip(lines).collect(),
        })
    }

    /// What was said about a proposal, in words and by labels.
    async fn talk(&self, places: &Places, issue: IssueIid, written: Option<NoteId>) -> Result<Talk, ObserveError> {
        let intake = places.intake.id;
        let (notes, events) = tokio::try_join!(
            self.reader.notes(intake, issue),
            self.reader.label_events(intake, issue),
        )?;
        let blocked = blocked(&notes, &events);
        let mut notes: Vec<NoteSeen> = notes.into_iter().map(note_seen).collect();
        if let Some(id) = status::unlisted(&notes, places.bot.id, written) {
            notes.extend(self.reader.note(intake, issue, id).await?.map(note_seen));
            notes.sort_by_key(|note| note.id);
        }
        Ok(Talk {
            blocked,
            notes,
            label_events: events.into_iter().filter_map(label_event_seen).collect(),
        })
    }

    /// The project with what is in it, as long as it is ours and not everything was made.
    async fn filled(
        &self,
        places: &Places,
        project: ProjectStanding,
        status: &Status,
        template_files: &[String],
    ) -> Result<(ProjectStanding, Option<InsideSeen>), ObserveError> {
        let inside = match &project {
            ProjectStanding::Ours(ours) if !status.made => Some(self.inside(places, ours, template_files).await?),
            _ => None,
        };
        Ok((project, inside))
    }

    /// The pages with a table.
    async fn table_pages(&self) -> Result<Vec<PageSeen>, ObserveError> {
        try_join_all(self.table_indices().map(|index| self.page(index))).await
    }

    /// The places of the pages with a table in the settings.
    fn table_indices(&self) -> impl Iterator<Item = usize> {
        let handbooks = self.program.handbooks.iter().enumerate();
        let tables = handbooks.filter(|(_, handbook)| handbook.kind == PageKind::Table);
        tables.map(|(index, _)| index)
    }

    /// The branches of a new community's rows, for each page with a table.
    #[must_use]
    pub fn new_row_branches(&self, project: &ProjectSeen) -> Vec<String> {
        self.table_indices()
            .map(|index| self.new_row_branch(index, project))
            .collect()
    }

    /// The merge requests of the community's row, for each page with a table; none when there is no community.
    async fn lines(&self, project: &ProjectStanding) -> Result<Vec<Vec<MergeRequestSeen>>, ObserveError> {
        let ProjectStanding::Ours(project) = project else {
            return Ok(self.program.tables().map(|_| Vec::new()).collect());
        };
        let lines = try_join_all(self.table_indices().map(|index| async move {
            let own = self.new_row_branch(index, project);
            let requests = self.line_requests(index, project, &own).await?;
            Ok::<_, ObserveError>((index, own, requests))
        }));
        let (open, lines) = tokio::try_join!(self.all_open_changes(), lines)?;
        let mut found = Vec::with_capacity(lines.len());
        for (index, new, requests) in lines {
            let own = self.row_branch(index, project, &open).await?;
            // The project had another path when its merge request was opened.
            found.push(match own == new {
                true => requests,
                false => self.line_requests(index, project, &own).await?,
            });
        }
        Ok(found)
    }

    async fn open_proposals(&self, places: &Places) -> Result<Vec<wire::Issue>, GitLabError> {
        let filter = IssueFilter {
            opened: true,
            ..IssueFilter::default()
        };
        let mut issues = self.reader.issues(places.intake.id, &filter).await?;
        issues.retain(|issue| labels::is_proposal(&issue.labels));
        Ok(issues)
    }

    /// Numbers of all open proposals, for the resync.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn proposal_iids(&self) -> Result<Vec<IssueIid>, ObserveError> {
        let places = self.places().await?;
        Ok(self
            .open_proposals(places)
            .await?
            .into_iter()
            .map(|issue| issue.iid)
            .collect())
    }

    /// What the project at the wanted path, or the remembered one, is to the proposal.
    async fn standing(
        &self,
        places: &Places,
        issue: &IssueSeen,
        slug: Option<&str>,
        status: &Status,
        remembered: &Remembered,
        known: Option<Option<ProjectSeen>>,
    ) -> Result<ProjectStanding, ObserveError> {
        let recorded_id = remembered.project.or(status.project);
        let recorded = match known {
            Some(known) => Some(known),
            None => self.known_project(status.project).await?,
        };
        let ((at_path, charter), group_at_path) = match (recorded_id, slug) {
            (None, Some(slug)) => tokio::try_join!(self.at_path(slug), self.is_group_at(slug))?,
            _ => ((None, None), false),
        };
        if recorded_id.is_none() && slug.is_none() {
            return Ok(ProjectStanding::Unknown);
        }
        // Our comment says it too, but a GitLab that is behind shows an older one.
        let begun = remembered.begun.as_ref();
        let begun = begun.filter(|(words, _)| slug.is_some_and(|slug| words.ends_with(&format!(" {slug}"))));
        let said = slug.is_some() && status.path.as_deref() == slug;
        Ok(provision::standing(Evidence {
            recorded: recorded.as_ref().map(Option::as_ref),
            remembered: remembered.project.is_some(),
            at_path: at_path.as_ref(),
            group_at_path,
            charter_proposal: charter.as_ref().and_then(|charter| charter.proposal.as_ref()),
            intake: &self.program.intake,
            issue: issue.iid,
            proposed_at: issue.created_at,
            announced: said || begun.is_some(),
            announced_at: status.announced_at.filter(|_| said).or(begun.map(|(_, at)| *at)),
            of_others: &remembered.of_others,
            bot: places.bot.id,
        }))
    }

    /// The project of an id that we know, if we know one; `Some(None)`: GitLab no longer has it. That is asked twice: people are told.
    async fn known_project(&self, id: Option<ProjectId>) -> Result<Option<Option<ProjectSeen>>, ObserveError> {
        let Some(id) = id else { return Ok(None) };
        match self.project_by_id(id).await? {
            Some(project) => Ok(Some(Some(project))),
            None => Ok(Some(self.project_by_id(id).await?)),
        }
    }

    async fn project_by_id(&self, id: ProjectId) -> Result<Option<ProjectSeen>, ObserveError> {
        self.reader.project(id).await?.map(project_seen).transpose()
    }

    async fn is_group_at(&self, slug: &str) -> Result<bool, ObserveError> {
        let path = format!("{}/{slug}", self.program.group);
        match self.reader.group(path.as_str()).await {
            Err(GitLabError::NotFound { .. } | GitLabError::Moved { .. }) => Ok(false),
            other => Ok(other.map(|_| true)?),
        }
    }

    async fn at_path(&self, slug: &str) -> Result<(Option<ProjectSeen>, Option<charter::Charter>), ObserveError> {
        let path = format!("{}/{slug}", self.program.group);
        let project = match self.reader.project(path.as_str()).await {
            // A project that was renamed or moved away left a redirect here.
            Err(GitLabError::Moved { .. }) => None,
            other => other?,
        };
        let Some(project) = project.map(project_seen).transpose()? else {
            return Ok((None, None));
        };
        if project.empty == Some(true) {
            return Ok((Some(project), None));
        }
        let branch = project.default_branch.clone().unwrap_or_else(|| "main".to_owned());
        let file = self.reader.file(project.id, charter::PATH, &branch).await?;
        let charter = file.and_then(|file| charter::read(&file.bytes).ok());
        Ok((Some(project), charter))
    }

    /// How far the project is.
    async fn inside(
        &self,
        places: &Places,
        project: &ProjectSeen,
        template_files: &[String],
    ) -> Result<InsideSeen, ObserveError> {
        let own_issues = IssueFilter {
            author_id: Some(places.bot.id),
            ..IssueFilter::default()
        };
        let (files, labels, boards, members, issues) = tokio::try_join!(
            self.files_there(project, template_files),
            self.reader.project_labels(project.id),
            self.reader.boards(project.id),
            self.members_of(project.id),
            self.reader.issues(project.id, &own_issues),
        )?;
        Ok(InsideSeen {
            files,
            charter: None,
            labels: labels
                .into_iter()
                .map(|label| LabelSeen {
                    id: label.id,
                    of_group: label.is_project_label == Some(false),
                    name: label.name,
                })
                .collect(),
            boards: boards.into_iter().map(board_seen).collect(),
            members: Some(members),
            issues: own_issues_seen(issues, places.bot.id)?,
        })
    }

    /// Members of a project, inherited ones included, with their highest role.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn members_of(&self, project: ProjectId) -> Result<BTreeMap<UserId, AccessLevel>, GitLabError> {
        let members = self.reader.project_members_all(project).await?.into_iter();
        Ok(members.map(|member| (member.id, member.access_level)).collect())
    }

    async fn files_there(&self, project: &ProjectSeen, paths: &[String]) -> Result<Vec<String>, GitLabError> {
        let mut there = Vec::new();
        if project.empty == Some(true) {
            return Ok(there);
        }
        let branch = project.default_branch.clone().unwrap_or_else(|| "main".to_owned());
        // The charter first: once it is there, the first commit was made and the others do not matter.
        if self.reader.file(project.id, charter::PATH, &branch).await?.is_some() {
            return Ok(vec![charter::PATH.to_owned()]);
        }
        for path in paths {
            if self.reader.file(project.id, path, &branch).await?.is_some() {
                there.push(path.clone());
            }
        }
        Ok(there)
    }
}

/// The author, and everybody who asked for a decision.
fn who_matters(places: &Places, issue: &IssueSeen, notes: &[NoteSeen], events: &[LabelEventSeen]) -> BTreeSet<UserId> {
    let decides = |note: &&NoteSeen| {
        let command = command::parse(&note.body, &places.bot.username);
        !note.system && matches!(command, Some(Command::Approve | Command::Decline { .. }))
    };
    let said = notes.iter().filter(decides).map(|note| note.author.id);
    let state = |event: &&LabelEventSeen| labels::is_proposal(std::slice::from_ref(&event.label));
    let labelled = events.iter().filter(state).map(|event| event.user.id);
    let wrote = [issue.author.id].into_iter().chain(wishes::last_editor(notes));
    let mut who: BTreeSet<UserId> = said.chain(labelled).chain(wrote).collect();
    who.remove(&places.bot.id);
    who
}

/// Authors and label setters whose accounts are not in use, where GitLab tells.
fn blocked(notes: &[wire::Note], events: &[wire::LabelEvent]) -> BTreeSet<UserId> {
    let people = notes.iter().map(|note| &note.author);
    let people = people.chain(events.iter().filter_map(|event| event.user.as_ref()));
    people
        .filter(|person| !is_in_use(person))
        .map(|person| person.id)
        .collect()
}

fn is_in_use(person: &wire::Person) -> bool {
    matches!(person.state.as_str(), "" | "active")
}

fn issue_seen(issue: wire::Issue) -> Result<IssueSeen, ObserveError> {
    Ok(IssueSeen {
        iid: issue.iid,
        web_url: address(&issue.web_url, "an issue")?,
        open: issue.state == wire::IssueState::Opened,
        author_in_use: is_in_use(&issue.author),
        author: user_seen(issue.author),
        title: issue.title,
        description: issue.description,
        confidential: issue.confidential,
        labels: issue.labels,
        created_at: issue.created_at,
        updated_at: issue.updated_at,
    })
}

fn user_seen(person: wire::Person) -> UserSeen {
    UserSeen {
        id: person.id,
        username: person.username,
    }
}

fn note_seen(note: wire::Note) -> NoteSeen {
    NoteSeen {
        edited: is_edited(&note),
        id: note.id,
        author: user_seen(note.author),
        body: note.body,
        system: note.system,
        internal: note.internal,
        created_at: note.created_at,
    }
}

/// GitLab writes both times in one go when a note is made; what differs by more was changed later. Nobody learns of a comment and
/// changes it within that.
fn is_edited(note: &wire::Note) -> bool {
    note.updated_at.duration_since(note.created_at) > SignedDuration::from_millis(100)
}

/// An event whose label or user is deleted by now proves nothing.
fn label_event_seen(event: wire::LabelEvent) -> Option<LabelEventSeen> {
    let added = match event.action {
        wire::LabelEventAction::Add => true,
        wire::LabelEventAction::Remove => false,
        wire::LabelEventAction::Other => return None,
    };
    Some(LabelEventSeen {
        user: user_seen(event.user?),
        label: event.label?.name,
        added,
        at: event.created_at,
    })
}

fn board_seen(board: wire::Board) -> BoardSeen {
    let lists = board
        .lists
        .into_iter()
        .map(|list| (list.id, list.label.map(|label| label.id)))
        .collect();
    BoardSeen {
        id: board.id,
        name: board.name,
        lists,
    }
}

/// Only what we opened and marked: anybody can paste a marker.
pub(super) fn own_issues_seen(issues: Vec<wire::Issue>, bot: UserId) -> Result<Vec<OwnIssueSeen>, ObserveError> {
    let ours = issues
        .into_iter()
        .filter(|issue| issue.author.id == bot && Marker::is_in(&issue.description));
    ours.map(|issue| {
        Ok(OwnIssueSeen {
            iid: issue.iid,
            web_url: address(&issue.web_url, "an issue")?,
            open: issue.state == wire::IssueState::Opened,
            closed_by: issue.closed_by.map(|person| person.id),
            description: issue.description,
        })
    })
    .collect()
}

/// A path that is free cannot be that of a project in the group's list.
fn not_listed(projects: &[ProjectSeen], path: &str) -> Result<(), ObserveError> {
    let listed = projects
        .iter()
        .find(|project| project.full_path.eq_ignore_ascii_case(path));
    listed.map_or(Ok(()), |project| {
        Err(ObserveError::Contradiction {
            path: project.full_path.clone(),
        })
    })
}
