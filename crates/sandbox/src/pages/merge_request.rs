//! Merge requests with their difference.

use super::code::diff_card;
use super::layout::{card, labels, person, project_page, rows, when};
use super::text::{escape, rendered};
use crate::http::Answer;
use crate::state::State;
use crate::state::merge_requests::{MergeRequest, MergeState};
use crate::state::projects::Project;

/// All merge requests, newest first.
pub(super) fn list(state: &State, project: &Project) -> Answer {
    let items: Vec<String> = project
        .merge_requests
        .values()
        .rev()
        .map(|m| {
            format!(
                "{} <a href=\"/{}/-/merge_requests/{}\"><b>{}</b></a> {}<br><span class=\"soft\">!{} opened {} by {}</span>",
                badge(m),
                escape(&project.full_path),
                m.iid,
                escape(&m.title),
                labels(state, &m.labels),
                m.iid,
                when(m.created_at),
                person(state, m.author)
            )
        })
        .collect();
    project_page(
        state,
        project,
        "Merge requests",
        &rows(&items, "There is no merge request yet."),
    )
}

fn badge(request: &MergeRequest) -> &'static str {
    match request.state {
        MergeState::Opened => "<span class=\"badge opened\">Open</span>",
        MergeState::Closed => "<span class=\"badge\">Closed</span>",
        MergeState::Merged => "<span class=\"badge merged\">Merged</span>",
    }
}

/// One merge request: text, people, difference, trail.
pub(super) fn show(state: &State, project: &Project, request: &MergeRequest) -> Answer {
    let known = state.mergeability(request);
    let reviewers: Vec<String> = request.reviewers.iter().map(|id| person(state, *id)).collect();
    let asked = if reviewers.is_empty() {
        String::new()
    } else {
        format!(" · review asked from {}", reviewers.join(", "))
    };
    let merged = request.merge_user.zip(request.merged_at).map(|(who, at)| {
        format!(
            "<div class=\"notice\">Merged by {} on {}.</div>",
            person(state, who),
            when(at)
        )
    });
    let diffs = state.merge_request_diff(request);
    let shown: String = diffs.iter().map(diff_card).collect();
    let body = format!(
        "<h2>{} <span class=\"soft\">!{}</span></h2><p>{} <code>{}</code> into <code>{}</code> {}</p>{}\
         <p class=\"soft\">{}{asked}</p>{}<h2>Changes ({})</h2>{shown}<h2>Activity</h2>{}",
        escape(&request.title),
        request.iid,
        badge(request),
        escape(&request.source_branch),
        escape(&request.target_branch),
        labels(state, &request.labels),
        merged.unwrap_or_default(),
        known.detailed.replace('_', " "),
        card(
            &format!("{} opened {}", person(state, request.author), when(request.created_at)),
            &rendered(request.description.as_deref().unwrap_or_default(), project, "")
        ),
        diffs.len(),
        super::issue::trail(state, project, &request.notes)
    );
    project_page(state, project, &request.title, &body)
}
