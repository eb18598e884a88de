//! Who may call what: every route that a role decides on, against every role.

use std::collections::BTreeSet;

use gitlab_sandbox::{Role, Sandbox};
use serde_json::{Value, json};

use crate::world::{API, EVERYBODY, P, status, world};

/// What a stranger, Guest, Planner, Reporter, Developer, Maintainer and Owner get for a call:
/// `+` it is done, `-` 404, `x` 403, `u` 401, `n` 405, `?` 400, `!` 409 or 422.
const TABLE: &str = include_str!("roles.txt");

/// Routes that ask for no role in a group or project: about oneself, for everybody signed in, or for administrators.
const WITHOUT_ROLE: &[&str] = &[
    "/user",
    "/users",
    "/users/:id",
    "/users/:id/activate",
    "/users/:id/ban",
    "/users/:id/block",
    "/users/:id/deactivate",
    "/users/:id/events",
    "/users/:id/projects",
    "/users/:id/unban",
    "/users/:id/unblock",
    "/personal_access_tokens",
    "/personal_access_tokens/self",
    "/personal_access_tokens/self/rotate",
    "/personal_access_tokens/:id",
    "/personal_access_tokens/:id/rotate",
    "/projects/:id/access_tokens/self/rotate",
    "/groups/:id/access_tokens/self/rotate",
    "/version",
    "/metadata",
    "/markdown",
    "/events",
    "/namespaces",
    "/namespaces/:id",
    "/projects",
    "/groups",
    "/issues",
    "/issues/:id",
    "/merge_requests",
    "/hooks",
    "/hooks/:hook",
];

/// Numbers and names of what stands in the town, for the colon parts of patterns.
struct Things(Vec<(&'static str, String)>);

/// A world with one of everything, all of it made by an administrator.
fn town() -> (Sandbox, Things) {
    let gitlab = world();
    let admin = gitlab.admin();
    let make = |method: &str, path: &str, body: Value| admin.api(method, path, body).unwrap();
    let id = |value: &Value| value["id"].to_string();
    let project = |path: &str, body: Value| make("POST", &format!("{API}{path}"), body);
    gitlab.add_user("target");
    let asker = gitlab.as_user("asker");
    for visibility in ["public", "private"] {
        // Only what is seen can be asked for.
        let (first, second) = if visibility == "public" {
            ("/groups/g", API)
        } else {
            (API, "/groups/g")
        };
        make("PUT", first, json!({ "visibility": visibility }));
        make("PUT", second, json!({ "visibility": visibility }));
        if visibility == "public" {
            asker.api("POST", &format!("{API}/access_requests"), json!({})).unwrap();
            asker.api("POST", "/groups/g/access_requests", json!({})).unwrap();
        }
    }
    gitlab.add_group("other").unwrap();
    gitlab.add_group("g/sub").unwrap();
    admin.add_member(P, "target", Role::Guest).unwrap();
    admin.add_member("g", "target", Role::Guest).unwrap();
    let label = project("/labels", json!({"name": "l", "color": "red"}));
    let group_label = make("POST", "/groups/g/labels", json!({"name": "gl", "color": "red"}));
    project("/issues", json!({"title": "One", "labels": "l"}));
    project("/issues", json!({"title": "Two"}));
    project("/issues", json!({"title": "Three"}));
    let link = project(
        "/issues/1/links",
        json!({"target_project_id": P, "target_issue_iid": 2}),
    );
    let note = project("/issues/1/notes", json!({"body": "n"}));
    let award = project("/issues/1/award_emoji", json!({"name": "tada"}));
    let note_award = project(
        &format!("/issues/1/notes/{}/award_emoji", note["id"]),
        json!({"name": "tada"}),
    );
    let thread = project("/issues/1/discussions", json!({"body": "t"}));
    let label_event = gitlab.look(&format!("{API}/issues/1/resource_label_events")).unwrap()[0].clone();
    let board = project("/boards", json!({"name": "b"}));
    let list = project(
        &format!("/boards/{}/lists", board["id"]),
        json!({"label_id": label["id"]}),
    );
    project(
        "/repository/commits",
        json!({"branch": "x", "start_branch": "main", "commit_message": "m",
            "actions": [{"action": "create", "file_path": "new.md", "content": "x"}]}),
    );
    make(
        "POST",
        &format!("{API}/repository/branches?branch=y&ref=main"),
        json!({}),
    );
    let request = json!({"title": "M", "source_branch": "x", "target_branch": "main", "labels": "l"});
    project("/merge_requests", request);
    for _ in 0..2 {
        gitlab.look(&format!("{API}/merge_requests/1")).unwrap();
    }
    let request_note = project("/merge_requests/1/notes", json!({"body": "n"}));
    let request_award = project("/merge_requests/1/award_emoji", json!({"name": "tada"}));
    let path = format!("/merge_requests/1/notes/{}/award_emoji", request_note["id"]);
    let request_note_award = project(&path, json!({"name": "tada"}));
    let request_thread = project("/merge_requests/1/discussions", json!({"body": "t"}));
    let request_event = gitlab
        .look(&format!("{API}/merge_requests/1/resource_label_events"))
        .unwrap()[0]
        .clone();
    let hook = project("/hooks", json!({"url": "http://127.0.0.1:9/"}));
    let group_hook = make("POST", "/groups/g/hooks", json!({"url": "http://127.0.0.1:9/"}));
    // Something that was delivered, to be sent again.
    admin.push_file(P, "main", "pushed.md", "x").unwrap();
    let delivered = gitlab.take_deliveries();
    let of = |hook: &Value, path: &str| {
        delivered.iter().for_each(|d| gitlab.answer_delivery(d.id, Some(200)));
        gitlab.look(&format!("{path}/hooks/{}/events", hook["id"])).unwrap()[0]["id"].to_string()
    };
    let (event, group_event) = (of(&hook, API), of(&group_hook, "/groups/g"));
    let badge = project("/badges", json!({"link_url": "http://a", "image_url": "http://b"}));
    let new_token = json!({"name": "t", "scopes": ["api"], "access_level": 10});
    let token = project("/access_tokens", new_token.clone());
    let group_token = make("POST", "/groups/g/access_tokens", new_token);
    let mail = json!({"email": "a@example.org", "access_level": 10});
    project("/invitations", mail.clone());
    make("POST", "/groups/g/invitations", mail);
    let other = gitlab.look("/groups/other").unwrap();
    let shared = json!({"group_id": other["id"], "group_access": 10});
    project("/share", shared.clone());
    make("POST", "/groups/g/share", shared);
    let head = gitlab.commits(P, "main").unwrap()[0].id.clone();
    let blob = gitlab.look(&format!("{API}/repository/tree")).unwrap()[0]["id"].clone();
    let fresh = gitlab.add_group_with("fresh", "public").unwrap().to_string();
    let things = vec![
        (":fresh", fresh),
        (":elsewhere", gitlab.add_project("g/sub/elsewhere").unwrap().to_string()),
        (":group_label", id(&group_label)),
        ("project :label", id(&label)),
        ("group :label", id(&group_label)),
        ("issues :note", id(&note)),
        ("merge_requests :note", id(&request_note)),
        ("issues :award", id(&award)),
        ("issues notes :award", id(&note_award)),
        ("merge_requests :award", id(&request_award)),
        ("merge_requests notes :award", id(&request_note_award)),
        ("issues :discussion", thread["id"].as_str().unwrap().to_owned()),
        (
            "merge_requests :discussion",
            request_thread["id"].as_str().unwrap().to_owned(),
        ),
        ("issues :event", id(&label_event)),
        ("merge_requests :event", id(&request_event)),
        ("project :event", event),
        ("group :event", group_event),
        (":board", id(&board)),
        (":list", id(&list)),
        ("project :hook", id(&hook)),
        ("group :hook", id(&group_hook)),
        (":badge", id(&badge)),
        ("project :token", id(&token)),
        ("group :token", id(&group_token)),
        (":link", id(&link)),
        (":iid", "1".to_owned()),
        ("access_requests :user", asker.id().to_string()),
        (":user", gitlab.add_user("target").to_string()),
        (":group", other["id"].to_string()),
        ("blobs :sha", blob.as_str().unwrap().to_owned()),
        (":sha", head),
        (":email", "a@example.org".to_owned()),
        (":trigger", "push_events".to_owned()),
        (":branch", "y".to_owned()),
        (":name", "main".to_owned()),
        (":path", "README.md".to_owned()),
    ];
    (gitlab, Things(things))
}

impl Things {
    /// Texts in a body that begin with a colon stand for numbers of things.
    fn fill_body(&self, body: &Value) -> Value {
        let mut body = body.clone();
        for value in body.as_object_mut().unwrap().values_mut() {
            let known = self.0.iter().find(|(name, _)| value.as_str() == Some(name));
            if let Some((_, id)) = known {
                *value = json!(id.parse::<u64>().unwrap());
            }
        }
        body
    }

    /// A pattern with everything filled in. Where a part means different things, words of the pattern decide.
    fn fill(&self, pattern: &str) -> String {
        let words: BTreeSet<&str> = pattern.split('/').collect();
        let kind = if pattern.starts_with("/groups") {
            "group"
        } else {
            "project"
        };
        let filled = pattern.split('/').map(|part| {
            if part == ":id" {
                return if kind == "group" {
                    "g".to_owned()
                } else {
                    "g%2Fp".to_owned()
                };
            }
            if !part.starts_with(':') {
                return part.to_owned();
            }
            let fits = |name: &str| {
                let mut needs: Vec<&str> = name.split(' ').collect();
                needs.pop() == Some(part) && needs.iter().all(|n| *n == kind || words.contains(n))
            };
            let known = self.0.iter().filter(|(name, _)| fits(name));
            let best = known.max_by_key(|(name, _)| {
                (
                    name.matches(' ').count(),
                    name.contains("issues") || name.contains("merge_requests"),
                )
            });
            best.unwrap_or_else(|| panic!("{part} in {pattern}")).1.clone()
        });
        filled.collect::<Vec<_>>().join("/")
    }
}

/// One row of the table.
struct Row<'a> {
    method: &'a str,
    pattern: &'a str,
    expected: &'a str,
    body: Value,
}

fn rows() -> Vec<Row<'static>> {
    let lines = TABLE.lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
    let row = |line: &'static str| {
        let mut parts = line.splitn(4, ' ').map(str::trim);
        let mut next = || parts.next().unwrap_or_default();
        let (expected, method, pattern, body) = (next(), next(), next(), next());
        let body = if body.is_empty() {
            json!({})
        } else {
            serde_json::from_str(body).unwrap()
        };
        Row {
            method,
            pattern,
            expected,
            body,
        }
    };
    lines.map(row).collect()
}

fn sign(got: u16) -> char {
    match got {
        200..=399 => '+',
        401 => 'u',
        403 => 'x',
        404 => '-',
        405 => 'n',
        400 => '?',
        409 | 422 => '!',
        other => panic!("{other}"),
    }
}

/// What everybody gets. A refused call changes nothing, so the town is only built anew after one that was done.
fn signs(row: &Row<'_>, standing: &mut Option<(Sandbox, Things)>) -> String {
    let mut one = |name: &str| {
        let (gitlab, things) = standing.get_or_insert_with(town);
        let (path, body) = (things.fill(row.pattern), things.fill_body(&row.body));
        let sign = sign(status(&gitlab.as_user(name).api(row.method, &path, body)));
        if sign == '+' && row.method != "GET" {
            *standing = None;
        }
        sign
    };
    EVERYBODY.map(&mut one).into_iter().collect()
}

#[test]
fn every_route_knows_who_may() {
    let (mut wrong, mut standing) = (Vec::new(), None);
    for row in rows() {
        let got = signs(&row, &mut standing);
        if got != row.expected {
            wrong.push(format!("{got} {} {} {}", row.method, row.pattern, row.body));
        }
    }
    assert!(
        wrong.is_empty(),
        "what is, where the table says otherwise:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_table_of_roles_holds_every_route() {
    let gitlab = world();
    let rows = rows();
    let listed: BTreeSet<(&str, &str)> = rows.iter().map(|r| (r.method, r.pattern)).collect();
    let missing: Vec<String> = gitlab
        .routes()
        .into_iter()
        .filter(|(method, pattern)| !listed.contains(&(*method, *pattern)) && !WITHOUT_ROLE.contains(pattern))
        .map(|(method, pattern)| format!("+++++++ {method} {pattern}"))
        .collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
