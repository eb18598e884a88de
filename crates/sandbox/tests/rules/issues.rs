//! Issues, labels, notes, and what texts set off.

use gitlab_sandbox::{Config, Role, Sandbox};
use serde_json::json;

use crate::world::{API, P, status, world};

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
