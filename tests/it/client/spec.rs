//! Every call of ours, held against GitLab's own description of its API where that is at hand.

use std::collections::BTreeMap;
use std::path::Path;

use convenor::gitlab::{
    Client, FileAction, HookOwner, IssueChange, IssueFilter, MergeRequestChange, MergeRequestFilter, NewCommit,
    NewHook, NewIssue, NewLabel, NewMergeRequest, NewProject, Start,
};
use convenor_core::escape::{CommitMessage, Markdown, PlainLine, ProjectName, Title};
use convenor_core::ids::{
    AccessLevel, BoardId, BoardListId, CommitSha, GroupId, HookId, IssueIid, LabelId, MergeRequestIid, NoteId,
    ProjectId, UserId, Username,
};
use convenor_core::program::Visibility;
use convenor_core::slug::Slug;
use convenor_core::untrusted::Untrusted;
use serde_json::Value;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::client;

const PROJECT: ProjectId = ProjectId(7);
const GROUP: GroupId = GroupId(3);

/// Calls that GitLab documents in words only; their parameters are from the pages of its REST API.
const IN_WORDS: [(&str, &[&str]); 20] = [
    ("GET /user", &[]),
    ("GET /users", &["username", "page", "per_page"]),
    ("GET /users/{}", &[]),
    (
        "GET /projects/{}/issues/{}/notes",
        &["order_by", "sort", "page", "per_page"],
    ),
    ("GET /projects/{}/issues/{}/notes/{}", &[]),
    ("POST /projects/{}/issues/{}/notes", &["body"]),
    ("PUT /projects/{}/issues/{}/notes/{}", &["body"]),
    ("DELETE /projects/{}/issues/{}/notes/{}", &[]),
    (
        "GET /projects/{}/merge_requests/{}/notes",
        &["order_by", "sort", "page", "per_page"],
    ),
    ("POST /projects/{}/merge_requests/{}/notes", &["body"]),
    (
        "GET /projects/{}/issues/{}/resource_label_events",
        &["page", "per_page"],
    ),
    (
        "GET /projects/{}/labels",
        &["include_ancestor_groups", "page", "per_page"],
    ),
    ("POST /projects/{}/labels", &["name", "color", "description"]),
    ("GET /groups/{}/labels", &["page", "per_page"]),
    ("POST /groups/{}/labels", &["name", "color", "description"]),
    ("GET /projects/{}/boards", &["page", "per_page"]),
    ("POST /projects/{}/boards", &["name"]),
    ("GET /projects/{}/boards/{}/lists", &["page", "per_page"]),
    ("POST /projects/{}/boards/{}/lists", &["label_id"]),
    ("PUT /projects/{}/boards/{}/lists/{}", &["position"]),
];
/// Group hooks take what project hooks take, and these.
const GROUP_HOOK_ONLY: [&str; 4] = ["member_events", "subgroup_events", "project_events", "signing_token"];

#[tokio::test]
async fn every_call_is_one_that_gitlab_describes() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/gitlab-spec/spec.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        eprintln!("skipped: {} is not here", file.display());
        return;
    };
    let spec: Value = serde_json::from_str(&text).unwrap();
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(404).set_body_string("{}"))
        .mount(&server)
        .await;
    let client = client(&server.uri());
    read_everything(&client).await;
    write_everything(&client).await;
    let requests = server.received_requests().await.unwrap();
    assert!(requests.len() > 45, "{}", requests.len());
    let faults: Vec<String> = requests.iter().flat_map(|request| faults(&spec, request)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn faults(spec: &Value, request: &Request) -> Vec<String> {
    let path = request.url.path().strip_prefix("/api/v4").unwrap().to_owned();
    let call = format!("{} {path}", request.method);
    let sent = parameters(request);
    let described = spec["params"].as_object().unwrap();
    if let Some((_, allowed)) = IN_WORDS.iter().find(|(template, _)| fits(template, &call)) {
        let unknown = sent.keys().filter(|name| !allowed.contains(&name.as_str()));
        return unknown.map(|name| format!("{call}: no parameter {name}")).collect();
    }
    let as_project = call.replace(" /groups/3/hooks", " /projects/3/hooks");
    let group_hook = as_project != call;
    let Some((_, description)) = described.iter().find(|(template, _)| fits(template, &as_project)) else {
        return vec![format!("{call}: GitLab has no such call")];
    };
    let known = description["p"].as_object().unwrap();
    let mut faults = Vec::new();
    for (name, value) in &sent {
        match known.get(name) {
            Some(kind) if is_of_kind(value, kind) => {}
            Some(kind) => faults.push(format!("{call}: {name} = {value} is no {kind}")),
            None if group_hook && GROUP_HOOK_ONLY.contains(&name.as_str()) => {}
            // From GitLab 19.0 on; older ones ignore it.
            None if name == "signing_token" => {}
            None => faults.push(format!("{call}: no parameter {name}")),
        }
    }
    let required = description["r"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    faults.extend(
        required
            .filter(|name| !sent.contains_key(*name))
            .map(|name| format!("{call}: {name} is missing")),
    );
    faults
}

/// Whether a path fits a template in which `{…}` stands for one segment.
fn fits(template: &str, call: &str) -> bool {
    let (template, call): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), call.split('/').collect());
    let same = |(template, part): (&&str, &&str)| template.starts_with('{') || template == part;
    template.len() == call.len() && template.iter().zip(&call).all(same)
}

/// Query, form or JSON parameters; `name[]` is `name`.
fn parameters(request: &Request) -> BTreeMap<String, Value> {
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    let is_json = request
        .headers
        .get("content-type")
        .is_some_and(|kind| kind == "application/json");
    if is_json {
        let body: Value = request.body_json().unwrap();
        found.extend(body.as_object().unwrap().clone());
    }
    let form = if is_json { &[][..] } else { &request.body[..] };
    let pairs = request.url.query_pairs().chain(url::form_urlencoded::parse(form));
    found.extend(pairs.map(|(name, value)| {
        (
            name.trim_end_matches("[]").to_owned(),
            Value::String(value.into_owned()),
        )
    }));
    found
}

fn is_of_kind(value: &Value, kind: &Value) -> bool {
    let word = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if let Some(words) = kind["e"].as_array() {
        return words
            .iter()
            .any(|allowed| allowed.as_str().map_or_else(|| allowed.to_string(), str::to_owned) == word);
    }
    match kind["t"].as_str() {
        Some("integer") => word.parse::<u64>().is_ok() || word.split(',').all(|id| id.parse::<u64>().is_ok()),
        Some("boolean") => word == "true" || word == "false",
        Some("array") => value.is_array() || value.is_string(),
        _ => value.is_string(),
    }
}

/// Every read once; all end as "not found", the requests are what counts.
async fn read_everything(client: &Client) {
    let reader = client.reader();
    let alice = Username::new("alice").unwrap();
    let sha = CommitSha("abc".to_owned());
    let since = Some("2026-01-02T03:04:05Z".parse().unwrap());
    let labels = vec!["a".to_owned(), "b".to_owned()];
    let issues = IssueFilter {
        labels: labels.clone(),
        opened: true,
        author_id: Some(UserId(5)),
        updated_after: since,
        iids: vec![IssueIid(1)],
    };
    let merge_requests = MergeRequestFilter {
        source_branch: Some("convenor/a".to_owned()),
        target_branch: Some("main".to_owned()),
        opened: true,
        labels,
        author_id: Some(UserId(5)),
        updated_after: since,
    };
    let _ = reader.current_user().await;
    let _ = reader.token_self().await;
    let _ = reader.version().await;
    let _ = reader.group("g/sub").await;
    let _ = reader.group_projects(GROUP).await;
    let _ = reader.project("g/p").await;
    let _ = reader.issue(PROJECT, IssueIid(1)).await;
    let _ = reader.issues(PROJECT, &issues).await;
    let _ = reader.notes(PROJECT, IssueIid(1)).await;
    let _ = reader.note(PROJECT, IssueIid(1), NoteId(3)).await;
    let _ = reader.merge_request_notes(PROJECT, MergeRequestIid(1)).await;
    let _ = reader.label_events(PROJECT, IssueIid(1)).await;
    let _ = reader.user_by_username(&alice).await;
    let _ = reader.user(UserId(5)).await;
    let _ = reader.group_member(GROUP, UserId(5)).await;
    let _ = reader.project_members_all(PROJECT).await;
    let _ = reader.project_labels(PROJECT).await;
    let _ = reader.group_labels(GROUP).await;
    let _ = reader.boards(PROJECT).await;
    let _ = reader.board_lists(PROJECT, BoardId(2)).await;
    let _ = reader.file(PROJECT, "docs/a b.md", "main").await;
    let _ = reader.branch(PROJECT, "convenor/a").await;
    let _ = reader.compare(PROJECT, "main", "convenor/a").await;
    let _ = reader.commit(PROJECT, &sha).await;
    let _ = reader.merge_requests(PROJECT, &merge_requests).await;
    let _ = reader.merge_request(PROJECT, MergeRequestIid(1)).await;
    let _ = reader.group_hooks(GROUP).await;
    let _ = reader.project_hooks(PROJECT).await;
    let _ = reader.hook_events(HookOwner::Project(PROJECT), HookId(1)).await;
}

/// Every write once, with every parameter that it can have.
async fn write_everything(client: &Client) {
    write_things(client).await;
    write_text(client).await;
    write_hooks(client).await;
}

async fn write_things(client: &Client) {
    let writer = client.writer();
    let project = NewProject {
        name: ProjectName::new(&Untrusted::new("Rust at Work")).unwrap(),
        path: Slug::new("rust-at-work").unwrap(),
        group: GROUP,
        description: PlainLine::new(&Untrusted::new("One sentence."), 200),
        visibility: Visibility::Internal,
        topics: vec!["community-of-practice".to_owned()],
    };
    let update = FileAction::Update {
        path: "a".to_owned(),
        bytes: vec![0xff],
        last_commit_id: Some(CommitSha("l".to_owned())),
    };
    let commit = NewCommit {
        branch: "convenor/a".to_owned(),
        start: Some(Start::Branch("main".to_owned())),
        force: true,
        message: CommitMessage::new().words("Add one row"),
        actions: vec![update],
    };
    let label = NewLabel {
        name: "a".to_owned(),
        color: "#112233".to_owned(),
        description: "what for".to_owned(),
    };
    let _ = writer.create_project(&project).await;
    let _ = writer.commit(PROJECT, &commit).await;
    let _ = writer.create_branch(PROJECT, "convenor/a", "main").await;
    let _ = writer.delete_branch(PROJECT, "convenor/a").await;
    let _ = writer.create_project_label(PROJECT, &label).await;
    let _ = writer.create_group_label(GROUP, &label).await;
    let _ = writer.create_board(PROJECT, "b").await;
    let _ = writer.create_board_list(PROJECT, BoardId(2), LabelId(1)).await;
    let _ = writer.update_board_list(PROJECT, BoardId(2), BoardListId(3), 0).await;
    let _ = writer.add_member(PROJECT, UserId(5), AccessLevel::MAINTAINER).await;
    let _ = writer
        .add_members(PROJECT, &[UserId(5), UserId(6)], AccessLevel::MAINTAINER)
        .await;
}

async fn write_text(client: &Client) {
    let writer = client.writer();
    let body = Markdown::new().words("hello");
    let title = Title::new().words("Hello");
    let issue = NewIssue {
        title: title.clone(),
        description: body.clone(),
        labels: vec!["a".to_owned()],
        confidential: true,
    };
    let change = IssueChange {
        add_labels: vec!["a".to_owned()],
        remove_labels: vec!["b".to_owned()],
        open: Some(false),
        title: Some(title.clone()),
        description: Some(body.clone()),
    };
    let merge_request = NewMergeRequest {
        source_branch: "convenor/a".to_owned(),
        target_branch: "main".to_owned(),
        title: title.clone(),
        description: body.clone(),
        labels: vec!["a".to_owned()],
        reviewers: vec![UserId(4)],
        assignees: vec![UserId(5)],
        remove_source_branch: Some(true),
        squash: Some(false),
    };
    let merge_request_change = MergeRequestChange {
        title: Some(title),
        description: Some(body.clone()),
        add_labels: vec!["a".to_owned()],
        remove_labels: vec!["b".to_owned()],
        open: Some(true),
        reviewers: Some(vec![]),
        target_branch: Some("main".to_owned()),
    };
    let _ = writer.create_issue(PROJECT, &issue).await;
    let _ = writer.update_issue(PROJECT, IssueIid(1), &change).await;
    let _ = writer.create_note(PROJECT, IssueIid(1), &body).await;
    let _ = writer
        .create_merge_request_note(PROJECT, MergeRequestIid(1), &body)
        .await;
    let _ = writer.update_note(PROJECT, IssueIid(1), NoteId(9), &body).await;
    let _ = writer.delete_note(PROJECT, IssueIid(1), NoteId(9)).await;
    let _ = writer.create_merge_request(PROJECT, &merge_request).await;
    let _ = writer
        .update_merge_request(PROJECT, MergeRequestIid(1), &merge_request_change)
        .await;
}

async fn write_hooks(client: &Client) {
    let writer = client.writer();
    let hook = NewHook {
        url: "https://c.example/webhooks/gitlab".parse().unwrap(),
        token: Some("secret".into()),
        signing_token: Some("whsec_x".into()),
        enable_ssl_verification: true,
        name: "Convenor",
        description: "made by a test",
        triggers: vec![("push_events", true), ("issues_events", true), ("note_events", true)],
    };
    for owner in [HookOwner::Project(PROJECT), HookOwner::Group(GROUP)] {
        let _ = writer.create_hook(owner, &hook).await;
        let _ = writer.update_hook(owner, HookId(1), &hook).await;
        let _ = writer.test_hook(owner, HookId(1), "push_events").await;
        let _ = writer.delete_hook(owner, HookId(1)).await;
    }
}
