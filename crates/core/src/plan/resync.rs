//! Which communities a resync has to look at: those that are not as they were when their last look found nothing to do.
//!
//! A look that finds nothing to do leaves a [`Fingerprint`] of all that its plan was made from. A resync reads the same facts of
//! many communities at once and compares. That can only ever say "look again" or "no need to": nothing is concluded from a bulk
//! read, least of all from what is missing in it. A fact that a plan for a community depends on belongs into the fingerprint, or
//! the plan is not at [`rest`](is_at_rest); whatever is forgotten here is found when the community is looked at anyway.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use super::seen::{CommunitySeen, PageSeen};
use super::{Plan, Remark};
use crate::digest::Digest;
use crate::ids::{ProjectId, UserId};
use crate::program::{Handbook, PageKind, Program, Visibility};
use crate::proposal::PersonState;
use crate::table::Whose;
use crate::untrusted::Untrusted;

/// Raised whenever a plan depends on something new: every community is then looked at once.
const FORM: u32 = 1;

/// GitLab moves a project's last activity at most once an hour. What happened within this time before a look may be followed by
/// more that leaves no trace there.
const ACTIVITY_HIDES_FOR: SignedDuration = SignedDuration::from_hours(2);

/// What a thing was like when a look found nothing to do, and nothing is on its way to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rest {
    /// It is over or gone, and only news of it can change that.
    Over,
    /// A community, and all that its plan was made from.
    Community(Fingerprint),
}

impl Rest {
    /// As it is stored.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// As it was stored; `None` when this version does not understand it.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// All that the plan for a community was made from, as digests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    form: u32,
    rules: Digest,
    project: Digest,
    /// Git's name of the charter's content; `None`: there is no charter.
    charter: Option<String>,
    /// The project's last activity.
    active: Option<Timestamp>,
    /// Accounts of the charter's people, by username in lower case.
    people: BTreeMap<String, Digest>,
    /// One for each page with a table.
    pages: Vec<Digest>,
}

impl Fingerprint {
    /// That of a community; `None` when a part of it is not told or a page is not usable.
    #[must_use]
    pub fn of(program: &Program, seen: &CommunitySeen) -> Option<Self> {
        let Charter::Blob(charter) = seen.marks.charter.clone() else {
            return None;
        };
        let glance = ProjectGlance {
            id: seen.project.id,
            name: seen.project.name.clone(),
            full_path: seen.project.full_path.clone(),
            web_url: Some(seen.project.web_url.clone()),
            visibility: seen.project.visibility,
            archived: seen.project.archived,
            charter: seen.marks.charter.clone(),
            active: seen.marks.active,
        };
        let pages = program.handbooks.iter().zip(&seen.listings);
        let pages = pages.filter(|(handbook, _)| handbook.kind == PageKind::Table);
        let pages = pages.map(|(handbook, listing)| PageFacts::read(handbook, &listing.page)?.of(&glance));
        Some(Self {
            form: FORM,
            rules: rules(program, seen.bot.id),
            project: glance.digest(),
            charter,
            active: seen.marks.active,
            people: seen
                .people
                .iter()
                .map(|(name, state)| (name.key(), person(state)))
                .collect(),
            pages: pages.collect::<Option<_>>()?,
        })
    }

    /// Usernames of the people in it, in lower case.
    pub fn people(&self) -> impl Iterator<Item = &str> {
        self.people.keys().map(String::as_str)
    }
}

/// The settings of the program and who we are: with other ones every plan may be another.
#[must_use]
pub fn rules(program: &Program, bot: UserId) -> Digest {
    // The debug form has every field, so that none is forgotten when one is added.
    let program = format!("{program:?}");
    Digest::of_parts([env!("CARGO_PKG_VERSION"), &bot.to_string(), &program])
}

/// An account as far as a row depends on it. An account that is not in use is not told apart from one that is not there: GitLab's
/// lists do not either.
#[must_use]
pub fn person(state: &PersonState) -> Digest {
    match state {
        PersonState::Active { id, name } => Digest::of_parts([id.to_string().as_str(), name.expose()]),
        PersonState::Blocked | PersonState::Missing | PersonState::Bot | PersonState::Another => Digest::of(b""),
    }
}

/// Whether only a change of what is in the [`Fingerprint`] can make something due, or a merge request of ours that is open: those
/// are listed in every look at the handbook.
#[must_use]
pub fn is_at_rest(plan: &Plan) -> bool {
    let rests = |remark: &Remark| {
        matches!(
            remark,
            Remark::UpToDate
                | Remark::MergedAsMeant
                | Remark::MergeRequestClosedByPerson
                | Remark::NoCharter
                | Remark::NoSuchPerson(_)
                | Remark::InBatch
                | Remark::PrivateNotListed
                | Remark::NotListed
                | Remark::NoHandbook
                | Remark::ProjectGone
        )
    };
    plan.is_empty() && plan.turns.is_empty() && plan.report.iter().all(rests)
}

/// Marks that an observation carries along for the fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The charter's content.
    pub charter: Charter,
    /// The project's last activity.
    pub active: Option<Timestamp>,
}

/// What is told of a charter's content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Charter {
    /// Git's name of it; `None`: there is no charter.
    Blob(Option<String>),
    /// Nothing.
    #[default]
    Untold,
}

/// What a bulk read tells of a project.
#[derive(Clone, Debug)]
pub struct ProjectGlance {
    /// Its id.
    pub id: ProjectId,
    /// Its display name.
    pub name: Untrusted,
    /// Its full path. A project that somebody has deleted gets another until it is really gone.
    pub full_path: String,
    /// Its address.
    pub web_url: Option<Url>,
    /// Who sees it.
    pub visibility: Visibility,
    /// Read-only by a person's decision.
    pub archived: bool,
    /// Its charter.
    pub charter: Charter,
    /// Its last activity; `None`: not asked for.
    pub active: Option<Timestamp>,
}

impl ProjectGlance {
    fn digest(&self) -> Digest {
        let archived = if self.archived { "archived" } else { "" };
        Digest::of_parts([
            self.id.to_string().as_str(),
            self.name.expose(),
            &self.full_path,
            self.visibility.as_str(),
            archived,
        ])
    }

    /// Whether it lies in this group, directly or deeper.
    fn is_below(&self, group: &str) -> bool {
        let parts = self.full_path.split_at_checked(group.len());
        parts.is_some_and(|(above, rest)| above.eq_ignore_ascii_case(group) && rest.starts_with('/'))
    }
}

/// A handbook page, read once for all communities.
#[derive(Clone, Debug)]
pub struct PageFacts {
    shape: Digest,
    rows: Whose,
}

impl PageFacts {
    /// `None` when the page cannot be edited as it is: its faults are told elsewhere, and no community's look can do anything.
    #[must_use]
    pub fn read(handbook: &Handbook, page: &PageSeen) -> Option<Self> {
        let rows = Whose::read(&page.file.as_ref()?.bytes, handbook).ok()?;
        let header = rows.header().iter().map(String::as_str);
        let shape = [page.visibility.as_str(), page.branch.as_str()]
            .into_iter()
            .chain(header);
        Some(Self {
            shape: Digest::of_parts(shape),
            rows,
        })
    }

    /// What the page says of a project.
    fn of(&self, project: &ProjectGlance) -> Option<Digest> {
        let lines = self.rows.lines_of(project.web_url.as_ref()?, &project.name);
        Some(Digest::of_parts([self.shape.as_str()].into_iter().chain(lines)))
    }
}

/// What is remembered of a community.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its project.
    pub project: ProjectId,
    /// What it was like at its last look, if that found nothing to do.
    pub rest: Option<Rest>,
    /// When it was looked at last.
    pub looked_at: Option<Timestamp>,
}

impl Known {
    /// Usernames on which its last plan depended, in lower case.
    pub fn people(&self) -> impl Iterator<Item = &str> {
        let fingerprint = match &self.rest {
            Some(Rest::Community(fingerprint)) => Some(fingerprint),
            _ => None,
        };
        fingerprint.into_iter().flat_map(Fingerprint::people)
    }
}

/// What was read of a program's communities at once.
#[derive(Clone, Debug)]
pub struct Overview {
    /// [`rules`] now.
    pub rules: Digest,
    /// Full path of the program's group.
    pub group: String,
    /// Projects of the program that are no communities.
    pub apart: BTreeSet<ProjectId>,
    /// Projects by id. What is missing was left out by GitLab or not read: that proves nothing.
    pub projects: BTreeMap<ProjectId, ProjectGlance>,
    /// [`person`] by username in lower case; `None`: this way of reading cannot tell.
    pub people: Option<BTreeMap<String, Digest>>,
    /// The pages with a table, in the order of the settings; `None`: not usable now.
    pub pages: Vec<Option<PageFacts>>,
    /// How many projects the group has, as far as GitLab tells.
    pub count: Option<usize>,
}

impl Overview {
    /// Whether the group can have no project beside these: as many were read as GitLab counts.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let inside = self.projects.values().filter(|project| project.is_below(&self.group));
        self.count == Some(inside.count())
    }

    /// Which communities have to be looked at: known ones that are not as they were, and those that nobody knew.
    #[must_use]
    pub fn due<'k>(&self, known: impl IntoIterator<Item = &'k Known>) -> BTreeSet<ProjectId> {
        let mut due: BTreeSet<ProjectId> = self.projects.keys().copied().collect();
        due.retain(|id| !self.apart.contains(id));
        for known in known {
            if self.is_as_it_was(known) {
                due.remove(&known.project);
            } else {
                due.insert(known.project);
            }
        }
        due
    }

    fn is_as_it_was(&self, known: &Known) -> bool {
        let project = self.projects.get(&known.project);
        match (&known.rest, project) {
            (None, _) => false,
            (Some(Rest::Over), project) => project.is_none_or(|project| !project.is_below(&self.group)),
            (Some(Rest::Community(_)), None) => false,
            (Some(Rest::Community(then)), Some(project)) => {
                then.form == FORM
                    && then.rules == self.rules
                    && then.project == project.digest()
                    && is_same_charter(then, project, known.looked_at)
                    && self.are_same_people(then)
                    && self.are_same_pages(then, project)
            }
        }
    }

    fn are_same_people(&self, then: &Fingerprint) -> bool {
        let Some(now) = &self.people else { return true };
        then.people.iter().all(|(name, digest)| now.get(name) == Some(digest))
    }

    fn are_same_pages(&self, then: &Fingerprint, project: &ProjectGlance) -> bool {
        let is_same = |(then, now): (&Digest, &Option<PageFacts>)| match now {
            Some(now) => now.of(project).as_ref() == Some(then),
            None => true,
        };
        then.pages.len() == self.pages.len() && then.pages.iter().zip(&self.pages).all(is_same)
    }
}

/// Where the charter itself is not told, the last activity stands for it.
fn is_same_charter(then: &Fingerprint, project: &ProjectGlance, looked_at: Option<Timestamp>) -> bool {
    match (&project.charter, then.active, looked_at) {
        (Charter::Blob(now), _, _) => then.charter == *now,
        (Charter::Untold, Some(active), Some(looked_at)) => {
            project.active == Some(active) && looked_at.duration_since(active) >= ACTIVITY_HIDES_FOR
        }
        (Charter::Untold, _, _) => false,
    }
}
