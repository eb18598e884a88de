//! Boards of projects and their lists.

use super::{Call, Route};
use crate::http::{Answer, Refusal, Result};
use crate::show;
use crate::state::boards::Board;
use serde_json::{Value, json};

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/projects/:id/boards", list),
    ("POST", "/projects/:id/boards", create),
    ("GET", "/projects/:id/boards/:board", get),
    ("PUT", "/projects/:id/boards/:board", update),
    ("DELETE", "/projects/:id/boards/:board", delete),
    ("GET", "/projects/:id/boards/:board/lists", lists),
    ("POST", "/projects/:id/boards/:board/lists", create_list),
    ("GET", "/projects/:id/boards/:board/lists/:list", get_list),
    ("PUT", "/projects/:id/boards/:board/lists/:list", move_list),
    ("DELETE", "/projects/:id/boards/:board/lists/:list", delete_list),
];

fn list(call: &mut Call<'_>) -> Result {
    let id = call.project()?;
    let project = call.state.project(id)?;
    let (state, user) = (&*call.state, call.user);
    call.page()?
        .of(&project.boards, |b| show::board(state, user, project, b))
}

fn get(call: &mut Call<'_>) -> Result {
    let (project, board) = (call.project()?, call.number(1)?);
    show_board(call, project, board, 200)
}

fn show_board(call: &Call<'_>, project: u64, board: u64, status: u16) -> Result {
    let board = call.state.board(project, board)?;
    Ok(Answer::json(
        status,
        show::board(call.state, call.user, call.state.project(project)?, board),
    ))
}

fn create(call: &mut Call<'_>) -> Result {
    let (actor, project) = (call.actor()?, call.project()?);
    let name = call.params.required("name")?;
    let hide = (
        call.params.is_set("hide_backlog_list")?,
        call.params.is_set("hide_closed_list")?,
    );
    let id = call.state.create_board(actor, project, &name, hide)?;
    show_board(call, project, id, 201)
}

fn update(call: &mut Call<'_>) -> Result {
    let (actor, project, id) = (call.actor()?, call.project()?, call.number(1)?);
    let params = call.params;
    if call.state.is_premium() {
        params.accept(&["assignee_id", "milestone_id", "labels", "weight"]);
    }
    let (backlog, closed) = (params.flag("hide_backlog_list")?, params.flag("hide_closed_list")?);
    let name = params.filled("name");
    let board = call.state.board_mut(actor, project, id)?;
    board.name = name.unwrap_or_else(|| board.name.clone());
    board.hide_backlog_list = backlog.unwrap_or(board.hide_backlog_list);
    board.hide_closed_list = closed.unwrap_or(board.hide_closed_list);
    show_board(call, project, id, 200)
}

fn delete(call: &mut Call<'_>) -> Result {
    let (actor, project, id) = (call.actor()?, call.project()?, call.number(1)?);
    call.state.delete_board(actor, project, id)?;
    Ok(Answer::no_content())
}

fn lists(call: &mut Call<'_>) -> Result {
    let (project, id) = (call.project()?, call.number(1)?);
    let board = call.state.board(project, id)?;
    let shown: Vec<Value> = shown_lists(call, board);
    call.page()?.of(&shown, Clone::clone)
}

fn shown_lists(call: &Call<'_>, board: &Board) -> Vec<Value> {
    board
        .lists
        .iter()
        .enumerate()
        .map(|(at, list)| show::board_list(call.state, list, at))
        .collect()
}

fn show_list(call: &Call<'_>, project: u64, board: u64, list: u64, status: u16) -> Result {
    let board = call.state.board(project, board)?;
    let at = board
        .lists
        .iter()
        .position(|l| l.id == list)
        .ok_or_else(|| Refusal::not_found("List"))?;
    Ok(Answer::json(status, show::board_list(call.state, &board.lists[at], at)))
}

fn get_list(call: &mut Call<'_>) -> Result {
    let (project, board, list) = (call.project()?, call.number(1)?, call.number(2)?);
    show_list(call, project, board, list, 200)
}

fn create_list(call: &mut Call<'_>) -> Result {
    let (actor, project, board) = (call.actor()?, call.project()?, call.number(1)?);
    let kinds = ["label_id", "assignee_id", "milestone_id", "iteration_id"];
    let given: Vec<&str> = kinds.into_iter().filter(|k| call.params.has(k)).collect();
    match given.as_slice() {
        [] => Err(Refusal::error(
            400,
            "label_id, milestone_id, iteration_id, assignee_id are missing, exactly one parameter must be provided",
        )),
        ["label_id"] => {
            let label = call.params.required_number("label_id")?;
            let list = call.state.create_list(actor, project, board, label)?;
            show_list(call, project, board, list, 201)
        }
        [_] => {
            let text = "Lists for assignees, milestones and iterations are not available on this instance";
            Err(Refusal::message(400, json!({ "error": text })))
        }
        _ => Err(Refusal::error(
            400,
            format!("{} are mutually exclusive", given.join(", ")),
        )),
    }
}

fn move_list(call: &mut Call<'_>) -> Result {
    let (actor, project, board, list) = (call.actor()?, call.project()?, call.number(1)?, call.number(2)?);
    let position = usize::try_from(call.params.required_number("position")?).unwrap_or(usize::MAX);
    call.state.move_list(actor, project, board, list, position)?;
    show_list(call, project, board, list, 200)
}

fn delete_list(call: &mut Call<'_>) -> Result {
    let (actor, project, board, list) = (call.actor()?, call.project()?, call.number(1)?, call.number(2)?);
    call.state.delete_list(actor, project, board, list)?;
    Ok(Answer::no_content())
}
