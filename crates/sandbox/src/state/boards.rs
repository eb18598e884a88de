//! Issue boards and their lists.

use super::rights::PLANNER;
use super::{Kind, Place, State};
use crate::http::{Refusal, Result};
use serde_json::json;

/// A board of a project. The Open and Closed columns are not lists.
#[derive(Debug, Clone)]
pub(crate) struct Board {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) hide_backlog_list: bool,
    pub(crate) hide_closed_list: bool,
    pub(crate) lists: Vec<BoardList>,
}

/// A column for a label.
#[derive(Debug, Clone)]
pub(crate) struct BoardList {
    pub(crate) id: u64,
    pub(crate) label: u64,
}

impl State {
    /// Creates a board; nothing keeps two from having the same name.
    pub(crate) fn create_board(&mut self, actor: u64, project: u64, name: &str, hide: (bool, bool)) -> Result<u64> {
        self.need(actor, project, PLANNER)?;
        self.need_writable(project)?;
        if name.trim().is_empty() {
            return Err(Refusal::message(400, json!({ "name": ["can't be blank"] })));
        }
        let id = self.id(Kind::Board);
        let board = Board {
            id,
            name: name.to_owned(),
            hide_backlog_list: hide.0,
            hide_closed_list: hide.1,
            lists: Vec::new(),
        };
        self.project_mut(project)?.boards.push(board);
        Ok(id)
    }

    pub(crate) fn board(&self, project: u64, id: u64) -> Result<&Board> {
        self.project(project)?
            .boards
            .iter()
            .find(|b| b.id == id)
            .ok_or_else(|| Refusal::not_found("Board"))
    }

    pub(crate) fn board_mut(&mut self, actor: u64, project: u64, id: u64) -> Result<&mut Board> {
        self.board(project, id)?;
        self.need(actor, project, PLANNER)?;
        self.need_writable(project)?;
        let board = self.project_mut(project)?.boards.iter_mut().find(|b| b.id == id);
        board.ok_or_else(|| Refusal::not_found("Board"))
    }

    pub(crate) fn delete_board(&mut self, actor: u64, project: u64, id: u64) -> Result<()> {
        self.board_mut(actor, project, id)?;
        self.project_mut(project)?.boards.retain(|b| b.id != id);
        Ok(())
    }

    /// Adds a column for a label of the project or of a group above it.
    pub(crate) fn create_list(&mut self, actor: u64, project: u64, board: u64, label: u64) -> Result<u64> {
        self.board_mut(actor, project, board)?;
        if !self.available_labels(Place::Project(project), true).contains(&label) {
            return Err(Refusal::message(400, json!({ "error": "Label not found" })));
        }
        let id = self.id(Kind::BoardList);
        let board = self.board_mut(actor, project, board)?;
        if board.lists.iter().any(|l| l.label == label) {
            return Err(Refusal::message(
                400,
                json!({ "error": "Label has already been taken" }),
            ));
        }
        board.lists.push(BoardList { id, label });
        Ok(id)
    }

    pub(crate) fn move_list(&mut self, actor: u64, project: u64, board: u64, list: u64, position: usize) -> Result<()> {
        let board = self.board_mut(actor, project, board)?;
        let at = board
            .lists
            .iter()
            .position(|l| l.id == list)
            .ok_or_else(|| Refusal::not_found("List"))?;
        let moved = board.lists.remove(at);
        board.lists.insert(position.min(board.lists.len()), moved);
        Ok(())
    }

    pub(crate) fn delete_list(&mut self, actor: u64, project: u64, board: u64, list: u64) -> Result<()> {
        let board = self.board_mut(actor, project, board)?;
        if !board.lists.iter().any(|l| l.id == list) {
            return Err(Refusal::not_found("List"));
        }
        board.lists.retain(|l| l.id != list);
        Ok(())
    }
}
