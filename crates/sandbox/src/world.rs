//! The world behind the address: setting it up, acting on it, reading it back, moving its clock.

use crate::calls::{CallLog, CallRecord};
use crate::faults::{Fault, Faults};
use crate::hooks::sending::{self, Sender};
use crate::hooks::{HookWeather, PendingDelivery, SentDelivery};
use crate::http::{Answer, Body, Params, encode};
use crate::people::{Person, Refused, Role};
use crate::routes::{self, Request};
use crate::state::groups::NewGroup;
use crate::state::members::Source;
use crate::state::projects::NewProject;
use crate::state::{Place, State};
use crate::views::{
    BoardView, CommitView, DiffView, IssueView, LabelEventView, LabelView, MemberView, MergeRequestView, NoteView,
    ProjectView, view,
};
use crate::{AutoClosed, Config, CrossReference, Notified, RanCommand, locked};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use tokio::sync::Notify;

const ROOT: u64 = 1;

/// Everything that the server and the people share. Cheap to clone; all clones are the same world.
#[derive(Debug, Clone)]
pub struct World {
    pub(crate) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) log: Mutex<CallLog>,
    pub(crate) memory: Mutex<HashMap<String, Answer>>,
    pub(crate) wake: Notify,
    pub(crate) runtime: tokio::runtime::Handle,
    sender: OnceLock<Option<Sender>>,
    url: String,
}

type Outcome<T> = Result<T, Refused>;

impl World {
    pub(crate) fn new(config: Config, url: String, runtime: tokio::runtime::Handle) -> Self {
        let faults = Faults::new(config.seed);
        let shared = Shared {
            state: Arc::new(Mutex::new(State::new(config, url.clone()))),
            faults: Mutex::new(faults),
            log: Mutex::default(),
            memory: Mutex::default(),
            wake: Notify::new(),
            runtime,
            sender: OnceLock::new(),
            url,
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The instance's address, `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    pub(crate) fn sender(&self) -> Option<Sender> {
        let make = || {
            let timeout = locked(&self.shared.state).config.hook_timeout;
            Sender::new(timeout).ok()
        };
        self.shared.sender.get_or_init(make).clone()
    }

    // ---------------------------------------------------------------- setting up

    /// Adds a user, or finds the one of that name; gives the id. The user's e-mail is `name@example.com`.
    pub fn add_user(&self, username: &str) -> u64 {
        let name = display_name(username);
        locked(&self.shared.state).add_user(username, &name)
    }

    /// Adds a bot user, as a group access token has one.
    pub fn add_bot(&self, username: &str) -> u64 {
        let mut state = locked(&self.shared.state);
        let id = state.add_user(username, &display_name(username));
        if let Some(user) = state.users.get_mut(&id) {
            user.bot = true;
        }
        id
    }

    /// Makes a user an administrator.
    pub fn make_admin(&self, username: &str) {
        self.change_user(username, |user| user.admin = true);
    }

    /// Makes a user external: internal projects are seen by members only.
    pub fn make_external(&self, username: &str) {
        self.change_user(username, |user| user.external = true);
    }

    /// Sets an account's state: `active`, `blocked`, `deactivated`, `banned`.
    pub fn set_user_state(&self, username: &str, account_state: &str) {
        self.change_user(username, |user| user.state = account_state.to_owned());
    }

    fn change_user(&self, username: &str, change: impl FnOnce(&mut crate::state::users::User)) {
        let id = self.add_user(username);
        if let Some(user) = locked(&self.shared.state).users.get_mut(&id) {
            change(user);
        }
    }

    /// Gives an account another username.
    pub fn rename_user(&self, username: &str, new: &str) {
        let id = self.add_user(username);
        locked(&self.shared.state).rename_user(id, new);
    }

    /// Deletes an account; its work stays, under a ghost's name.
    pub fn delete_user(&self, username: &str) {
        let mut state = locked(&self.shared.state);
        if let Some(id) = state.user_named(username).map(|u| u.id) {
            state.drop_place(username);
            state.users.remove(&id);
        }
    }

    /// Makes an access token with the scope `api` for a user, who is added when missing; gives the secret.
    pub fn add_token(&self, username: &str) -> String {
        self.add_token_with(username, &["api"], None)
    }

    /// Makes an access token with given scopes and end (a date such as `2027-01-31`; an unreadable one means none).
    pub fn add_token_with(&self, username: &str, scopes: &[&str], expires_at: Option<&str>) -> String {
        let user = self.add_user(username);
        let expires_at = expires_at.and_then(|d| d.parse().ok());
        locked(&self.shared.state).add_token(user, "token", scopes, expires_at)
    }

    /// Revokes a token; using it answers 401 from then on.
    pub fn revoke_token(&self, secret: &str) {
        if let Some(token) = locked(&self.shared.state).tokens.get_mut(secret) {
            token.revoked = true;
        }
    }

    /// Replaces a token by a new one with the same user and scopes, as a rotation does; the old one is revoked.
    pub fn rotate_token(&self, secret: &str) -> Option<String> {
        locked(&self.shared.state).rotate_token(secret, None)
    }

    /// Adds a private group, with the groups above it; gives the id of the last one.
    ///
    /// # Errors
    /// GitLab's refusal of a path.
    pub fn add_group(&self, full_path: &str) -> Outcome<u64> {
        self.add_group_with(full_path, "private")
    }

    /// Adds a group with a visibility (`private`, `internal`, `public`), with the groups above it.
    ///
    /// # Errors
    /// GitLab's refusal of a path.
    pub fn add_group_with(&self, full_path: &str, visibility: &str) -> Outcome<u64> {
        let mut state = locked(&self.shared.state);
        let mut parent = None;
        let mut at = String::new();
        for part in full_path.split('/') {
            at = if at.is_empty() {
                part.to_owned()
            } else {
                format!("{at}/{part}")
            };
            parent = match state.place(&at) {
                Some(Place::Group(id)) => Some(id),
                _ => {
                    let new = NewGroup {
                        name: display_name(part),
                        path: part.to_owned(),
                        parent,
                        description: String::new(),
                        visibility: Some(visibility.to_owned()),
                    };
                    Some(state.create_group(ROOT, new).map_err(refused)?)
                }
            };
        }
        Ok(parent.unwrap_or_default())
    }

    /// Adds a private project with a README, and the groups above it; gives its id.
    ///
    /// # Errors
    /// GitLab's refusal of a name or path.
    pub fn add_project(&self, full_path: &str) -> Outcome<u64> {
        self.add_project_with(full_path, "private", &[("README.md", "# Project\n")])
    }

    /// Adds a project with a visibility and files on `main`; without files its repository is empty.
    ///
    /// # Errors
    /// GitLab's refusal of a name, path, visibility or file.
    pub fn add_project_with(&self, full_path: &str, visibility: &str, files: &[(&str, &str)]) -> Outcome<u64> {
        let (group, path) = full_path.rsplit_once('/').unwrap_or(("root", full_path));
        if group != "root" && locked(&self.shared.state).place(group).is_none() {
            self.add_group_with(group, visibility)?;
        }
        let namespace = self.namespace_id(group);
        let id = {
            let mut state = locked(&self.shared.state);
            let new = NewProject {
                name: Some(display_name(path)),
                path: Some(path.to_owned()),
                namespace,
                visibility: Some(visibility.to_owned()),
                ..NewProject::default()
            };
            state.create_project(ROOT, new).map_err(refused)?
        };
        if !files.is_empty() {
            let changes: Vec<_> = files
                .iter()
                .map(|(p, t)| crate::Change::Create((*p).to_owned(), t.as_bytes().to_vec()))
                .collect();
            self.admin().push(full_path, "main", &changes, "Initial commit")?;
        }
        self.notify();
        Ok(id)
    }

    /// Makes somebody (added when missing) a direct member of a group or project, or changes the role.
    ///
    /// # Errors
    /// No such place, or a rule of GitLab's such as "not lower than inherited".
    pub fn add_member(&self, place: &str, username: &str, role: Role) -> Outcome<()> {
        self.add_user(username);
        match self.admin().add_member(place, username, role) {
            Err(refused) if refused.status == 409 => self.admin().change_member(place, username, role),
            other => other,
        }
    }

    /// Adds an instance-wide hook that hears of everything that system hooks hear of; gives its id.
    ///
    /// # Errors
    /// The address is not valid.
    pub fn add_system_hook(&self, url: &str, token: Option<&str>) -> Outcome<u64> {
        let body = json!({
            "url": url,
            "token": token,
            "merge_requests_events": true,
            "repository_update_events": true,
        });
        self.admin()
            .api("POST", "/hooks", body)
            .map(|h| h["id"].as_u64().unwrap_or_default())
    }

    // ---------------------------------------------------------------- people

    /// The administrator `root`.
    #[must_use]
    pub fn admin(&self) -> Person {
        Person::new(self.clone(), ROOT)
    }

    /// The person of a username.
    ///
    /// # Errors
    /// 404 when there is none.
    pub fn person(&self, username: &str) -> Outcome<Person> {
        let id = locked(&self.shared.state).user_named(username).map(|u| u.id);
        id.map(|id| Person::new(self.clone(), id)).ok_or_else(|| Refused {
            status: 404,
            body: json!({ "message": format!("404 User Not Found: {username}") }),
        })
    }

    /// The person of a username, who is added when missing.
    #[must_use]
    pub fn as_user(&self, username: &str) -> Person {
        Person::new(self.clone(), self.add_user(username))
    }

    /// One API call without the network, the faults and the log.
    pub(crate) fn call_as(&self, user: Option<u64>, method: &str, path: &str, body: Value) -> Outcome<Value> {
        self.answer_as(user, method, path, body)
            .map(|answer| match answer.body {
                Body::Json(value) => value,
                Body::Bytes(_, bytes) => json!(String::from_utf8_lossy(&bytes)),
                Body::Empty => Value::Null,
            })
    }

    fn answer_as(&self, user: Option<u64>, method: &str, path: &str, body: Value) -> Outcome<Answer> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let fields = match body {
            Value::Object(fields) => fields,
            _ => serde_json::Map::new(),
        };
        let parsed = Params::parse(query, "", b"").map_err(refused)?;
        let mut all = match parsed.as_value() {
            Value::Object(all) => all,
            _ => serde_json::Map::new(),
        };
        all.extend(fields);
        let path = format!("/api/v4{path}");
        let request = Request {
            method,
            path: &path,
            query,
            token: None,
        };
        let answer = {
            let mut state = locked(&self.shared.state);
            let outcome = routes::dispatch(&mut state, user, request, &Params::new(all));
            let forced = std::mem::take(&mut state.hook_log.forced);
            state.hook_log.waiting.extend(forced);
            outcome.answer
        };
        self.notify();
        match answer.body {
            Body::Json(body) if answer.status >= 300 => Err(Refused {
                status: answer.status,
                body,
            }),
            body => Ok(Answer { body, ..answer }),
        }
    }

    /// Every page of a list, read as the administrator.
    fn list<T: serde::de::DeserializeOwned>(&self, path: &str) -> Outcome<Vec<T>> {
        let mut all = Vec::new();
        let sign = if path.contains('?') { '&' } else { '?' };
        for page in 1.. {
            let value = self.call_as(
                Some(ROOT),
                "GET",
                &format!("{path}{sign}per_page=100&page={page}"),
                Value::Null,
            )?;
            let rows: Vec<T> = view(value)?;
            let last = rows.len() < 100;
            all.extend(rows);
            if last {
                break;
            }
        }
        Ok(all)
    }

    fn one<T: serde::de::DeserializeOwned>(&self, path: &str) -> Outcome<T> {
        view(self.look(path)?)
    }

    // ---------------------------------------------------------------- reading back

    /// Any `GET` as the administrator; the path is below `/api/v4`.
    ///
    /// # Errors
    /// GitLab's refusal, for this and the other reads.
    pub fn look(&self, path: &str) -> Outcome<Value> {
        self.call_as(Some(ROOT), "GET", path, Value::Null)
    }

    /// A project by full path.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn project(&self, project: &str) -> Outcome<ProjectView> {
        self.one(&format!("/projects/{}", encode(project)))
    }

    /// The projects of a group, those of its subgroups too, oldest first.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn projects(&self, group: &str) -> Outcome<Vec<ProjectView>> {
        self.list(&format!(
            "/groups/{}/projects?include_subgroups=true&with_shared=false&sort=asc",
            encode(group)
        ))
    }

    /// An issue.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn issue(&self, project: &str, iid: u64) -> Outcome<IssueView> {
        self.one(&format!("/projects/{}/issues/{iid}", encode(project)))
    }

    /// All issues of a project, oldest first.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn issues(&self, project: &str) -> Outcome<Vec<IssueView>> {
        self.list(&format!("/projects/{}/issues?sort=asc", encode(project)))
    }

    /// The comments on an issue, oldest first, without the system's.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn notes(&self, project: &str, iid: u64) -> Outcome<Vec<NoteView>> {
        self.list(&format!(
            "/projects/{}/issues/{iid}/notes?sort=asc&activity_filter=only_comments",
            encode(project)
        ))
    }

    /// The system's notes on an issue, oldest first.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn system_notes(&self, project: &str, iid: u64) -> Outcome<Vec<NoteView>> {
        self.list(&format!(
            "/projects/{}/issues/{iid}/notes?sort=asc&activity_filter=only_activity",
            encode(project)
        ))
    }

    /// The comments on a merge request, oldest first, without the system's.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn merge_request_notes(&self, project: &str, iid: u64) -> Outcome<Vec<NoteView>> {
        let path = format!("/projects/{}/merge_requests/{iid}/notes", encode(project));
        self.list(&format!("{path}?sort=asc&activity_filter=only_comments"))
    }

    /// The label events of an issue, oldest first.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn label_events(&self, project: &str, iid: u64) -> Outcome<Vec<LabelEventView>> {
        self.list(&format!(
            "/projects/{}/issues/{iid}/resource_label_events",
            encode(project)
        ))
    }

    /// The labels that a project's things may carry, its groups' too.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn labels(&self, project: &str) -> Outcome<Vec<LabelView>> {
        self.list(&format!("/projects/{}/labels", encode(project)))
    }

    /// The boards of a project.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn boards(&self, project: &str) -> Outcome<Vec<BoardView>> {
        self.list(&format!("/projects/{}/boards", encode(project)))
    }

    /// The direct members of a group or project.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn members(&self, place: &str) -> Outcome<Vec<MemberView>> {
        self.list(&self.members_path(place)?)
    }

    /// A merge request.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn merge_request(&self, project: &str, iid: u64) -> Outcome<MergeRequestView> {
        // Not by the single route: that would move the check of its mergeability.
        let found: Vec<MergeRequestView> =
            self.list(&format!("/projects/{}/merge_requests?iids[]={iid}", encode(project)))?;
        found.into_iter().next().ok_or_else(|| Refused {
            status: 404,
            body: json!({ "message": "404 Not found" }),
        })
    }

    /// All merge requests of a project, oldest first.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn merge_requests(&self, project: &str) -> Outcome<Vec<MergeRequestView>> {
        self.list(&format!("/projects/{}/merge_requests?sort=asc", encode(project)))
    }

    /// What a merge request changes, file by file.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn merge_request_diff(&self, project: &str, iid: u64) -> Outcome<Vec<DiffView>> {
        let state = locked(&self.shared.state);
        let Some(Place::Project(id)) = state.place(project) else {
            return Err(refused(crate::http::Refusal::not_found("Project")));
        };
        let request = state.find_merge_request(Some(ROOT), id, iid).map_err(refused)?;
        state
            .merge_request_diff(request)
            .iter()
            .map(|d| view(crate::show::diff(d)))
            .collect()
    }

    /// The bytes of a file on a branch, if it is there.
    #[must_use]
    pub fn file(&self, project: &str, branch: &str, path: &str) -> Option<Vec<u8>> {
        let state = locked(&self.shared.state);
        let Some(Place::Project(id)) = state.place(project) else {
            return None;
        };
        let commit = state.projects.get(&id)?.repo.resolve(branch)?;
        commit.tree.get(path).map(|entry| entry.blob.bytes.clone())
    }

    /// The text of a file on a branch, if it is there and is UTF-8.
    #[must_use]
    pub fn text(&self, project: &str, branch: &str, path: &str) -> Option<String> {
        self.file(project, branch, path)
            .and_then(|bytes| String::from_utf8(bytes).ok())
    }

    /// All paths on a branch, sorted.
    #[must_use]
    pub fn paths(&self, project: &str, branch: &str) -> Vec<String> {
        let state = locked(&self.shared.state);
        let Some(Place::Project(id)) = state.place(project) else {
            return Vec::new();
        };
        let commit = state.projects.get(&id).and_then(|p| p.repo.resolve(branch));
        commit
            .map(|c| c.tree.iter().map(|(path, _)| path.clone()).collect())
            .unwrap_or_default()
    }

    /// The branches of a project, sorted.
    #[must_use]
    pub fn branches(&self, project: &str) -> Vec<String> {
        let state = locked(&self.shared.state);
        let Some(Place::Project(id)) = state.place(project) else {
            return Vec::new();
        };
        state
            .projects
            .get(&id)
            .map(|p| p.repo.branches().keys().cloned().collect())
            .unwrap_or_default()
    }

    /// The commits of a branch, newest first.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn commits(&self, project: &str, branch: &str) -> Outcome<Vec<CommitView>> {
        self.list(&format!(
            "/projects/{}/repository/commits?ref_name={}",
            encode(project),
            encode(branch)
        ))
    }

    // ---------------------------------------------------------------- what was set off

    /// Every quick action that was found in a text, oldest first.
    #[must_use]
    pub fn commands(&self) -> Vec<RanCommand> {
        locked(&self.shared.state).happenings.commands.clone()
    }

    /// Everybody whom a text notified, oldest first.
    #[must_use]
    pub fn notified(&self) -> Vec<Notified> {
        locked(&self.shared.state).happenings.notified.clone()
    }

    /// Every reference from one thing to another, oldest first.
    #[must_use]
    pub fn references(&self) -> Vec<CrossReference> {
        locked(&self.shared.state).happenings.references.clone()
    }

    /// Every issue that closing words closed, oldest first.
    #[must_use]
    pub fn auto_closed(&self) -> Vec<AutoClosed> {
        locked(&self.shared.state).happenings.closed.clone()
    }

    // ---------------------------------------------------------------- the calls and their faults

    /// All calls that came over HTTP so far.
    #[must_use]
    pub fn calls(&self) -> Vec<CallRecord> {
        locked(&self.shared.log).calls.clone()
    }

    /// The calls that may have changed something.
    #[must_use]
    pub fn writes(&self) -> Vec<CallRecord> {
        locked(&self.shared.log)
            .calls
            .iter()
            .filter(|c| c.is_write())
            .cloned()
            .collect()
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        locked(&self.shared.log).calls.clear();
    }

    /// Unknown routes and parameters that had no effect: what GitLab would have swallowed without a word.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        locked(&self.shared.log).violations.clone()
    }

    /// Every route that the sandbox serves, as method and pattern.
    #[must_use]
    pub fn routes(&self) -> Vec<(&'static str, &'static str)> {
        routes::patterns()
    }

    /// Adds a fault.
    pub fn add_fault(&self, fault: Fault) {
        locked(&self.shared.faults).add(fault);
    }

    /// Takes all faults away.
    pub fn clear_faults(&self) {
        locked(&self.shared.faults).clear();
    }

    // ---------------------------------------------------------------- webhooks

    /// Sets how reliable webhooks are.
    pub fn set_hook_weather(&self, weather: HookWeather) {
        locked(&self.shared.state).hook_log.weather = weather;
    }

    /// Sends everything that waits, and waits until it and all that it set off was answered.
    pub async fn deliver_hooks(&self) -> Vec<SentDelivery> {
        let Some(sender) = self.sender() else { return Vec::new() };
        let state = Arc::clone(&self.shared.state);
        let sent = self
            .shared
            .runtime
            .spawn(async move { sender.send_waiting(&state).await });
        sent.await.unwrap_or_default()
    }

    /// Takes what waits, ready to be handed to a receiver without the network.
    #[must_use]
    pub fn take_deliveries(&self) -> Vec<PendingDelivery> {
        let (batch, _) = sending::take_batch(&self.shared.state);
        let mut state = locked(&self.shared.state);
        let now = state.today();
        let mut pending = Vec::new();
        for delivery in batch {
            let Some(hook) = state.hook(delivery.owner, delivery.hook).cloned() else {
                continue;
            };
            let headers = sending::headers(&mut state, &hook, &delivery, now);
            pending.push(PendingDelivery {
                id: delivery.id,
                url: hook.url,
                headers: headers.clone(),
                body: delivery.body.clone(),
            });
            state.hook_log.handed_out.insert(delivery.id, (delivery, headers));
        }
        pending
    }

    /// Says what the receiver answered to a delivery from [`World::take_deliveries`]; it counts for the hook's health.
    pub fn answer_delivery(&self, id: u64, status: Option<u16>) {
        let mut state = locked(&self.shared.state);
        let Some((delivery, headers)) = state.hook_log.handed_out.remove(&id) else {
            return;
        };
        let url = state
            .hook(delivery.owner, delivery.hook)
            .map(|h| h.url.clone())
            .unwrap_or_default();
        let at = state.today();
        state.record_delivery(crate::hooks::Past {
            delivery,
            url,
            request_headers: headers,
            status,
            response_body: String::new(),
            error: None,
            at,
            duration: 0.0,
        });
    }

    /// How many webhooks wait to be sent.
    #[must_use]
    pub fn waiting_hooks(&self) -> usize {
        locked(&self.shared.state).hook_log.waiting.len()
    }

    /// Every webhook that was sent so far, with what came of it.
    #[must_use]
    pub fn sent_hooks(&self) -> Vec<SentDelivery> {
        let state = locked(&self.shared.state);
        let sent = state.hook_log.past.iter().map(|p| SentDelivery {
            id: p.delivery.id,
            event: p.delivery.event.clone(),
            idempotency_key: p.delivery.idempotency_key.clone(),
            status: p.status,
        });
        sent.collect()
    }

    /// Events that were dropped without a delivery, and why.
    #[must_use]
    pub fn dropped_hooks(&self) -> Vec<String> {
        locked(&self.shared.state).hook_log.dropped.clone()
    }

    pub(crate) fn notify(&self) {
        self.shared.wake.notify_one();
    }

    // ---------------------------------------------------------------- time

    /// The instance's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        locked(&self.shared.state).today()
    }

    /// Moves the clock; a real clock stands still at the new time from then on. What became due happens.
    pub fn advance(&self, by: SignedDuration) {
        let mut state = locked(&self.shared.state);
        state.config.clock.advance(by);
        state.delete_due_projects();
    }

    // ---------------------------------------------------------------- helpers

    pub(crate) fn namespace_id(&self, path: &str) -> Option<u64> {
        let state = locked(&self.shared.state);
        match state.place(path)? {
            Place::Group(id) => Some(id),
            Place::User(id) => state.users.get(&id).map(|u| u.namespace),
            Place::Project(_) => None,
        }
    }

    /// The API path of a group's or project's members.
    pub(crate) fn members_path(&self, place: &str) -> Outcome<String> {
        let found: Option<Source> = locked(&self.shared.state).place(place);
        match found {
            Some(Place::Group(id)) => Ok(format!("/groups/{id}/members")),
            Some(Place::Project(id)) => Ok(format!("/projects/{id}/members")),
            _ => Err(Refused {
                status: 404,
                body: json!({ "message": format!("no group or project {place}") }),
            }),
        }
    }
}

fn refused(refusal: crate::http::Refusal) -> Refused {
    Refused {
        status: refusal.status,
        body: refusal.body,
    }
}

/// `agile-architecture` as `Agile Architecture`.
fn display_name(path: &str) -> String {
    let words = path.split(['-', '_', '.']).filter(|w| !w.is_empty()).map(|word| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|c| c.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    });
    words.collect::<Vec<_>>().join(" ")
}
