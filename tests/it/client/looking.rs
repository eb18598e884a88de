//! What the reader makes of answers.

use convenor::gitlab::{GitLabError, IssueFilter, MergeRequestFilter};
use convenor_core::ids::{AccessLevel, CommitSha, GroupId, IssueIid, MergeRequestIid, ProjectId, UserId, Username};
use serde_json::json;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{answer, answer_json, issue, merge_request, person, project, reader, received};

const PROJECT: ProjectId = ProjectId(7);

#[tokio::test]
async fn a_file_is_read_byte_for_byte_from_its_encoded_path() {
    let server = MockServer::start().await;
    let file = json!({
        "file_name": "a b.md", "size": 8, "encoding": "base64", "content": "77u/YQ0K\nYsM=",
        "blob_id": "b1", "commit_id": "head", "last_commit_id": "last",
    });
    answer_json(&server, "GET", "projects/7/repository/files/docs%2Fa%20b.md", 200, file).await;
    let file = reader(&server)
        .file(PROJECT, "docs/a b.md", "main")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(file.bytes, b"\xef\xbb\xbfa\r\nb\xc3");
    assert_eq!(file.last_commit_id, CommitSha("last".to_owned()));
    assert_eq!(
        received(&server).await,
        ["GET /api/v4/projects/7/repository/files/docs%2Fa%20b.md?ref=main"]
    );
}

#[tokio::test]
async fn a_file_that_does_not_decode_to_its_size_is_unreadable() {
    let server = MockServer::start().await;
    let file = json!({ "size": 9, "encoding": "base64", "content": "YWJj", "commit_id": "h", "last_commit_id": "l" });
    answer_json(&server, "GET", "projects/7/repository/files/a", 200, file).await;
    let found = reader(&server).file(PROJECT, "a", "main").await;
    assert!(matches!(found, Err(GitLabError::Unreadable { .. })), "{found:?}");
}

#[tokio::test]
async fn an_absent_file_and_an_invisible_project_are_told_apart() {
    let check = async |words: &str, project_answer: u16, absent: bool, calls: usize| {
        let server = MockServer::start().await;
        answer_json(
            &server,
            "GET",
            "projects/7/repository/files/a",
            404,
            json!({ "message": words }),
        )
        .await;
        answer_json(&server, "GET", "projects/7", project_answer, project(7, "p")).await;
        let found = reader(&server).file(PROJECT, "a", "main").await;
        assert_eq!(matches!(found, Ok(None)), absent, "{words} {project_answer}: {found:?}");
        assert_eq!(
            matches!(found, Err(GitLabError::NotFound { .. })),
            !absent,
            "{words}: {found:?}"
        );
        assert_eq!(received(&server).await.len(), calls, "{words}");
    };
    check("404 File Not Found", 500, true, 1).await;
    check("404 Commit Not Found", 500, true, 1).await;
    check("404 Project Not Found", 200, false, 1).await;
    check("404 Not found", 200, true, 2).await;
    check("404 Not found", 404, false, 2).await;
}

#[tokio::test]
async fn the_old_path_of_a_renamed_project_is_reported_as_moved() {
    let server = MockServer::start().await;
    let moved = ResponseTemplate::new(301).insert_header("location", format!("{}/api/v4/projects/7", server.uri()));
    answer(&server, "GET", "projects/g%2Fold", moved).await;
    let found = reader(&server).project("g/old").await;
    assert!(
        matches!(&found, Err(GitLabError::Moved { location, .. }) if location.contain("projects/7")),
        "{found:?}"
    );
    assert_eq!(received(&server).await.len(), 1);
}

#[tokio::test]
async fn issues_and_merge_requests_are_asked_for_with_documented_parameters() {
    let server = MockServer::start().await;
    answer_json(&server, "GET", "projects/7/issues", 200, json!([issue(12)])).await;
    answer_json(
        &server,
        "GET",
        "projects/7/merge_requests",
        200,
        json!([merge_request(3)]),
    )
    .await;
    let filter = IssueFilter {
        labels: vec!["cop::proposed".to_owned()],
        opened: true,
        author_id: Some(UserId(5)),
        updated_after: Some("2026-01-02T03:04:05Z".parse().unwrap()),
        iids: vec![IssueIid(12)],
    };
    let reader = reader(&server);
    let issues = reader.issues(PROJECT, &filter).await.unwrap();
    assert!(issues[0].description.is(""));
    let filter = MergeRequestFilter {
        source_branch: Some("convenor/rust".to_owned()),
        target_branch: Some("main".to_owned()),
        opened: true,
        labels: vec!["a".to_owned(), "b".to_owned()],
        author_id: Some(UserId(9)),
        updated_after: None,
    };
    assert_eq!(
        reader.merge_requests(PROJECT, &filter).await.unwrap()[0].iid,
        MergeRequestIid(3)
    );
    assert_eq!(
        received(&server).await,
        [
            "GET /api/v4/projects/7/issues?iids%5B%5D=12&state=opened&labels=cop%3A%3Aproposed\
             &order_by=created_at&sort=asc&author_id=5&updated_after=2026-01-02T03%3A04%3A05Z&page=1&per_page=100",
            "GET /api/v4/projects/7/merge_requests?state=opened&labels=a%2Cb&source_branch=convenor%2Frust\
             &target_branch=main&order_by=created_at&sort=asc&author_id=9&page=1&per_page=100",
        ]
    );
}

#[tokio::test]
async fn a_member_is_found_and_a_stranger_is_none() {
    let server = MockServer::start().await;
    let member = json!({ "id": 5, "username": "alice", "state": "active", "access_level": 25, "expires_at": null });
    answer_json(&server, "GET", "groups/3/members/all/5", 200, member).await;
    answer_json(
        &server,
        "GET",
        "groups/3/members/all/6",
        404,
        json!({ "message": "404 Not found" }),
    )
    .await;
    answer_json(&server, "GET", "groups/3/members/all", 200, json!([])).await;
    answer_json(
        &server,
        "GET",
        "groups/4/members/all/6",
        404,
        json!({ "message": "404 Group Not Found" }),
    )
    .await;
    let reader = reader(&server);
    let alice = reader.group_member(GroupId(3), UserId(5)).await.unwrap().unwrap();
    assert_eq!(alice.access_level, AccessLevel(25));
    assert!(alice.is_active());
    assert_eq!(reader.group_member(GroupId(3), UserId(6)).await.unwrap(), None);
    assert!(reader.group_member(GroupId(4), UserId(6)).await.is_err());
}

#[tokio::test]
async fn an_answer_that_lost_the_user_does_not_say_that_there_is_none() {
    let server = MockServer::start().await;
    let cut = ResponseTemplate::new(200)
        .set_body_json(json!([]))
        .insert_header("x-total", "1");
    Mock::given(any()).respond_with(cut).mount(&server).await;
    let name = Username::new("darwinjs").unwrap();
    let found = reader(&server).user_by_username(&name).await;
    assert!(matches!(found, Err(GitLabError::Incomplete { .. })), "{found:?}");
}

#[tokio::test]
async fn a_user_is_found_by_name_in_any_case() {
    let server = MockServer::start().await;
    answer_json(&server, "GET", "users", 200, json!([person(5, "DarwinJS")])).await;
    let user = reader(&server)
        .user_by_username(&Username::new("darwinjs").unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((user.id, user.is_active()), (UserId(5), true));
    assert_eq!(
        received(&server).await,
        ["GET /api/v4/users?username=darwinjs&page=1&per_page=100"]
    );
}

#[tokio::test]
async fn what_a_token_may_not_read_of_itself_is_none() {
    for status in [403, 404] {
        let server = MockServer::start().await;
        answer_json(
            &server,
            "GET",
            "personal_access_tokens/self",
            status,
            json!({ "message": "no" }),
        )
        .await;
        assert_eq!(reader(&server).token_self().await.unwrap(), None, "{status}");
    }
    let server = MockServer::start().await;
    let token = json!({ "scopes": ["api"], "expires_at": "2026-12-01", "active": true, "revoked": false });
    answer_json(&server, "GET", "personal_access_tokens/self", 200, token).await;
    let token = reader(&server).token_self().await.unwrap().unwrap();
    assert_eq!(token.expires_at, Some("2026-12-01".parse().unwrap()));
}

#[tokio::test]
async fn the_version_comes_with_gitlabs_clock() {
    let server = MockServer::start().await;
    let version = ResponseTemplate::new(200)
        .set_body_json(json!({ "version": "19.2.1-ee", "revision": "abc" }))
        .insert_header("date", "Thu, 01 Jan 2026 00:00:10 GMT");
    answer(&server, "GET", "version", version).await;
    let version = reader(&server).version().await.unwrap();
    assert_eq!(version.server_date, Some("2026-01-01T00:00:10Z".parse().unwrap()));
}

#[tokio::test]
async fn label_events_are_sorted_and_absent_ones_are_none() {
    let server = MockServer::start().await;
    let event = |id: u64, action: &str| {
        json!({ "id": id, "user": person(5, "alice"), "created_at": "2026-01-16T05:56:22Z", "action": action,
                "label": { "id": 1, "name": "cop::approved" } })
    };
    let events = json!([event(2, "remove"), event(1, "add")]);
    answer_json(
        &server,
        "GET",
        "projects/7/issues/12/resource_label_events",
        200,
        events,
    )
    .await;
    let not_found = json!({ "error": "404 Not Found" });
    answer_json(
        &server,
        "GET",
        "projects/8/issues/12/resource_label_events",
        404,
        not_found,
    )
    .await;
    let reader = reader(&server);
    let ids: Vec<u64> = reader
        .label_events(PROJECT, IssueIid(12))
        .await
        .unwrap()
        .iter()
        .map(|e| e.id)
        .collect();
    assert_eq!(ids, [1, 2]);
    assert_eq!(reader.label_events(ProjectId(8), IssueIid(12)).await.unwrap(), []);
}

#[tokio::test]
async fn calls_are_counted_by_operation() {
    let server = MockServer::start().await;
    answer_json(&server, "GET", "user", 200, json!({ "id": 9, "username": "bot" })).await;
    let reader = reader(&server);
    reader.current_user().await.unwrap();
    reader.clone().current_user().await.unwrap();
    assert_eq!((reader.stats().count("user.get"), reader.stats().total()), (2, 2));
}
