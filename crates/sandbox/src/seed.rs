//! Worlds written down: people, groups, projects, issues, hooks and faults as YAML, so that a world can be set up without
//! a line of code.

use crate::people::{Change, Person, Refused, Role};
use crate::world::World;
use crate::{Clock, Fault, HookWeather, Tier, locked};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use thiserror::Error;

/// What is wrong with a seed.
#[derive(Debug, Error)]
pub enum SeedError {
    /// The text is not a seed; the message names line and column.
    #[error("the seed cannot be read: {0}")]
    Text(#[from] serde_yaml::Error),
    /// GitLab refused one of the seed's things.
    #[error("{what}: {refused}")]
    Refused {
        /// Which thing, such as `project communities/rust`.
        what: String,
        /// GitLab's answer.
        refused: Refused,
    },
}

/// A world to sow. All keys may be missing; unknown ones are refused.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seed {
    clock: Option<jiff::Timestamp>,
    tier: Option<Tier>,
    users: Vec<User>,
    tokens: Vec<Token>,
    groups: Vec<Group>,
    projects: Vec<Project>,
    hooks: Vec<Hook>,
    hook_weather: Option<HookWeather>,
    faults: Vec<Fault>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    username: String,
    name: Option<String>,
    state: Option<String>,
    #[serde(default)]
    admin: bool,
    #[serde(default)]
    bot: bool,
    #[serde(default)]
    external: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    user: String,
    /// Chosen here, so that the program under test can be configured before.
    secret: String,
    #[serde(default = "api_scope")]
    scopes: Vec<String>,
    expires_at: Option<jiff::civil::Date>,
}

fn api_scope() -> Vec<String> {
    vec!["api".to_owned()]
}

fn private() -> String {
    "private".to_owned()
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    path: String,
    #[serde(default = "private")]
    visibility: String,
    name: Option<String>,
    description: Option<String>,
    project_creation_level: Option<String>,
    default_branch_protection: Option<u64>,
    #[serde(default)]
    members: BTreeMap<String, Role>,
    #[serde(default)]
    labels: Vec<Label>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Label {
    name: String,
    #[serde(default = "grey")]
    color: String,
    description: Option<String>,
}

fn grey() -> String {
    "#6699cc".to_owned()
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Project {
    path: String,
    #[serde(default = "private")]
    visibility: String,
    name: Option<String>,
    description: Option<String>,
    #[serde(default)]
    topics: Vec<String>,
    /// Files on `main`; none means an empty repository.
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    members: BTreeMap<String, Role>,
    #[serde(default)]
    labels: Vec<Label>,
    #[serde(default)]
    boards: Vec<Board>,
    #[serde(default)]
    issues: Vec<Issue>,
    #[serde(default)]
    branches: Vec<Branch>,
    #[serde(default)]
    merge_requests: Vec<MergeRequest>,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    marked_for_deletion: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Board {
    name: String,
    #[serde(default)]
    lists: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Issue {
    by: String,
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    confidential: bool,
    #[serde(default)]
    closed: bool,
    #[serde(default)]
    notes: Vec<Note>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    by: String,
    body: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Branch {
    name: String,
    #[serde(default = "main_branch")]
    from: String,
    by: Option<String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
}

fn main_branch() -> String {
    "main".to_owned()
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct MergeRequest {
    by: String,
    branch: String,
    title: String,
    #[serde(default)]
    description: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hook {
    project: Option<String>,
    group: Option<String>,
    url: String,
    token: Option<String>,
    signing_token: Option<String>,
    #[serde(default)]
    events: Vec<String>,
}

impl Seed {
    /// Reads a seed from YAML.
    ///
    /// # Errors
    /// The text is not YAML, or not a seed.
    pub fn from_yaml(text: &str) -> Result<Self, SeedError> {
        Ok(serde_yaml::from_str(text)?)
    }
}

type Outcome = Result<(), SeedError>;

fn named<T>(what: impl Into<String>, outcome: Result<T, Refused>) -> Result<T, SeedError> {
    outcome.map_err(|refused| SeedError::Refused {
        what: what.into(),
        refused,
    })
}

impl World {
    /// Adds everything that a seed describes to this world, hooks last, so that sowing sends nothing.
    ///
    /// # Errors
    /// GitLab refused one of the things; those before it are there.
    pub fn sow(&self, seed: &Seed) -> Outcome {
        self.set_frame(seed);
        seed.users.iter().for_each(|user| self.sow_user(user));
        for token in &seed.tokens {
            self.sow_token(token);
        }
        for group in &seed.groups {
            self.sow_group(group)?;
        }
        for project in &seed.projects {
            self.sow_project(project)?;
        }
        for hook in &seed.hooks {
            self.sow_hook(hook)?;
        }
        for fault in &seed.faults {
            self.add_fault(fault.clone());
        }
        Ok(())
    }

    fn set_frame(&self, seed: &Seed) {
        let mut state = locked(&self.shared.state);
        if let Some(at) = seed.clock {
            state.config.clock = Clock::Virtual(at);
        }
        state.config.tier = seed.tier.unwrap_or(state.config.tier);
        if let Some(weather) = &seed.hook_weather {
            state.hook_log.weather = weather.clone();
        }
    }

    fn sow_user(&self, user: &User) {
        let id = self.add_user(&user.username);
        if let Some(account) = locked(&self.shared.state).users.get_mut(&id) {
            account.name = user.name.clone().unwrap_or_else(|| account.name.clone());
            account.state = user.state.clone().unwrap_or_else(|| account.state.clone());
            account.admin = user.admin;
            account.bot = user.bot;
            account.external = user.external;
        }
    }

    fn sow_token(&self, token: &Token) {
        let user = self.add_user(&token.user);
        let scopes: Vec<&str> = token.scopes.iter().map(String::as_str).collect();
        let mut state = locked(&self.shared.state);
        let made = state.add_token(user, "seed", &scopes, token.expires_at);
        if let Some(made) = state.tokens.remove(&made) {
            state.tokens.insert(token.secret.clone(), made);
        }
    }

    fn sow_group(&self, group: &Group) -> Outcome {
        let what = format!("group {}", group.path);
        let id = named(&what, self.add_group_with(&group.path, &group.visibility))?;
        let fields = json!({
            "name": group.name,
            "description": group.description,
            "project_creation_level": group.project_creation_level,
            "default_branch_protection": group.default_branch_protection,
        });
        named(
            &what,
            self.admin().api("PUT", &format!("/groups/{id}"), present(fields)),
        )?;
        self.sow_members(&group.path, &group.members)?;
        self.sow_labels(&group.path, &group.labels)
    }

    fn sow_members(&self, place: &str, members: &BTreeMap<String, Role>) -> Outcome {
        for (username, role) in members {
            named(
                format!("member {username} of {place}"),
                self.add_member(place, username, *role),
            )?;
        }
        Ok(())
    }

    fn sow_labels(&self, place: &str, labels: &[Label]) -> Outcome {
        let path = named(place, self.members_path(place))?.replace("/members", "/labels");
        for label in labels {
            let body = json!({ "name": label.name, "color": label.color, "description": label.description });
            named(
                format!("label {} of {place}", label.name),
                self.admin().api("POST", &path, present(body)),
            )?;
        }
        Ok(())
    }

    fn sow_project(&self, project: &Project) -> Outcome {
        let what = format!("project {}", project.path);
        let files: Vec<(&str, &str)> = project.files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
        named(&what, self.add_project_with(&project.path, &project.visibility, &files))?;
        let fields = json!({
            "name": project.name,
            "description": project.description,
            "topics": project.topics,
        });
        named(&what, self.admin().edit_project(&project.path, present(fields)))?;
        self.sow_members(&project.path, &project.members)?;
        self.sow_labels(&project.path, &project.labels)?;
        for board in &project.boards {
            named(
                format!("board {} of {what}", board.name),
                self.sow_board(&project.path, board),
            )?;
        }
        for issue in &project.issues {
            named(
                format!("issue {} of {what}", issue.title),
                self.sow_issue(&project.path, issue),
            )?;
        }
        for branch in &project.branches {
            named(
                format!("branch {} of {what}", branch.name),
                self.sow_branch(&project.path, branch),
            )?;
        }
        for request in &project.merge_requests {
            let by = self.as_user(&request.by);
            let opened = by.open_merge_request(&project.path, &request.branch, &request.title, &request.description);
            named(format!("merge request {} of {what}", request.title), opened)?;
        }
        if project.archived {
            named(&what, self.admin().archive_project(&project.path))?;
        }
        if project.marked_for_deletion {
            named(&what, self.admin().delete_project(&project.path))?;
        }
        Ok(())
    }

    fn sow_board(&self, project: &str, board: &Board) -> Result<(), Refused> {
        let admin = self.admin();
        let path = format!("/projects/{}/boards", crate::http::encode(project));
        let made = admin.api("POST", &path, json!({ "name": board.name }))?;
        let labels = self.labels(project)?;
        for name in &board.lists {
            let label = labels.iter().find(|l| l.name == *name).map(|l| l.id);
            admin.api(
                "POST",
                &format!("{path}/{}/lists", made["id"]),
                json!({ "label_id": label }),
            )?;
        }
        Ok(())
    }

    fn sow_issue(&self, project: &str, issue: &Issue) -> Result<(), Refused> {
        let body = json!({
            "title": issue.title,
            "description": issue.description,
            "labels": issue.labels,
            "confidential": issue.confidential,
        });
        let path = format!("/projects/{}/issues", crate::http::encode(project));
        let made = self.as_user(&issue.by).api("POST", &path, body)?;
        let iid = made["iid"].as_u64().unwrap_or_default();
        for note in &issue.notes {
            self.as_user(&note.by).comment(project, iid, &note.body)?;
        }
        if issue.closed {
            self.admin().close_issue(project, iid)
        } else {
            Ok(())
        }
    }

    fn sow_branch(&self, project: &str, branch: &Branch) -> Result<(), Refused> {
        let by: Person = branch
            .by
            .as_ref()
            .map_or_else(|| self.admin(), |name| self.as_user(name));
        by.create_branch(project, &branch.name, &branch.from)?;
        let changes: Vec<Change> = branch
            .files
            .iter()
            .map(|(path, text)| {
                let bytes = text.clone().into_bytes();
                match self.file(project, &branch.name, path) {
                    Some(_) => Change::Update(path.clone(), bytes),
                    None => Change::Create(path.clone(), bytes),
                }
            })
            .collect();
        if changes.is_empty() {
            return Ok(());
        }
        by.push(project, &branch.name, &changes, &format!("Work on {}", branch.name))
            .map(drop)
    }

    fn sow_hook(&self, hook: &Hook) -> Outcome {
        let path = match (&hook.project, &hook.group) {
            (Some(project), _) => format!("/projects/{}/hooks", crate::http::encode(project)),
            (None, Some(group)) => format!("/groups/{}/hooks", crate::http::encode(group)),
            (None, None) => "/hooks".to_owned(),
        };
        let mut body = present(json!({
            "url": hook.url,
            "token": hook.token,
            "signing_token": hook.signing_token,
        }));
        if let (false, Some(body)) = (hook.events.is_empty(), body.as_object_mut()) {
            body.insert("push_events".to_owned(), json!(false));
            body.extend(hook.events.iter().map(|event| (event.clone(), json!(true))));
        }
        named(format!("hook {}", hook.url), self.admin().api("POST", &path, body)).map(drop)
    }
}

/// The fields that have a value.
fn present(fields: Value) -> Value {
    match fields {
        Value::Object(fields) => fields.into_iter().filter(|(_, v)| !v.is_null()).collect(),
        other => other,
    }
}
