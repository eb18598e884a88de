//! People around projects: who asks, who is invited, what they like, what they did.

use gitlab_sandbox::Role;
use serde_json::{Value, json};

use crate::world::{API, P, status, world};

#[test]
fn who_asks_for_access_waits_until_a_manager_decides() {
    let gitlab = world();
    let asker = gitlab.as_user("asker");
    gitlab.add_group_with("open", "public").unwrap();
    gitlab.add_member("open", "owner", Role::Owner).unwrap();
    let hook = json!({"url": "http://127.0.0.1:9/", "push_events": false, "member_events": true});
    gitlab.admin().api("POST", "/groups/open/hooks", hook).unwrap();
    let path = "/groups/open/access_requests";
    asker.api("POST", path, json!({})).unwrap();
    assert_eq!(status(&asker.api("POST", path, json!({}))), 400, "once is enough");
    assert_eq!(status(&asker.api("GET", path, json!({}))), 403);
    let owner = gitlab.person("owner").unwrap();
    let waiting = owner.api("GET", path, json!({})).unwrap();
    assert_eq!(waiting[0]["username"], "asker");
    let one = format!("{path}/{}", asker.id());
    owner.api("DELETE", &one, json!({})).unwrap();
    asker.api("POST", path, json!({})).unwrap();
    owner
        .api("PUT", &format!("{one}/approve"), json!({"access_level": 20}))
        .unwrap();
    let names: Vec<Value> = gitlab
        .take_deliveries()
        .iter()
        .map(|d| serde_json::from_str::<Value>(&d.body).unwrap()["event_name"].clone())
        .collect();
    assert_eq!(
        names,
        [
            "user_access_request_to_group",
            "user_access_request_denied_for_group",
            "user_access_request_to_group",
            "user_add_to_group",
        ]
    );
    assert_eq!(gitlab.members("open").unwrap().last().unwrap().access_level, 20);
}

#[test]
fn an_invitation_answers_201_and_is_listed_changed_and_withdrawn() {
    let gitlab = world();
    let maintainer = gitlab.person("maintainer").unwrap();
    let path = format!("{API}/invitations");
    let mail = json!({"email": "new@example.org,guest@example.com", "access_level": 20});
    let answer = maintainer.api("POST", &path, mail).unwrap();
    // The second address belongs to a Guest of the group above, who becomes a Reporter here.
    assert_eq!(answer, json!({"status": "success"}));
    let again = maintainer
        .api("POST", &path, json!({"email": "new@example.org", "access_level": 20}))
        .unwrap();
    assert_eq!(again["status"], "error");
    let one = format!("{path}/new%40example.org");
    maintainer.api("PUT", &one, json!({"access_level": 30})).unwrap();
    let listed = maintainer.api("GET", &path, json!({})).unwrap();
    assert_eq!(
        (&listed[0]["invite_email"], &listed[0]["access_level"]),
        (&json!("new@example.org"), &json!(30))
    );
    maintainer.api("DELETE", &one, json!({})).unwrap();
    assert_eq!(maintainer.api("GET", &path, json!({})).unwrap(), json!([]));
    let above = json!({"email": "x@example.org", "access_level": 50});
    assert_eq!(status(&maintainer.api("POST", &path, above)), 403);
}

#[test]
fn everybody_gives_each_emoji_once_and_takes_only_their_own() {
    let gitlab = world();
    let (alice, bob) = (gitlab.person("guest").unwrap(), gitlab.person("planner").unwrap());
    let issue = alice.open_issue(P, "One", "", &[]).unwrap();
    let path = format!("{API}/issues/{issue}/award_emoji");
    let given = alice.api("POST", &path, json!({"name": "thumbsup"})).unwrap();
    assert_eq!(status(&alice.api("POST", &path, json!({"name": "thumbsup"}))), 404);
    bob.api("POST", &path, json!({"name": "thumbsup"})).unwrap();
    let shown = gitlab.look(&format!("{API}/issues/{issue}")).unwrap();
    assert_eq!((&shown["upvotes"], &shown["downvotes"]), (&json!(2), &json!(0)));
    let one = format!("{path}/{}", given["id"]);
    assert_eq!(status(&bob.api("DELETE", &one, json!({}))), 401);
    alice.api("DELETE", &one, json!({})).unwrap();
    assert_eq!(gitlab.look(&path).unwrap().as_array().unwrap().len(), 1);
}

#[test]
fn events_tell_what_people_did_to_those_who_may_see_it() {
    let gitlab = world();
    let (dev, guest) = (gitlab.person("developer").unwrap(), gitlab.person("guest").unwrap());
    let issue = dev.open_issue(P, "One", "", &[]).unwrap();
    dev.comment(P, issue, "hello").unwrap();
    dev.close_issue(P, issue).unwrap();
    dev.create_branch(P, "y", "main").unwrap();
    let actions = |events: &Value| -> Vec<String> {
        let rows = events.as_array().unwrap().iter();
        rows.map(|e| e["action_name"].as_str().unwrap().to_owned()).collect()
    };
    let mine = dev.api("GET", "/events?sort=asc", json!({})).unwrap();
    assert_eq!(actions(&mine), ["opened", "commented on", "closed", "pushed new"]);
    assert_eq!(mine[1]["note"]["body"], "hello");
    let filtered = dev.api("GET", "/events?action=closed", json!({})).unwrap();
    assert_eq!(actions(&filtered), ["closed"]);
    let seen = guest
        .api("GET", &format!("/users/{}/events", dev.id()), json!({}))
        .unwrap();
    assert!(
        !actions(&seen).contains(&"pushed new".to_owned()),
        "a Guest sees no code"
    );
    let stranger = gitlab.as_user("stranger");
    assert_eq!(
        stranger
            .api("GET", &format!("/users/{}/events", dev.id()), json!({}))
            .unwrap(),
        json!([])
    );
}

#[test]
fn replies_stand_in_the_thread_they_answer() {
    let gitlab = world();
    let guest = gitlab.person("guest").unwrap();
    let issue = guest.open_issue(P, "One", "", &[]).unwrap();
    let path = format!("{API}/issues/{issue}/discussions");
    guest.comment(P, issue, "alone").unwrap();
    let thread = guest.api("POST", &path, json!({"body": "begins"})).unwrap();
    let reply = format!("{path}/{}/notes", thread["id"].as_str().unwrap());
    guest.api("POST", &reply, json!({"body": "goes on"})).unwrap();
    assert_eq!(
        status(&guest.api("POST", &format!("{path}/none/notes"), json!({"body": "x"}))),
        404
    );
    let all = gitlab.look(&path).unwrap();
    let sizes: Vec<(usize, bool)> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|t| (t["notes"].as_array().unwrap().len(), t["individual_note"] == true))
        .collect();
    assert_eq!(sizes, [(1, true), (2, false)]);
}

#[test]
fn a_group_moves_with_everything_below_it_and_not_into_itself() {
    let gitlab = world();
    gitlab.add_group("g/sub").unwrap();
    gitlab.add_group("house").unwrap();
    gitlab.add_member("house", "owner", Role::Owner).unwrap();
    let owner = gitlab.person("owner").unwrap();
    let move_to = |target: Value| owner.api("POST", "/groups/g/transfer", json!({"group_id": target}));
    let id = |path: &str| gitlab.look(&format!("/groups/{path}")).unwrap()["id"].clone();
    assert_eq!(status(&move_to(id("g%2Fsub"))), 400);
    move_to(id("house")).unwrap();
    assert_eq!(gitlab.project("house/g/p").unwrap().path_with_namespace, "house/g/p");
    assert_eq!(
        gitlab
            .look("/groups/house/descendant_groups")
            .unwrap()
            .as_array()
            .unwrap()
            .len(),
        2
    );
    owner.api("POST", "/groups/house/archive", json!({})).unwrap();
    let issue = json!({"title": "x"});
    assert_eq!(status(&owner.api("POST", "/projects/house%2Fg%2Fp/issues", issue)), 403);
}

#[test]
fn a_blocked_account_is_kept_out_until_it_is_let_in() {
    let gitlab = world();
    let token = gitlab.add_token("guest");
    let id = gitlab.person("guest").unwrap().id();
    let ask = || {
        let request = http::Request::get("/api/v4/user").header("PRIVATE-TOKEN", &token);
        let answer = gitlab.exchange(request.body(Vec::new().into()).unwrap());
        answer.received.whole().unwrap().status().as_u16()
    };
    let owner = gitlab.person("owner").unwrap();
    assert_eq!(
        status(&owner.api("POST", &format!("/users/{id}/block"), json!({}))),
        403
    );
    gitlab
        .admin()
        .api("POST", &format!("/users/{id}/block"), json!({}))
        .unwrap();
    assert_eq!(ask(), 403);
    assert_eq!(gitlab.look("/users?username=guest").unwrap()[0]["state"], "blocked");
    gitlab
        .admin()
        .api("POST", &format!("/users/{id}/unblock"), json!({}))
        .unwrap();
    assert_eq!(ask(), 200);
}
