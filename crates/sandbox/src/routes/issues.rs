//! Issues and the events of their labels and states.

use super::groups::projects_below;
use super::users::date;
use super::{Call, Route};
use crate::http::{Answer, Params, Refusal, Result};
use crate::show;
use crate::state::State;
use crate::state::changes::Change;
use crate::state::issues::{Issue, NewIssue};
use crate::state::rights::OWNER;
use jiff::Timestamp;

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/issues", list_mine),
    ("GET", "/issues/:id", get_by_id),
    ("GET", "/groups/:id/issues", list_in_group),
    ("GET", "/projects/:id/issues", list),
    ("POST", "/projects/:id/issues", create),
    ("GET", "/projects/:id/issues/:iid", get),
    ("PUT", "/projects/:id/issues/:iid", update),
    ("DELETE", "/projects/:id/issues/:iid", delete),
    ("GET", "/projects/:id/issues/:iid/resource_label_events", label_events),
    (
        "GET",
        "/projects/:id/issues/:iid/resource_label_events/:event",
        label_event,
    ),
    ("GET", "/projects/:id/issues/:iid/resource_state_events", state_events),
    ("GET", "/projects/:id/issues/:iid/participants", participants),
    ("GET", "/projects/:id/issues/:iid/closed_by", closed_by),
    ("GET", "/projects/:id/issues/:iid/related_merge_requests", closed_by),
    ("POST", "/projects/:id/issues/:iid/subscribe", subscribe),
    ("POST", "/projects/:id/issues/:iid/unsubscribe", unsubscribe),
    ("POST", "/projects/:id/issues/:iid/move", move_issue),
];

/// The filters that lists of issues share.
struct Filter {
    state: Option<bool>,
    labels: Option<Vec<String>>,
    without: Option<Vec<String>>,
    iids: Option<Vec<u64>>,
    author: Option<u64>,
    unknown_author: bool,
    assignee: Option<u64>,
    issue_type: Option<String>,
    confidential: Option<bool>,
    search: Option<String>,
    fields: Vec<String>,
    after: [Option<Timestamp>; 2],
    before: [Option<Timestamp>; 2],
    order_by: String,
    ascending: bool,
    details: bool,
}

impl Filter {
    fn read(call: &Call<'_>) -> Result<Self> {
        let params = call.params;
        params.accept(&[
            "scope",
            "milestone",
            "my_reaction_emoji",
            "with_time_stats",
            "weight",
            "epic_id",
        ]);
        let state = params.one_of("state", &["opened", "closed", "all"])?;
        let orders = [
            "created_at",
            "updated_at",
            "due_date",
            "label_priority",
            "milestone_due",
            "popularity",
            "priority",
            "relative_position",
            "title",
            "weight",
        ];
        let named = |name: Option<String>| name.map(|n| call.state.user_named(&n).map(|u| u.id));
        let author = named(params.filled("author_username"));
        let assignee = named(params.words("assignee_username").and_then(|w| w.into_iter().next()));
        Ok(Self {
            state: state.filter(|s| s != "all").map(|s| s == "closed"),
            labels: params.words("labels"),
            without: params.object("not").and_then(|not| not.words("labels")),
            iids: params.ids("iids")?,
            unknown_author: author == Some(None),
            author: params.number("author_id")?.or(author.flatten()),
            assignee: params.number("assignee_id")?.or(assignee.flatten()),
            issue_type: params.one_of(
                "issue_type",
                &["issue", "incident", "test_case", "requirement", "task", "ticket"],
            )?,
            confidential: params.flag("confidential")?,
            search: params.filled("search").map(|s| s.to_lowercase()),
            fields: params
                .words("in")
                .unwrap_or_else(|| vec!["title".to_owned(), "description".to_owned()]),
            after: [instant(params, "created_after")?, instant(params, "updated_after")?],
            before: [instant(params, "created_before")?, instant(params, "updated_before")?],
            order_by: params
                .one_of("order_by", &orders)?
                .unwrap_or_else(|| "created_at".to_owned()),
            ascending: params.one_of("sort", &["asc", "desc"])?.as_deref() == Some("asc"),
            details: params.is_set("with_labels_details")?,
        })
    }

    fn takes(&self, state: &State, issue: &Issue) -> bool {
        self.state.is_none_or(|closed| closed == issue.closed)
            && !self.unknown_author
            && self.iids.as_ref().is_none_or(|iids| iids.contains(&issue.iid))
            && self.author.is_none_or(|a| a == issue.author)
            && self.assignee.is_none_or(|a| issue.assignees.contains(&a))
            && self.issue_type.as_ref().is_none_or(|t| *t == issue.issue_type)
            && self.confidential.is_none_or(|c| c == issue.confidential)
            && self.takes_labels(state, issue)
            && self.takes_text(issue)
            && self.after[0].is_none_or(|t| issue.created_at >= t)
            && self.after[1].is_none_or(|t| issue.updated_at >= t)
            && self.before[0].is_none_or(|t| issue.created_at <= t)
            && self.before[1].is_none_or(|t| issue.updated_at <= t)
    }

    fn takes_labels(&self, state: &State, issue: &Issue) -> bool {
        if self.labels.is_none() && self.without.is_none() {
            return true;
        }
        let names = state.label_names(&issue.labels);
        let with = self.labels.as_ref().is_none_or(|labels| {
            labels.iter().all(|l| match l.as_str() {
                "None" | "none" => names.is_empty(),
                "Any" | "any" => !names.is_empty(),
                l => names.iter().any(|n| n == l),
            })
        });
        with && self
            .without
            .as_ref()
            .is_none_or(|labels| !labels.iter().any(|l| names.contains(l)))
    }

    fn takes_text(&self, issue: &Issue) -> bool {
        let Some(search) = &self.search else { return true };
        let has =
            |field: &str, text: &str| self.fields.iter().any(|f| f == field) && text.to_lowercase().contains(search);
        has("title", &issue.title) || has("description", issue.description.as_deref().unwrap_or_default())
    }

    fn sort(&self, found: &mut [&Issue]) {
        match self.order_by.as_str() {
            "updated_at" => found.sort_by_key(|i| (i.updated_at, i.id)),
            "title" => found.sort_by_key(|i| (i.title.to_lowercase(), i.id)),
            _ => found.sort_by_key(|i| (i.created_at, i.id)),
        }
        if !self.ascending {
            found.reverse();
        }
    }
}

/// Reads an instant or a plain date.
pub(super) fn instant(params: &Params, name: &str) -> Result<Option<Timestamp>> {
    let Some(text) = params.filled(name) else {
        return Ok(None);
    };
    let parsed = text
        .parse::<Timestamp>()
        .or_else(|_| format!("{text}T00:00:00Z").parse());
    parsed
        .map(Some)
        .map_err(|_| Refusal::error(400, format!("{name} is invalid")))
}

fn show_list(call: &Call<'_>, filter: &Filter, mut found: Vec<&Issue>) -> Result {
    let (state, user) = (&*call.state, call.user);
    found.retain(|i| state.sees_issue(user, i) && filter.takes(state, i));
    filter.sort(&mut found);
    let page = call.page()?;
    let shown = |i: &&Issue| show::issue(state, user, i, filter.details);
    if page.is_keyset() {
        return page.keyset_of(&found, |i| i.id.to_string(), shown);
    }
    page.of(&found, shown)
}

fn list(call: &mut Call<'_>) -> Result {
    let project = call.shown_project()?;
    let filter = Filter::read(call)?;
    if !call.state.sees_feature(call.user, project, "issues") {
        return show_list(call, &filter, Vec::new());
    }
    show_list(call, &filter, project.issues.values().collect())
}

fn list_in_group(call: &mut Call<'_>) -> Result {
    let group = call.group()?;
    let filter = Filter::read(call)?;
    let non_archived = call.params.flag("non_archived")?.unwrap_or(true);
    let state = &*call.state;
    let projects = projects_below(state, group, true).into_iter().filter(|p| {
        state.sees_project(call.user, p)
            && state.sees_feature(call.user, p, "issues")
            && !(non_archived && state.is_archived(p))
    });
    show_list(call, &filter, projects.flat_map(|p| p.issues.values()).collect())
}

/// `GET /issues` means one's own, unless the scope says otherwise.
fn list_mine(call: &mut Call<'_>) -> Result {
    let actor = call.actor()?;
    let scope = call
        .params
        .filled("scope")
        .unwrap_or_else(|| "created_by_me".to_owned());
    let filter = Filter::read(call)?;
    let state = &*call.state;
    let projects = state.projects.values().filter(|p| state.sees_project(call.user, p));
    let found = projects
        .flat_map(|p| p.issues.values())
        .filter(|i| match scope.as_str() {
            "all" => true,
            "assigned_to_me" | "assigned-to-me" => i.assignees.contains(&actor),
            _ => i.author == actor,
        });
    show_list(call, &filter, found.collect())
}

/// For administrators only.
fn get_by_id(call: &mut Call<'_>) -> Result {
    let (actor, id) = (call.actor()?, call.number(0)?);
    if !call.state.is_admin(Some(actor)) {
        return Err(Refusal::forbidden());
    }
    let found = call
        .state
        .projects
        .values()
        .flat_map(|p| p.issues.values())
        .find(|i| i.id == id);
    let found = found.ok_or_else(Refusal::nothing_here)?;
    Ok(Answer::ok(show::issue(call.state, call.user, found, false)))
}

fn create(call: &mut Call<'_>) -> Result {
    let (actor, project) = (call.actor()?, call.project()?);
    let params = call.params;
    params.accept(&["milestone_id", "weight", "epic_id", "epic_iid"]);
    let new = NewIssue {
        title: params.required("title")?,
        description: params.text("description"),
        labels: params
            .words("labels")
            .or_else(|| params.words("add_labels"))
            .unwrap_or_default(),
        assignees: params
            .ids("assignee_ids")?
            .or(params.ids("assignee_id")?)
            .unwrap_or_default(),
        confidential: params.is_set("confidential")?,
        issue_type: params.one_of(
            "issue_type",
            &["issue", "incident", "test_case", "requirement", "task", "ticket"],
        )?,
        due_date: date(params.filled("due_date").as_deref(), "due_date")?,
        iid: params.number("iid")?,
        created_at: instant(params, "created_at")?.filter(|_| call.state.project_level(Some(actor), project) >= OWNER),
    };
    let iid = call.state.create_issue(actor, project, new)?;
    show_issue(call, project, iid, 201)
}

fn show_issue(call: &Call<'_>, project: u64, iid: u64, status: u16) -> Result {
    let issue = call
        .state
        .project(project)?
        .issues
        .get(&iid)
        .ok_or_else(Refusal::nothing_here)?;
    Ok(Answer::json(status, show::issue(call.state, call.user, issue, false)))
}

fn found(call: &Call<'_>) -> Result<(u64, u64)> {
    let (project, iid) = (call.project()?, call.number(1)?);
    call.state.find_issue(call.user, project, iid)?;
    Ok((project, iid))
}

fn get(call: &mut Call<'_>) -> Result {
    let (project, iid) = found(call)?;
    show_issue(call, project, iid, 200)
}

/// What a `PUT` asks for; shared with merge requests.
pub(super) fn read_change(params: &Params) -> Result<Change> {
    let due_date = match params.nullable("due_date") {
        None => None,
        Some(text) => Some(date(text.as_deref(), "due_date")?),
    };
    Ok(Change {
        title: params.text("title"),
        description: params.nullable("description"),
        labels: params.words("labels"),
        add_labels: params.words("add_labels").unwrap_or_default(),
        remove_labels: params.words("remove_labels").unwrap_or_default(),
        state_event: params.one_of("state_event", &["close", "reopen"])?,
        assignees: params.ids("assignee_ids")?.or(params.ids("assignee_id")?),
        discussion_locked: params.flag("discussion_locked")?,
        due_date,
        ..Change::default()
    })
}

fn update(call: &mut Call<'_>) -> Result {
    let (actor, project, iid) = (call.actor()?, call.project()?, call.number(1)?);
    let params = call.params;
    params.accept(&["milestone_id", "weight", "epic_id", "epic_iid", "updated_at"]);
    params.at_least_one_of(&[
        "assignee_id",
        "assignee_ids",
        "confidential",
        "created_at",
        "description",
        "discussion_locked",
        "due_date",
        "labels",
        "add_labels",
        "remove_labels",
        "milestone_id",
        "state_event",
        "title",
        "issue_type",
        "weight",
    ])?;
    let change = Change {
        confidential: params.flag("confidential")?,
        issue_type: params.one_of(
            "issue_type",
            &["issue", "incident", "test_case", "requirement", "task", "ticket"],
        )?,
        ..read_change(params)?
    };
    call.state.update_issue(actor, project, iid, change)?;
    show_issue(call, project, iid, 200)
}

fn delete(call: &mut Call<'_>) -> Result {
    let (actor, (project, iid)) = (call.actor()?, found(call)?);
    let author = call.state.find_issue(call.user, project, iid)?.author;
    if author != actor {
        call.state.need(actor, project, OWNER)?;
    }
    call.state.project_mut(project)?.issues.remove(&iid);
    Ok(Answer::no_content())
}

fn label_events(call: &mut Call<'_>) -> Result {
    let (project, iid) = found(call)?;
    let state = &*call.state;
    let issue = state.find_issue(call.user, project, iid)?;
    call.page()?.of(&issue.label_events, |e| {
        show::label_event(state, e, ("Issue", issue.id))
    })
}

fn label_event(call: &mut Call<'_>) -> Result {
    let (project, iid) = found(call)?;
    let wanted = call.number(2)?;
    let issue = call.state.find_issue(call.user, project, iid)?;
    let event = issue
        .label_events
        .iter()
        .find(|e| e.id == wanted)
        .ok_or_else(Refusal::nothing_here)?;
    Ok(Answer::ok(show::label_event(call.state, event, ("Issue", issue.id))))
}

fn state_events(call: &mut Call<'_>) -> Result {
    let (project, iid) = found(call)?;
    let state = &*call.state;
    let issue = state.find_issue(call.user, project, iid)?;
    call.page()?.of(&issue.state_events, |e| {
        show::state_event(state, e, ("Issue", issue.id))
    })
}

fn participants(call: &mut Call<'_>) -> Result {
    let (project, iid) = found(call)?;
    let state = &*call.state;
    let issue = state.find_issue(call.user, project, iid)?;
    let mut people: Vec<u64> = vec![issue.author];
    people.extend(
        issue
            .assignees
            .iter()
            .chain(issue.notes.iter().filter(|n| !n.system).map(|n| &n.author)),
    );
    let mut seen = std::collections::BTreeSet::new();
    people.retain(|p| seen.insert(*p));
    call.page()?.of(&people, |id| show::user(state, *id))
}

fn closed_by(call: &mut Call<'_>) -> Result {
    let (project, iid) = found(call)?;
    let state = &*call.state;
    let closes = |m: &&crate::state::merge_requests::MergeRequest| {
        let text = m.description.as_deref().unwrap_or_default();
        crate::state::markdown::closing(text, &state.url)
            .iter()
            .any(|r| r.project.is_none() && r.iid == iid)
    };
    let found: Vec<_> = state.project(project)?.merge_requests.values().filter(closes).collect();
    call.page()?.of(&found, |m| show::merge_request(state, m, false, false))
}

fn subscribe(call: &mut Call<'_>) -> Result {
    let (actor, (project, iid)) = (call.actor()?, found(call)?);
    if let Some(issue) = call.state.project_mut(project)?.issues.get_mut(&iid) {
        if issue.subscribers.contains(&actor) {
            return Ok(Answer {
                status: 304,
                ..Answer::no_content()
            });
        }
        issue.subscribers.push(actor);
    }
    show_issue(call, project, iid, 201)
}

fn unsubscribe(call: &mut Call<'_>) -> Result {
    let (actor, (project, iid)) = (call.actor()?, found(call)?);
    if let Some(issue) = call.state.project_mut(project)?.issues.get_mut(&iid) {
        if !issue.subscribers.contains(&actor) {
            return Ok(Answer {
                status: 304,
                ..Answer::no_content()
            });
        }
        issue.subscribers.retain(|s| *s != actor);
    }
    show_issue(call, project, iid, 201)
}

fn move_issue(call: &mut Call<'_>) -> Result {
    let (actor, (project, iid)) = (call.actor()?, found(call)?);
    let target = call.params.required_number("to_project_id")?;
    let target = call.state.find_project(call.user, &target.to_string())?;
    let moved = call.state.move_issue(actor, project, iid, target)?;
    show_issue(call, target, moved, 201)
}
