//! What GitLab itself published, as witnesses: its JSON schemas for answers, its description of the API for calls. Where
//! those files are not beside this repository, the calls are still made and the comparison is skipped.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test says what it expects and why it is skipped"
)]

mod papers;

use gitlab_sandbox::{Config, OpenApi, Role, Sandbox};
use papers::{Schemas, paper};
use serde_json::{Value, json};

struct Session {
    gitlab: Sandbox,
    token: String,
    client: reqwest::Client,
    schemas: Option<Schemas>,
    validated: usize,
}

impl Session {
    fn new() -> Self {
        let gitlab = Sandbox::start(Config::default()).unwrap();
        gitlab.add_group("g").unwrap();
        gitlab.add_member("g", "bot", Role::Owner).unwrap();
        gitlab.add_user("alice");
        let token = gitlab.add_token("bot");
        let client = reqwest::Client::builder().build().unwrap();
        Self {
            gitlab,
            token,
            client,
            schemas: paper("schemas").map(Schemas::new),
            validated: 0,
        }
    }

    /// One call; the answer must have the status and, if named, fit the schema.
    async fn call(&mut self, method: &str, path: &str, body: Value, status: u16, schema: &str) -> Value {
        let url = format!("{}/api/v4{path}", self.gitlab.url());
        let mut request = self
            .client
            .request(reqwest::Method::from_bytes(method.as_bytes()).unwrap(), url);
        request = request.header("PRIVATE-TOKEN", &self.token);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let got = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        assert_eq!(got, status, "{method} {path}: {text}");
        let value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        for person in ["author", "user", "closed_by", "merge_user"] {
            if value[person]["username"].is_string() {
                self.validate("user/basic.json", &value[person], &format!("{method} {path}: {person}"));
            }
        }
        if !schema.is_empty() {
            self.validate(schema, &value, &format!("{method} {path}"));
        }
        value
    }

    async fn get(&mut self, path: &str, schema: &str) -> Value {
        self.call("GET", path, Value::Null, 200, schema).await
    }

    async fn post(&mut self, path: &str, body: Value, schema: &str) -> Value {
        self.call("POST", path, body, 201, schema).await
    }

    fn validate(&mut self, schema: &str, value: &Value, what: &str) {
        let Some(schemas) = &mut self.schemas else { return };
        let faults = schemas.faults(schema, value);
        assert_eq!(faults, Vec::<String>::new(), "{what} does not fit {schema}: {value}");
        self.validated += 1;
    }
}

async fn projects(s: &mut Session) -> String {
    s.get("/user", "user/public.json").await;
    s.get("/users?username=alice", "").await;
    s.get("/version", "").await;
    s.get("/metadata", "").await;
    s.get("/personal_access_tokens/self", "").await;
    s.get("/groups/g", "").await;
    let group = s.get("/groups/g", "").await["id"].clone();
    let new = json!({"name": "P", "path": "p", "namespace_id": group, "topics": ["a"], "visibility": "private"});
    let project = s.post("/projects", new, "project.json").await;
    let p = format!("/projects/{}", project["id"]);
    let files = json!({"branch": "main", "commit_message": "First", "actions": [
        {"action": "create", "file_path": "README.md", "content": "# P\n"},
        {"action": "create", "file_path": "a/b.md", "content": "b\n"}]});
    s.post(&format!("{p}/repository/commits"), files, "commit/detail.json")
        .await;
    s.get(&p, "project.json").await;
    s.get(
        "/groups/g/projects?archived=false&with_shared=false&order_by=id&sort=asc&per_page=100",
        "projects.json",
    )
    .await;
    s.get("/projects?membership=true&simple=true", "projects.json").await;
    s.call(
        "PUT",
        &p,
        json!({"description": "d", "topics": ["a", "b"], "merge_method": "merge"}),
        200,
        "project.json",
    )
    .await;
    p
}

async fn code(s: &mut Session, p: &str) {
    s.get(&format!("{p}/repository/files/README.md?ref=main"), "").await;
    s.get(&format!("{p}/repository/tree?recursive=true"), "").await;
    s.get(&format!("{p}/repository/commits?ref_name=main&path=README.md"), "")
        .await;
    let head = s.get(&format!("{p}/repository/branches/main"), "branch.json").await["commit"]["id"].clone();
    s.get(
        &format!("{p}/repository/commits/{}", head.as_str().unwrap()),
        "commit/detail.json",
    )
    .await;
    s.post(
        &format!("{p}/repository/branches?branch=x&ref=main"),
        Value::Null,
        "branch.json",
    )
    .await;
    let change = json!({"branch": "x", "commit_message": "Change", "actions": [
        {"action": "update", "file_path": "README.md", "content": "# P\n\nmore\n", "last_commit_id": head}]});
    s.post(&format!("{p}/repository/commits"), change, "commit/detail.json")
        .await;
    s.get(&format!("{p}/repository/compare?from=main&to=x"), "").await;
    s.get(&format!("{p}/protected_branches"), "").await;
}

async fn issues(s: &mut Session, p: &str) {
    s.post(
        "/groups/g/labels",
        json!({"name": "shared", "color": "#00ff00"}),
        "labels/label.json",
    )
    .await;
    s.get("/groups/g/labels", "group_labels.json").await;
    let label = s
        .post(
            &format!("{p}/labels"),
            json!({"name": "own", "color": "red"}),
            "labels/project_label.json",
        )
        .await;
    let new = json!({"title": "T", "description": "D", "labels": "own,shared"});
    let issue = s.post(&format!("{p}/issues"), new, "issue.json").await;
    let i = format!("{p}/issues/{}", issue["iid"]);
    s.get(&i, "issue.json").await;
    s.get(&format!("{p}/issues?state=opened&labels=own"), "issues.json")
        .await;
    s.call(
        "PUT",
        &i,
        json!({"add_labels": "x", "remove_labels": "own", "description": "E"}),
        200,
        "issue.json",
    )
    .await;
    s.call("PUT", &i, json!({"state_event": "close"}), 200, "issue.json")
        .await;
    let note = s.post(&format!("{i}/notes"), json!({"body": "hello"}), "").await;
    s.call(
        "PUT",
        &format!("{i}/notes/{}", note["id"]),
        json!({"body": "changed"}),
        200,
        "",
    )
    .await;
    s.get(&format!("{i}/notes?sort=asc&order_by=created_at"), "notes.json")
        .await;
    s.get(&format!("{i}/resource_label_events"), "").await;
    s.post(&format!("{p}/issues"), json!({"title": "U"}), "issue.json")
        .await;
    let link = json!({"target_project_id": p.trim_start_matches("/projects/"), "target_issue_iid": 2});
    s.post(&format!("{i}/links"), link, "").await;
    let board = s.post(&format!("{p}/boards"), json!({"name": "B"}), "board.json").await;
    let lists = format!("{p}/boards/{}/lists", board["id"]);
    s.post(&lists, json!({"label_id": label["id"]}), "").await;
    s.get(&format!("{p}/boards"), "boards.json").await;
}

async fn requests_and_members(s: &mut Session, p: &str) {
    let new = json!({"source_branch": "x", "target_branch": "main", "title": "M", "labels": "own", "remove_source_branch": true});
    // While it is prepared, `changes_count` is null, which the schema does not know.
    let request = s.post(&format!("{p}/merge_requests"), new, "").await;
    let m = format!("{p}/merge_requests/{}", request["iid"]);
    assert_eq!(s.get(&m, "").await["changes_count"], Value::Null);
    s.get(&m, "merge_request.json").await;
    s.get(
        &format!("{p}/merge_requests?state=opened&source_branch=x"),
        "merge_requests.json",
    )
    .await;
    s.get("/groups/g/merge_requests?state=opened", "merge_requests.json")
        .await;
    s.call(
        "PUT",
        &m,
        json!({"title": "N", "add_labels": "y"}),
        200,
        "merge_request.json",
    )
    .await;
    s.post(&format!("{m}/notes"), json!({"body": "note"}), "").await;
    s.get(&format!("{m}/notes"), "notes.json").await;
    s.get(&format!("{m}/commits"), "").await;
    s.get(&format!("{m}/diffs"), "").await;
    s.call(
        "PUT",
        &format!("{m}/merge"),
        json!({"sha": request["sha"]}),
        200,
        "merge_request.json",
    )
    .await;
    let alice = s.gitlab.add_user("alice");
    s.post(
        &format!("{p}/members"),
        json!({"user_id": alice, "access_level": 30}),
        "",
    )
    .await;
    s.get(&format!("{p}/members"), "members.json").await;
    s.get(&format!("{p}/members/all"), "members.json").await;
    s.call(
        "PUT",
        &format!("{p}/members/{alice}"),
        json!({"access_level": 40}),
        200,
        "",
    )
    .await;
    s.call("DELETE", &format!("{p}/members/{alice}"), Value::Null, 204, "")
        .await;
    s.post(
        &format!("{p}/invitations"),
        json!({"email": "a@example.com", "access_level": 20}),
        "",
    )
    .await;
    let hook = s
        .post(
            &format!("{p}/hooks"),
            json!({"url": "http://127.0.0.1:9/", "issues_events": true}),
            "",
        )
        .await;
    s.call(
        "PUT",
        &format!("{p}/hooks/{}", hook["id"]),
        json!({"url": "http://127.0.0.1:9/", "note_events": true}),
        200,
        "",
    )
    .await;
    s.call("DELETE", &format!("{p}/hooks/{}", hook["id"]), Value::Null, 204, "")
        .await;
    s.post(&format!("{p}/archive"), Value::Null, "project.json").await;
    s.post(&format!("{p}/unarchive"), Value::Null, "project.json").await;
    s.call("DELETE", p, Value::Null, 202, "").await;
    s.post(&format!("{p}/restore"), Value::Null, "project.json").await;
}

#[tokio::test]
async fn answers_fit_gitlabs_schemas_and_calls_its_description() {
    let mut session = Session::new();
    let project = projects(&mut session).await;
    code(&mut session, &project).await;
    issues(&mut session, &project).await;
    requests_and_members(&mut session, &project).await;
    assert_eq!(session.gitlab.violations(), Vec::<String>::new());
    if session.schemas.is_some() {
        assert!(session.validated >= 40, "{}", session.validated);
    }
    let Some(description) = paper("openapi-v2.yaml") else {
        return;
    };
    let api = OpenApi::from_yaml(&std::fs::read_to_string(description).unwrap()).unwrap();
    let compared = api.compare(&session.gitlab.calls());
    assert_eq!(compared.faults, Vec::<String>::new());
    assert!(compared.checked >= 40, "{compared:?}");
    let described = compared.checked + compared.unknown;
    println!(
        "{} answers validated, {} of {described} calls described",
        session.validated, compared.checked
    );
}
