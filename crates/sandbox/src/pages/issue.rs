//! Issues with their notes, and boards.

use super::layout::{card, labels, person, project_page, rows, when};
use super::text::{escape, rendered};
use crate::http::Answer;
use crate::state::State;
use crate::state::boards::Board;
use crate::state::issues::Issue;
use crate::state::notes::Note;
use crate::state::projects::Project;

/// All issues, newest first.
pub(super) fn list(state: &State, project: &Project) -> Answer {
    let items: Vec<String> = project.issues.values().rev().map(|i| row(state, project, i)).collect();
    project_page(state, project, "Issues", &rows(&items, "There is no issue yet."))
}

fn row(state: &State, project: &Project, issue: &Issue) -> String {
    format!(
        "{} <a href=\"/{}/-/issues/{}\"><b>{}</b></a> {}<br><span class=\"soft\">#{} opened {} by {}</span>",
        badge(issue),
        escape(&project.full_path),
        issue.iid,
        escape(&issue.title),
        labels(state, &issue.labels),
        issue.iid,
        when(issue.created_at),
        person(state, issue.author)
    )
}

fn badge(issue: &Issue) -> &'static str {
    if issue.closed {
        "<span class=\"badge closed\">Closed</span>"
    } else {
        "<span class=\"badge opened\">Open</span>"
    }
}

/// One issue with its trail.
pub(super) fn show(state: &State, project: &Project, issue: &Issue) -> Answer {
    let confidential = if issue.confidential {
        " <span class=\"badge\">Confidential</span>"
    } else {
        ""
    };
    let people: Vec<String> = issue.assignees.iter().map(|id| person(state, *id)).collect();
    let assigned = if people.is_empty() {
        String::new()
    } else {
        format!(" · assigned to {}", people.join(", "))
    };
    let text = issue.description.as_deref().unwrap_or_default();
    let body = format!(
        "<h2>{} <span class=\"soft\">#{}</span></h2><p>{}{confidential} {}</p>{}{}",
        escape(&issue.title),
        issue.iid,
        badge(issue),
        labels(state, &issue.labels),
        card(
            &format!(
                "{} opened {}{assigned}",
                person(state, issue.author),
                when(issue.created_at)
            ),
            &rendered(text, project, "")
        ),
        trail(state, project, &issue.notes)
    );
    project_page(state, project, &issue.title, &body)
}

/// Comments and the system's lines, oldest first.
pub(super) fn trail(state: &State, project: &Project, notes: &[Note]) -> String {
    notes
        .iter()
        .map(|note| {
            let who = person(state, note.author);
            let text = rendered(&note.body, project, "");
            if note.system {
                let text = text
                    .trim()
                    .trim_start_matches("<p>")
                    .trim_end_matches("</p>")
                    .to_owned();
                return format!("<div class=\"system\">{who} {text} · {}</div>", when(note.created_at));
            }
            let edited = if note.updated_by.is_some() { " · edited" } else { "" };
            let internal = if note.internal {
                " <span class=\"badge\">Internal</span>"
            } else {
                ""
            };
            let head = format!(
                "<span id=\"note_{}\">{who}</span>{internal} <span class=\"soft\">{}{edited}</span>",
                note.id,
                when(note.created_at)
            );
            card(&head, &text)
        })
        .collect()
}

/// One board, or the first; GitLab makes one when somebody first opens this page, the sandbox only says so.
pub(super) fn boards(state: &State, project: &Project, number: Option<u64>) -> Option<Answer> {
    let board = match number {
        Some(id) => project.boards.iter().find(|b| b.id == id)?,
        None => match project.boards.first() {
            Some(board) => board,
            None => {
                let text = "<p class=\"soft\">There is no board yet.</p>";
                return Some(project_page(state, project, "Boards", text));
            }
        },
    };
    let others: Vec<String> = project
        .boards
        .iter()
        .map(|b| {
            format!(
                "<a href=\"/{}/-/boards/{}\">{}</a>",
                escape(&project.full_path),
                b.id,
                escape(&b.name)
            )
        })
        .collect();
    let body = format!(
        "<h2>{}</h2><p class=\"soft\">{}</p>{}",
        escape(&board.name),
        others.join(" · "),
        columns(state, project, board)
    );
    Some(project_page(state, project, &board.name, &body))
}

fn columns(state: &State, project: &Project, board: &Board) -> String {
    let listed: Vec<u64> = board.lists.iter().map(|l| l.label).collect();
    let mut columns = Vec::new();
    let open = |wanted: &dyn Fn(&Issue) -> bool| -> Vec<&Issue> {
        project.issues.values().filter(|i| !i.closed && wanted(i)).collect()
    };
    if !board.hide_backlog_list {
        let rest = open(&|i| !i.labels.iter().any(|l| listed.contains(l)));
        columns.push(column(state, project, "<b>Open</b>", &rest));
    }
    for label in &listed {
        let issues = open(&|i| i.labels.contains(label));
        columns.push(column(state, project, &labels(state, &[*label]), &issues));
    }
    if !board.hide_closed_list {
        let closed: Vec<&Issue> = project.issues.values().filter(|i| i.closed).collect();
        columns.push(column(state, project, "<b>Closed</b>", &closed));
    }
    format!("<div class=\"board\">{}</div>", columns.concat())
}

fn column(state: &State, project: &Project, head: &str, issues: &[&Issue]) -> String {
    let cards: String = issues
        .iter()
        .map(|i| {
            format!(
                "<div class=\"card\"><a href=\"/{}/-/issues/{}\">{}</a><br>{} <span class=\"soft\">#{}</span></div>",
                escape(&project.full_path),
                i.iid,
                escape(&i.title),
                labels(state, &i.labels),
                i.iid
            )
        })
        .collect();
    format!(
        "<div class=\"column\">{head} <span class=\"soft\">{}</span>{cards}</div>",
        issues.len()
    )
}
