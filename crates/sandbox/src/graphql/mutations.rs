//! Mutations that provisioning can use: labels, boards and their lists, commits. They do what the REST routes do.

use super::give::{Change, Node, text};
use crate::http::{Refusal, Result};
use crate::state::commits::{FileAction, NewFiles};
use crate::state::labels::NewLabel;
use crate::state::{Place, State};
use async_graphql::dynamic::{Enum, InputObject, InputValue, ObjectAccessor, TypeRef};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// One mutation: its input, what its payload holds, its function.
pub(super) struct Mutation {
    pub(super) name: &'static str,
    pub(super) input: Vec<(&'static str, TypeRef)>,
    pub(super) gives: &'static str,
    pub(super) kind: &'static str,
    pub(super) change: Change,
}

/// All of them.
pub(super) fn all() -> Vec<Mutation> {
    let id = || TypeRef::named(TypeRef::ID);
    let words = || TypeRef::named(TypeRef::STRING);
    let flag = || TypeRef::named(TypeRef::BOOLEAN);
    let must = || TypeRef::named_nn(TypeRef::STRING);
    vec![
        Mutation {
            name: "labelCreate",
            input: vec![
                ("projectPath", id()),
                ("groupPath", id()),
                ("title", must()),
                ("color", words()),
                ("description", words()),
            ],
            gives: "label",
            kind: "Label",
            change: create_label,
        },
        Mutation {
            name: "createBoard",
            input: vec![
                ("projectPath", id()),
                ("groupPath", id()),
                ("name", words()),
                ("hideBacklogList", flag()),
                ("hideClosedList", flag()),
            ],
            gives: "board",
            kind: "Board",
            change: create_board,
        },
        Mutation {
            name: "boardListCreate",
            input: vec![
                ("boardId", TypeRef::named_nn(TypeRef::ID)),
                ("labelId", id()),
                ("backlog", flag()),
            ],
            gives: "list",
            kind: "BoardList",
            change: create_list,
        },
        Mutation {
            name: "commitCreate",
            input: vec![
                ("projectPath", TypeRef::named_nn(TypeRef::ID)),
                ("branch", must()),
                ("startBranch", words()),
                ("message", must()),
                ("actions", TypeRef::named_nn_list_nn("CommitAction")),
            ],
            gives: "commit",
            kind: "Commit",
            change: create_commit,
        },
    ]
}

/// What one action of a commit says.
pub(super) fn commit_action() -> InputObject {
    let words = || TypeRef::named(TypeRef::STRING);
    InputObject::new("CommitAction")
        .field(InputValue::new("action", TypeRef::named_nn("CommitActionMode")))
        .field(InputValue::new("filePath", TypeRef::named_nn(TypeRef::STRING)))
        .field(InputValue::new("previousPath", words()))
        .field(InputValue::new("content", words()))
        .field(InputValue::new("encoding", TypeRef::named("CommitEncoding")))
        .field(InputValue::new("lastCommitId", words()))
        .field(InputValue::new("executeFilemode", TypeRef::named(TypeRef::BOOLEAN)))
}

pub(super) fn commit_action_mode() -> Enum {
    Enum::new("CommitActionMode").items(["CREATE", "UPDATE", "DELETE", "MOVE", "CHMOD"])
}

pub(super) fn encoding() -> Enum {
    Enum::new("CommitEncoding").items(["TEXT", "BASE64"])
}

/// The project or group that exactly one of `projectPath` and `groupPath` names.
fn owner(state: &State, actor: u64, input: &ObjectAccessor<'_>) -> Result<Place> {
    match (text(input, "projectPath"), text(input, "groupPath")) {
        (Some(path), None) => state.find_project(Some(actor), &path).map(Place::Project),
        (None, Some(path)) => state.find_group(Some(actor), &path).map(Place::Group),
        _ => Err(Refusal::message(
            422,
            "Exactly one of groupPath or projectPath arguments is required",
        )),
    }
}

fn create_label(state: &mut State, actor: u64, input: &ObjectAccessor<'_>) -> Result<Node> {
    let owner = owner(state, actor, input)?;
    let new = NewLabel {
        name: text(input, "title").unwrap_or_default(),
        color: text(input, "color").unwrap_or_else(|| "#6699cc".to_owned()),
        description: text(input, "description"),
        priority: None,
    };
    let made = state.create_label(actor, owner, new);
    made.map(Node::Label).map_err(|refusal| match refusal.status {
        409 => Refusal::message(400, "Title has already been taken"),
        _ => refusal,
    })
}

fn create_board(state: &mut State, actor: u64, input: &ObjectAccessor<'_>) -> Result<Node> {
    let Place::Project(project) = owner(state, actor, input)? else {
        return Err(Refusal::message(
            422,
            "Boards of groups are not modelled by the sandbox",
        ));
    };
    let flag = |name: &str| input.get(name).and_then(|v| v.boolean().ok()).unwrap_or(false);
    let name = text(input, "name").unwrap_or_else(|| "Development".to_owned());
    let id = state.create_board(actor, project, &name, (flag("hideBacklogList"), flag("hideClosedList")))?;
    Ok(Node::Board(project, id))
}

/// The number at the end of `gid://gitlab/Kind/7`.
fn number(gid: &str) -> Option<u64> {
    gid.strip_prefix("gid://gitlab/")?.rsplit('/').next()?.parse().ok()
}

fn create_list(state: &mut State, actor: u64, input: &ObjectAccessor<'_>) -> Result<Node> {
    let board = text(input, "boardId").as_deref().and_then(number).unwrap_or_default();
    let backlog = input.get("backlog").and_then(|v| v.boolean().ok());
    let label = match (text(input, "labelId"), backlog) {
        (Some(label), None) => number(&label).unwrap_or_default(),
        (None, Some(_)) => return Err(Refusal::message(422, "Backlog lists are not modelled by the sandbox")),
        _ => {
            return Err(Refusal::message(
                422,
                "One and only one of the following arguments is required: backlog, labelId",
            ));
        }
    };
    let project = state
        .projects
        .values()
        .find(|p| p.boards.iter().any(|b| b.id == board))
        .map(|p| p.id);
    let project = project.ok_or_else(|| Refusal::not_found("Board"))?;
    let list = state.create_list(actor, project, board, label).map_err(|refusal| {
        let text = refusal.body["message"]["error"].as_str().map(str::to_owned);
        text.map_or(refusal, |text| Refusal::message(400, text))
    })?;
    Ok(Node::List { project, board, list })
}

fn create_commit(state: &mut State, actor: u64, input: &ObjectAccessor<'_>) -> Result<Node> {
    let project = state.find_project(Some(actor), &text(input, "projectPath").unwrap_or_default())?;
    let actions = input
        .get("actions")
        .map(|a| a.list().map(|l| l.iter().map(|one| read_action(&one)).collect()));
    let actions = match actions {
        Some(Ok(actions)) => actions,
        _ => Ok(Vec::new()),
    };
    let new = NewFiles {
        branch: text(input, "branch").unwrap_or_default(),
        message: text(input, "message").unwrap_or_default(),
        actions: actions?,
        start_branch: text(input, "startBranch"),
        ..NewFiles::default()
    };
    let commit = state.commit_files(actor, project, new)?;
    Ok(Node::Commit(project, commit.id.clone()))
}

fn read_action(value: &async_graphql::dynamic::ValueAccessor<'_>) -> Result<FileAction> {
    let bad = |text: String| Refusal::message(422, text);
    let action = value.object().map_err(|e| bad(e.message))?;
    let word = |name: &str| action.get(name).and_then(|v| v.enum_name().ok().map(str::to_lowercase));
    let content = text(&action, "content").map(|content| match word("encoding").as_deref() {
        Some("base64") => STANDARD.decode(content).map_err(|e| bad(e.to_string())),
        _ => Ok(content.into_bytes()),
    });
    Ok(FileAction {
        action: word("action").unwrap_or_default(),
        file_path: text(&action, "filePath").unwrap_or_default(),
        previous_path: text(&action, "previousPath"),
        content: content.transpose()?,
        last_commit_id: text(&action, "lastCommitId"),
        execute_filemode: action.get("executeFilemode").and_then(|v| v.boolean().ok()),
    })
}
