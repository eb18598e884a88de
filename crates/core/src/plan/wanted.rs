//! What a proposal's community should be: everything that provisioning compares with what is there.

use jiff::Timestamp;
use url::Url;

use super::context::Context;
use super::listing;
use super::seen::{ProjectStanding, ProposalSeen};
use crate::charter::{Charter, FullPath, IssueReference};
use crate::escape::{Markdown, Marker, PlainLine, ProjectName, Title};
use crate::ids::{AccessLevel, UserId, Username};
use crate::program::Visibility;
use crate::proposal::{ChannelName, PersonState, Proposal};
use crate::render::{self, Addresses, Board, Fault, ProjectData, RenderedFile, TemplateSet};
use crate::slug::Slug;
use crate::table::{self, WantedRow};
use crate::untrusted::Untrusted;

/// Kind of the marker in the kick-off issue.
pub const KICKOFF: &str = "kickoff";
/// Kind of the marker in the first agenda issue.
pub const AGENDA: &str = "agenda";

/// So many characters of the purpose go into the files; the proposal keeps the rest.
const MOST_PURPOSE: usize = 10_000;

/// The templates of a new community, checked.
#[derive(Clone, Debug)]
pub struct Blueprint {
    templates: TemplateSet,
    board: Board,
    directory: String,
}

impl Blueprint {
    /// Takes a template set.
    ///
    /// # Errors
    /// When the board's description cannot be read, or the directory's template has a fault. A set of one's own without a
    /// directory gives an empty one.
    pub fn new(templates: TemplateSet) -> Result<Self, Fault> {
        let board = render::board(&templates)?;
        let directory = templates.source("directory.md.hbs").unwrap_or_default().to_owned();
        check_directory(&directory)?;
        Ok(Self {
            templates,
            board,
            directory,
        })
    }

    /// The template of a generated directory (`directory.md.hbs`).
    #[must_use]
    pub fn directory(&self) -> &str {
        &self.directory
    }

    /// Paths of the files that every new community's first commit makes.
    #[must_use]
    pub fn file_paths(&self) -> Vec<String> {
        let fixed = self.templates.paths().filter_map(|path| path.strip_prefix("project/"));
        fixed
            .map(|path| path.strip_suffix(".hbs").unwrap_or(path).to_owned())
            .collect()
    }
}

/// Tries the directory's template on a community that has everything.
fn check_directory(template: &str) -> Result<(), Fault> {
    let page = format!("{}\n{}\n", table::DIRECTORY_BEGIN, table::DIRECTORY_END);
    let url = Url::parse("https://gitlab.example.com/group/community").ok();
    let text = || Untrusted::new("text");
    let community = WantedRow {
        name: text(),
        project_url: url,
        facilitators: Vec::new(),
        inactive: true,
        fields: listing::FIELDS
            .iter()
            .map(|&field| (field.to_owned(), text()))
            .collect(),
    };
    let tried = table::directory(page.as_bytes(), template, &[community]);
    tried.map(drop).map_err(|finding| Fault {
        template: "directory.md.hbs".to_owned(),
        line: None,
        what: finding.to_string(),
    })
}

/// A community as its proposal asks for it.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The project's display name.
    pub name: ProjectName,
    /// The last part of its path.
    pub slug: Slug,
    /// Its description.
    pub description: PlainLine,
    /// Who sees it.
    pub visibility: Visibility,
    /// Where it is, or will be.
    pub url: Url,
    /// The charter.
    pub charter: Charter,
    /// The files of the first commit.
    pub files: Vec<RenderedFile>,
    /// The issue board.
    pub board: Board,
    /// Who gets which role.
    pub members: Vec<WantedMember>,
    /// Issues to open once.
    pub issues: Vec<WantedIssue>,
}

/// A member of a new project.
#[derive(Clone, Debug)]
pub struct WantedMember {
    /// The account.
    pub user: UserId,
    /// Its name.
    pub username: Username,
    /// The least role.
    pub level: AccessLevel,
}

/// An issue of a new project.
#[derive(Clone, Debug)]
pub struct WantedIssue {
    /// Kind of its marker.
    pub marker: &'static str,
    /// Its title.
    pub title: Title,
    /// Its description, with the marker.
    pub description: Markdown,
}

impl Wanted {
    /// What this form asks for.
    ///
    /// # Errors
    /// Faults of the templates: the operator mends them, not the proposer.
    pub fn new(context: &Context<'_>, seen: &ProposalSeen, form: &Proposal) -> Result<Self, Vec<Fault>> {
        let url = project_url(seen, &form.slug);
        let charter = charter(context, seen, form);
        let data = ProjectData {
            slug: form.slug.clone(),
            purpose: form.purpose.first(MOST_PURPOSE),
            members: form
                .members
                .iter()
                .filter(|member| !form.facilitators.contains(member))
                .cloned()
                .collect(),
            addresses: addresses(seen, &url),
            charter,
        };
        let templates = &context.blueprint.templates;
        Ok(Self {
            name: form.name.clone(),
            slug: form.slug.clone(),
            description: form.description(),
            visibility: context.program.visibility.min(seen.group.visibility),
            url,
            files: render::project_files(templates, &data)?,
            board: context.blueprint.board.clone(),
            members: members(context, seen, form),
            issues: issues(templates, &data, context.now).map_err(|fault| vec![fault])?,
            charter: data.charter,
        })
    }
}

fn project_url(seen: &ProposalSeen, slug: &Slug) -> Url {
    if let ProjectStanding::Ours(project) = &seen.project {
        return project.web_url.clone();
    }
    let mut url = seen.group.web_url.clone();
    // GitLab shows a group at `/groups/path` and its projects at `/path/project`.
    let group = url.path().trim_end_matches('/').to_owned();
    let group = group
        .split_once("/groups/")
        .map_or(group.clone(), |(root, path)| format!("{root}/{path}"));
    url.set_path(&format!("{group}/{}", slug.as_str()));
    url
}

fn addresses(seen: &ProposalSeen, url: &Url) -> Addresses {
    let branch = match &seen.project {
        ProjectStanding::Ours(project) => project.default_branch.clone(),
        _ => None,
    };
    let branch = branch.unwrap_or_else(|| "main".to_owned());
    Addresses {
        proposal: Some(seen.issue.web_url.to_string()),
        ..Addresses::of_project(url.as_str(), &branch)
    }
}

/// The first charter of a proposal's community.
#[must_use]
pub fn charter(context: &Context<'_>, seen: &ProposalSeen, form: &Proposal) -> Charter {
    let reference = FullPath::new(&context.program.intake).map(|project| IssueReference {
        project,
        iid: seen.issue.iid,
    });
    charter_of(&context.program.chat_prefix, form, reference)
}

/// The first charter that a form gives.
#[must_use]
pub fn charter_of(chat_prefix: &str, form: &Proposal, proposal: Option<IssueReference>) -> Charter {
    let chat = form
        .chat_channel
        .clone()
        .unwrap_or_else(|| ChannelName::default_for(chat_prefix, &form.slug));
    Charter::of_proposal(form, &chat, proposal)
}

fn members(context: &Context<'_>, seen: &ProposalSeen, form: &Proposal) -> Vec<WantedMember> {
    let of = |username: &Username, level| match seen.people.get(username) {
        Some(PersonState::Active { id, .. }) => Some(WantedMember {
            user: *id,
            username: username.clone(),
            level,
        }),
        _ => None,
    };
    let facilitators = form
        .facilitators
        .iter()
        .filter_map(|name| of(name, AccessLevel::MAINTAINER));
    let others = form.members.iter().filter(|member| !form.facilitators.contains(member));
    facilitators
        .chain(others.filter_map(|name| of(name, context.program.member_level)))
        .collect()
}

fn issues(templates: &TemplateSet, data: &ProjectData, now: Timestamp) -> Result<Vec<WantedIssue>, Fault> {
    let mut issues = vec![WantedIssue {
        marker: KICKOFF,
        title: Title::new().words("Kick-off: the first month"),
        description: marked(KICKOFF, render::kickoff(templates, data)?),
    }];
    if let Some(meeting) = data.charter.cadence.next(now) {
        // The meeting's day is the one on the wall where it takes place.
        let day = meeting.to_zoned(data.charter.cadence.timezone.rules().clone()).date();
        issues.push(WantedIssue {
            marker: AGENDA,
            title: Title::new().words("Agenda of the first meeting"),
            description: marked(AGENDA, render::agenda(templates, data, day)?),
        });
    }
    Ok(issues)
}

fn marked(kind: &'static str, text: String) -> Markdown {
    let marker = Marker {
        kind,
        data: serde_json::Value::Object(serde_json::Map::new()),
    };
    Markdown::new().marker(&marker).append(&Markdown::rendered(text))
}
