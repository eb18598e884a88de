//! Issues, merge requests, notes, labels, boards.

use super::super::give::{Gives, Look, Node, field};
use super::{Kind, gid};
use crate::state::boards::Board;
use crate::state::issues::Issue;
use crate::state::labels::{Label, text_colour};
use crate::state::merge_requests::MergeRequest;
use crate::state::notes::{Note, Thing};
use async_graphql::dynamic::{Object, TypeRef};
use async_graphql::{Name, Value};

pub(super) fn objects() -> Vec<Object> {
    vec![issue(), merge_request(), note(), label(), board(), board_list()]
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

fn this_note<'a>(look: &Look<'a>) -> Option<&'a Note> {
    match look.node {
        Node::Note(thing, id) => look.state.notes(*thing).ok()?.iter().find(|n| n.id == *id),
        _ => None,
    }
}

fn this_label<'a>(look: &Look<'a>) -> Option<&'a Label> {
    match look.node {
        Node::Label(id) => look.state.labels.get(id),
        _ => None,
    }
}

fn this_board<'a>(look: &Look<'a>) -> Option<&'a Board> {
    match look.node {
        Node::Board(project, id) => look.state.board(*project, *id).ok(),
        _ => None,
    }
}

fn word(word: &str) -> Gives {
    Gives::Value(Value::Enum(Name::new(word)))
}

fn issue() -> Object {
    Kind::new("Issue", this_issue)
        .id(|i| gid("Issue", i.id))
        .shown("iid", TypeRef::named_nn(TypeRef::ID), |i| i.iid.to_string())
        .text("title", |i| i.title.clone())
        .maybe("description", |i| i.description.clone())
        .give("state", TypeRef::named_nn("IssuableState"), |_, i| {
            word(if i.closed { "closed" } else { "opened" })
        })
        .flag("confidential", |i| i.confidential)
        .maybe("type", |i| Some(i.issue_type.to_uppercase()))
        .give("webUrl", TypeRef::named_nn(TypeRef::STRING), |look, i| {
            Gives::maybe(look.state.projects.get(&i.project).map(|p| look.state.issue_url(p, i)))
        })
        .node("author", "UserCore", |_, i| Some(Node::User(i.author)))
        .list(
            "assignees",
            "UserCore",
            |_, i| i.assignees.iter().map(|u| Node::User(*u)).collect(),
            Vec::new(),
        )
        .list("labels", "Label", |look, i| sorted_labels(look, &i.labels), Vec::new())
        .list(
            "notes",
            "Note",
            |look, i| notes(look, Thing::issue(i.project, i.iid)),
            Vec::new(),
        )
        .number("userNotesCount", |i| {
            i.notes.iter().filter(|n| !n.system).count() as u64
        })
        .time("createdAt", |i| Some(i.created_at))
        .time("updatedAt", |i| Some(i.updated_at))
        .time("closedAt", |i| i.closed_at)
        .finish()
}

fn sorted_labels(look: &Look<'_>, ids: &[u64]) -> Vec<Node> {
    let mut found: Vec<&Label> = ids.iter().filter_map(|id| look.state.labels.get(id)).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found.iter().map(|l| Node::Label(l.id)).collect()
}

fn notes(look: &Look<'_>, thing: Thing) -> Vec<Node> {
    let Ok(notes) = look.state.notes(thing) else {
        return Vec::new();
    };
    notes
        .iter()
        .filter(|n| look.state.sees_note(look.user, thing, n))
        .map(|n| Node::Note(thing, n.id))
        .collect()
}

fn merge_request() -> Object {
    Kind::new("MergeRequest", this_request)
        .id(|m| gid("MergeRequest", m.id))
        .text("iid", |m| m.iid.to_string())
        .text("title", |m| m.title.clone())
        .maybe("description", |m| m.description.clone())
        .give("state", TypeRef::named_nn("MergeRequestState"), |_, m| {
            word(m.state.word())
        })
        .flag("draft", MergeRequest::is_draft)
        .text("sourceBranch", |m| m.source_branch.clone())
        .text("targetBranch", |m| m.target_branch.clone())
        .maybe("diffHeadSha", |m| Some(m.sha.clone()))
        .give("conflicts", TypeRef::named_nn(TypeRef::BOOLEAN), |look, m| {
            Gives::flag(look.state.mergeability(m).has_conflicts)
        })
        .give("detailedMergeStatus", TypeRef::named(TypeRef::STRING), |look, m| {
            Gives::text(look.state.mergeability(m).detailed.to_uppercase())
        })
        .give("webUrl", TypeRef::named(TypeRef::STRING), |look, m| {
            Gives::maybe(
                look.state
                    .projects
                    .get(&m.project)
                    .map(|p| look.state.merge_request_url(p, m.iid)),
            )
        })
        .node("author", "UserCore", |_, m| Some(Node::User(m.author)))
        .list("labels", "Label", |look, m| sorted_labels(look, &m.labels), Vec::new())
        .list(
            "notes",
            "Note",
            |look, m| notes(look, Thing::merge_request(m.project, m.iid)),
            Vec::new(),
        )
        .time("createdAt", |m| Some(m.created_at))
        .time("updatedAt", |m| Some(m.updated_at))
        .time("mergedAt", |m| m.merged_at)
        .finish()
}

fn note() -> Object {
    Kind::new("Note", this_note)
        .id(|n| gid("Note", n.id))
        .text("body", |n| n.body.clone())
        .flag("system", |n| n.system)
        .flag("internal", |n| n.internal)
        .node("author", "UserCore", |_, n| Some(Node::User(n.author)))
        .time("createdAt", |n| Some(n.created_at))
        .time("updatedAt", |n| Some(n.updated_at))
        .finish()
}

fn label() -> Object {
    Kind::new("Label", this_label)
        .id(|l| {
            gid(
                if l.is_project_label() {
                    "ProjectLabel"
                } else {
                    "GroupLabel"
                },
                l.id,
            )
        })
        .text("title", |l| l.name.clone())
        .text("color", |l| l.color.clone())
        .text("textColor", |l| text_colour(&l.color).to_owned())
        .maybe("description", |l| l.description.clone())
        .finish()
}

fn board() -> Object {
    let lists = |look: &Look<'_>, board: &Board| match look.node {
        Node::Board(project, id) => {
            let list = |list: u64| Node::List {
                project: *project,
                board: *id,
                list,
            };
            board.lists.iter().map(|l| list(l.id)).collect()
        }
        _ => Vec::new(),
    };
    Kind::new("Board", this_board)
        .id(|b| gid("Board", b.id))
        .maybe("name", |b| Some(b.name.clone()))
        .list("lists", "BoardList", lists, Vec::new())
        .finish()
}

/// The label and the position of a list.
fn listed(look: &Look<'_>) -> Option<(u64, u64)> {
    let Node::List { project, board, list } = look.node else {
        return None;
    };
    let board = look.state.board(*project, *board).ok()?;
    let at = board.lists.iter().position(|l| l.id == *list)?;
    Some((board.lists[at].label, at as u64))
}

fn board_list() -> Object {
    Object::new("BoardList")
        .field(field("id", TypeRef::named_nn(TypeRef::ID), |look| match look.node {
            Node::List { list, .. } => Gives::text(gid("List", *list)),
            _ => Gives::Null,
        }))
        .field(field("title", TypeRef::named_nn(TypeRef::STRING), |look| {
            let label = listed(look).and_then(|(label, _)| look.state.labels.get(&label));
            Gives::maybe(label.map(|l| l.name.clone()))
        }))
        .field(field("listType", TypeRef::named_nn(TypeRef::STRING), |_| {
            Gives::text("label")
        }))
        .field(field("position", TypeRef::named(TypeRef::INT), |look| {
            listed(look).map_or(Gives::Null, |(_, at)| Gives::number(at))
        }))
        .field(field("label", TypeRef::named("Label"), |look| {
            Gives::node(listed(look).map(|(label, _)| Node::Label(label)))
        }))
}
