//! Deliveries as GitLab sends them, cut down to what is read, and damaged ones.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::ids::AccessLevel;
use crate::program::{ApprovalPolicy, Handbook, Visibility};
use crate::thing::ProgramName;

fn program(name: &str, group: &str, intake: &str, handbook: Option<(&str, Option<&str>)>) -> Program {
    Program {
        name: ProgramName::new(name).unwrap(),
        group: group.to_owned(),
        intake: intake.to_owned(),
        approval: ApprovalPolicy::default(),
        approvers: Vec::new(),
        visibility: Visibility::default(),
        chat_prefix: "cp_".to_owned(),
        member_level: AccessLevel::DEVELOPER,
        handbooks: handbook
            .into_iter()
            .map(|(project, branch)| Handbook {
                branch: branch.map(str::to_owned),
                ..Handbook::new(project, "page.md", "Communities")
            })
            .collect(),
    }
}

fn programs() -> Vec<Program> {
    vec![
        program(
            "cop",
            "org/communities",
            "org/communities/intake",
            Some(("org/handbook", Some("main"))),
        ),
        program(
            "guilds",
            "org/guilds",
            "org/guilds/intake",
            Some(("org/handbook", None)),
        ),
    ]
}

fn heard(body: &Value) -> Heard {
    things(Some("Issue Hook"), body.to_string().as_bytes(), &programs())
}

/// The things' keys, or the reason why there are none.
fn check(body: &Value, expected: &[&str]) {
    let heard = heard(body);
    let keys: Vec<String> = heard.things.iter().map(ToString::to_string).collect();
    assert_eq!(keys, expected, "{body} {heard:?}");
    assert_eq!(heard.reason.is_some(), expected.is_empty(), "{heard:?}");
    assert!(heard.is_understood, "{heard:?}");
}

/// The same for what does not say enough, and why not.
fn check_unclear(body: &Value, expected: &[&str]) {
    let heard = heard(body);
    let keys: Vec<String> = heard.things.iter().map(ToString::to_string).collect();
    assert_eq!(keys, expected, "{body} {heard:?}");
    assert!(heard.reason.is_some() && !heard.is_understood, "{heard:?}");
}

fn project(path: &str) -> Value {
    json!({"id": 7, "path_with_namespace": path, "default_branch": "trunk"})
}

#[test]
fn an_issue_of_the_intake_is_a_proposal() {
    for kind in ["issue", "work_item"] {
        for kind_of_item in [json!("Issue"), Value::Null] {
            let body = json!({
                "object_kind": kind, "event_type": "confidential_issue", "project": project("Org/Communities/INTAKE"),
                "object_attributes": {"iid": 12, "type": kind_of_item},
            });
            check(&body, &["proposal cop#12"]);
        }
    }
}

#[test]
fn a_task_is_no_proposal() {
    let body = json!({
        "object_kind": "work_item", "project": project("org/communities/intake"),
        "object_attributes": {"iid": 12, "type": "Task"},
    });
    check(&body, &[]);
    assert_eq!(heard(&body).reason, Some("a work item of another type is no proposal"));
    // A group's own has no project, and is understood all the same: its body is not kept.
    let body = json!({"object_kind": "work_item", "object_attributes": {"iid": 12, "type": "Epic"}});
    check(&body, &[]);
    assert!(heard(&body).is_understood);
    let body = json!({"object_kind": "work_item", "object_attributes": {"iid": 12, "type": "Issue"}});
    assert!(!heard(&body).is_understood);
}

#[test]
fn a_comment_on_an_issue_of_the_intake_is_about_the_proposal() {
    let note = |about: &str| {
        json!({
            "object_kind": "note", "project": project("org/guilds/intake"), "object_attributes": {"id": 1, "noteable_id": 9},
            about: {"iid": 3},
        })
    };
    check(&note("issue"), &["proposal guilds#3"]);
    check(&note("merge_request"), &[]);
    check(&note("commit"), &[]);
}

#[test]
fn what_happens_in_a_communitys_project_is_about_the_community() {
    for kind in ["issue", "note", "push", "merge_request", "tag_push", "work_item"] {
        let body = json!({"object_kind": kind, "project": project("org/communities/rust"), "issue": {"iid": 1}});
        check(&body, &["community cop/7"]);
    }
    check(
        &json!({"event_name": "push", "project_id": 8, "project": {"path_with_namespace": "org/guilds/rust"}}),
        &["community guilds/8"],
    );
    check(
        &json!({"event_name": "user_add_to_team", "project_id": 8, "project_path_with_namespace": "org/guilds/rust"}),
        &["community guilds/8"],
    );
}

#[test]
fn the_intake_is_no_community() {
    for kind in ["push", "merge_request"] {
        check(
            &json!({"object_kind": kind, "project": project("org/communities/intake"), "ref": "refs/heads/main"}),
            &[],
        );
    }
}

#[test]
fn a_project_deeper_inside_the_group_is_no_community() {
    for path in [
        "org/communities/sub/rust",
        "org/communities",
        "org/communitiesx/rust",
        "rust",
        "other/org/communities/rust",
    ] {
        check(&json!({"object_kind": "push", "project": project(path)}), &[]);
    }
}

#[test]
fn a_push_to_the_handbook_counts_on_its_branch_and_on_ours() {
    let push = |branch: &str| json!({"object_kind": "push", "project": project("org/handbook"), "ref": format!("refs/heads/{branch}")});
    check(&push("main"), &["handbook cop"]);
    check(&push("trunk"), &["handbook guilds"]);
    check(&push("convenor/rust"), &["handbook cop", "handbook guilds"]);
    check(&push("other"), &[]);
    check(
        &json!({"event_name": "repository_update", "project": project("org/handbook"), "refs": ["refs/heads/x", "refs/heads/main"]}),
        &["handbook cop"],
    );
}

#[test]
fn merge_requests_of_the_handbook_and_comments_on_them_are_about_the_page() {
    check(
        &json!({"object_kind": "merge_request", "project": project("org/handbook"), "object_attributes": {"iid": 4}}),
        &["handbook cop", "handbook guilds"],
    );
    check(
        &json!({"object_kind": "note", "project": project("org/handbook"), "merge_request": {"iid": 4}}),
        &["handbook cop", "handbook guilds"],
    );
    check(
        &json!({"object_kind": "issue", "project": project("org/handbook"), "object_attributes": {"iid": 4}}),
        &[],
    );
}

#[test]
fn projects_that_come_go_or_move_are_looked_at() {
    let event = |name: &str, path: &str, old: Option<&str>| json!({"event_name": name, "project_id": 8, "path_with_namespace": path, "old_path_with_namespace": old});
    check(
        &event("project_create", "org/guilds/rust", None),
        &["community guilds/8"],
    );
    check(
        &event("project_destroy", "org/guilds/rust-deletion_scheduled-8", None),
        &["community guilds/8"],
    );
    check(
        &event("project_transfer", "elsewhere/rust", Some("org/guilds/rust")),
        &["community guilds/8"],
    );
    check(
        &event("project_transfer", "org/guilds/rust", Some("org/communities/rust")),
        &["community cop/8", "community guilds/8"],
    );
    check(
        &event("project_rename", "org/guilds/intake-old", Some("org/guilds/intake")),
        &["program guilds"],
    );
    check(&event("project_update", "elsewhere/rust", None), &[]);
}

#[test]
fn members_of_the_group_and_of_those_above_concern_the_program() {
    let event = |path: &str| json!({"event_name": "user_add_to_group", "group_id": 1, "group_path": path});
    check(&event("guilds"), &["program guilds"]);
    check(&event("org"), &["program cop", "program guilds"]);
    check(&event("org/communities"), &["program cop"]);
    check(&event("others"), &[]);
}

#[test]
fn a_group_that_moves_or_goes_concerns_its_programs() {
    let event =
        |full: &str, old: Option<&str>| json!({"event_name": "group_rename", "full_path": full, "old_full_path": old});
    check(&event("org/guilds2", Some("org/guilds")), &["program guilds"]);
    check(&event("org2", Some("ORG")), &["program cop", "program guilds"]);
    check(&event("org/guilds/sub", None), &[]);
    check(&event("or", None), &[]);
}

#[test]
fn a_token_that_expires_concerns_the_programs_of_its_group() {
    let body =
        json!({"object_kind": "access_token", "group": {"group_path": "guilds"}, "object_attributes": {"id": 25}});
    check(&body, &["program guilds"]);
    check(
        &json!({"object_kind": "access_token", "project": project("org/communities/rust")}),
        &["program cop"],
    );
}

#[test]
fn other_kinds_are_of_no_interest() {
    for kind in [
        "pipeline",
        "build",
        "emoji",
        "wiki_page",
        "milestone",
        "release",
        "user_create",
        "key_create",
    ] {
        check(
            &json!({"object_kind": kind, "project": project("org/communities/rust")}),
            &[],
        );
    }
}

#[test]
fn what_cannot_be_read_leads_to_a_look_at_everything() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in [
        "",
        "nonsense",
        "[]",
        "{}",
        "{\"object_kind\": 1}",
        "\u{feff}{}",
        "{\"object_kind\":\"issue\"",
        &deep,
    ] {
        let heard = things(None, body.as_bytes(), &programs());
        let keys: Vec<String> = heard.things.iter().map(ToString::to_string).collect();
        assert_eq!(keys, ["program cop", "program guilds"]);
        assert!(heard.reason.is_some() && !heard.is_understood);
    }
    assert_eq!(
        things(Some("Issue\nHook"), b"\xff", &programs()).subject.to_string(),
        "Issue Hook"
    );
}

#[test]
fn an_event_that_names_no_place_leads_to_a_look_at_everything() {
    check_unclear(&json!({"object_kind": "issue"}), &["program cop", "program guilds"]);
    check_unclear(
        &json!({"object_kind": "issue", "project": project("org/guilds/intake")}),
        &["program guilds"],
    );
    check_unclear(
        &json!({"object_kind": "push", "project": {"path_with_namespace": "org/guilds/rust"}}),
        &["program guilds"],
    );
}

#[test]
fn fields_of_another_type_count_as_missing() {
    let body = json!({
        "object_kind": "issue", "event_name": {"a": [1]}, "user": 3, "ref": 5, "project_id": "8", "full_path": [],
        "project": {"id": "7", "path_with_namespace": "org/guilds/intake"}, "object_attributes": {"iid": "12", "type": 4},
    });
    check(&body, &["proposal guilds#12"]);
}

#[test]
fn the_subject_names_kind_place_and_number() {
    let body = json!({
        "object_kind": "note", "project": project("org/communities/intake"), "issue": {"iid": 12}, "object_attributes": {"id": 5},
    });
    assert_eq!(heard(&body).subject.to_string(), "note org/communities/intake#12");
    let body = json!({"object_kind": "push\n\u{1b}[2J", "project": project("x\ny")});
    assert_eq!(heard(&body).subject.to_string(), "push [2J x y");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes, there is an answer: a thing, or a reason.
    #[test]
    fn every_body_has_an_answer(body in proptest::collection::vec(any::<u8>(), 0..200), header in proptest::option::of(".*")) {
        let heard = things(header.as_deref(), &body, &programs());
        prop_assert!(!heard.things.is_empty() || heard.reason.is_some());
    }

    /// A payload that lost fields names the same proposal, or leads to a wider look, never to another thing.
    #[test]
    fn lost_fields_only_widen_the_look(lost in proptest::collection::hash_set(0_usize..5, 0..5)) {
        let mut body = json!({
            "object_kind": "issue", "project": {"id": 7, "path_with_namespace": "org/guilds/intake"},
            "object_attributes": {"iid": 12, "type": "Issue"},
        });
        for field in lost {
            match field {
                0 => body["object_kind"].take(),
                1 => body["project"]["path_with_namespace"].take(),
                2 => body["object_attributes"]["iid"].take(),
                3 => body["object_attributes"]["type"].take(),
                _ => body["project"]["id"].take(),
            };
        }
        let keys: Vec<String> = heard(&body).things.iter().map(ToString::to_string).collect();
        let expected = ["proposal guilds#12", "program guilds"];
        prop_assert!(keys.iter().any(|key| expected.contains(&key.as_str())), "{:?}", keys);
    }
}

/// The collected payloads of many GitLab versions, when they lie beside the workspace.
#[test]
fn collected_payloads_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/gitlab/webhooks");
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("SKIPPED: no collected payloads in {}", folder.display());
        return;
    };
    let everywhere = [program(
        "cop",
        "communities",
        "communities/intake",
        Some(("communities/handbook", None)),
    )];
    let mut seen = 0;
    for file in files {
        let path = file.unwrap().path();
        let heard = things(None, &std::fs::read(&path).unwrap(), &everywhere);
        let unreadable = heard.reason.is_some_and(|reason| reason.contains("everything"));
        assert!(!unreadable, "{}", path.display());
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let keys: Vec<String> = heard.things.iter().map(ToString::to_string).collect();
        if name.starts_with("made_issue_") {
            assert!(
                keys.len() == 1 && keys[0].starts_with("proposal cop#"),
                "{name}: {keys:?}"
            );
        }
        if name == "made_work_item_task_open.json" {
            assert!(keys.is_empty(), "{name}: {keys:?}");
        }
        seen += 1;
    }
    assert!(seen >= 50, "{seen} payloads");
}
