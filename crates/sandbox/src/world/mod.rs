//! The world behind the address: what the server and the people share.

mod reading;
mod setup;
mod trail;

use crate::calls::{CallLog, CallRecord};
use crate::faults::Faults;
use crate::hooks::sending::Sender;
use crate::http::{Answer, Body, Params};
use crate::people::{Person, Refused};
use crate::record::Recorder;
use crate::routes::{self, Request};
use crate::state::{Place, State};
use crate::views::view;
use crate::{Config, locked};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::borrow::Cow;
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
    /// None when no socket leads here.
    pub(crate) runtime: Option<tokio::runtime::Handle>,
    pub(crate) recorder: Recorder,
    sender: OnceLock<Option<Sender>>,
    url: String,
}

type Outcome<T> = Result<T, Refused>;

impl World {
    pub(crate) fn new(config: Config, url: String, runtime: Option<tokio::runtime::Handle>) -> Self {
        let recorder = Recorder::new(config.record.as_deref());
        let mut state = State::new(config, url.clone());
        state.hook_log.recorder = recorder;
        Self::holding(state, url, runtime)
    }

    fn holding(state: State, url: String, runtime: Option<tokio::runtime::Handle>) -> Self {
        let shared = Shared {
            faults: Mutex::new(Faults::new(state.config.seed)),
            recorder: state.hook_log.recorder.clone(),
            state: Arc::new(Mutex::new(state)),
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

    /// A world without a server: no socket, no thread, no runtime. Calls go through [`World::exchange`], webhooks through
    /// [`World::take_deliveries`]. `url` is the address that the instance gives as its own, such as
    /// `http://gitlab.example`. With [`Config::still`] everything is the same in every run.
    #[must_use]
    pub fn in_process(config: Config, url: &str) -> Self {
        Self::new(config, url.trim_end_matches('/').to_owned(), None)
    }

    /// The same world once more, in process, without its faults and its log of calls. What happens in one of them does not
    /// happen in the other, so a world that took long to set up serves many runs.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self::holding(locked(&self.shared.state).clone(), self.url().to_owned(), None)
    }

    /// The instance's address, `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// What sends webhooks over the network; none in process.
    pub(crate) fn sender(&self) -> Option<Sender> {
        self.shared.runtime.as_ref()?;
        let make = || {
            let timeout = locked(&self.shared.state).config.hook_timeout;
            Sender::new(timeout).ok()
        };
        self.shared.sender.get_or_init(make).clone()
    }

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
        let params = Params::new(all);
        let (answer, who, route, violations) = {
            let mut state = locked(&self.shared.state);
            let outcome = routes::dispatch(&mut state, user, request, &params);
            let forced = std::mem::take(&mut state.hook_log.forced);
            state.hook_log.waiting.extend(forced);
            let who = user.map(|u| state.username(u));
            (outcome.answer, who, outcome.route, outcome.violations)
        };
        self.notify();
        if let Some(kept) = self.shared.recorder.keep(&answer) {
            let record = CallRecord {
                number: 0,
                method: method.to_owned(),
                path: path.clone(),
                query: query.to_owned(),
                route: route.map(Cow::Borrowed),
                user: who,
                params: params.as_value(),
                status: Some(answer.status),
                effect_status: None,
                refused: false,
                faults: Vec::new(),
                violations,
            };
            self.shared.recorder.call(&record, Some(&kept));
        }
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
        state.announce_ending_tokens();
        drop(state);
        self.notify();
    }

    /// Another program uses the user's account: so many of its calls of this minute are gone, where there are rate limits.
    pub fn spend_calls(&self, username: &str, calls: u64) {
        let mut state = locked(&self.shared.state);
        let now = state.today();
        let user = state.user_named(username).map(|user| user.id);
        if let Some(user) = user {
            state.limits.spend(user, calls, now);
        }
    }

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
        let found: Option<Place> = locked(&self.shared.state).place(place);
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
