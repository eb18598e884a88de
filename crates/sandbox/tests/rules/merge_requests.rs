//! Merge requests, merging, protections.

use gitlab_sandbox::{Change, Sandbox};
use serde_json::{Value, json};

use crate::world::{API, P, status, world};

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
