//! Many projects with a few of their files at once.

use std::collections::HashSet;

use convenor_core::ids::{GroupId, ProjectId};
use convenor_core::program::Visibility;
use convenor_core::untrusted::Untrusted;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Document, Unserved, number_of, send};
use crate::gitlab::error::{GitLabError, Words};
use crate::gitlab::operation::Operation;
use crate::gitlab::reader::Reader;
use crate::gitlab::wire::Project;

/// GraphQL serves at most 100 nodes a page; files in it cost, so GitLab may ask for less.
const PAGE_SIZES: [usize; 4] = [100, 50, 20, 5];
/// Pages, or files by REST, that are asked for at a time; the limits may allow fewer.
const AT_ONCE: usize = 8;

/// What an overview tells of a project: what a directory needs, not the whole of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectOverview {
    /// Global id.
    pub id: ProjectId,
    /// Display name.
    pub name: Untrusted,
    /// Path with all groups.
    pub full_path: String,
    /// The description; empty when there is none.
    pub description: Untrusted,
    /// Its page.
    pub web_url: String,
    /// Who may see it; `None` when not told to us.
    pub visibility: Option<Visibility>,
    /// Read-only, itself or through a group.
    pub archived: bool,
    /// The topics.
    pub topics: Vec<Untrusted>,
    /// Last activity, moved at most about once an hour.
    pub last_activity_at: Option<Timestamp>,
    /// The default branch; `None` for an empty repository or without the right to read code.
    pub default_branch: Option<String>,
    /// The files that were asked for and exist on the default branch.
    pub files: Vec<OverviewFile>,
}

/// A file in an overview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverviewFile {
    /// Its path.
    pub path: String,
    /// Its content, byte for byte.
    pub bytes: Vec<u8>,
}

impl Reader {
    /// All projects of a group and its subgroups, archived ones too, with those of the named files that exist.
    ///
    /// # Errors
    /// As every list.
    pub async fn group_overview(
        &self,
        group: GroupId,
        full_path: &str,
        files: &[&str],
    ) -> Result<Vec<ProjectOverview>, GitLabError> {
        match self.overview_by_cursor(full_path, files).await {
            Ok(found) => Ok(found),
            Err(Unserved::Failed(error)) => Err(error),
            Err(_) => {
                let projects = self.group_projects(group).await?;
                self.overviews_by_rest(projects, files).await
            }
        }
    }

    /// The projects of these ids, with those of the named files that exist. What GitLab leaves out is left out:
    /// absence proves nothing, read the project itself.
    ///
    /// # Errors
    /// As every list.
    pub async fn projects_overview(
        &self,
        ids: &[ProjectId],
        files: &[&str],
    ) -> Result<Vec<ProjectOverview>, GitLabError> {
        for size in PAGE_SIZES {
            let pages = stream::iter(ids.chunks(size).map(<[ProjectId]>::to_vec))
                .map(|ids| self.overview_of(ids, files))
                .buffered(AT_ONCE);
            match pages.try_concat().await {
                Ok(found) => return Ok(found),
                Err(Unserved::Failed(error)) => return Err(error),
                Err(Unserved::TooComplex) => {}
                Err(Unserved::NotToBeHad) => break,
            }
        }
        let projects = stream::iter(ids.to_vec()).map(|id| self.project(id)).buffered(AT_ONCE);
        let projects: Vec<Option<Project>> = projects.try_collect().await?;
        self.overviews_by_rest(projects.into_iter().flatten().collect(), files)
            .await
    }

    async fn overview_by_cursor(&self, full_path: &str, files: &[&str]) -> Result<Vec<ProjectOverview>, Unserved> {
        let mut sizes = PAGE_SIZES.into_iter();
        let mut size = sizes.next().unwrap_or(1);
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut after: Option<String> = None;
        loop {
            let variables = json!({ "group": full_path, "after": after, "first": size, "paths": files });
            let operation = Operation::reads("graphql.group_overview");
            let text = format!("{GROUP_HEAD}{NODE}{GROUP_TAIL}");
            let document = Document {
                text: text.into(),
                variables,
            };
            let answer: GroupAnswer = match send(&self.client, operation, &document).await {
                // The cursor stays good: only the page was too large.
                Err(Unserved::TooComplex) => match sizes.next() {
                    Some(smaller) => {
                        size = smaller;
                        continue;
                    }
                    None => return Err(Unserved::TooComplex),
                },
                other => other?,
            };
            let Some(group) = answer.group else {
                return Err(Unserved::Failed(invisible(operation)));
            };
            let page = group.projects;
            for project in self.complete(page.nodes, files).await? {
                if seen.insert(project.id) {
                    found.push(project);
                }
            }
            match (page.page_info.has_next_page, page.page_info.end_cursor) {
                (true, cursor @ Some(_)) if cursor != after => after = cursor,
                (false, _) if page.count.is_none_or(|count| found.len() >= count) => return Ok(found),
                _ => return Err(Unserved::Failed(incomplete(operation, found.len(), page.count))),
            }
        }
    }

    async fn overview_of(&self, ids: Vec<ProjectId>, files: &[&str]) -> Result<Vec<ProjectOverview>, Unserved> {
        let global: Vec<String> = ids.iter().map(|id| format!("gid://gitlab/Project/{id}")).collect();
        let variables = json!({ "ids": global, "first": ids.len(), "paths": files });
        let text = format!("{IDS_HEAD}{NODE}{IDS_TAIL}");
        let document = Document {
            text: text.into(),
            variables,
        };
        let answer: IdsAnswer = send(&self.client, Operation::reads("graphql.projects_overview"), &document).await?;
        self.complete(answer.projects.nodes, files).await
    }

    /// Reads by REST the files that GraphQL cannot carry: no text, or too large.
    async fn complete(&self, nodes: Vec<Node>, asked: &[&str]) -> Result<Vec<ProjectOverview>, Unserved> {
        let mut found = Vec::with_capacity(nodes.len());
        for node in nodes {
            let (mut overview, missing) = node.read(asked).ok_or_else(|| Unserved::Failed(strange()))?;
            for path in missing {
                let branch = overview.default_branch.clone().unwrap_or_else(|| "HEAD".to_owned());
                let file = self.file(overview.id, &path, &branch).await.map_err(Unserved::Failed)?;
                overview.files.extend(file.map(|file| OverviewFile {
                    path,
                    bytes: file.bytes,
                }));
            }
            found.push(overview);
        }
        Ok(found)
    }

    async fn overviews_by_rest(
        &self,
        projects: Vec<Project>,
        files: &[&str],
    ) -> Result<Vec<ProjectOverview>, GitLabError> {
        stream::iter(projects)
            .map(|project| self.overview_by_rest(project, files))
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    async fn overview_by_rest(&self, project: Project, paths: &[&str]) -> Result<ProjectOverview, GitLabError> {
        let branch = project.default_branch.filter(|_| project.empty_repo != Some(true));
        let mut files = Vec::new();
        if let Some(branch) = &branch {
            for path in paths {
                let file = self.file(project.id, path, branch).await?;
                files.extend(file.map(|file| OverviewFile {
                    path: (*path).to_owned(),
                    bytes: file.bytes,
                }));
            }
        }
        Ok(ProjectOverview {
            id: project.id,
            name: project.name,
            full_path: project.path_with_namespace,
            description: project.description,
            web_url: project.web_url,
            visibility: project.visibility,
            archived: project.archived,
            topics: project.topics,
            last_activity_at: project.last_activity_at,
            default_branch: branch,
            files,
        })
    }
}

const GROUP_HEAD: &str = "query($group: ID!, $after: String, $first: Int!, $paths: [String!]!) { \
    group(fullPath: $group) { projects(includeSubgroups: true, includeArchived: true, first: $first, after: $after) { \
    count pageInfo { hasNextPage endCursor } nodes { ";
const GROUP_TAIL: &str = "} } } }";
const IDS_HEAD: &str =
    "query($ids: [ID!], $first: Int!, $paths: [String!]!) { projects(ids: $ids, first: $first) { nodes { ";
const IDS_TAIL: &str = "} } }";
const NODE: &str = "id name fullPath description webUrl visibility archived topics lastActivityAt \
    repository { rootRef blobs(paths: $paths) { nodes { path rawBlob size } } } ";

#[derive(Deserialize)]
struct GroupAnswer {
    group: Option<GroupNode>,
}

#[derive(Deserialize)]
struct GroupNode {
    projects: Connection,
}

#[derive(Deserialize)]
struct IdsAnswer {
    projects: Nodes,
}

#[derive(Deserialize)]
struct Nodes {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    nodes: Vec<Node>,
    page_info: PageInfo,
    #[serde(default)]
    count: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    #[serde(default)]
    end_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    id: String,
    #[serde(default)]
    name: Untrusted,
    full_path: String,
    #[serde(default)]
    description: Option<Untrusted>,
    #[serde(default)]
    web_url: Option<String>,
    #[serde(default)]
    visibility: Option<Visibility>,
    #[serde(default)]
    archived: Option<bool>,
    #[serde(default)]
    topics: Option<Vec<Untrusted>>,
    #[serde(default)]
    last_activity_at: Option<Timestamp>,
    #[serde(default)]
    repository: Option<RepositoryNode>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RepositoryNode {
    #[serde(default)]
    root_ref: Option<String>,
    #[serde(default)]
    blobs: Option<BlobNodes>,
}

#[derive(Deserialize)]
struct BlobNodes {
    nodes: Vec<BlobNode>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlobNode {
    path: String,
    #[serde(default)]
    raw_blob: Option<String>,
    /// A number, sent as text by some versions.
    #[serde(default)]
    size: Value,
}

impl Node {
    /// The overview, and the paths of the files whose bytes GraphQL did not bring.
    fn read(self, asked: &[&str]) -> Option<(ProjectOverview, Vec<String>)> {
        let repository = self.repository.unwrap_or(RepositoryNode {
            root_ref: None,
            blobs: None,
        });
        let (mut files, mut missing) = (Vec::new(), Vec::new());
        let blobs = repository.blobs.map(|blobs| blobs.nodes).unwrap_or_default();
        for blob in blobs.into_iter().filter(|blob| asked.contains(&blob.path.as_str())) {
            match blob.raw_blob.filter(|text| is_exact(text, &blob.size)) {
                Some(text) => files.push(OverviewFile {
                    path: blob.path,
                    bytes: text.into_bytes(),
                }),
                None => missing.push(blob.path),
            }
        }
        let overview = ProjectOverview {
            id: ProjectId(number_of(&self.id)?),
            name: self.name,
            full_path: self.full_path,
            description: self.description.unwrap_or_default(),
            web_url: self.web_url.unwrap_or_default(),
            visibility: self.visibility,
            archived: self.archived.unwrap_or_default(),
            topics: self.topics.unwrap_or_default(),
            last_activity_at: self.last_activity_at,
            default_branch: repository.root_ref.filter(|branch| !branch.is_empty()),
            files,
        };
        Some((overview, missing))
    }
}

/// Whether the text is the file byte for byte: GraphQL replaces what is no UTF-8.
fn is_exact(text: &str, size: &Value) -> bool {
    let told = size.as_u64().or_else(|| size.as_str()?.parse().ok());
    !text.contains(char::REPLACEMENT_CHARACTER) && told.is_none_or(|size| usize::try_from(size) == Ok(text.len()))
}

fn invisible(operation: Operation) -> GitLabError {
    GitLabError::NotFound {
        call: operation.name,
        message: Words::new("the group is null in the answer"),
    }
}

fn incomplete(operation: Operation, read: usize, promised: Option<usize>) -> GitLabError {
    GitLabError::Incomplete {
        call: operation.name,
        read,
        promised: promised.unwrap_or(read + 1),
    }
}

fn strange() -> GitLabError {
    GitLabError::Unreadable {
        call: "graphql.projects_overview",
        cause: Words::new("a project without a global id"),
    }
}
