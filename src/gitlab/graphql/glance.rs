//! What many known projects and people are like, at a glance: pages of ids that do not wait for one another, at most a few at a
//! time, in smaller pages where GitLab finds one too complex.

use std::collections::VecDeque;

use convenor_core::ids::{ProjectId, UserId};
use convenor_core::program::Visibility;
use convenor_core::untrusted::Untrusted;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Document, Unserved, number_of, send};
use crate::gitlab::error::GitLabError;
use crate::gitlab::operation::Operation;
use crate::gitlab::reader::Reader;

/// GraphQL serves at most 100 nodes a page. A page that is too complex is asked for in the next smaller ones.
const PAGE_SIZES: [usize; 4] = [100, 50, 20, 5];
/// Pages that are asked for at a time; the limits may allow fewer.
const AT_ONCE: usize = 8;

/// What to glance at.
#[derive(Clone, Debug)]
pub struct GlanceOf<'a> {
    /// These projects.
    pub projects: Vec<ProjectId>,
    /// These users.
    pub usernames: Vec<String>,
    /// Of each project the content of this file, by Git's name of it.
    pub file: &'a str,
    /// How many projects this group has.
    pub group: &'a str,
}

/// What GitLab told. What is missing was left out by GitLab, or not read: that proves nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glances {
    /// Projects.
    pub projects: Vec<Glance>,
    /// Users.
    pub people: Vec<UserGlance>,
    /// Usernames that GitLab answered about, whether or not there is such a user.
    pub asked_for: Vec<String>,
    /// How many projects the group and its subgroups have, archived ones too.
    pub count: Option<usize>,
}

/// A project at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glance {
    /// Global id.
    pub id: ProjectId,
    /// Display name.
    pub name: Untrusted,
    /// Path with all groups.
    pub full_path: String,
    /// Its page.
    pub web_url: Option<String>,
    /// Who may see it; `None` when not told to us.
    pub visibility: Option<Visibility>,
    /// Read-only, itself or through a group.
    pub archived: bool,
    /// Git's name of the file's content on the default branch: `None` when not told, `Some(None)` when there is no such file.
    pub blob: Option<Option<String>>,
}

/// A user at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserGlance {
    /// Global id.
    pub id: UserId,
    /// Username.
    pub username: String,
    /// Display name.
    pub name: Untrusted,
    /// Whether the account is in use.
    pub active: bool,
}

/// A part of what is asked for.
#[derive(Debug)]
struct Page<'a> {
    projects: Vec<ProjectId>,
    usernames: Vec<String>,
    group: Option<&'a str>,
}

impl Reader {
    /// Looks at many projects and users at once; `None` when this GitLab does not serve that. A page that cannot be read is left
    /// out of the answer.
    ///
    /// # Errors
    /// When GitLab asks us to wait or refuses us, or no page could be read at all.
    pub async fn glances(&self, of: &GlanceOf<'_>) -> Result<Option<Glances>, GitLabError> {
        let mut projects: VecDeque<ProjectId> = of.projects.iter().copied().collect();
        let mut usernames: VecDeque<String> = of.usernames.iter().cloned().collect();
        let mut group = Some(of.group);
        let mut found = Glances::default();
        let mut failed = None;
        let mut answered = false;
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < AT_ONCE && (group.is_some() || !projects.is_empty() || !usernames.is_empty()) {
                let size = self.client.largest_page().min(PAGE_SIZES[0]);
                let page = Page {
                    projects: projects.drain(..size.min(projects.len())).collect(),
                    usernames: usernames.drain(..size.min(usernames.len())).collect(),
                    group: group.take(),
                };
                running.push(async move { (size, self.glance_page(&page, of.file).await, page) });
            }
            let Some((size, answer, page)) = running.next().await else {
                break;
            };
            match answer {
                Ok(answer) => {
                    answered = true;
                    found.add(answer, page.usernames);
                }
                Err(Unserved::NotToBeHad) => return Ok(None),
                Err(Unserved::TooComplex) => {
                    let Some(smaller) = PAGE_SIZES.into_iter().find(|smaller| *smaller < size) else {
                        return Ok(None);
                    };
                    self.client.limit_page(smaller);
                    projects.extend(page.projects);
                    usernames.extend(page.usernames);
                    group = group.or(page.group);
                }
                Err(Unserved::Failed(error)) if concerns_every_call(&error) => return Err(error),
                Err(Unserved::Failed(error)) => {
                    tracing::warn!(%error, projects = page.projects.len(), "a page could not be read; its projects are looked at one by one");
                    failed = Some(error);
                }
            }
        }
        match failed {
            Some(error) if !answered && error.is_passing() => Err(error),
            // It does not understand us, in words that we do not understand.
            Some(_) if !answered => Ok(None),
            _ => Ok(Some(found)),
        }
    }

    async fn glance_page(&self, page: &Page<'_>, file: &str) -> Result<Answer, Unserved> {
        let document = document(page, file);
        send(&self.client, Operation::reads("graphql.glances"), &document).await
    }
}

/// Going on would ask for more of what GitLab does not want to give now.
fn concerns_every_call(error: &GitLabError) -> bool {
    matches!(
        error,
        GitLabError::RateLimited { .. } | GitLabError::Unauthorized { .. } | GitLabError::Unreachable { .. }
    )
}

/// Only the parts that are needed: each weighs.
fn document(page: &Page<'_>, file: &str) -> Document<'static> {
    let ids = page.projects.iter().map(|id| format!("gid://gitlab/Project/{id}"));
    let ids: Vec<String> = ids.collect();
    let (mut declared, mut parts, mut variables) = (Vec::new(), String::new(), serde_json::Map::new());
    let mut declare = |name: &'static str, kind: &str, value: Value| {
        declared.push(format!("${name}: {kind}"));
        variables.insert(name.to_owned(), value);
    };
    if !ids.is_empty() {
        declare("first", "Int!", json!(ids.len()));
        declare("ids", "[ID!]", json!(ids));
        declare("paths", "[String!]!", json!([file]));
        parts.push_str(PROJECTS);
    }
    if !page.usernames.is_empty() {
        declare("people", "Int!", json!(page.usernames.len()));
        declare("usernames", "[String!]", json!(page.usernames));
        parts.push_str(USERS);
    }
    if let Some(group) = page.group {
        declare("group", "ID!", json!(group));
        parts.push_str(GROUP);
    }
    Document {
        text: format!("query({}) {{ {parts}}}", declared.join(", ")).into(),
        variables: Value::Object(variables),
    }
}

const PROJECTS: &str = "projects(ids: $ids, first: $first) { nodes { id name fullPath webUrl visibility archived \
    repository { blobs(paths: $paths) { nodes { path oid } } } } } ";
const USERS: &str = "users(usernames: $usernames, first: $people) { nodes { id username name state } } ";
const GROUP: &str =
    "group(fullPath: $group) { projects(includeSubgroups: true, includeArchived: true, first: 1) { count } } ";

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    projects: Option<Nodes<ProjectNode>>,
    #[serde(default)]
    users: Option<Nodes<UserNode>>,
    #[serde(default)]
    group: Option<GroupNode>,
}

#[derive(Deserialize)]
struct Nodes<T> {
    nodes: Vec<Option<T>>,
}

#[derive(Deserialize)]
struct GroupNode {
    projects: Count,
}

#[derive(Deserialize)]
struct Count {
    #[serde(default)]
    count: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProjectNode {
    id: String,
    #[serde(default)]
    name: Untrusted,
    full_path: String,
    #[serde(default)]
    web_url: Option<String>,
    #[serde(default)]
    visibility: Option<Visibility>,
    #[serde(default)]
    archived: Option<bool>,
    #[serde(default)]
    repository: Option<RepositoryNode>,
}

#[derive(Deserialize)]
struct RepositoryNode {
    #[serde(default)]
    blobs: Option<Nodes<BlobNode>>,
}

#[derive(Deserialize)]
struct BlobNode {
    #[serde(default)]
    oid: Option<String>,
}

#[derive(Deserialize)]
struct UserNode {
    id: String,
    username: String,
    #[serde(default)]
    name: Untrusted,
    #[serde(default)]
    state: String,
}

impl Glances {
    fn add(&mut self, answer: Answer, asked_for: Vec<String>) {
        let projects = answer.projects.map(|page| page.nodes).unwrap_or_default();
        self.projects
            .extend(projects.into_iter().flatten().filter_map(ProjectNode::read));
        if let Some(users) = answer.users {
            self.people
                .extend(users.nodes.into_iter().flatten().filter_map(UserNode::read));
            self.asked_for.extend(asked_for);
        }
        self.count = self.count.or(answer.group.and_then(|group| group.projects.count));
    }
}

impl ProjectNode {
    /// `None` for a project without a number; it then counts as left out.
    fn read(self) -> Option<Glance> {
        let blobs = self.repository.and_then(|repository| repository.blobs);
        let blob = match blobs.map(|blobs| blobs.nodes.into_iter().flatten().next()) {
            None => None,
            Some(None) => Some(None),
            Some(Some(BlobNode { oid: Some(oid) })) => Some(Some(oid)),
            Some(Some(BlobNode { oid: None })) => None,
        };
        Some(Glance {
            id: ProjectId(number_of(&self.id)?),
            name: self.name,
            full_path: self.full_path,
            web_url: self.web_url,
            visibility: self.visibility,
            archived: self.archived?,
            blob,
        })
    }
}

impl UserNode {
    fn read(self) -> Option<UserGlance> {
        Some(UserGlance {
            id: UserId(number_of(&self.id)?),
            username: self.username,
            name: self.name,
            active: self.state.eq_ignore_ascii_case("active"),
        })
    }
}
