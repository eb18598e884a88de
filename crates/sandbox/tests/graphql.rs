//! GraphQL: bulk reads, limits, mutations.
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

use gitlab_sandbox::{Config, Role, Sandbox};
use serde_json::{Value, json};

fn world() -> (Sandbox, String) {
    let gitlab = Sandbox::start(Config::default()).unwrap();
    gitlab.add_group("g").unwrap();
    for name in ["one", "two", "three"] {
        gitlab
            .add_project_with(
                &format!("g/{name}"),
                "private",
                &[("README.md", "# Hi\n"), ("a/b.yml", "x: 1\n")],
            )
            .unwrap();
    }
    gitlab.add_member("g", "bot", Role::Owner).unwrap();
    let token = gitlab.add_token("bot");
    (gitlab, token)
}

async fn ask(gitlab: &Sandbox, token: Option<&str>, query: &str, variables: Value) -> (u16, Value) {
    let mut request = reqwest::Client::builder()
        .build()
        .unwrap()
        .post(format!("{}/api/graphql", gitlab.url()))
        .json(&json!({ "query": query, "variables": variables }));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

const LOOK: &str = "
query($g: ID!, $after: String, $paths: [String!]!) {
  group(fullPath: $g) {
    projects(includeSubgroups: false, includeArchived: true, first: 2, after: $after) {
      count
      pageInfo { hasNextPage endCursor }
      nodes { id name fullPath archived description webUrl topics lastActivityAt markedForDeletionOn
              repository { empty rootRef blobs(paths: $paths) { nodes { path rawBlob size } } } }
    }
  }
  queryComplexity { score limit }
}";

#[tokio::test]
async fn one_look_reads_a_whole_group_page_by_page() {
    let (gitlab, token) = world();
    let variables = json!({"g": "g", "paths": ["a/b.yml", "missing"]});
    let (status, first) = ask(&gitlab, Some(&token), LOOK, variables).await;
    assert_eq!((status, first.get("errors")), (200, None));
    let page = &first["data"]["group"]["projects"];
    assert_eq!(
        (&page["count"], &page["pageInfo"]["hasNextPage"]),
        (&json!(3), &json!(true))
    );
    let blobs = page["nodes"][0]["repository"]["blobs"]["nodes"].clone();
    assert_eq!(blobs, json!([{"path": "a/b.yml", "rawBlob": "x: 1\n", "size": "5"}]));
    assert_eq!(page["nodes"][0]["repository"]["rootRef"], "main");
    let variables = json!({"g": "g", "paths": [], "after": page["pageInfo"]["endCursor"]});
    let (_, second) = ask(&gitlab, Some(&token), LOOK, variables).await;
    let page = &second["data"]["group"]["projects"];
    assert_eq!(page["nodes"].as_array().unwrap().len(), 1);
    assert_eq!(page["pageInfo"]["hasNextPage"], false);
    assert_eq!(second["data"]["queryComplexity"]["limit"], 250);
}

#[tokio::test]
async fn issues_and_merge_requests_are_filtered_by_state() {
    let (gitlab, token) = world();
    let admin = gitlab.admin();
    admin.open_issue("g/one", "open", "", &["a", "b"]).unwrap();
    let closed = admin.open_issue("g/one", "closed", "", &["a"]).unwrap();
    admin.close_issue("g/one", closed).unwrap();
    let query = "{ project(fullPath: \"g/one\") {
        issues(state: opened, labelName: [\"a\"]) { nodes { iid state labels { nodes { title } } author { username } } }
        mergeRequests(state: merged) { count } issue(iid: \"2\") { title closedAt } } }";
    let (_, answer) = ask(&gitlab, Some(&token), query, Value::Null).await;
    let project = &answer["data"]["project"];
    let labels = json!({"nodes": [{"title": "a"}, {"title": "b"}]});
    let expected = json!([{"iid": "1", "state": "opened", "labels": labels, "author": {"username": "root"}}]);
    assert_eq!(project["issues"]["nodes"], expected);
    assert_eq!(
        (&project["mergeRequests"]["count"], &project["issue"]["title"]),
        (&json!(0), &json!("closed"))
    );
}

#[tokio::test]
async fn what_is_hidden_is_null_and_a_bad_token_is_401() {
    let (gitlab, token) = world();
    gitlab.add_project("secret/project").unwrap();
    let query = "{ project(fullPath: \"secret/project\") { id } group(fullPath: \"g\") { id } }";
    let (_, answer) = ask(&gitlab, Some(&token), query, Value::Null).await;
    assert_eq!(answer["data"]["project"], Value::Null);
    assert!(
        answer["data"]["group"]["id"]
            .as_str()
            .unwrap()
            .starts_with("gid://gitlab/Group/")
    );
    let (_, answer) = ask(&gitlab, None, query, Value::Null).await;
    assert_eq!(answer["data"], json!({"project": null, "group": null}));
    let (status, answer) = ask(&gitlab, Some("wrong"), query, Value::Null).await;
    assert_eq!(
        (status, answer),
        (401, json!({"errors": [{"message": "Invalid token"}]}))
    );
}

#[tokio::test]
async fn what_is_wrong_is_said_in_errors_with_status_200() {
    let (gitlab, token) = world();
    let deep = "{ group(fullPath: \"g\") { projects { nodes { projectMembers { nodes { user { username } } } } } } }";
    for (query, part) in [
        ("{ nonsense }", "Field 'nonsense' doesn't exist on type 'Query'"),
        ("{ group(fullPath: ", "Parse error"),
        (deep, "which exceeds max complexity of 250"),
        (
            &format!("{{ currentUser {{ id }} }} #{}", "x".repeat(10_000)),
            "Query too large",
        ),
    ] {
        let (status, answer) = ask(&gitlab, Some(&token), query, Value::Null).await;
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert_eq!(status, 200);
        assert!(message.contains(part), "{message}");
    }
}

#[tokio::test]
async fn mutations_run_in_order_and_say_their_own_errors() {
    let (gitlab, token) = world();
    let query = "mutation($b: String!) {
        one: labelCreate(input: {projectPath: \"g/one\", title: \"a\", color: \"#ff0000\"}) { label { id title } errors }
        two: labelCreate(input: {projectPath: \"g/one\", title: \"a\"}) { label { id } errors }
        board: createBoard(input: {projectPath: \"g/one\", name: $b}) { board { id name } errors }
    }";
    let (_, answer) = ask(&gitlab, Some(&token), query, json!({"b": "Work"})).await;
    assert_eq!(
        answer["data"]["two"],
        json!({"label": null, "errors": ["Title has already been taken"]})
    );
    let (label, board) = (
        &answer["data"]["one"]["label"]["id"],
        &answer["data"]["board"]["board"]["id"],
    );
    let query = "mutation($board: BoardID!, $label: LabelID) { boardListCreate(input: {boardId: $board, labelId: $label}) { list { id position } errors } }"
        .replace("BoardID", "ID")
        .replace("LabelID", "ID");
    let (_, answer) = ask(&gitlab, Some(&token), &query, json!({"board": board, "label": label})).await;
    assert_eq!(answer["data"]["boardListCreate"]["list"]["position"], 0);
    assert_eq!(gitlab.boards("g/one").unwrap()[0].lists[0].label.name, "a");
    let query = "mutation { commitCreate(input: {projectPath: \"g/one\", branch: \"new\", startBranch: \"main\", message: \"m\",
        actions: [{action: CREATE, filePath: \"c\", content: \"x\"}]}) { commit { id } errors } }";
    let (_, answer) = ask(&gitlab, Some(&token), query, Value::Null).await;
    assert_eq!(answer["data"]["commitCreate"]["errors"], json!([]));
    assert_eq!(gitlab.text("g/one", "new", "c").unwrap(), "x");
    let (_, again) = ask(&gitlab, Some(&token), query, Value::Null).await;
    let errors = again["data"]["commitCreate"]["errors"].to_string();
    assert!(errors.contains("A branch called 'new' already exists"), "{errors}");
}

#[tokio::test]
async fn mutations_need_the_right_and_the_scope() {
    let (gitlab, _) = world();
    gitlab.add_member("g", "guest", Role::Guest).unwrap();
    let query = "mutation { createBoard(input: {projectPath: \"g/one\", name: \"x\"}) { board { id } errors } }";
    let (_, answer) = ask(&gitlab, Some(&gitlab.add_token("guest")), query, Value::Null).await;
    assert!(
        answer["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("you don't have permission")
    );
    let reader = gitlab.add_token_with("bot", &["read_api"], None);
    let (status, answer) = ask(&gitlab, Some(&reader), query, Value::Null).await;
    assert_eq!((status, &answer["error"]), (403, &json!("insufficient_scope")));
    assert_eq!(gitlab.boards("g/one").unwrap(), []);
}
