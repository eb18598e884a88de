//! The objects that can be asked for and their fields.

use super::give::{Give, Gives, Look, Node, Page, field, paged};
use crate::hooks::payload::flat_time;
use crate::state::Place;
use crate::state::boards::Board;
use crate::state::groups::Group;
use crate::state::issues::Issue;
use crate::state::labels::{Label, text_colour};
use crate::state::merge_requests::MergeRequest;
use crate::state::notes::{Note, Thing};
use crate::state::projects::Project;
use crate::state::rights::level_name;
use crate::state::users::User;
use async_graphql::Value;
use async_graphql::dynamic::{Field, InputValue, Object, TypeRef};

const TEXT: &str = TypeRef::STRING;

pub(super) fn gid(kind: &str, id: u64) -> Gives {
    Gives::text(format!("gid://gitlab/{kind}/{id}"))
}

fn must(kind: &str) -> TypeRef {
    TypeRef::named_nn(kind)
}

fn may(kind: &str) -> TypeRef {
    TypeRef::named(kind)
}

/// Wraps a function over one kind of node.
macro_rules! over {
    (this_project, $show:expr) => { over!(@ this_project, Project, $show) };
    (this_group, $show:expr) => { over!(@ this_group, Group, $show) };
    (this_issue, $show:expr) => { over!(@ this_issue, Issue, $show) };
    (this_request, $show:expr) => { over!(@ this_request, MergeRequest, $show) };
    (this_label, $show:expr) => { over!(@ this_label, Label, $show) };
    (this_user, $show:expr) => { over!(@ this_user, User, $show) };
    (this_note, $show:expr) => { over!(@ this_note, Note, $show) };
    (this_board, $show:expr) => { over!(@ this_board, Board, $show) };
    (this_page, $show:expr) => { over!(@ this_page, Page, $show) };
    (@ $find:ident, $kind:ty, $show:expr) => {
        |look: &Look<'_>| match $find(look) {
            Some(found) => {
                let show: fn(&Look<'_>, &$kind) -> Gives = $show;
                show(look, found)
            }
            None => Gives::Null,
        }
    };
}

fn this_project<'a>(look: &Look<'a>) -> Option<&'a Project> {
    match look.node {
        Node::Project(id) | Node::Repository(id) => look.state.projects.get(id),
        _ => None,
    }
}

fn this_group<'a>(look: &Look<'a>) -> Option<&'a Group> {
    match look.node {
        Node::Group(id) => look.state.groups.get(id),
        _ => None,
    }
}

fn this_issue<'a>(look: &Look<'a>) -> Option<&'a Issue> {
    match look.node {
        Node::Issue(project, iid) => look.state.projects.get(project)?.issues.get(iid),
        _ => None,
    }
}

fn this_request<'a>(look: &Look<'a>) -> Option<&'a MergeRequest> {
    match look.node {
        Node::MergeRequest(project, iid) => look.state.projects.get(project)?.merge_requests.get(iid),
        _ => None,
    }
}

fn this_label<'a>(look: &Look<'a>) -> Option<&'a Label> {
    match look.node {
        Node::Label(id) => look.state.labels.get(id),
        _ => None,
    }
}

fn this_user<'a>(look: &Look<'a>) -> Option<&'a User> {
    match look.node {
        Node::User(id) => look.state.users.get(id),
        _ => None,
    }
}

fn this_note<'a>(look: &Look<'a>) -> Option<&'a Note> {
    match look.node {
        Node::Note(thing, id) => look.state.notes(*thing).ok()?.iter().find(|n| n.id == *id),
        _ => None,
    }
}

/// Groups and their projects.
pub(super) fn group() -> Object {
    Object::new("Group")
        .field(field(
            "id",
            must(TypeRef::ID),
            over!(this_group, |_, g| gid("Group", g.id)),
        ))
        .field(field(
            "name",
            must(TEXT),
            over!(this_group, |_, g| Gives::text(&g.name)),
        ))
        .field(field(
            "path",
            must(TEXT),
            over!(this_group, |_, g| Gives::text(&g.path)),
        ))
        .field(field(
            "fullPath",
            must(TypeRef::ID),
            over!(this_group, |_, g| Gives::text(&g.full_path)),
        ))
        .field(field(
            "description",
            may(TEXT),
            over!(this_group, |_, g| Gives::text(&g.description)),
        ))
        .field(field(
            "visibility",
            may(TEXT),
            over!(this_group, |_, g| Gives::text(&g.visibility)),
        ))
        .field(field(
            "archived",
            may(TypeRef::BOOLEAN),
            over!(this_group, |_, g| Gives::flag(g.archived)),
        ))
        .field(field(
            "webUrl",
            must(TEXT),
            over!(this_group, |look, g| {
                Gives::text(format!("{}/groups/{}", look.state.url, g.full_path))
            }),
        ))
        .field(
            paged(field("projects", must("ProjectConnection"), group_projects))
                .argument(InputValue::new("includeSubgroups", may(TypeRef::BOOLEAN)).default_value(false))
                .argument(InputValue::new("includeArchived", may(TypeRef::BOOLEAN)).default_value(true))
                .argument(InputValue::new("search", may(TEXT)))
                .argument(InputValue::new("ids", TypeRef::named_nn_list(TypeRef::ID))),
        )
        .field(labels_field())
        .field(paged(field(
            "groupMembers",
            may("MemberInterfaceConnection"),
            |look| match look.node {
                Node::Group(id) => members(look, Place::Group(*id)),
                _ => Gives::Null,
            },
        )))
        .field(paged(field(
            "descendantGroups",
            may("GroupConnection"),
            |look| match look.node {
                Node::Group(id) => {
                    let below = |g: &u64| look.state.ancestors_of(Place::Group(*g)).skip(1).any(|a| a.id == *id);
                    let found = look
                        .state
                        .groups
                        .keys()
                        .filter(|g| below(g) && look.state.sees_group(look.user, **g));
                    look.page(found.map(|g| Node::Group(*g)).collect())
                }
                _ => Gives::Null,
            },
        )))
}

fn group_projects(look: &Look<'_>) -> Gives {
    let Some(group) = this_group(look) else {
        return Gives::Null;
    };
    let deep = look.flag("includeSubgroups").unwrap_or(false);
    let archived = look.flag("includeArchived").unwrap_or(true);
    let search = look.text("search").map(|s| s.to_lowercase());
    let ids = look.texts("ids");
    let state = look.state;
    let inside =
        |p: &Project| p.namespace == group.id || (deep && state.ancestors_of(p.owner).any(|g| g.id == group.id));
    let direct: Vec<u64> = if deep {
        Vec::new()
    } else {
        state.projects_in(group.id).collect()
    };
    let all: Box<dyn Iterator<Item = &Project>> = if deep {
        Box::new(state.projects.values())
    } else {
        Box::new(direct.iter().filter_map(|id| state.projects.get(id)))
    };
    let mut found: Vec<u64> = all
        .filter(|p| inside(p) && state.sees_project(look.user, p))
        .filter(|p| archived || !state.is_archived(p))
        .filter(|p| {
            search
                .as_ref()
                .is_none_or(|s| p.name.to_lowercase().contains(s) || p.path.contains(s))
        })
        .filter(|p| {
            ids.as_ref()
                .is_none_or(|ids| ids.contains(&format!("gid://gitlab/Project/{}", p.id)))
        })
        .map(|p| p.id)
        .collect();
    found.reverse();
    look.page(found.into_iter().map(Node::Project).collect())
}

fn members(look: &Look<'_>, place: Place) -> Gives {
    let all = look.state.all_members(place);
    look.page(
        all.iter()
            .map(|m| Node::Member {
                user: m.user,
                level: m.level,
            })
            .collect(),
    )
}

fn labels_field() -> Field {
    paged(field("labels", may("LabelConnection"), |look| match look.node {
        Node::Project(id) => labels_of(look, Place::Project(*id)),
        Node::Group(id) => labels_of(look, Place::Group(*id)),
        _ => Gives::Null,
    }))
    .argument(InputValue::new("searchTerm", may(TEXT)))
}

fn labels_of(look: &Look<'_>, place: Place) -> Gives {
    let search = look.text("searchTerm").map(|s| s.to_lowercase());
    let ids = look.state.available_labels(place, true);
    let mut found: Vec<&Label> = ids.iter().filter_map(|id| look.state.labels.get(id)).collect();
    found.retain(|l| search.as_ref().is_none_or(|s| l.name.to_lowercase().contains(s)));
    found.sort_by(|a, b| a.name.cmp(&b.name));
    look.page(found.iter().map(|l| Node::Label(l.id)).collect())
}

/// Projects.
pub(super) fn project() -> Object {
    project_people(
        Object::new("Project")
            .field(field(
                "id",
                must(TypeRef::ID),
                over!(this_project, |_, p| gid("Project", p.id)),
            ))
            .field(field(
                "name",
                must(TEXT),
                over!(this_project, |_, p| Gives::text(&p.name)),
            ))
            .field(field(
                "path",
                must(TEXT),
                over!(this_project, |_, p| Gives::text(&p.path)),
            ))
            .field(field(
                "fullPath",
                must(TypeRef::ID),
                over!(this_project, |_, p| Gives::text(&p.full_path)),
            ))
            .field(field(
                "description",
                may(TEXT),
                over!(this_project, |_, p| Gives::maybe(p.description.clone())),
            ))
            .field(field(
                "webUrl",
                may(TEXT),
                over!(this_project, |look, p| Gives::text(look.state.web_url(p))),
            ))
            .field(field(
                "httpUrlToRepo",
                may(TEXT),
                over!(this_project, |look, p| { Gives::text(look.state.http_url(p)) }),
            ))
            .field(field(
                "visibility",
                may(TEXT),
                over!(this_project, |_, p| Gives::text(&p.visibility)),
            ))
            .field(field(
                "archived",
                may(TypeRef::BOOLEAN),
                over!(this_project, |look, p| { Gives::flag(look.state.is_archived(p)) }),
            ))
            .field(field(
                "topics",
                TypeRef::named_nn_list(TEXT),
                over!(this_project, |_, p| {
                    Gives::Value(Value::List(p.topics.iter().map(|t| Value::from(t.as_str())).collect()))
                }),
            ))
            .field(field(
                "createdAt",
                may("Time"),
                over!(this_project, |_, p| Gives::text(flat_time(p.created_at))),
            ))
            .field(field(
                "updatedAt",
                may("Time"),
                over!(this_project, |_, p| Gives::text(flat_time(p.updated_at))),
            ))
            .field(field(
                "lastActivityAt",
                may("Time"),
                over!(this_project, |_, p| { Gives::text(flat_time(p.last_activity_at)) }),
            ))
            .field(field(
                "markedForDeletionOn",
                may("Time"),
                over!(this_project, |_, p| {
                    Gives::maybe(p.marked_for_deletion_on.map(|d| format!("{d}T00:00:00Z")))
                }),
            ))
            .field(field(
                "openIssuesCount",
                may(TypeRef::INT),
                over!(this_project, |_, p| {
                    Gives::number(p.issues.values().filter(|i| !i.closed).count() as u64)
                }),
            ))
            .field(field(
                "group",
                may("Group"),
                over!(this_project, |_, p| match p.owner {
                    Place::Group(id) => Gives::Node(Node::Group(id)),
                    _ => Gives::Null,
                }),
            ))
            .field(field(
                "repository",
                may("Repository"),
                over!(this_project, |look, p| {
                    if look.state.sees_code(look.user, p) {
                        Gives::Node(Node::Repository(p.id))
                    } else {
                        Gives::Null
                    }
                }),
            )),
    )
}

fn project_people(object: Object) -> Object {
    object
        .field(labels_field())
        .field(paged(field(
            "projectMembers",
            may("MemberInterfaceConnection"),
            |look| match look.node {
                Node::Project(id) => members(look, Place::Project(*id)),
                _ => Gives::Null,
            },
        )))
        .field(paged(field(
            "boards",
            may("BoardConnection"),
            over!(this_project, |look, p: &Project| {
                look.page(p.boards.iter().map(|b| Node::Board(p.id, b.id)).collect())
            }),
        )))
        .field(
            paged(field("issues", may("IssueConnection"), issues))
                .argument(InputValue::new("state", may("IssuableState")))
                .argument(InputValue::new("iids", TypeRef::named_nn_list(TEXT)))
                .argument(InputValue::new("labelName", TypeRef::named_list(TEXT))),
        )
        .field(field("issue", may("Issue"), one_issue).argument(InputValue::new("iid", may(TEXT))))
        .field(
            paged(field("mergeRequests", may("MergeRequestConnection"), requests))
                .argument(InputValue::new("state", may("MergeRequestState")))
                .argument(InputValue::new("iids", TypeRef::named_nn_list(TEXT)))
                .argument(InputValue::new("sourceBranches", TypeRef::named_nn_list(TEXT)))
                .argument(InputValue::new("targetBranches", TypeRef::named_nn_list(TEXT))),
        )
        .field(field("mergeRequest", may("MergeRequest"), one_request).argument(InputValue::new("iid", must(TEXT))))
}

fn wanted_state(look: &Look<'_>) -> Option<String> {
    let wanted = look.text("state")?;
    (wanted != "all").then_some(wanted)
}

fn issues(look: &Look<'_>) -> Gives {
    let Some(project) = this_project(look) else {
        return Gives::Null;
    };
    if !look.state.sees_feature(look.user, project, "issues") {
        return look.page(Vec::new());
    }
    let wanted = wanted_state(look);
    let (iids, labels) = (look.texts("iids"), look.texts("labelName"));
    let found = project.issues.values().rev().filter(|i| {
        let state = if i.closed { "closed" } else { "opened" };
        let names = look.state.label_names(&i.labels);
        look.state.sees_issue(look.user, i)
            && wanted.as_deref().is_none_or(|w| w == state)
            && iids.as_ref().is_none_or(|iids| iids.contains(&i.iid.to_string()))
            && labels
                .as_ref()
                .is_none_or(|labels| labels.iter().all(|l| names.contains(l)))
    });
    look.page(found.map(|i| Node::Issue(project.id, i.iid)).collect())
}

fn one_issue(look: &Look<'_>) -> Gives {
    let Some(project) = this_project(look) else {
        return Gives::Null;
    };
    let iid = look.text("iid").and_then(|i| i.parse().ok()).unwrap_or_default();
    let found = look.state.find_issue(look.user, project.id, iid);
    Gives::node(found.ok().map(|i| Node::Issue(project.id, i.iid)))
}

fn requests(look: &Look<'_>) -> Gives {
    let Some(project) = this_project(look) else {
        return Gives::Null;
    };
    if !look.state.sees_code(look.user, project) {
        return look.page(Vec::new());
    }
    let wanted = wanted_state(look);
    let (iids, sources, targets) = (
        look.texts("iids"),
        look.texts("sourceBranches"),
        look.texts("targetBranches"),
    );
    let found = project.merge_requests.values().rev().filter(|m| {
        wanted.as_deref().is_none_or(|w| w == m.state.word())
            && iids.as_ref().is_none_or(|iids| iids.contains(&m.iid.to_string()))
            && sources.as_ref().is_none_or(|names| names.contains(&m.source_branch))
            && targets.as_ref().is_none_or(|names| names.contains(&m.target_branch))
    });
    look.page(found.map(|m| Node::MergeRequest(project.id, m.iid)).collect())
}

fn one_request(look: &Look<'_>) -> Gives {
    let Some(project) = this_project(look) else {
        return Gives::Null;
    };
    let iid = look.text("iid").and_then(|i| i.parse().ok()).unwrap_or_default();
    let found = look.state.find_merge_request(look.user, project.id, iid);
    Gives::node(found.ok().map(|m| Node::MergeRequest(project.id, m.iid)))
}

/// Repositories and the files that were asked for.
pub(super) fn repository() -> [Object; 2] {
    let blobs: Give = |look| {
        let Some(project) = this_project(look) else {
            return Gives::Null;
        };
        let reference = look
            .text("ref")
            .unwrap_or_else(|| project.default_branch_or_main().to_owned());
        let Some(commit) = project.repo.resolve(&reference) else {
            return look.page(Vec::new());
        };
        let paths = look.texts("paths").unwrap_or_default();
        let found = paths.into_iter().filter(|path| commit.tree.get(path).is_some());
        look.page(
            found
                .map(|path| Node::Blob {
                    project: project.id,
                    commit: commit.id.clone(),
                    path,
                })
                .collect(),
        )
    };
    let repository = Object::new("Repository")
        .field(field("exists", must(TypeRef::BOOLEAN), |_| Gives::flag(true)))
        .field(field(
            "empty",
            must(TypeRef::BOOLEAN),
            over!(this_project, |_, p| Gives::flag(p.repo.is_empty())),
        ))
        .field(field(
            "rootRef",
            may(TEXT),
            over!(this_project, |_, p| Gives::maybe(p.default_branch.clone())),
        ))
        .field(
            paged(field("blobs", may("RepositoryBlobConnection"), blobs))
                .argument(InputValue::new("paths", TypeRef::named_nn_list_nn(TEXT)))
                .argument(InputValue::new("ref", may(TEXT))),
        );
    let blob = Object::new("RepositoryBlob")
        .field(field("id", must(TypeRef::ID), |look| {
            Gives::maybe(with_blob(look, |e, _| Some(e.blob.id.clone())))
        }))
        .field(field("oid", must(TEXT), |look| {
            Gives::maybe(with_blob(look, |e, _| Some(e.blob.id.clone())))
        }))
        .field(field("path", must(TEXT), |look| {
            Gives::maybe(with_blob(look, |_, path| Some(path.to_owned())))
        }))
        .field(field("name", may(TEXT), |look| {
            Gives::maybe(with_blob(look, |_, path| path.rsplit('/').next().map(str::to_owned)))
        }))
        .field(field("mode", may(TEXT), |look| {
            Gives::maybe(with_blob(look, |e, _| Some(e.mode().to_owned())))
        }))
        .field(field("rawBlob", may(TEXT), |look| {
            Gives::maybe(with_blob(look, |e, _| e.blob.text().map(str::to_owned)))
        }))
        .field(field("rawTextBlob", may(TEXT), |look| {
            Gives::maybe(with_blob(look, |e, _| e.blob.text().map(str::to_owned)))
        }))
        // GitLab's type for sizes is a number in a text.
        .field(field("size", may("BigInt"), blob_size))
        .field(field("rawSize", may(TypeRef::INT), blob_length));
    [repository, blob]
}

fn blob_size(look: &Look<'_>) -> Gives {
    Gives::maybe(with_blob(look, |e, _| Some(e.blob.bytes.len().to_string())))
}

fn blob_length(look: &Look<'_>) -> Gives {
    with_blob(look, |e, _| Some(e.blob.bytes.len().to_string()))
        .and_then(|n| n.parse().ok())
        .map_or(Gives::Null, Gives::number)
}

fn with_blob(look: &Look<'_>, show: fn(&crate::git::Entry, &str) -> Option<String>) -> Option<String> {
    let Node::Blob { project, commit, path } = look.node else {
        return None;
    };
    let commit = look.state.projects.get(project)?.repo.commit(commit)?;
    show(commit.tree.get(path)?, path)
}

/// Issues.
pub(super) fn issue() -> Object {
    Object::new("Issue")
        .field(field(
            "id",
            must(TypeRef::ID),
            over!(this_issue, |_, i| gid("Issue", i.id)),
        ))
        .field(field(
            "iid",
            must(TypeRef::ID),
            over!(this_issue, |_, i| Gives::text(i.iid.to_string())),
        ))
        .field(field(
            "title",
            must(TEXT),
            over!(this_issue, |_, i| Gives::text(&i.title)),
        ))
        .field(field(
            "description",
            may(TEXT),
            over!(this_issue, |_, i| Gives::maybe(i.description.clone())),
        ))
        .field(field(
            "state",
            must("IssuableState"),
            over!(this_issue, |_, i| {
                Gives::Value(Value::Enum(async_graphql::Name::new(if i.closed {
                    "closed"
                } else {
                    "opened"
                })))
            }),
        ))
        .field(field(
            "confidential",
            must(TypeRef::BOOLEAN),
            over!(this_issue, |_, i| Gives::flag(i.confidential)),
        ))
        .field(field(
            "type",
            may(TEXT),
            over!(this_issue, |_, i| Gives::text(i.issue_type.to_uppercase())),
        ))
        .field(field(
            "webUrl",
            must(TEXT),
            over!(this_issue, |look, i: &Issue| {
                let project = look.state.projects.get(&i.project);
                Gives::maybe(project.map(|p| look.state.issue_url(p, i)))
            }),
        ))
        .field(field(
            "author",
            must("UserCore"),
            over!(this_issue, |_, i| Gives::Node(Node::User(i.author))),
        ))
        .field(paged(field(
            "assignees",
            may("UserCoreConnection"),
            over!(this_issue, |look, i: &Issue| {
                look.page(i.assignees.iter().map(|u| Node::User(*u)).collect())
            }),
        )))
        .field(paged(field(
            "labels",
            may("LabelConnection"),
            over!(this_issue, |look, i: &Issue| { sorted_labels(look, &i.labels) }),
        )))
        .field(paged(field(
            "notes",
            must("NoteConnection"),
            over!(this_issue, |look, i: &Issue| {
                notes(look, Thing::issue(i.project, i.iid))
            }),
        )))
        .field(field(
            "userNotesCount",
            must(TypeRef::INT),
            over!(this_issue, |_, i| {
                Gives::number(i.notes.iter().filter(|n| !n.system).count() as u64)
            }),
        ))
        .field(field(
            "createdAt",
            must("Time"),
            over!(this_issue, |_, i| Gives::text(flat_time(i.created_at))),
        ))
        .field(field(
            "updatedAt",
            must("Time"),
            over!(this_issue, |_, i| Gives::text(flat_time(i.updated_at))),
        ))
        .field(field(
            "closedAt",
            may("Time"),
            over!(this_issue, |_, i| Gives::maybe(i.closed_at.map(flat_time))),
        ))
}

fn sorted_labels(look: &Look<'_>, ids: &[u64]) -> Gives {
    let mut found: Vec<&Label> = ids.iter().filter_map(|id| look.state.labels.get(id)).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    look.page(found.iter().map(|l| Node::Label(l.id)).collect())
}

fn notes(look: &Look<'_>, thing: Thing) -> Gives {
    let Ok(notes) = look.state.notes(thing) else {
        return Gives::Null;
    };
    let seen = notes.iter().filter(|n| look.state.sees_note(look.user, thing, n));
    look.page(seen.map(|n| Node::Note(thing, n.id)).collect())
}

/// Merge requests.
pub(super) fn merge_request() -> Object {
    Object::new("MergeRequest")
        .field(field(
            "id",
            must(TypeRef::ID),
            over!(this_request, |_, m| gid("MergeRequest", m.id)),
        ))
        .field(field(
            "iid",
            must(TEXT),
            over!(this_request, |_, m| Gives::text(m.iid.to_string())),
        ))
        .field(field(
            "title",
            must(TEXT),
            over!(this_request, |_, m| Gives::text(&m.title)),
        ))
        .field(field(
            "description",
            may(TEXT),
            over!(this_request, |_, m| Gives::maybe(m.description.clone())),
        ))
        .field(field(
            "state",
            must("MergeRequestState"),
            over!(this_request, |_, m| {
                Gives::Value(Value::Enum(async_graphql::Name::new(m.state.word())))
            }),
        ))
        .field(field(
            "draft",
            must(TypeRef::BOOLEAN),
            over!(this_request, |_, m| Gives::flag(m.is_draft())),
        ))
        .field(field(
            "sourceBranch",
            must(TEXT),
            over!(this_request, |_, m| Gives::text(&m.source_branch)),
        ))
        .field(field(
            "targetBranch",
            must(TEXT),
            over!(this_request, |_, m| Gives::text(&m.target_branch)),
        ))
        .field(field(
            "diffHeadSha",
            may(TEXT),
            over!(this_request, |_, m| Gives::text(&m.sha)),
        ))
        .field(field(
            "conflicts",
            must(TypeRef::BOOLEAN),
            over!(this_request, |look, m| {
                Gives::flag(look.state.mergeability(m).has_conflicts)
            }),
        ))
        .field(field(
            "detailedMergeStatus",
            may(TEXT),
            over!(this_request, |look, m| {
                Gives::text(look.state.mergeability(m).detailed.to_uppercase())
            }),
        ))
        .field(field(
            "webUrl",
            may(TEXT),
            over!(this_request, |look, m: &MergeRequest| {
                let project = look.state.projects.get(&m.project);
                Gives::maybe(project.map(|p| look.state.merge_request_url(p, m.iid)))
            }),
        ))
        .field(field(
            "author",
            may("UserCore"),
            over!(this_request, |_, m| Gives::Node(Node::User(m.author))),
        ))
        .field(paged(field(
            "labels",
            may("LabelConnection"),
            over!(this_request, |look, m: &MergeRequest| {
                sorted_labels(look, &m.labels)
            }),
        )))
        .field(paged(field(
            "notes",
            must("NoteConnection"),
            over!(this_request, |look, m: &MergeRequest| {
                notes(look, Thing::merge_request(m.project, m.iid))
            }),
        )))
        .field(field(
            "createdAt",
            must("Time"),
            over!(this_request, |_, m| Gives::text(flat_time(m.created_at))),
        ))
        .field(field(
            "updatedAt",
            must("Time"),
            over!(this_request, |_, m| Gives::text(flat_time(m.updated_at))),
        ))
        .field(field(
            "mergedAt",
            may("Time"),
            over!(this_request, |_, m| Gives::maybe(m.merged_at.map(flat_time))),
        ))
}

/// People, their notes and their memberships.
pub(super) fn people() -> Vec<Object> {
    let user = Object::new("UserCore")
        .field(field(
            "id",
            must(TypeRef::ID),
            over!(this_user, |_, u| gid("User", u.id)),
        ))
        .field(field(
            "username",
            must(TEXT),
            over!(this_user, |_, u| Gives::text(&u.username)),
        ))
        .field(field("name", must(TEXT), over!(this_user, |_, u| Gives::text(&u.name))))
        .field(field(
            "bot",
            must(TypeRef::BOOLEAN),
            over!(this_user, |_, u| Gives::flag(u.bot)),
        ))
        .field(field(
            "state",
            must(TEXT),
            over!(this_user, |_, u| Gives::text(&u.state)),
        ))
        .field(field("publicEmail", may(TEXT), |_| Gives::Null))
        .field(field(
            "webUrl",
            must(TEXT),
            over!(this_user, |look, u| {
                Gives::text(format!("{}/{}", look.state.url, u.username))
            }),
        ));
    let note = Object::new("Note")
        .field(field(
            "id",
            must(TypeRef::ID),
            over!(this_note, |_, n| gid("Note", n.id)),
        ))
        .field(field("body", must(TEXT), over!(this_note, |_, n| Gives::text(&n.body))))
        .field(field(
            "system",
            must(TypeRef::BOOLEAN),
            over!(this_note, |_, n| Gives::flag(n.system)),
        ))
        .field(field(
            "internal",
            may(TypeRef::BOOLEAN),
            over!(this_note, |_, n| Gives::flag(n.internal)),
        ))
        .field(field(
            "author",
            may("UserCore"),
            over!(this_note, |_, n| Gives::Node(Node::User(n.author))),
        ))
        .field(field(
            "createdAt",
            must("Time"),
            over!(this_note, |_, n| Gives::text(flat_time(n.created_at))),
        ))
        .field(field(
            "updatedAt",
            must("Time"),
            over!(this_note, |_, n| Gives::text(flat_time(n.updated_at))),
        ));
    let member = Object::new("MemberInterface")
        .field(field("id", must(TypeRef::ID), |look| match look.node {
            Node::Member { user, .. } => gid("Member", *user),
            _ => Gives::Null,
        }))
        .field(field("user", may("UserCore"), |look| match look.node {
            Node::Member { user, .. } => Gives::Node(Node::User(*user)),
            _ => Gives::Null,
        }))
        .field(field("accessLevel", may("AccessLevel"), |look| match look.node {
            Node::Member { level, .. } => Gives::Node(Node::Level(*level)),
            _ => Gives::Null,
        }));
    let level = Object::new("AccessLevel")
        .field(field("integerValue", may(TypeRef::INT), |look| match look.node {
            Node::Level(level) => Gives::number(*level),
            _ => Gives::Null,
        }))
        .field(field("stringValue", may(TEXT), |look| match look.node {
            Node::Level(level) => Gives::text(level_name(*level).to_uppercase()),
            _ => Gives::Null,
        }));
    vec![user, note, member, level]
}

/// Labels, boards and their lists, commits, page information.
pub(super) fn rest() -> Vec<Object> {
    let label = Object::new("Label")
        .field(field(
            "id",
            must(TypeRef::ID),
            over!(this_label, |_, l: &Label| {
                gid(
                    if l.is_project_label() {
                        "ProjectLabel"
                    } else {
                        "GroupLabel"
                    },
                    l.id,
                )
            }),
        ))
        .field(field(
            "title",
            must(TEXT),
            over!(this_label, |_, l| Gives::text(&l.name)),
        ))
        .field(field(
            "color",
            must(TEXT),
            over!(this_label, |_, l| Gives::text(&l.color)),
        ))
        .field(field(
            "textColor",
            must(TEXT),
            over!(this_label, |_, l| Gives::text(text_colour(&l.color))),
        ))
        .field(field(
            "description",
            may(TEXT),
            over!(this_label, |_, l| Gives::maybe(l.description.clone())),
        ));
    vec![
        label,
        board(),
        board_list(),
        commit(),
        page_info(),
        weight(),
        metadata(),
    ]
}

fn this_board<'a>(look: &Look<'a>) -> Option<&'a Board> {
    match look.node {
        Node::Board(project, id) => look.state.board(*project, *id).ok(),
        _ => None,
    }
}

fn board() -> Object {
    Object::new("Board")
        .field(field(
            "id",
            must(TypeRef::ID),
            over!(this_board, |_, b| gid("Board", b.id)),
        ))
        .field(field("name", may(TEXT), over!(this_board, |_, b| Gives::text(&b.name))))
        .field(paged(field("lists", may("BoardListConnection"), |look| {
            match look.node {
                Node::Board(project, board) => {
                    let Ok(found) = look.state.board(*project, *board) else {
                        return Gives::Null;
                    };
                    let lists = found.lists.iter();
                    look.page(
                        lists
                            .map(|l| Node::List {
                                project: *project,
                                board: *board,
                                list: l.id,
                            })
                            .collect(),
                    )
                }
                _ => Gives::Null,
            }
        })))
}

fn list_label(look: &Look<'_>) -> Option<(u64, usize)> {
    let Node::List { project, board, list } = look.node else {
        return None;
    };
    let board = look.state.board(*project, *board).ok()?;
    let at = board.lists.iter().position(|l| l.id == *list)?;
    Some((board.lists[at].label, at))
}

fn board_list() -> Object {
    Object::new("BoardList")
        .field(field("id", must(TypeRef::ID), |look| match look.node {
            Node::List { list, .. } => gid("List", *list),
            _ => Gives::Null,
        }))
        .field(field("title", must(TEXT), |look| {
            let label = list_label(look).and_then(|(label, _)| look.state.labels.get(&label));
            Gives::maybe(label.map(|l| l.name.clone()))
        }))
        .field(field("listType", must(TEXT), |_| Gives::text("label")))
        .field(field("position", may(TypeRef::INT), |look| {
            list_label(look).map_or(Gives::Null, |(_, at)| Gives::number(at as u64))
        }))
        .field(field("label", may("Label"), |look| {
            Gives::node(list_label(look).map(|(label, _)| Node::Label(label)))
        }))
}

fn commit() -> Object {
    Object::new("Commit")
        .field(field("id", must(TypeRef::ID), |look| match look.node {
            Node::Commit(_, sha) => Gives::text(format!("gid://gitlab/Commit/{sha}")),
            _ => Gives::Null,
        }))
        .field(field("sha", must(TEXT), |look| match look.node {
            Node::Commit(_, sha) => Gives::text(sha),
            _ => Gives::Null,
        }))
        .field(field("title", may(TEXT), |look| match look.node {
            Node::Commit(project, sha) => {
                let commit = look.state.projects.get(project).and_then(|p| p.repo.commit(sha));
                Gives::maybe(commit.map(|c| c.title()))
            }
            _ => Gives::Null,
        }))
}

fn this_page<'a>(look: &Look<'a>) -> Option<&'a Page> {
    match look.node {
        Node::Page(page) => Some(page),
        _ => None,
    }
}

fn page_info() -> Object {
    Object::new("PageInfo")
        .field(field(
            "hasNextPage",
            must(TypeRef::BOOLEAN),
            over!(this_page, |_, p: &Page| {
                Gives::flag(p.first + p.nodes.len() < p.total)
            }),
        ))
        .field(field(
            "hasPreviousPage",
            must(TypeRef::BOOLEAN),
            over!(this_page, |_, p: &Page| Gives::flag(p.first > 0)),
        ))
        .field(field(
            "startCursor",
            may(TEXT),
            over!(this_page, |_, p: &Page| {
                if p.nodes.is_empty() {
                    Gives::Null
                } else {
                    Gives::text(p.cursor(0))
                }
            }),
        ))
        .field(field(
            "endCursor",
            may(TEXT),
            over!(this_page, |_, p: &Page| {
                if p.nodes.is_empty() {
                    Gives::Null
                } else {
                    Gives::text(p.cursor(p.nodes.len() - 1))
                }
            }),
        ))
}

fn weight() -> Object {
    Object::new("QueryComplexity")
        .field(field("score", may(TypeRef::INT), |look| match look.node {
            Node::Weight { score, .. } => Gives::number(*score as u64),
            _ => Gives::Null,
        }))
        .field(field("limit", may(TypeRef::INT), |look| match look.node {
            Node::Weight { limit, .. } => Gives::number(*limit as u64),
            _ => Gives::Null,
        }))
}

fn metadata() -> Object {
    Object::new("Metadata")
        .field(field("version", must(TEXT), |look| {
            Gives::text(&look.state.config.version)
        }))
        .field(field("revision", must(TEXT), |_| Gives::text("5a4d0b0c1de")))
        .field(field("enterprise", must(TypeRef::BOOLEAN), |_| Gives::flag(true)))
}
