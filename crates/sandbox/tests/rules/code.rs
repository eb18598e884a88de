//! Commits, branches, files.

use gitlab_sandbox::Change;
use serde_json::{Value, json};

use crate::world::{API, P, status, world};

fn refused_commit(actor: &str, body: Value) -> (u16, String) {
    let gitlab = world();
    gitlab.admin().create_branch(P, "taken", "main").unwrap();
    let refused = gitlab
        .as_user(actor)
        .api("POST", &format!("{API}/repository/commits"), body)
        .unwrap_err();
    (
        refused.status,
        refused.body["message"]
            .as_str()
            .or(refused.body["error"].as_str())
            .unwrap()
            .to_owned(),
    )
}

#[test]
fn commits_are_refused_in_gitlabs_words() {
    let commit = |branch: &str, start: Value, action: Value| {
        let mut body = json!({"branch": branch, "commit_message": "m", "actions": [action]});
        body.as_object_mut().unwrap().extend(start.as_object().unwrap().clone());
        body
    };
    let create = json!({"action": "create", "file_path": "c", "content": "x"});
    let update = |path: &str| json!({"action": "update", "file_path": path, "content": "x"});
    let nothing = json!({});
    for (actor, body, expected) in [
        (
            "developer",
            commit("main", nothing.clone(), create.clone()),
            "403 Forbidden - You are not allowed to push into this branch",
        ),
        (
            "owner",
            commit("new", nothing.clone(), create.clone()),
            "You can only create or edit files when you are on a branch",
        ),
        (
            "owner",
            commit("new", json!({"start_branch": "gone"}), create.clone()),
            "You can only create or edit files when you are on a branch",
        ),
        (
            "owner",
            commit("taken", json!({"start_branch": "main"}), create.clone()),
            "A branch called 'taken' already exists. Switch to that branch in order to make changes",
        ),
        (
            "owner",
            commit("new", json!({"start_sha": "abc"}), create.clone()),
            "Invalid start_sha 'abc'",
        ),
        (
            "owner",
            commit("new", json!({"start_sha": "a".repeat(40)}), create.clone()),
            &format!("Cannot find start_sha '{}'", "a".repeat(40)),
        ),
        (
            "owner",
            commit(
                "new",
                json!({"start_sha": "a".repeat(40), "start_branch": "main"}),
                create.clone(),
            ),
            "start_branch, start_sha are mutually exclusive",
        ),
        (
            "owner",
            commit(
                "main",
                nothing.clone(),
                json!({"action": "create", "file_path": "b.md", "content": "x"}),
            ),
            "A file with this name already exists",
        ),
        (
            "owner",
            commit("main", nothing.clone(), update("gone")),
            "A file with this name doesn't exist",
        ),
        (
            "owner",
            commit(
                "main",
                nothing.clone(),
                json!({"action": "delete", "file_path": "gone"}),
            ),
            "A file with this name doesn't exist",
        ),
        (
            "owner",
            commit(
                "main",
                nothing.clone(),
                json!({"action": "update", "file_path": "b.md", "content": "x", "last_commit_id": "0"}),
            ),
            "The file has changed since you started editing it: b.md",
        ),
        (
            "owner",
            json!({"branch": "main", "commit_message": "m", "actions": []}),
            "actions is empty",
        ),
        (
            "owner",
            json!({"branch": "main", "actions": [create]}),
            "commit_message is missing",
        ),
    ] {
        let (_, text) = refused_commit(actor, body.clone());
        assert_eq!(text, expected, "{body}");
    }
}

#[test]
fn last_commit_id_is_the_files_and_not_the_branchs() {
    let gitlab = world();
    let owner = gitlab.person("owner").unwrap();
    let file = || gitlab.look(&format!("{API}/repository/files/b.md?ref=main")).unwrap();
    let before = file()["last_commit_id"].clone();
    owner.push_file(P, "main", "README.md", "changed").unwrap();
    let after = file();
    assert_eq!(after["last_commit_id"], before);
    assert_ne!(after["commit_id"], before);
    let update = |last: &Value| {
        let action = json!({"action": "update", "file_path": "b.md", "content": "x", "last_commit_id": last});
        let body = json!({"branch": "main", "commit_message": "m", "actions": [action]});
        owner.api("POST", &format!("{API}/repository/commits"), body)
    };
    assert_eq!(status(&update(&after["commit_id"])), 400);
    assert_eq!(status(&update(&before)), 200);
    assert_eq!(status(&update(&before)), 400);
}

#[test]
fn all_actions_land_or_none() {
    let gitlab = world();
    let changes = [
        Change::Update("b.md".to_owned(), b"x".to_vec()),
        Change::Delete("gone".to_owned()),
    ];
    gitlab.admin().push(P, "main", &changes, "m").unwrap_err();
    assert_eq!(gitlab.text(P, "main", "b.md").unwrap(), "b\n");
}

#[test]
fn force_throws_away_what_people_pushed() {
    let gitlab = world();
    let dev = gitlab.person("developer").unwrap();
    dev.create_branch(P, "x", "main").unwrap();
    dev.push_file(P, "x", "mine.md", "mine").unwrap();
    let action = json!({"action": "create", "file_path": "bot.md", "content": "x"});
    let body =
        json!({"branch": "x", "start_branch": "main", "force": true, "commit_message": "m", "actions": [action]});
    dev.api("POST", &format!("{API}/repository/commits"), body).unwrap();
    assert_eq!(gitlab.paths(P, "x"), ["README.md", "b.md", "bot.md"]);
}

#[test]
fn the_first_commit_needs_a_maintainer_and_makes_the_protected_default_branch() {
    let gitlab = world();
    let id = gitlab.person("developer").unwrap().create_project("g/fresh").unwrap();
    let project = gitlab.project("g/fresh").unwrap();
    assert!(project.empty_repo);
    assert_eq!(project.default_branch.as_deref(), Some("main"));
    assert_eq!(project.creator_id, gitlab.person("developer").unwrap().id());
    let first = [Change::Create("a".to_owned(), b"a".to_vec())];
    assert_eq!(
        gitlab
            .person("developer")
            .unwrap()
            .push("g/fresh", "main", &first, "m")
            .unwrap_err()
            .status,
        403
    );
    gitlab
        .person("maintainer")
        .unwrap()
        .push("g/fresh", "trunk", &first, "m")
        .unwrap();
    assert_eq!(
        gitlab.project("g/fresh").unwrap().default_branch.as_deref(),
        Some("trunk")
    );
    let protected = gitlab.look(&format!("/projects/{id}/protected_branches")).unwrap();
    assert_eq!(
        (
            &protected[0]["name"],
            &protected[0]["push_access_levels"][0]["access_level"]
        ),
        (&json!("trunk"), &json!(40))
    );
}
