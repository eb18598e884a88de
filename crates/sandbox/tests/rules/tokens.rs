//! Access tokens: how they end, what they may, how they follow each other; those of groups bring a bot along.

use gitlab_sandbox::{Role, Sandbox};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::world::{API, world};

/// One call with a token, without a socket: status and body.
fn ask(gitlab: &Sandbox, token: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let request = http::Request::builder()
        .method(method)
        .uri(format!("/api/v4{path}"))
        .header("Authorization", format!("Bearer {token}"))
        .header("Content-Type", "application/json");
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let answer = gitlab
        .exchange(request.body(body.into()).unwrap())
        .received
        .whole()
        .unwrap();
    let body = serde_json::from_slice(answer.body()).unwrap_or_default();
    (answer.status().as_u16(), body)
}

fn opens(gitlab: &Sandbox, token: &str) -> (u16, Value) {
    let (status, body) = ask(gitlab, token, "POST", &format!("{API}/issues"), &json!({"title": "x"}));
    (status, body["error"].clone())
}

#[test]
fn tokens_end_are_revoked_and_have_scopes() {
    let gitlab = world();
    let token = gitlab.add_token_with("owner", &["api"], Some("2026-03-06"));
    let reader = gitlab.add_token_with("owner", &["read_api"], None);
    let revoked = gitlab.add_token("owner");
    gitlab.revoke_token(&revoked);
    assert_eq!(opens(&gitlab, &token).0, 201);
    assert_eq!(opens(&gitlab, &reader), (403, json!("insufficient_scope")));
    assert_eq!(opens(&gitlab, &revoked), (401, json!("invalid_token")));
    assert_eq!(opens(&gitlab, "nonsense"), (401, Value::Null));
    gitlab.advance(SignedDuration::from_hours(15));
    assert_eq!(opens(&gitlab, &token), (401, json!("invalid_token")));
}

#[test]
fn a_rotated_token_ends_at_once_and_its_copy_betrays_the_family() {
    let gitlab = world();
    let first = gitlab.add_token("owner");
    let rotate = |token: &str| {
        ask(
            &gitlab,
            token,
            "POST",
            "/personal_access_tokens/self/rotate",
            &Value::Null,
        )
    };
    let (status, second) = rotate(&first);
    assert_eq!((status, &second["expires_at"]), (200, &json!("2026-03-12")));
    let second = second["token"].as_str().unwrap().to_owned();
    assert_eq!(opens(&gitlab, &first).0, 401);
    assert_eq!(opens(&gitlab, &second).0, 201);
    let (_, third) = rotate(&second);
    let third = third["token"].as_str().unwrap().to_owned();
    assert_eq!(opens(&gitlab, &third).0, 201);
    // Somebody who holds a copy of the first one tries the same.
    assert_eq!(rotate(&first).0, 401);
    assert_eq!(opens(&gitlab, &third), (401, json!("invalid_token")));
}

#[test]
fn tokens_are_found_rotated_and_revoked_by_number_and_only_by_their_owners() {
    let gitlab = world();
    let (mine, other) = (gitlab.add_token("owner"), gitlab.add_token("guest"));
    let (_, own) = ask(&gitlab, &other, "GET", "/personal_access_tokens/self", &Value::Null);
    let path = format!("/personal_access_tokens/{}", own["id"]);
    assert_eq!(ask(&gitlab, &mine, "GET", &path, &Value::Null).0, 404);
    assert_eq!(ask(&gitlab, &other, "GET", &path, &Value::Null).0, 200);
    let (status, next) = ask(
        &gitlab,
        &other,
        "POST",
        &format!("{path}/rotate"),
        &json!({"expires_at": "2026-06-01"}),
    );
    assert_eq!((status, &next["expires_at"]), (200, &json!("2026-06-01")));
    let next = next["token"].as_str().unwrap();
    let too_long = json!({"expires_at": "2027-06-01"});
    assert_eq!(
        ask(&gitlab, next, "POST", "/personal_access_tokens/self/rotate", &too_long).0,
        400
    );
    let (_, listed) = ask(
        &gitlab,
        next,
        "GET",
        "/personal_access_tokens?state=active",
        &Value::Null,
    );
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(
        ask(&gitlab, next, "DELETE", "/personal_access_tokens/self", &Value::Null).0,
        204
    );
    assert_eq!(ask(&gitlab, next, "GET", "/user", &Value::Null).0, 401);
}

#[test]
fn a_groups_token_brings_a_bot_that_makes_no_further_tokens() {
    let gitlab = world();
    let owner = gitlab.add_token("owner");
    let new = json!({"name": "helper", "scopes": ["api"], "access_level": 30, "expires_at": "2026-03-10"});
    let (status, made) = ask(&gitlab, &owner, "POST", "/groups/g/access_tokens", &new);
    assert_eq!(status, 201, "{made}");
    let token = made["token"].as_str().unwrap();
    let (_, bot) = ask(&gitlab, token, "GET", "/user", &Value::Null);
    assert!(bot["username"].as_str().unwrap().starts_with("group_"), "{bot}");
    assert_eq!(bot["bot"], true);
    assert_eq!(opens(&gitlab, token).0, 201);
    assert_eq!(
        ask(&gitlab, token, "GET", "/groups/g/access_tokens", &Value::Null).0,
        401
    );
    let maintainer = gitlab.add_token("maintainer");
    assert_eq!(
        ask(&gitlab, &maintainer, "POST", "/groups/g/access_tokens", &new).0,
        401
    );
    let as_owner = json!({"name": "x", "scopes": ["api"], "access_level": 50});
    let on_project = format!("{API}/access_tokens");
    assert_eq!(ask(&gitlab, &maintainer, "POST", &on_project, &as_owner).0, 400);
    assert_eq!(
        ask(
            &gitlab,
            &owner,
            "POST",
            &on_project,
            &json!({"name": "x", "scopes": ["all"]})
        )
        .0,
        400
    );
    let path = format!("/groups/g/access_tokens/{}", made["id"]);
    assert_eq!(ask(&gitlab, &owner, "DELETE", &path, &Value::Null).0, 204);
    assert_eq!(opens(&gitlab, token).0, 401);
    let members = gitlab.members("g").unwrap();
    assert!(members.iter().all(|m| !m.username.contains("_bot_")));
}

#[test]
fn a_hook_hears_a_week_before_a_groups_token_ends() {
    let gitlab = world();
    let hook = json!({"url": "http://127.0.0.1:9/", "push_events": false, "resource_access_token_events": true});
    gitlab.admin().api("POST", "/groups/g/hooks", hook).unwrap();
    let new = json!({"name": "helper", "scopes": ["api"], "expires_at": "2026-03-20"});
    gitlab.admin().api("POST", "/groups/g/access_tokens", new).unwrap();
    gitlab.advance(SignedDuration::from_hours(24 * 7));
    assert_eq!(gitlab.take_deliveries().len(), 0);
    gitlab.advance(SignedDuration::from_hours(24));
    gitlab.advance(SignedDuration::from_hours(24));
    let sent = gitlab.take_deliveries();
    assert_eq!(sent.len(), 1, "said once");
    let body: Value = serde_json::from_str(&sent[0].body).unwrap();
    assert_eq!(body["event_name"], "expiring_access_token");
    assert_eq!(body["object_attributes"]["expires_at"], "2026-03-20");
    gitlab.add_member("g", "new", Role::Guest).unwrap();
}
