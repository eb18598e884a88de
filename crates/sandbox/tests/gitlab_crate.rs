//! The `gitlab` crate, a Rust client that nobody here wrote, with its own endpoints.
#![expect(clippy::unwrap_used, reason = "a test says what it expects")]

use gitlab::api::projects::issues::{CreateIssue, EditIssue, IssueStateEvent, Issues};
use gitlab::api::projects::merge_requests::{CreateMergeRequest, MergeRequests};
use gitlab::api::projects::repository::commits::{CommitAction, CommitActionType, CreateCommit};
use gitlab::api::projects::repository::files::FileRaw;
use gitlab::api::projects::{CreateProject, Project};
use gitlab::api::{ApiError, AsyncQuery, Pagination, paged, raw};
use gitlab::{AsyncGitlab, GitlabBuilder};
use gitlab_sandbox::{Config, Role, Sandbox};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
struct Iid {
    iid: u64,
}

async fn client(gitlab: &Sandbox) -> AsyncGitlab {
    let host = gitlab.url().trim_start_matches("http://").to_owned();
    GitlabBuilder::new(host, gitlab.add_token("bot"))
        .insecure()
        .build_async()
        .await
        .unwrap()
}

fn world() -> (Sandbox, u64) {
    let gitlab = Sandbox::start(Config::default()).unwrap();
    let group = gitlab.add_group("g").unwrap();
    gitlab.add_member("g", "bot", Role::Owner).unwrap();
    (gitlab, group)
}

#[tokio::test]
async fn a_project_is_made_filled_and_read() {
    let (gitlab, group) = world();
    let client = client(&gitlab).await;
    let new = CreateProject::builder()
        .name("Rust")
        .path("rust")
        .namespace_id(group)
        .build()
        .unwrap();
    let project: Value = new.query_async(&client).await.unwrap();
    let id = project["id"].as_u64().unwrap();
    let action = CommitAction::builder()
        .action(CommitActionType::Create)
        .file_path("README.md")
        .content(b"# Rust\n".to_vec())
        .build()
        .unwrap();
    let mut commit = CreateCommit::builder();
    let commit = commit
        .project(id)
        .branch("main")
        .commit_message("First")
        .action(action)
        .build()
        .unwrap();
    let commit: Value = commit.query_async(&client).await.unwrap();
    assert_eq!(commit["title"], "First");
    let file = FileRaw::builder()
        .project("g/rust")
        .file_path("README.md")
        .ref_("main")
        .build()
        .unwrap();
    assert_eq!(raw(file).query_async(&client).await.unwrap(), b"# Rust\n");
    let again = CreateProject::builder()
        .name("Rust")
        .path("rust")
        .namespace_id(group)
        .build()
        .unwrap();
    let refused: Result<Value, ApiError<_>> = again.query_async(&client).await;
    assert!(refused.unwrap_err().to_string().contains("has already been taken"));
    let missing: Result<Value, ApiError<_>> = Project::builder()
        .project("g/nothing")
        .build()
        .unwrap()
        .query_async(&client)
        .await;
    assert!(missing.unwrap_err().to_string().contains("404 Project Not Found"));
    assert_eq!(gitlab.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn all_pages_of_issues_arrive() {
    let (gitlab, _) = world();
    gitlab.add_project("g/p").unwrap();
    let client = client(&gitlab).await;
    for n in 0..230 {
        let new = CreateIssue::builder()
            .project("g/p")
            .title(format!("Issue {n}"))
            .build()
            .unwrap();
        let _: Value = new.query_async(&client).await.unwrap();
    }
    let close = EditIssue::builder()
        .project("g/p")
        .issue(7)
        .state_event(IssueStateEvent::Close)
        .build()
        .unwrap();
    let _: Value = close.query_async(&client).await.unwrap();
    let list = Issues::builder().project("g/p").build().unwrap();
    let all: Vec<Iid> = paged(list, Pagination::All).query_async(&client).await.unwrap();
    let numbers: std::collections::BTreeSet<u64> = all.iter().map(|i| i.iid).collect();
    assert_eq!((all.len(), numbers.len()), (230, 230));
    assert_eq!(gitlab.issue("g/p", 7).unwrap().state, "closed");
    assert_eq!(gitlab.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn a_second_merge_request_is_an_object_error_with_the_number() {
    let (gitlab, _) = world();
    gitlab.add_project("g/p").unwrap();
    gitlab.admin().create_branch("g/p", "x", "main").unwrap();
    gitlab.admin().push_file("g/p", "x", "new.md", "x\n").unwrap();
    let client = client(&gitlab).await;
    let new = || {
        CreateMergeRequest::builder()
            .project("g/p")
            .source_branch("x")
            .target_branch("main")
            .title("T")
            .build()
            .unwrap()
    };
    let _: Value = new().query_async(&client).await.unwrap();
    let twin: Result<Value, ApiError<_>> = new().query_async(&client).await;
    assert!(twin.unwrap_err().to_string().contains("!1"));
    let list = MergeRequests::builder()
        .project("g/p")
        .source_branch("x")
        .build()
        .unwrap();
    let found: Vec<Iid> = list.query_async(&client).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(gitlab.violations(), Vec::<String>::new());
}
