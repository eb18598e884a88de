//! The charter of a community that has none: drafted from its row and its project, proposed by a merge request.
//!
//! Never pushed to the default branch. The branch is ours while its newest commit has our trailer with the digest of the
//! charter there; a merge request that a person closed is not opened again for the same charter.

use serde::{Deserialize, Serialize};

use super::rows::Standing;
use super::{Action, AdoptSeen, CandidateSeen, CharterBranchSeen, Finding, Kind, about};
use crate::cadence::Cadence;
use crate::charter::{self as record, Charter, Join, Status};
use crate::digest::Digest;
use crate::escape::{CommitMessage, Markdown, Marker, Title};
use crate::ids::{CommitSha, UserId, Username};
use crate::plan::Step;
use crate::plan::seen::{MergeRequestSeen, MergeRequestState, People};
use crate::plan::step::{FileChange, Opening};
use crate::proposal::PersonState;
use crate::table::{RowReport, Someone};
use crate::untrusted::Untrusted;

/// The branch with the proposed charter.
pub const BRANCH: &str = "convenor/charter";

/// Trailer of our commit: the digest of the charter as the commit made it.
const TRAILER: &str = "Convenor-Charter";

/// Kind of the marker in our merge request.
const MARKER: &str = "charter";

/// A description longer than this is no sentence.
const LONGEST_SUMMARY: usize = 250;

#[derive(Serialize, Deserialize)]
struct CharterMarker {
    charter: Digest,
}

/// A charter as it would be proposed.
struct Draft {
    text: String,
    facilitators: Vec<Username>,
    /// Where the facilitators come from.
    source: Source,
    /// People of the row whose accounts cannot be told, or are not in use.
    doubts: Vec<Untrusted>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Row,
    Maintainers,
    Nobody,
}

/// How a missing charter stands.
enum Way {
    Due { replaces: Option<CommitSha>, commit: bool },
    Proposed,
    Refused,
    BranchIsAPersons,
}

/// What is to be said about a missing charter.
pub(super) fn finding(seen: &AdoptSeen, candidate: &CandidateSeen, row: &Standing) -> Finding {
    if candidate.project.empty == Some(true) || candidate.project.default_branch.is_none() {
        return about(
            Kind::EmptyProject,
            candidate,
            "it has no charter and no commit, so nothing can be proposed there".to_owned(),
            "make a first commit (a README), then run `convenor adopt` again".to_owned(),
        );
    }
    let Some(draft) = draft(seen, candidate, row) else {
        let mend = format!("write {} by hand", record::PATH);
        let evidence = "it has no charter, and none can be drafted from its name".to_owned();
        return about(Kind::MissingCharter, candidate, evidence, mend);
    };
    match way(candidate, &draft, seen.bot.id) {
        Way::Due { .. } => Finding {
            action: Some(Action::Charter),
            ..about(Kind::MissingCharter, candidate, evidence(&draft), DUE.to_owned())
        },
        Way::Proposed => about(
            Kind::CharterProposed,
            candidate,
            "a merge request with its charter is open".to_owned(),
            "review and merge it".to_owned(),
        ),
        Way::Refused => about(
            Kind::CharterRefused,
            candidate,
            "the merge request with its charter was closed, or its charter was taken out again".to_owned(),
            format!(
                "nothing: a person's no counts. Write {} by hand if it should be a community",
                record::PATH
            ),
        ),
        Way::BranchIsAPersons => about(
            Kind::CharterRefused,
            candidate,
            format!("somebody else has pushed to the branch {BRANCH}, so it is theirs"),
            "open a merge request from it by hand, or delete it and run `convenor adopt` again".to_owned(),
        ),
    }
}

const DUE: &str = "`convenor adopt --write` proposes one by a merge request in the project";

fn evidence(draft: &Draft) -> String {
    let who: Vec<String> = draft
        .facilitators
        .iter()
        .map(|name| format!("@{}", name.as_str()))
        .collect();
    let who = match draft.source {
        Source::Row => format!("facilitators by its row: {}", who.join(", ")),
        Source::Maintainers => format!("facilitators by the project's Maintainers: {}", who.join(", ")),
        Source::Nobody => "nobody is known to run it".to_owned(),
    };
    match draft.doubts.len() {
        0 => format!("it has no charter; {who}"),
        1 => format!("it has no charter; {who}; one of the row's people cannot be told"),
        many => format!("it has no charter; {who}; {many} of the row's people cannot be told"),
    }
}

/// What is due to propose the charter of this project; empty when nothing is.
#[must_use]
pub fn steps(seen: &AdoptSeen, candidate: &CandidateSeen) -> Vec<Step> {
    let has_charter =
        candidate.charter.is_some() || candidate.project.archived || candidate.project.marked_for_deletion;
    let Some(target) = candidate.project.default_branch.as_deref().filter(|_| !has_charter) else {
        return Vec::new();
    };
    if candidate.project.empty == Some(true) {
        return Vec::new();
    }
    let number = seen
        .projects
        .iter()
        .position(|other| other.project.id == candidate.project.id);
    let standings = super::rows::standings(seen, &mut super::Report::default());
    let row = number
        .and_then(|number| standings.get(number))
        .cloned()
        .unwrap_or_default();
    let Some(draft) = draft(seen, candidate, &row) else {
        return Vec::new();
    };
    let Way::Due { replaces, commit } = way(candidate, &draft, seen.bot.id) else {
        return Vec::new();
    };
    let mut steps = Vec::new();
    if commit {
        steps.push(committed(candidate, &draft, target, replaces));
    }
    steps.push(merge_request(candidate, &draft, target));
    steps
}

fn committed(candidate: &CandidateSeen, draft: &Draft, target: &str, replaces: Option<CommitSha>) -> Step {
    Step::Commit {
        project: candidate.project.id,
        branch: BRANCH.to_owned(),
        start: Some(target.to_owned()),
        replaces,
        message: CommitMessage::new()
            .words("Add the charter of this community")
            .trailer_digest(TRAILER, &Digest::of(draft.text.as_bytes())),
        files: vec![FileChange::Create {
            path: record::PATH.to_owned(),
            content: draft.text.as_bytes().to_vec(),
        }],
    }
}

fn merge_request(candidate: &CandidateSeen, draft: &Draft, target: &str) -> Step {
    Step::CreateMergeRequest {
        project: candidate.project.id,
        source: BRANCH.to_owned(),
        target: target.to_owned(),
        title: Title::new().words("Add the charter of this community"),
        description: description(draft),
        opening: Opening {
            remove_source_branch: Some(true),
            ..Opening::default()
        },
        removes_row: false,
    }
}

fn description(draft: &Draft) -> Markdown {
    let data = serde_json::to_value(CharterMarker {
        charter: Digest::of(draft.text.as_bytes()),
    });
    let mut text = Markdown::new().marker(&Marker {
        kind: MARKER,
        data: data.unwrap_or_default(),
    });
    text = text.words(
        "This adds `.gitlab/community.yml`, the community's own record: its name, who runs it, when it meets. Once it is \
         merged, the handbook's table follows it, always by a merge request that a maintainer reviews.\n\n",
    );
    text = text.words(match draft.source {
        Source::Row => "The facilitators are those of the handbook's row: ",
        Source::Maintainers => "The handbook has no row that names facilitators; these are the project's Maintainers: ",
        Source::Nobody => "Nobody is known to run it; please add the facilitators.",
    });
    for (index, name) in draft.facilitators.iter().enumerate() {
        text = text.words(if index == 0 { "" } else { ", " }).mention(name);
    }
    text = text.words("\n\nPlease check before you merge:\n\n- [ ] name, summary and status\n- [ ] facilitators\n");
    for person in &draft.doubts {
        text = text
            .words("- [ ] the account of ")
            .inline(person)
            .words(", whom the row names\n");
    }
    text.words(
        "- [ ] the cadence: when it meets\n\nCommits on this branch are welcome; then it is yours. Close this merge request \
         if the project is no community: it is not proposed again.\n",
    )
}

fn way(candidate: &CandidateSeen, draft: &Draft, bot: UserId) -> Way {
    let digest = Digest::of(draft.text.as_bytes());
    if let Some(newest) = candidate.merge_requests.first() {
        match newest.state {
            MergeRequestState::Opened | MergeRequestState::Locked => return Way::Proposed,
            // Merged, and the charter is not there: somebody took it out again.
            MergeRequestState::Merged => return Way::Refused,
            MergeRequestState::Closed if newest.closed_by != Some(bot) && is_about(newest, &digest) => {
                return Way::Refused;
            }
            MergeRequestState::Closed => {}
        }
    }
    let Some(branch) = &candidate.branch else {
        return Way::Due {
            replaces: None,
            commit: true,
        };
    };
    match (&branch.charter, is_ours(branch)) {
        (Some(there), true) if there.bytes == draft.text.as_bytes() => Way::Due {
            replaces: None,
            commit: false,
        },
        (_, true) => Way::Due {
            replaces: Some(branch.head.clone()),
            commit: true,
        },
        (_, false) => Way::BranchIsAPersons,
    }
}

/// A merge request without a marker of ours is about whatever a person wanted.
fn is_about(merge_request: &MergeRequestSeen, digest: &Digest) -> bool {
    let marker = Marker::find(merge_request.description.expose(), MARKER)
        .and_then(|value| serde_json::from_value::<CharterMarker>(value).ok());
    marker.is_none_or(|marker| marker.charter == *digest)
}

fn is_ours(branch: &CharterBranchSeen) -> bool {
    let Some(charter) = &branch.charter else { return false };
    let expected = Digest::of(&charter.bytes);
    let mut trailers = branch
        .message
        .expose()
        .lines()
        .filter_map(|line| line.strip_prefix(TRAILER));
    trailers.any(|rest| {
        rest.strip_prefix(':')
            .is_some_and(|value| value.trim() == expected.as_str())
    })
}

/// `None` when no charter that reads back can be made.
fn draft(seen: &AdoptSeen, candidate: &CandidateSeen, row: &Standing) -> Option<Draft> {
    let row = row.row.as_ref();
    let (facilitators, source, doubts) = facilitators(candidate, row, &seen.people);
    let charter = Charter {
        name: name(candidate, row),
        summary: summary(&candidate.project.description),
        status: if row.is_some_and(|row| row.inactive) {
            Status::Inactive
        } else {
            Status::Active
        },
        facilitators: facilitators.clone(),
        join: Join::Open,
        cadence: Cadence::default(),
        chat: None,
        proposal: None,
        merged_into: None,
        links: Vec::new(),
    };
    let text = record::render_new(&charter);
    let reads_back = record::read(text.as_bytes()).is_ok_and(|read| read.facilitators == charter.facilitators);
    reads_back.then_some(Draft {
        text,
        facilitators,
        source,
        doubts,
    })
}

fn name(candidate: &CandidateSeen, row: Option<&RowReport>) -> Untrusted {
    let of_row = row
        .map(|row| plain_name(row.name.expose()))
        .filter(|name| !name.is_empty());
    match of_row {
        Some(name) => Untrusted::new(name),
        None => candidate.project.name.clone(),
    }
}

/// The row's name without the page's own mark.
fn plain_name(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let kept = match lower.find("(inactive)") {
        Some(at) => format!("{}{}", &text[..at], &text[at + "(inactive)".len()..]),
        None => text.to_owned(),
    };
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The description's first line, when it is short enough to be a summary.
fn summary(description: &Untrusted) -> Untrusted {
    let first = description.expose().lines().find(|line| !line.trim().is_empty());
    let first = first.unwrap_or_default().trim();
    Untrusted::new(first).first(LONGEST_SUMMARY)
}

fn facilitators(
    candidate: &CandidateSeen,
    row: Option<&RowReport>,
    people: &People,
) -> (Vec<Username>, Source, Vec<Untrusted>) {
    let mut found = Vec::new();
    let mut doubts = Vec::new();
    for someone in row.iter().flat_map(|row| &row.people) {
        match account(someone, people) {
            Some(username) if !found.contains(&username) => found.push(username),
            Some(_) => {}
            None => doubts.push(said_name(someone)),
        }
    }
    // A row that says TBD says that nobody runs it; only without one are the Maintainers a guess worth making.
    if !found.is_empty() {
        return (found, Source::Row, doubts);
    }
    match row {
        Some(row) if row.tbd || !doubts.is_empty() => (Vec::new(), Source::Nobody, doubts),
        _ if candidate.maintainers.is_empty() => (Vec::new(), Source::Nobody, doubts),
        _ => (candidate.maintainers.clone(), Source::Maintainers, doubts),
    }
}

/// The account of somebody whom a row names, when there is one in use.
fn account(someone: &Someone, people: &People) -> Option<Username> {
    let username = someone.username.as_ref()?;
    matches!(people.get(username), Some(PersonState::Active { .. })).then(|| username.clone())
}

fn said_name(someone: &Someone) -> Untrusted {
    match (&someone.name, &someone.username) {
        (Some(name), _) if !name.is_blank() => name.clone(),
        (_, Some(username)) => Untrusted::new(username.as_str()),
        _ => Untrusted::new("somebody"),
    }
}
