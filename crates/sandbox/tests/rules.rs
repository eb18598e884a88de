//! GitLab's rules, one by one: who may do what, what is refused and how it is said, what happens by itself.
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

use gitlab_sandbox::{Change, Config, Refused, Role, Sandbox};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const P: &str = "g/p";
const API: &str = "/projects/g%2Fp";

/// A private group with a project and one person a role; `stranger` has none, `owner2` keeps the group owned.
fn world() -> Sandbox {
    let gitlab = Sandbox::start(Config::still("2026-03-05T09:00:00Z".parse::<Timestamp>().unwrap())).unwrap();
    gitlab.add_group("g").unwrap();
    gitlab
        .add_project_with(
            P,
            "private",
            &[("README.md", "one\ntwo\nthree\nfour\nfive\n"), ("b.md", "b\n")],
        )
        .unwrap();
    for (name, role) in [
        ("guest", Role::Guest),
        ("planner", Role::Planner),
        ("reporter", Role::Reporter),
        ("developer", Role::Developer),
        ("maintainer", Role::Maintainer),
        ("owner", Role::Owner),
        ("owner2", Role::Owner),
    ] {
        gitlab.add_member("g", name, role).unwrap();
    }
    gitlab.add_user("stranger");
    gitlab
}

fn status(outcome: &Result<Value, Refused>) -> u16 {
    outcome.as_ref().map_or_else(|refused| refused.status, |_| 200)
}

const EVERYBODY: [&str; 7] = [
    "stranger",
    "guest",
    "planner",
    "reporter",
    "developer",
    "maintainer",
    "owner",
];

/// What each role gets for one call, 200 standing for any success.
fn check_roles(what: &str, call: impl Fn(&Sandbox, &str) -> Result<Value, Refused>, expected: [u16; 7]) {
    let got = EVERYBODY.map(|name| status(&call(&world(), name)));
    assert_eq!(got, expected, "{what}");
}

fn call(method: &'static str, path: &'static str, body: Value) -> impl Fn(&Sandbox, &str) -> Result<Value, Refused> {
    move |gitlab, name| {
        gitlab.admin().open_issue(P, "Issue", "text", &[]).unwrap();
        gitlab.as_user(name).api(method, &format!("{API}{path}"), body.clone())
    }
}

#[test]
fn each_role_may_do_what_it_may() {
    let commit = json!({"branch": "x", "start_branch": "main", "commit_message": "m",
        "actions": [{"action": "create", "file_path": "c", "content": "x"}]});
    let to_main = json!({"branch": "main", "commit_message": "m",
        "actions": [{"action": "create", "file_path": "c", "content": "x"}]});
    check_roles("see", call("GET", "", json!({})), [404, 200, 200, 200, 200, 200, 200]);
    check_roles(
        "read a file",
        call("GET", "/repository/files/b.md?ref=main", json!({})),
        [404, 404, 404, 200, 200, 200, 200],
    );
    check_roles(
        "open an issue",
        call("POST", "/issues", json!({"title": "x"})),
        [404, 200, 200, 200, 200, 200, 200],
    );
    check_roles(
        "comment",
        call("POST", "/issues/1/notes", json!({"body": "x"})),
        [404, 200, 200, 200, 200, 200, 200],
    );
    check_roles(
        "close another's issue",
        call("PUT", "/issues/1", json!({"state_event": "close"})),
        [404, 403, 200, 200, 200, 200, 200],
    );
    check_roles(
        "create a label",
        call("POST", "/labels", json!({"name": "x", "color": "red"})),
        [404, 403, 200, 200, 200, 200, 200],
    );
    check_roles(
        "create a board",
        call("POST", "/boards", json!({"name": "x"})),
        [404, 403, 200, 200, 200, 200, 200],
    );
    check_roles(
        "commit to a branch",
        call("POST", "/repository/commits", commit),
        [404, 403, 403, 403, 200, 200, 200],
    );
    check_roles(
        "commit to main",
        call("POST", "/repository/commits", to_main),
        [404, 403, 403, 403, 403, 200, 200],
    );
    check_roles(
        "settings",
        call("PUT", "", json!({"description": "x"})),
        [404, 403, 403, 403, 403, 200, 200],
    );
    check_roles(
        "hooks",
        call("GET", "/hooks", json!({})),
        [404, 403, 403, 403, 403, 200, 200],
    );
    check_roles(
        "visibility",
        call("PUT", "", json!({"visibility": "private"})),
        [404, 403, 403, 403, 403, 200, 200],
    );
    check_roles(
        "archive",
        call("POST", "/archive", json!({})),
        [404, 403, 403, 403, 403, 403, 200],
    );
    check_roles(
        "delete",
        call("DELETE", "", json!({})),
        [404, 403, 403, 403, 403, 403, 200],
    );
}

#[test]
fn a_guest_labels_an_issue_only_while_opening_it() {
    let gitlab = world();
    gitlab.admin().create_label(P, "known", "#ff0000").unwrap();
    let guest = gitlab.person("guest").unwrap();
    let iid = guest.open_issue(P, "x", "", &["known", "unknown"]).unwrap();
    assert_eq!(gitlab.issue(P, iid).unwrap().labels, ["known"]);
    assert_eq!(gitlab.label_events(P, iid).unwrap()[0].user.username, "guest");
    guest.set_labels(P, iid, &[]).unwrap();
    guest
        .edit_issue(P, iid, json!({"title": "y", "add_labels": "z"}))
        .unwrap();
    let issue = gitlab.issue(P, iid).unwrap();
    assert_eq!((issue.labels, issue.title.as_str()), (vec!["known".to_owned()], "y"));
}

#[test]
fn confidential_issues_are_hidden_as_if_they_were_not_there() {
    let gitlab = world();
    let iid = gitlab
        .person("guest")
        .unwrap()
        .open_confidential_issue(P, "secret", "")
        .unwrap();
    gitlab.add_member("g", "guest2", Role::Guest).unwrap();
    let look = |name: &str| {
        gitlab
            .as_user(name)
            .api("GET", &format!("{API}/issues/{iid}"), json!({}))
    };
    assert_eq!(
        ["guest", "guest2", "planner"].map(|n| status(&look(n))),
        [200, 404, 200]
    );
    let list = gitlab
        .as_user("guest2")
        .api("GET", &format!("{API}/issues"), json!({}))
        .unwrap();
    assert_eq!(list, json!([]));
    let missing = gitlab
        .as_user("guest2")
        .api("GET", &format!("{API}/issues/99"), json!({}))
        .unwrap_err();
    assert_eq!(look("guest2").unwrap_err(), missing);
}

#[test]
fn labels_replace_add_and_remove_and_scopes_exclude_on_premium_only() {
    let gitlab = world();
    let planner = gitlab.person("planner").unwrap();
    let iid = planner.open_issue(P, "x", "", &["s::a", "b"]).unwrap();
    planner.add_labels(P, iid, &["s::c"]).unwrap();
    assert_eq!(gitlab.issue(P, iid).unwrap().labels, ["b", "s::c"]);
    planner
        .edit_issue(P, iid, json!({"add_labels": "d", "remove_labels": "d,b"}))
        .unwrap();
    assert_eq!(gitlab.issue(P, iid).unwrap().labels, ["s::c"]);
    let free = Sandbox::start(Config::free()).unwrap();
    free.add_project(P).unwrap();
    let iid = free.admin().open_issue(P, "x", "", &["s::a"]).unwrap();
    free.admin().add_labels(P, iid, &["s::c"]).unwrap();
    assert_eq!(free.issue(P, iid).unwrap().labels, ["s::a", "s::c"]);
}

#[test]
fn the_trail_says_what_changed() {
    let gitlab = world();
    let planner = gitlab.person("planner").unwrap();
    let iid = planner.open_issue(P, "Old title", "a", &[]).unwrap();
    let fields =
        json!({"title": "New title", "description": "b", "assignee_ids": [planner.id()], "confidential": true});
    planner.edit_issue(P, iid, fields).unwrap();
    let trail: Vec<String> = gitlab
        .system_notes(P, iid)
        .unwrap()
        .into_iter()
        .map(|n| n.body)
        .collect();
    assert_eq!(
        trail,
        [
            "changed title from **{-Old-} title** to **{+New+} title**",
            "changed the description",
            "assigned to @planner",
            "made the issue confidential"
        ]
    );
    // Labels and states leave events, not notes.
    planner.set_labels(P, iid, &["x"]).unwrap();
    planner.close_issue(P, iid).unwrap();
    assert_eq!(gitlab.system_notes(P, iid).unwrap().len(), 4);
}

#[test]
fn texts_of_anybody_run_commands_with_their_own_rights() {
    let gitlab = world();
    gitlab.admin().create_label(P, "x", "#ff0000").unwrap();
    let iid = gitlab.admin().open_issue(P, "Issue", "text", &[]).unwrap();
    gitlab
        .person("guest")
        .unwrap()
        .comment(P, iid, "hello\n/label ~x\n/close")
        .unwrap();
    assert_eq!(gitlab.issue(P, iid).unwrap().state, "opened");
    gitlab
        .person("planner")
        .unwrap()
        .comment(P, iid, "hello\n/label ~x\n/close")
        .unwrap();
    let issue = gitlab.issue(P, iid).unwrap();
    assert_eq!((issue.state.as_str(), issue.labels), ("closed", vec!["x".to_owned()]));
    let ran: Vec<_> = gitlab
        .commands()
        .into_iter()
        .map(|c| (c.by, c.name, c.effective))
        .collect();
    let expected = [
        ("guest", "label", false),
        ("guest", "close", false),
        ("planner", "label", true),
        ("planner", "close", true),
    ];
    assert_eq!(ran, expected.map(|(by, name, e)| (by.to_owned(), name.to_owned(), e)));
    // Also when an old text is changed, and in descriptions.
    let notes = gitlab.notes(P, iid).unwrap();
    assert_eq!(notes[1].body, "hello");
    gitlab
        .person("planner")
        .unwrap()
        .edit_comment(P, iid, notes[1].id, "again\n\n/reopen")
        .unwrap();
    assert_eq!(gitlab.issue(P, iid).unwrap().state, "opened");
    gitlab
        .person("planner")
        .unwrap()
        .describe_issue(P, iid, "new\n\n/title Other")
        .unwrap();
    let issue = gitlab.issue(P, iid).unwrap();
    assert_eq!(
        (issue.title.as_str(), issue.description.as_deref()),
        ("Other", Some("new"))
    );
}

#[test]
fn a_note_of_commands_only_is_202_without_an_id() {
    let gitlab = world();
    let iid = gitlab.admin().open_issue(P, "Issue", "text", &[]).unwrap();
    assert_eq!(
        gitlab.person("planner").unwrap().comment(P, iid, "/close").unwrap(),
        None
    );
    assert_eq!(gitlab.notes(P, iid).unwrap(), []);
    let refused = gitlab.person("guest").unwrap().comment(P, iid, "/reopen").unwrap_err();
    assert_eq!(refused.status, 400);
}

#[test]
fn texts_notify_and_refer_once() {
    let gitlab = world();
    let one = gitlab.admin().open_issue(P, "One", "", &[]).unwrap();
    let two = gitlab
        .person("planner")
        .unwrap()
        .open_issue(P, "Two", "See #1, @guest, `@owner`, @stranger", &[])
        .unwrap();
    let notified: Vec<_> = gitlab.notified().into_iter().map(|n| n.user).collect();
    assert_eq!(
        notified,
        ["guest"],
        "a stranger cannot see the project, code mentions nobody"
    );
    assert_eq!(gitlab.references().len(), 1);
    assert_eq!(gitlab.system_notes(P, one).unwrap()[0].body, "mentioned in issue #2");
    gitlab
        .person("planner")
        .unwrap()
        .describe_issue(P, two, "See #1, @guest and @owner")
        .unwrap();
    assert_eq!(gitlab.notified().last().unwrap().user, "owner");
    assert_eq!(gitlab.notified().len(), 2);
    assert_eq!(gitlab.references().len(), 1);
    gitlab
        .person("planner")
        .unwrap()
        .comment(P, two, "> @guest said @g")
        .unwrap();
    let quoted = gitlab.notified();
    assert!(quoted[2].quoted);
    assert!(quoted.len() > 6, "a group's name notifies its members");
}

// ------------------------------------------------------------------ code

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

// ------------------------------------------------------------------ merge requests

fn proposed(gitlab: &Sandbox, branch: &str, text: &str) -> u64 {
    let dev = gitlab.person("developer").unwrap();
    dev.create_branch(P, branch, "main").unwrap();
    dev.push_file(P, branch, "README.md", text).unwrap();
    dev.open_merge_request(P, branch, branch, "").unwrap()
}

fn detailed(gitlab: &Sandbox, iid: u64) -> String {
    let status = || gitlab.look(&format!("{API}/merge_requests/{iid}")).unwrap()["detailed_merge_status"].clone();
    let _ = (status(), status());
    status().as_str().unwrap().to_owned()
}

#[test]
fn merge_status_says_nothing_at_first_and_then_the_truth() {
    let gitlab = world();
    let one = proposed(&gitlab, "one", "ONE\ntwo\nthree\nfour\nfive\n");
    let far = proposed(&gitlab, "far", "one\ntwo\nthree\nfour\nFIVE\n");
    let near = proposed(&gitlab, "near", "other\ntwo\nthree\nfour\nfive\n");
    assert_eq!(gitlab.merge_request(P, one).unwrap().detailed_merge_status, "preparing");
    assert_eq!(
        [one, far, near].map(|m| detailed(&gitlab, m)),
        ["mergeable", "mergeable", "mergeable"]
    );
    gitlab.person("maintainer").unwrap().merge(P, one).unwrap();
    assert!(
        !gitlab.merge_request(P, near).unwrap().has_conflicts,
        "not looked at again yet"
    );
    assert_eq!(
        [one, far, near].map(|m| detailed(&gitlab, m)),
        ["not_open", "mergeable", "conflict"]
    );
    gitlab.person("maintainer").unwrap().merge(P, far).unwrap();
    assert_eq!(
        gitlab.text(P, "main", "README.md").unwrap(),
        "ONE\ntwo\nthree\nfour\nFIVE\n"
    );
    assert_eq!(
        gitlab.person("maintainer").unwrap().merge(P, near).unwrap_err().status,
        422
    );
}

#[test]
fn merging_needs_the_right_the_head_and_no_draft() {
    let gitlab = world();
    let iid = proposed(&gitlab, "one", "1\n");
    let merge = |name: &str, body: Value| {
        gitlab
            .as_user(name)
            .api("PUT", &format!("{API}/merge_requests/{iid}/merge"), body)
    };
    assert_eq!(status(&merge("developer", json!({}))), 401);
    assert_eq!(status(&merge("maintainer", json!({"sha": "0".repeat(40)}))), 409);
    let rename = |title: &str| {
        gitlab
            .person("developer")
            .unwrap()
            .edit_merge_request(P, iid, json!({"title": title}))
            .unwrap();
    };
    rename("Draft: one");
    assert_eq!(status(&merge("maintainer", json!({}))), 405);
    rename("one");
    assert_eq!(status(&merge("maintainer", json!({}))), 200);
    assert_eq!(status(&merge("maintainer", json!({}))), 405);
    let merged = gitlab.look(&format!("{API}/merge_requests/{iid}")).unwrap();
    assert_eq!(merged["merge_user"]["username"], "maintainer");
    assert!(merged["merge_commit_sha"].is_string());
    assert_eq!(gitlab.branches(P), ["main"], "the source branch goes with the merge");
}

#[test]
fn protections_say_who_pushes_merges_and_rewrites() {
    let gitlab = world();
    let protect = |name: &str, push: u64, merge: u64| {
        let body = json!({"name": name, "push_access_level": push, "merge_access_level": merge});
        gitlab
            .admin()
            .api("POST", &format!("{API}/protected_branches"), body)
            .unwrap();
    };
    gitlab.admin().create_branch(P, "release", "main").unwrap();
    protect("release", 0, 40);
    let action = json!({"action": "create", "file_path": "c", "content": "x"});
    let commit = |name: &str, more: Value| {
        let mut body = json!({"branch": "release", "commit_message": "m", "actions": [action]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        gitlab
            .as_user(name)
            .api("POST", &format!("{API}/repository/commits"), body)
    };
    assert_eq!(status(&commit("owner", json!({}))), 403, "nobody may push");
    let dev = gitlab.person("developer").unwrap();
    dev.create_branch(P, "x", "main").unwrap();
    dev.push_file(P, "x", "x.md", "x").unwrap();
    let body = json!({"source_branch": "x", "target_branch": "release", "title": "x"});
    let iid = dev.api("POST", &format!("{API}/merge_requests"), body).unwrap()["iid"]
        .as_u64()
        .unwrap();
    assert_eq!(dev.merge(P, iid).unwrap_err().status, 401);
    gitlab.person("maintainer").unwrap().merge(P, iid).unwrap();
    gitlab
        .admin()
        .api("DELETE", &format!("{API}/protected_branches/release"), json!({}))
        .unwrap();
    protect("release", 40, 40);
    let refused = commit("owner", json!({"start_branch": "main", "force": true})).unwrap_err();
    assert!(
        refused.body["message"]
            .as_str()
            .unwrap()
            .starts_with("You are not allowed to force push")
    );
    let path = format!("{API}/protected_branches/release");
    gitlab
        .admin()
        .api("PATCH", &path, json!({"allow_force_push": true}))
        .unwrap();
    commit("owner", json!({"start_branch": "main", "force": true})).unwrap();
}

#[test]
fn closing_words_work_on_the_default_branch_and_with_the_mergers_rights() {
    let gitlab = world();
    gitlab.add_project("other/q").unwrap();
    let here = gitlab.admin().open_issue(P, "here", "", &[]).unwrap();
    gitlab.admin().open_issue("other/q", "there", "", &[]).unwrap();
    let iid = proposed(&gitlab, "one", "1\n");
    let text = format!("Closes #{here} and other/q#1");
    gitlab
        .person("developer")
        .unwrap()
        .edit_merge_request(P, iid, json!({"description": text}))
        .unwrap();
    gitlab.person("maintainer").unwrap().merge(P, iid).unwrap();
    assert_eq!(gitlab.issue(P, here).unwrap().state, "closed");
    assert_eq!(
        gitlab.issue("other/q", 1).unwrap().state,
        "opened",
        "the merger cannot see that project"
    );
    assert_eq!(gitlab.auto_closed().len(), 1);
    let next = gitlab.admin().open_issue(P, "next", "", &[]).unwrap();
    gitlab
        .admin()
        .push(
            P,
            "main",
            &[Change::Create("z".to_owned(), vec![])],
            &format!("Fixes #{next}"),
        )
        .unwrap();
    assert_eq!(gitlab.issue(P, next).unwrap().state, "closed");
}

#[test]
fn squash_and_fast_forward_make_straight_histories() {
    for (method, squash, commits) in [
        ("merge", false, 4),
        ("merge", true, 4),
        ("ff", false, 3),
        ("ff", true, 2),
    ] {
        let gitlab = world();
        gitlab.admin().edit_project(P, json!({"merge_method": method})).unwrap();
        let iid = proposed(&gitlab, "one", "1\n");
        gitlab
            .person("developer")
            .unwrap()
            .push_file(P, "one", "README.md", "2\n")
            .unwrap();
        let body = json!({"squash": squash});
        gitlab
            .as_user("maintainer")
            .api("PUT", &format!("{API}/merge_requests/{iid}/merge"), body)
            .unwrap();
        let merged = gitlab.look(&format!("{API}/merge_requests/{iid}")).unwrap();
        assert_eq!(merged["merge_commit_sha"].is_null(), method == "ff");
        assert_eq!(merged["squash_commit_sha"].is_null(), !squash);
        let got = gitlab.commits(P, "main").unwrap().len();
        assert_eq!(
            got,
            if squash && method == "merge" { 3 } else { commits },
            "{method} {squash}"
        );
        assert_eq!(gitlab.text(P, "main", "README.md").unwrap(), "2\n");
    }
}

#[test]
fn a_rebase_replays_or_says_why_not() {
    let gitlab = world();
    let far = proposed(&gitlab, "far", "one\ntwo\nthree\nfour\nFIVE\n");
    let near = proposed(&gitlab, "near", "other\ntwo\nthree\nfour\nfive\n");
    gitlab
        .person("maintainer")
        .unwrap()
        .push_file(P, "main", "README.md", "ONE\ntwo\nthree\nfour\nfive\n")
        .unwrap();
    for iid in [far, near] {
        gitlab
            .as_user("developer")
            .api("PUT", &format!("{API}/merge_requests/{iid}/rebase"), json!({}))
            .unwrap();
    }
    assert_eq!(
        gitlab.text(P, "far", "README.md").unwrap(),
        "ONE\ntwo\nthree\nfour\nFIVE\n"
    );
    let error = gitlab
        .look(&format!("{API}/merge_requests/{near}?include_rebase_in_progress=true"))
        .unwrap();
    assert!(error["merge_error"].as_str().unwrap().starts_with("Rebase failed"));
    assert_eq!(error["rebase_in_progress"], false);
}

// ------------------------------------------------------------------ projects, members, time

#[test]
fn project_creation_is_refused_in_gitlabs_words() {
    let gitlab = world();
    let group = gitlab.look("/groups/g").unwrap()["id"].clone();
    let create = |name: &str, fields: Value| {
        let mut body = json!({"namespace_id": group});
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        gitlab
            .as_user(name)
            .api("POST", "/projects", body)
            .map_err(|r| (r.status, r.body))
    };
    let taken = json!(["has already been taken"]);
    let both = json!({"message": {"project_namespace.name": taken, "project_namespace.path": taken, "name": taken, "path": taken}});
    assert_eq!(
        create("owner", json!({"name": "P", "path": "P"})).unwrap_err(),
        (400, both)
    );
    let path = json!({"message": {"project_namespace.path": taken, "path": taken}});
    assert_eq!(
        create("owner", json!({"name": "Q", "path": "p"})).unwrap_err(),
        (400, path)
    );
    let namespace = json!({"message": {"namespace": ["is not valid"]}});
    assert_eq!(create("reporter", json!({"name": "Q"})).unwrap_err(), (400, namespace));
    let wide = json!({"message": {"visibility_level": ["public is not allowed in a private group."]}});
    assert_eq!(
        create("owner", json!({"name": "Q", "visibility": "public"})).unwrap_err(),
        (400, wide)
    );
    let odd = json!({"error": "visibility does not have a valid value"});
    assert_eq!(
        create("owner", json!({"name": "Q", "visibility": "secret"})).unwrap_err(),
        (400, odd)
    );
    assert_eq!(
        create("developer", json!({"name": "Q and more"})).unwrap()["path"],
        "q-and-more"
    );
}

#[test]
fn deletion_renames_frees_the_path_and_comes_true_later() {
    let gitlab = world();
    let id = gitlab.project(P).unwrap().id;
    gitlab.admin().delete_project(P).unwrap();
    let marked = gitlab.look(&format!("/projects/{id}")).unwrap();
    assert_eq!(marked["path"], format!("p-deletion_scheduled-{id}"));
    assert_eq!(marked["marked_for_deletion_on"], "2026-03-05");
    assert!(
        gitlab.projects("g").unwrap().iter().any(|p| p.id == id),
        "it is still listed"
    );
    gitlab.add_project(P).unwrap();
    assert_eq!(
        gitlab
            .admin()
            .api("DELETE", &format!("/projects/{id}"), json!({}))
            .unwrap_err()
            .status,
        400
    );
    gitlab
        .admin()
        .api("POST", &format!("/projects/{id}/restore"), json!({}))
        .unwrap();
    let restored = gitlab.look(&format!("/projects/{id}")).unwrap();
    assert_ne!(restored["path"], "p", "the old path has another owner now");
    gitlab
        .admin()
        .api("DELETE", &format!("/projects/{id}"), json!({}))
        .unwrap();
    gitlab.advance(SignedDuration::from_hours(24 * 31));
    assert_eq!(gitlab.look(&format!("/projects/{id}")).unwrap_err().status, 404);
}

#[test]
fn archived_projects_take_no_change() {
    let gitlab = world();
    let iid = gitlab.admin().open_issue(P, "x", "", &[]).unwrap();
    gitlab.admin().archive_project(P).unwrap();
    let dev = gitlab.person("owner").unwrap();
    let refusals = [
        dev.open_issue(P, "y", "", &[]).unwrap_err(),
        dev.comment(P, iid, "y").unwrap_err(),
        dev.close_issue(P, iid).unwrap_err(),
        dev.push_file(P, "main", "b.md", "y").unwrap_err(),
        dev.create_label(P, "y", "red").unwrap_err(),
    ];
    assert_eq!(refusals.map(|r| r.status), [403; 5]);
    assert!(gitlab.project(P).unwrap().archived);
}

#[test]
fn members_inherit_cannot_sink_and_the_last_owner_stays() {
    let gitlab = world();
    let admin = gitlab.admin();
    assert_eq!(
        admin.add_member(P, "developer", Role::Developer).map_err(|r| r.status),
        Ok(())
    );
    assert_eq!(
        admin.add_member(P, "developer", Role::Maintainer).unwrap_err().status,
        409
    );
    let lower = admin.add_member(P, "maintainer", Role::Guest).unwrap_err();
    assert_eq!(
        lower.body["message"]["access_level"][0],
        "should be greater than or equal to Maintainer inherited membership from group G"
    );
    assert_eq!(
        admin.remove_member(P, "owner").unwrap_err().status,
        404,
        "inherited, not direct"
    );
    admin.remove_member("g", "owner2").unwrap();
    assert_eq!(
        gitlab
            .person("owner")
            .unwrap()
            .remove_member("g", "owner")
            .unwrap_err()
            .status,
        403
    );
    let maintainer = gitlab.person("maintainer").unwrap();
    assert_eq!(
        maintainer.add_member(P, "stranger", Role::Owner).unwrap_err().status,
        403
    );
    maintainer.add_member(P, "stranger", Role::Developer).unwrap();
    let all = gitlab.look(&format!("{API}/members/all?per_page=100")).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 7);
}

#[test]
fn tokens_end_are_revoked_and_have_scopes() {
    let gitlab = world();
    let token = gitlab.add_token_with("owner", &["api"], Some("2026-03-06"));
    let reader = gitlab.add_token_with("owner", &["read_api"], None);
    let revoked = gitlab.add_token("owner");
    gitlab.revoke_token(&revoked);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let ask = |token: &str, method: &str| {
        let client = reqwest::Client::builder().build().unwrap();
        let url = format!("{}/api/v4{API}/issues", gitlab.url());
        let request = client
            .request(reqwest::Method::from_bytes(method.as_bytes()).unwrap(), url)
            .bearer_auth(token);
        runtime.block_on(async {
            let answer = request.json(&json!({"title": "x"})).send().await.unwrap();
            let status = answer.status().as_u16();
            (status, answer.json::<Value>().await.unwrap()["error"].clone())
        })
    };
    assert_eq!(ask(&token, "POST").0, 201);
    assert_eq!(ask(&reader, "POST"), (403, json!("insufficient_scope")));
    assert_eq!(ask(&revoked, "POST"), (401, json!("invalid_token")));
    assert_eq!(ask("nonsense", "POST"), (401, Value::Null));
    gitlab.advance(SignedDuration::from_hours(15));
    assert_eq!(ask(&token, "POST"), (401, json!("invalid_token")));
}

#[test]
fn a_new_project_has_no_board_and_two_boards_may_share_a_name() {
    let gitlab = world();
    assert_eq!(gitlab.boards(P).unwrap(), []);
    for _ in 0..2 {
        gitlab
            .admin()
            .api("POST", &format!("{API}/boards"), json!({"name": "Same"}))
            .unwrap();
    }
    assert_eq!(gitlab.boards(P).unwrap().len(), 2);
}
