//! What became of labels and states of issues and merge requests.

use super::notes::thing;
use super::{Call, Route};
use crate::http::{Answer, Refusal, Result};
use crate::show;
use crate::state::issues::{LabelEvent, StateEvent};
use crate::state::notes::Thing;

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/projects/:id/issues/:iid/resource_label_events", label_events),
    (
        "GET",
        "/projects/:id/issues/:iid/resource_label_events/:event",
        label_event,
    ),
    ("GET", "/projects/:id/issues/:iid/resource_state_events", state_events),
    (
        "GET",
        "/projects/:id/merge_requests/:iid/resource_label_events",
        label_events,
    ),
    (
        "GET",
        "/projects/:id/merge_requests/:iid/resource_label_events/:event",
        label_event,
    ),
    (
        "GET",
        "/projects/:id/merge_requests/:iid/resource_state_events",
        state_events,
    ),
];

/// What happened to a thing: its kind and number, its labels, its states.
type Events<'a> = ((&'static str, u64), &'a [LabelEvent], &'a [StateEvent]);

/// The events of the thing that the address is about.
fn events<'a>(call: &'a Call<'_>) -> Result<Events<'a>> {
    match thing(call)? {
        Thing::Issue { project, iid } => {
            let issue = call.state.find_issue(call.user, project, iid)?;
            Ok((("Issue", issue.id), &issue.label_events, &issue.state_events))
        }
        Thing::MergeRequest { project, iid } => {
            let request = call.state.find_merge_request(call.user, project, iid)?;
            let on = ("MergeRequest", request.id);
            Ok((on, &request.label_events, &request.state_events))
        }
    }
}

fn label_events(call: &mut Call<'_>) -> Result {
    let (on, labels, _) = events(call)?;
    call.page()?.of(labels, |e| show::label_event(call.state, e, on))
}

fn label_event(call: &mut Call<'_>) -> Result {
    let wanted = call.number(2)?;
    let (on, labels, _) = events(call)?;
    let event = labels.iter().find(|e| e.id == wanted);
    let event = event.ok_or_else(Refusal::nothing_here)?;
    Ok(Answer::ok(show::label_event(call.state, event, on)))
}

fn state_events(call: &mut Call<'_>) -> Result {
    let (on, _, states) = events(call)?;
    call.page()?.of(states, |e| show::state_event(call.state, e, on))
}
