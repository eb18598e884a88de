//! Groups and projects.

use super::super::give::{Gives, Look, Node};
use super::{Kind, argument, gid, texts};
use crate::state::Place;
use crate::state::groups::Group;
use crate::state::issues::Issue;
use crate::state::labels::Label;
use crate::state::merge_requests::MergeRequest;
use crate::state::projects::Project;
use async_graphql::Value;
use async_graphql::dynamic::{InputValue, Object, TypeRef};

pub(super) fn objects() -> Vec<Object> {
    vec![group(), project_lists(project()).finish()]
}

fn this_group<'a>(look: &Look<'a>) -> Option<&'a Group> {
    match look.node {
        Node::Group(id) => look.state.groups.get(id),
        _ => None,
    }
}

fn this_project<'a>(look: &Look<'a>) -> Option<&'a Project> {
    match look.node {
        Node::Project(id) => look.state.projects.get(id),
        _ => None,
    }
}

fn group() -> Object {
    let flag = |name: &str, default: bool| argument(name, TypeRef::BOOLEAN).default_value(default);
    let ids = InputValue::new("ids", TypeRef::named_nn_list(TypeRef::ID));
    let filters = vec![
        flag("includeSubgroups", false),
        flag("includeArchived", true),
        argument("search", "String"),
        ids,
    ];
    Kind::new("Group", this_group)
        .id(|g| gid("Group", g.id))
        .text("name", |g| g.name.clone())
        .text("path", |g| g.path.clone())
        .shown("fullPath", TypeRef::named_nn(TypeRef::ID), |g| g.full_path.clone())
        .maybe("description", |g| Some(g.description.clone()))
        .maybe("visibility", |g| Some(g.visibility.clone()))
        .flag("archived", |g| g.archived)
        .give("webUrl", TypeRef::named_nn(TypeRef::STRING), |look, g| {
            Gives::text(format!("{}/groups/{}", look.state.url, g.full_path))
        })
        .list("projects", "Project", group_projects, filters)
        .list(
            "labels",
            "Label",
            |look, g| labels(look, Place::Group(g.id)),
            vec![argument("searchTerm", "String")],
        )
        .list(
            "groupMembers",
            "MemberInterface",
            |look, g| members(look, Place::Group(g.id)),
            Vec::new(),
        )
        .list("descendantGroups", "Group", descendants, Vec::new())
        .finish()
}

fn group_projects(look: &Look<'_>, group: &Group) -> Vec<Node> {
    let state = look.state;
    let deep = look.flag("includeSubgroups").unwrap_or(false);
    let archived = look.flag("includeArchived").unwrap_or(true);
    let search = look.text("search").map(|s| s.to_lowercase());
    let ids = look.texts("ids");
    let mut inside: Vec<u64> = state.projects_in(group.id).collect();
    if deep {
        let below = |p: &&Project| state.ancestors_of(p.owner).skip(1).any(|g| g.id == group.id);
        inside.extend(state.projects.values().filter(below).map(|p| p.id));
        inside.sort_unstable();
    }
    let wanted = |p: &&Project| {
        state.sees_project(look.user, p)
            && (archived || !state.is_archived(p))
            && search
                .as_ref()
                .is_none_or(|s| p.name.to_lowercase().contains(s) || p.path.contains(s))
            && ids.as_ref().is_none_or(|ids| ids.contains(&gid("Project", p.id)))
    };
    let found = inside
        .iter()
        .rev()
        .filter_map(|id| state.projects.get(id))
        .filter(wanted);
    found.map(|p| Node::Project(p.id)).collect()
}

fn descendants(look: &Look<'_>, group: &Group) -> Vec<Node> {
    let below = |id: &&u64| {
        look.state
            .ancestors_of(Place::Group(**id))
            .skip(1)
            .any(|a| a.id == group.id)
    };
    let seen = look
        .state
        .groups
        .keys()
        .filter(below)
        .filter(|id| look.state.sees_group(look.user, **id));
    seen.map(|id| Node::Group(*id)).collect()
}

fn members(look: &Look<'_>, place: Place) -> Vec<Node> {
    let all = look.state.all_members(place);
    all.iter()
        .map(|m| Node::Member {
            user: m.user,
            level: m.level,
        })
        .collect()
}

fn labels(look: &Look<'_>, place: Place) -> Vec<Node> {
    let search = look.text("searchTerm").map(|s| s.to_lowercase());
    let ids = look.state.available_labels(place, true);
    let mut found: Vec<&Label> = ids.iter().filter_map(|id| look.state.labels.get(id)).collect();
    found.retain(|l| search.as_ref().is_none_or(|s| l.name.to_lowercase().contains(s)));
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found.iter().map(|l| Node::Label(l.id)).collect()
}

fn project() -> Kind<Project> {
    Kind::new("Project", this_project)
        .id(|p| gid("Project", p.id))
        .text("name", |p| p.name.clone())
        .text("path", |p| p.path.clone())
        .shown("fullPath", TypeRef::named_nn(TypeRef::ID), |p| p.full_path.clone())
        .maybe("description", |p| p.description.clone())
        .maybe("visibility", |p| Some(p.visibility.clone()))
        .give("webUrl", TypeRef::named(TypeRef::STRING), |look, p| {
            Gives::text(look.state.web_url(p))
        })
        .give("httpUrlToRepo", TypeRef::named(TypeRef::STRING), |look, p| {
            Gives::text(look.state.http_url(p))
        })
        .give("archived", TypeRef::named(TypeRef::BOOLEAN), |look, p| {
            Gives::flag(look.state.is_archived(p))
        })
        .give("topics", TypeRef::named_nn_list(TypeRef::STRING), |_, p| {
            Gives::Value(Value::List(p.topics.iter().map(|t| Value::from(t.as_str())).collect()))
        })
        .time("createdAt", |p| Some(p.created_at))
        .time("updatedAt", |p| Some(p.updated_at))
        .time("lastActivityAt", |p| Some(p.last_activity_at))
        .give("markedForDeletionOn", TypeRef::named("Time"), |_, p| {
            Gives::maybe(p.marked_for_deletion_on.map(|d| format!("{d}T00:00:00Z")))
        })
        .number("openIssuesCount", |p| {
            p.issues.values().filter(|i| !i.closed).count() as u64
        })
        .node("group", "Group", |_, p| match p.owner {
            Place::Group(id) => Some(Node::Group(id)),
            _ => None,
        })
        .node("repository", "Repository", |look, p| {
            look.state.sees_code(look.user, p).then_some(Node::Repository(p.id))
        })
}

fn project_lists(project: Kind<Project>) -> Kind<Project> {
    let iid = || vec![InputValue::new("iid", TypeRef::named_nn(TypeRef::STRING))];
    project
        .list(
            "labels",
            "Label",
            |look, p| labels(look, Place::Project(p.id)),
            vec![argument("searchTerm", "String")],
        )
        .list(
            "projectMembers",
            "MemberInterface",
            |look, p| members(look, Place::Project(p.id)),
            Vec::new(),
        )
        .list(
            "boards",
            "Board",
            |_, p| p.boards.iter().map(|b| Node::Board(p.id, b.id)).collect(),
            Vec::new(),
        )
        .list(
            "issues",
            "Issue",
            issues,
            vec![
                argument("state", "IssuableState"),
                texts("iids"),
                InputValue::new("labelName", TypeRef::named_list(TypeRef::STRING)),
            ],
        )
        .asked(
            "issue",
            TypeRef::named("Issue"),
            |look, p| {
                let found = look.state.find_issue(look.user, p.id, asked_iid(look));
                Gives::node(found.ok().map(|i| Node::Issue(p.id, i.iid)))
            },
            iid(),
        )
        .list(
            "mergeRequests",
            "MergeRequest",
            requests,
            vec![
                argument("state", "MergeRequestState"),
                texts("iids"),
                texts("sourceBranches"),
                texts("targetBranches"),
            ],
        )
        .asked(
            "mergeRequest",
            TypeRef::named("MergeRequest"),
            |look, p| {
                let found = look.state.find_merge_request(look.user, p.id, asked_iid(look));
                Gives::node(found.ok().map(|m| Node::MergeRequest(p.id, m.iid)))
            },
            iid(),
        )
}

fn asked_iid(look: &Look<'_>) -> u64 {
    look.text("iid").and_then(|iid| iid.parse().ok()).unwrap_or_default()
}

fn asked_state(look: &Look<'_>) -> Option<String> {
    look.word("state").filter(|state| state != "all")
}

fn issues(look: &Look<'_>, project: &Project) -> Vec<Node> {
    if !look.state.sees_feature(look.user, project, "issues") {
        return Vec::new();
    }
    let (state, iids, labels) = (asked_state(look), look.texts("iids"), look.texts("labelName"));
    let wanted = |i: &&Issue| {
        let names = look.state.label_names(&i.labels);
        look.state.sees_issue(look.user, i)
            && state.as_deref().is_none_or(|s| (s == "closed") == i.closed)
            && iids.as_ref().is_none_or(|iids| iids.contains(&i.iid.to_string()))
            && labels
                .as_ref()
                .is_none_or(|labels| labels.iter().all(|l| names.contains(l)))
    };
    project
        .issues
        .values()
        .rev()
        .filter(wanted)
        .map(|i| Node::Issue(project.id, i.iid))
        .collect()
}

fn requests(look: &Look<'_>, project: &Project) -> Vec<Node> {
    if !look.state.sees_code(look.user, project) {
        return Vec::new();
    }
    let (state, iids) = (asked_state(look), look.texts("iids"));
    let (sources, targets) = (look.texts("sourceBranches"), look.texts("targetBranches"));
    let wanted = |m: &&MergeRequest| {
        state.as_deref().is_none_or(|s| s == m.state.word())
            && iids.as_ref().is_none_or(|iids| iids.contains(&m.iid.to_string()))
            && sources.as_ref().is_none_or(|names| names.contains(&m.source_branch))
            && targets.as_ref().is_none_or(|names| names.contains(&m.target_branch))
    };
    let found = project.merge_requests.values().rev().filter(wanted);
    found.map(|m| Node::MergeRequest(project.id, m.iid)).collect()
}
