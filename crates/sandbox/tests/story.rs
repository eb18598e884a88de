//! A bot's whole day against the sandbox, over real HTTP.
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

use gitlab_sandbox::{Config, Effect, Fault, Role, Sandbox};
use serde_json::{Value, json};

struct Bot {
    base: String,
    token: String,
    client: reqwest::Client,
}

impl Bot {
    fn new(gitlab: &Sandbox) -> Self {
        let token = gitlab.add_token("bot");
        let client = reqwest::Client::builder().build().unwrap();
        Self {
            base: format!("{}/api/v4", gitlab.url()),
            token,
            client,
        }
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .header("PRIVATE-TOKEN", &self.token);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.call("GET", path, Value::Null).await
    }
}

fn community() -> Sandbox {
    let gitlab = Sandbox::start(Config::default()).unwrap();
    gitlab.add_group("communities").unwrap();
    gitlab.add_project("communities/intake").unwrap();
    gitlab.add_member("communities", "bot", Role::Owner).unwrap();
    gitlab.add_member("communities", "alice", Role::Reporter).unwrap();
    gitlab
}

#[tokio::test]
async fn a_bot_provisions_a_project() {
    let gitlab = community();
    let bot = Bot::new(&gitlab);
    let alice = gitlab.person("alice").unwrap();
    let iid = alice
        .open_issue(
            "communities/intake",
            "New: Rust",
            "Hello @bot\n/label ~x",
            &["cop::proposed"],
        )
        .unwrap();
    assert_eq!(
        gitlab.issue("communities/intake", iid).unwrap().labels,
        ["cop::proposed"]
    );
    assert_eq!(gitlab.notified()[0].user, "bot");

    let (status, me) = bot.get("/user").await;
    assert_eq!((status, me["username"].as_str()), (200, Some("bot")));
    let (_, group) = bot.get("/groups/communities").await;
    let new = json!({"name": "Rust", "path": "rust", "namespace_id": group["id"], "visibility": "private"});
    let (status, project) = bot.call("POST", "/projects", new.clone()).await;
    assert_eq!(status, 201);
    assert_eq!(project["empty_repo"], true);
    assert_eq!(project["permissions"]["group_access"]["access_level"], 50);
    let (status, refusal) = bot.call("POST", "/projects", new).await;
    assert_eq!(status, 400);
    assert_eq!(refusal["message"]["path"][0], "has already been taken");

    let id = project["id"].as_u64().unwrap();
    let files = json!({"branch": "main", "commit_message": "First", "actions": [
        {"action": "create", "file_path": "README.md", "content": "# Rust\n"},
        {"action": "create", "file_path": ".gitlab/community.yml", "content": "name: Rust\n"},
    ]});
    let (status, _) = bot
        .call("POST", &format!("/projects/{id}/repository/commits"), files)
        .await;
    assert_eq!(status, 201);
    assert_eq!(
        gitlab
            .text("communities/rust", "main", ".gitlab/community.yml")
            .unwrap(),
        "name: Rust\n"
    );
    let (status, label) = bot
        .call(
            "POST",
            "/groups/communities/labels",
            json!({"name": "todo", "color": "#123456"}),
        )
        .await;
    assert_eq!(status, 201);
    let (status, board) = bot
        .call(
            "POST",
            &format!("/projects/{id}/boards"),
            json!({"name": "Community board"}),
        )
        .await;
    assert_eq!(status, 201);
    let lists = format!("/projects/{id}/boards/{}/lists", board["id"]);
    let (status, _) = bot.call("POST", &lists, json!({"label_id": label["id"]})).await;
    assert_eq!(status, 201);
    let (status, again) = bot.call("POST", &lists, json!({"label_id": label["id"]})).await;
    assert_eq!(
        (status, again),
        (400, json!({"message": {"error": "Label has already been taken"}}))
    );
    assert_eq!(
        gitlab.boards("communities/rust").unwrap()[0].lists[0].label.name,
        "todo"
    );
    assert_eq!(gitlab.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_merge_request_goes_its_whole_way() {
    let gitlab = community();
    let bot = Bot::new(&gitlab);
    gitlab
        .add_member("communities", "maintainer", Role::Maintainer)
        .unwrap();
    let issue = gitlab
        .person("alice")
        .unwrap()
        .open_issue("communities/intake", "x", "", &[])
        .unwrap();
    let p = "/projects/communities%2Fintake";
    let commit = json!({"branch": "cop/rust", "start_branch": "main", "commit_message": "Add", "actions": [
        {"action": "update", "file_path": "README.md", "content": "# Project\nline\n"}]});
    let (status, _) = bot
        .call("POST", &format!("{p}/repository/commits"), commit.clone())
        .await;
    assert_eq!(status, 201);
    let (status, again) = bot.call("POST", &format!("{p}/repository/commits"), commit).await;
    assert_eq!(status, 400);
    assert!(
        again["message"]
            .as_str()
            .unwrap()
            .starts_with("A branch called 'cop/rust' already exists.")
    );
    let new = json!({"source_branch": "cop/rust", "target_branch": "main", "title": "Add", "description": format!("Closes #{issue}")});
    let (status, request) = bot.call("POST", &format!("{p}/merge_requests"), new.clone()).await;
    assert_eq!((status, &request["detailed_merge_status"]), (201, &json!("preparing")));
    let (status, twin) = bot.call("POST", &format!("{p}/merge_requests"), new).await;
    assert_eq!(status, 409);
    assert_eq!(
        twin["message"][0],
        "Another open merge request already exists for this source branch: !1"
    );
    let (_, first) = bot.get(&format!("{p}/merge_requests/1")).await;
    assert_eq!(first["has_conflicts"], false);
    let (_, second) = bot.get(&format!("{p}/merge_requests/1")).await;
    assert_eq!(second["detailed_merge_status"], "mergeable");
    let diff = gitlab.merge_request_diff("communities/intake", 1).unwrap();
    assert_eq!(diff[0].diff, "@@ -1 +1,2 @@\n # Project\n+line\n");
    gitlab
        .person("maintainer")
        .unwrap()
        .merge("communities/intake", 1)
        .unwrap();
    assert_eq!(gitlab.issue("communities/intake", issue).unwrap().state, "closed");
    assert_eq!(gitlab.merge_request("communities/intake", 1).unwrap().state, "merged");
    assert_eq!(gitlab.branches("communities/intake"), ["main"]);
}

#[tokio::test]
async fn a_lost_answer_had_its_effect() {
    let gitlab = community();
    let bot = Bot::new(&gitlab);
    gitlab.add_fault(
        Fault::new(Effect::LoseAnswer)
            .method("POST")
            .path("/issues$")
            .unwrap()
            .once(),
    );
    let url = format!("{}/projects/communities%2Fintake/issues", bot.base);
    let lost = bot
        .client
        .post(&url)
        .header("PRIVATE-TOKEN", &bot.token)
        .json(&json!({"title": "once"}))
        .send()
        .await;
    assert!(lost.is_err());
    assert_eq!(gitlab.issues("communities/intake").unwrap().len(), 1);
    assert!(gitlab.calls()[0].had_effect());
}

#[tokio::test]
async fn what_is_hidden_does_not_exist() {
    let gitlab = community();
    gitlab.add_project("secret/project").unwrap();
    let bot = Bot::new(&gitlab);
    let hidden = bot.get("/projects/secret%2Fproject").await;
    let missing = bot.get("/projects/secret%2Fnothing").await;
    assert_eq!(hidden, missing);
    assert_eq!(hidden, (404, json!({"message": "404 Project Not Found"})));
    let (status, _) = bot.get("/nonsense").await;
    assert_eq!(status, 404);
    assert_eq!(gitlab.violations(), ["GET /api/v4/nonsense: no such route"]);
}

#[tokio::test]
async fn a_renamed_project_redirects() {
    let gitlab = community();
    let bot = Bot::new(&gitlab);
    gitlab.admin().rename_project("communities/intake", "desk").unwrap();
    let (status, project) = bot.get("/projects/communities%2Fintake").await;
    assert_eq!(
        (status, &project["path_with_namespace"]),
        (200, &json!("communities/desk"))
    );
    gitlab.admin().delete_project("communities/desk").unwrap();
    let left = gitlab.projects("communities").unwrap();
    assert!(left[0].path.starts_with("desk-deletion_scheduled-"));
    gitlab.add_project("communities/desk").unwrap();
}

#[test]
fn the_example_seed_can_be_sown_and_looked_at() {
    let gitlab = Sandbox::start(Config::default()).unwrap();
    let text = include_str!("../seeds/example.yml");
    gitlab.sow(&gitlab_sandbox::Seed::from_yaml(text).unwrap()).unwrap();
    assert_eq!(gitlab.projects("communities").unwrap().len(), 4);
    assert_eq!(gitlab.merge_request_diff("communities/handbook", 1).unwrap().len(), 1);
    assert_eq!(gitlab.boards("communities/intake").unwrap()[0].lists.len(), 2);
}

#[test]
fn the_readme_counts_the_routes() {
    let gitlab = Sandbox::start(Config::default()).unwrap();
    let said = format!("{} routes of the REST API", gitlab.routes().len());
    assert!(
        include_str!("../README.md").contains(&said),
        "the README should say: {said}"
    );
}
