//! GitLab's JSON schemas for answers, and which route answers with which.

use gitlab_sandbox::CallRecord;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::error::Error;
use std::path::PathBuf;

/// Schema of one thing at the end of a route, and of a list there; a list without a schema of its own is checked row by row.
const ROUTES: &[(&str, &str, &str)] = &[
    ("/user", "user/public.json", ""),
    ("/projects", "project.json", "projects.json"),
    ("/projects/:id", "project.json", ""),
    ("/projects/:id/archive", "project.json", ""),
    ("/projects/:id/unarchive", "project.json", ""),
    ("/projects/:id/restore", "project.json", ""),
    ("/projects/:id/transfer", "project.json", ""),
    ("/groups/:id/projects", "", "projects.json"),
    ("/users/:id/projects", "", "projects.json"),
    ("/issues", "", "issues.json"),
    ("/groups/:id/issues", "", "issues.json"),
    ("/projects/:id/issues", "issue.json", "issues.json"),
    ("/projects/:id/issues/:iid", "issue.json", ""),
    ("/projects/:id/issues/:iid/move", "issue.json", ""),
    ("/merge_requests", "", "merge_requests.json"),
    ("/groups/:id/merge_requests", "", "merge_requests.json"),
    (
        "/projects/:id/merge_requests",
        "merge_request.json",
        "merge_requests.json",
    ),
    ("/projects/:id/merge_requests/:iid", "merge_request.json", ""),
    ("/projects/:id/merge_requests/:iid/merge", "merge_request.json", ""),
    ("/projects/:id/merge_requests/:iid/commits", "", "commit/basic.json"),
    ("/projects/:id/issues/:iid/notes", "notes.json", "notes.json"),
    ("/projects/:id/issues/:iid/notes/:note", "notes.json", ""),
    ("/projects/:id/merge_requests/:iid/notes", "notes.json", "notes.json"),
    ("/projects/:id/merge_requests/:iid/notes/:note", "notes.json", ""),
    (
        "/projects/:id/labels",
        "labels/project_label.json",
        "labels/project_label.json",
    ),
    ("/projects/:id/labels/:label", "labels/project_label.json", ""),
    ("/groups/:id/labels", "labels/label.json", "group_labels.json"),
    ("/groups/:id/labels/:label", "labels/label.json", ""),
    ("/projects/:id/boards", "board.json", "boards.json"),
    ("/projects/:id/boards/:board", "board.json", ""),
    ("/projects/:id/members", "members.json", "members.json"),
    ("/projects/:id/members/all", "", "members.json"),
    ("/projects/:id/members/:user", "members.json", ""),
    ("/projects/:id/members/all/:user", "members.json", ""),
    ("/groups/:id/members", "members.json", "members.json"),
    ("/groups/:id/members/all", "", "members.json"),
    ("/groups/:id/members/:user", "members.json", ""),
    ("/groups/:id/members/all/:user", "members.json", ""),
    ("/projects/:id/repository/branches", "branch.json", "branch.json"),
    ("/projects/:id/repository/branches/:branch", "branch.json", ""),
    (
        "/projects/:id/repository/commits",
        "commit/detail.json",
        "commit/basic.json",
    ),
    ("/projects/:id/repository/commits/:sha", "commit/detail.json", ""),
];

/// People that stand in answers.
const PEOPLE: [&str; 5] = ["author", "user", "closed_by", "merge_user", "assignee"];

/// The schemas, compiled as they are needed.
pub(crate) struct Schemas {
    folder: PathBuf,
    compiled: HashMap<String, jsonschema::Validator>,
    is_list: HashMap<String, bool>,
    /// Answers that were found good, by schema and text: tests ask for the same again and again.
    good: HashSet<(String, String)>,
}

/// Reads the files that schemas refer to.
struct Files(PathBuf);

impl jsonschema::Retrieve for Files {
    fn retrieve(&self, uri: &jsonschema::Uri<String>) -> Result<Value, Box<dyn Error + Send + Sync>> {
        let path = uri.path().as_str().trim_start_matches("/schemas/");
        Ok(serde_json::from_str(&std::fs::read_to_string(self.0.join(path))?)?)
    }
}

impl Schemas {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            compiled: HashMap::new(),
            is_list: HashMap::new(),
            good: HashSet::new(),
        }
    }

    fn load(&mut self, schema: &str) {
        if self.compiled.contains_key(schema) {
            return;
        }
        let text = std::fs::read_to_string(self.folder.join(schema)).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        self.is_list.insert(schema.to_owned(), value["type"] == "array");
        let validator = jsonschema::options()
            .with_base_uri(format!("json-schema:///schemas/{schema}"))
            .with_retriever(Files(self.folder.clone()))
            .build(&value)
            .unwrap();
        self.compiled.insert(schema.to_owned(), validator);
    }

    /// What does not fit; nothing when all is well.
    pub(crate) fn faults(&mut self, schema: &str, value: &Value) -> Vec<String> {
        self.load(schema);
        let key = (schema.to_owned(), value.to_string());
        if self.good.contains(&key) {
            return Vec::new();
        }
        let faults: Vec<String> = self.compiled[schema]
            .iter_errors(value)
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        if faults.is_empty() {
            self.good.insert(key);
        }
        faults
    }

    /// Validates the answer of a route and the people in it; gives how many validations there were.
    pub(crate) fn check_answer(&mut self, call: &CallRecord, answer: &Value, faults: &mut BTreeSet<String>) -> usize {
        let (method, route) = (&call.method, call.route.as_deref().unwrap_or_default());
        let mut checked = 0;
        let mut check = |schemas: &mut Self, schema: &str, value: &Value| {
            checked += 1;
            let found = schemas.faults(schema, value).into_iter();
            faults.extend(found.map(|fault| format!("{method} {route} against {schema}: {fault}")));
        };
        for person in PEOPLE
            .into_iter()
            .map(|name| &answer[name])
            .filter(|p| p["username"].is_string())
        {
            check(self, "user/basic.json", person);
        }
        let Some((_, one, list)) = ROUTES.iter().find(|(pattern, ..)| *pattern == route) else {
            return checked;
        };
        let schema = if answer.is_array() { *list } else { *one };
        // While a merge request is prepared its `changes_count` is null, which the schema does not know; 202 is no thing.
        let no_stats = ["false", "0"].contains(&call.params["stats"].to_string().trim_matches('"'));
        let schema = if schema == "commit/detail.json" && no_stats {
            "commit/basic.json"
        } else {
            schema
        };
        let unready = schema == "merge_request.json" && answer["changes_count"].is_null();
        // Who may not read code gets a project without branch and README; the schema is for those who may.
        let codeless = schema == "project.json" && answer.get("default_branch").is_none();
        if schema.is_empty() || codeless || unready || answer.is_null() || is_no_thing(answer) {
            return checked;
        }
        self.load(schema);
        match (answer, self.is_list[schema]) {
            (Value::Array(rows), false) => rows.iter().for_each(|row| check(self, schema, row)),
            (Value::Array(_), true) | (_, false) => check(self, schema, answer),
            (_, true) => check(self, schema, &Value::Array(vec![answer.clone()])),
        }
        checked
    }
}

/// `202 Accepted`, what came of commands, or of a list of members.
fn is_no_thing(answer: &Value) -> bool {
    ["commands_changes", "status", "message"]
        .iter()
        .any(|key| answer.get(*key).is_some() && answer.get("id").is_none())
}
