//! Many things in one request, and the same by REST where GraphQL is not to be had.

use convenor::gitlab::{BoardListLabel, GitLabError, OverviewFile, ProjectOverview};
use convenor_core::ids::{BoardId, BoardListId, GroupId, LabelId, ProjectId};
use serde_json::{Value, json};
use wiremock::matchers::{body_partial_json, body_string_contains, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{answer, answer_json, project, reader, received, writer};

const CHARTER: &str = ".gitlab/community.yml";

fn node(id: u64, blob: &Value) -> Value {
    json!({
        "id": format!("gid://gitlab/Project/{id}"), "name": format!("P {id}"), "fullPath": format!("g/p{id}"),
        "description": null, "webUrl": "https://gitlab.example.com/g/p", "visibility": "private", "archived": false,
        "topics": ["community-of-practice"], "lastActivityAt": "2026-01-16T05:56:22Z",
        "repository": { "rootRef": "main", "blobs": { "nodes": blob } },
    })
}

fn charter(text: &str) -> Value {
    json!([{ "path": CHARTER, "rawBlob": text, "size": text.len().to_string() }])
}

async fn graphql(server: &MockServer, partial: Value, data: Value) {
    Mock::given(method("POST"))
        .and(path("/api/graphql"))
        .and(body_partial_json(json!({ "variables": partial })))
        .respond_with(ResponseTemplate::new(200).set_body_json(data))
        .mount(server)
        .await;
}

fn group_page(nodes: &Value, count: usize, next: Option<&str>) -> Value {
    let page_info = json!({ "hasNextPage": next.is_some(), "endCursor": next });
    json!({ "data": { "group": { "projects": { "count": count, "pageInfo": page_info, "nodes": nodes } } } })
}

/// What matters of an overview: id and charter.
fn digest(found: &[ProjectOverview]) -> Vec<(u64, String)> {
    let text = |files: &[OverviewFile]| {
        files
            .iter()
            .map(|f| String::from_utf8_lossy(&f.bytes).into_owned())
            .collect()
    };
    found
        .iter()
        .map(|project| (project.id.0, text(&project.files)))
        .collect()
}

#[tokio::test]
async fn a_groups_projects_and_their_charters_come_page_by_page() {
    let server = MockServer::start().await;
    let first = json!([node(1, &charter("name: A\r\n")), node(2, &json!([]))]);
    graphql(&server, json!({ "after": null }), group_page(&first, 3, Some("c1"))).await;
    let second = json!([node(3, &charter("name: C"))]);
    graphql(&server, json!({ "after": "c1" }), group_page(&second, 3, None)).await;
    let found = reader(&server)
        .group_overview(GroupId(3), "g", &[CHARTER])
        .await
        .unwrap();
    let expected = [
        (1, "name: A\r\n".to_owned()),
        (2, String::new()),
        (3, "name: C".to_owned()),
    ];
    assert_eq!(digest(&found), expected);
    assert_eq!(received(&server).await.len(), 2);
}

#[tokio::test]
async fn a_file_that_graphql_cannot_carry_is_read_by_rest() {
    let server = MockServer::start().await;
    for (id, blob) in [
        (1, json!([{ "path": CHARTER, "rawBlob": null, "size": 3 }])),
        (2, json!([{ "path": CHARTER, "rawBlob": "a\u{fffd}", "size": 2 }])),
        (3, json!([{ "path": CHARTER, "rawBlob": "abc", "size": 9 }])),
    ] {
        graphql(
            &server,
            json!({ "ids": [format!("gid://gitlab/Project/{id}")] }),
            json!({
                "data": { "projects": { "nodes": [node(id, &blob)] } }
            }),
        )
        .await;
        let file =
            json!({ "encoding": "base64", "content": "YcM=", "size": 2, "commit_id": "h", "last_commit_id": "l" });
        let place = format!("projects/{id}/repository/files/.gitlab%2Fcommunity.yml");
        answer_json(&server, "GET", &place, 200, file).await;
        let found = reader(&server)
            .projects_overview(&[ProjectId(id)], &[CHARTER])
            .await
            .unwrap();
        assert_eq!(found[0].files[0].bytes, b"a\xc3", "{id}");
    }
}

#[tokio::test]
async fn a_page_that_is_too_complex_is_asked_for_in_smaller_ones() {
    let server = MockServer::start().await;
    let complex =
        json!({ "errors": [{ "message": "Query has complexity of 346, which exceeds max complexity of 250" }] });
    graphql(&server, json!({ "first": 100 }), complex).await;
    let nodes: Vec<Value> = (1..=50).map(|id| node(id, &json!([]))).collect();
    graphql(
        &server,
        json!({ "first": 50, "after": null }),
        group_page(&json!(nodes), 50, None),
    )
    .await;
    let found = reader(&server)
        .group_overview(GroupId(3), "g", &[CHARTER])
        .await
        .unwrap();
    assert_eq!(found.len(), 50);
    assert_eq!(received(&server).await.len(), 2);
}

#[tokio::test]
async fn a_list_shorter_than_counted_is_an_error_and_never_a_short_list() {
    for (count, next) in [(5, None), (1, Some("c"))] {
        let server = MockServer::start().await;
        graphql(
            &server,
            json!({}),
            group_page(&json!([node(1, &json!([]))]), count, next),
        )
        .await;
        let error = reader(&server).group_overview(GroupId(3), "g", &[]).await.unwrap_err();
        assert!(matches!(error, GitLabError::Incomplete { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_invisible_group_is_not_an_empty_one() {
    let server = MockServer::start().await;
    graphql(&server, json!({}), json!({ "data": { "group": null } })).await;
    let error = reader(&server).group_overview(GroupId(3), "g", &[]).await.unwrap_err();
    assert!(matches!(error, GitLabError::NotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn without_graphql_the_overview_comes_by_rest_and_graphql_is_left_alone() {
    let no_route = ResponseTemplate::new(404).set_body_json(json!({ "error": "404 Not Found" }));
    let unknown_field = ResponseTemplate::new(200)
        .set_body_json(json!({ "errors": [{ "message": "Field 'rawBlob' doesn't exist on type 'RepositoryBlob'" }] }));
    for refusal in [no_route, unknown_field] {
        let server = MockServer::start().await;
        Mock::given(path("/api/graphql"))
            .respond_with(refusal)
            .expect(1)
            .mount(&server)
            .await;
        let mut full = project(1, "p1");
        full["empty_repo"] = json!(false);
        answer_json(
            &server,
            "GET",
            "groups/3/projects",
            200,
            json!([full, project(2, "p2")]),
        )
        .await;
        let file =
            json!({ "encoding": "base64", "content": "YWJj", "size": 3, "commit_id": "h", "last_commit_id": "l" });
        answer_json(
            &server,
            "GET",
            "projects/1/repository/files/.gitlab%2Fcommunity.yml",
            200,
            file,
        )
        .await;
        let reader = reader(&server);
        for _ in 0..2 {
            let found = reader.group_overview(GroupId(3), "g", &[CHARTER]).await.unwrap();
            assert_eq!(digest(&found), [(1, "abc".to_owned()), (2, String::new())]);
        }
    }
}

#[tokio::test]
async fn lists_are_one_request_and_each_has_its_result() {
    let server = MockServer::start().await;
    let lists = json!({ "data": {
        "m0": { "list": { "id": "gid://gitlab/List/8", "position": 0 }, "errors": [] },
        "m1": { "list": null, "errors": ["Label has already been taken"] },
        "m2": { "list": { "id": "gid://gitlab/List/9", "position": 1 }, "errors": [] },
    } });
    Mock::given(body_string_contains("boardListCreate"))
        .respond_with(ResponseTemplate::new(200).set_body_json(lists))
        .mount(&server)
        .await;
    let writer = writer(&server);
    let wanted = [
        BoardListLabel::OfProject(LabelId(11)),
        BoardListLabel::OfGroup(LabelId(12)),
        BoardListLabel::OfProject(LabelId(13)),
    ];
    let lists = writer
        .create_board_lists(ProjectId(7), BoardId(5), &wanted)
        .await
        .unwrap();
    assert_eq!((&lists[0], &lists[2]), (&Ok(BoardListId(8)), &Ok(BoardListId(9))));
    assert!(lists[1].as_ref().is_err_and(GitLabError::is_already_there));

    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1);
    let body: Value = requests[0].body_json().unwrap();
    assert_eq!(
        body["query"],
        "mutation($m0: BoardListCreateInput!, $m1: BoardListCreateInput!, $m2: BoardListCreateInput!) { \
         m0: boardListCreate(input: $m0) { list { id } errors } m1: boardListCreate(input: $m1) { list { id } errors } \
         m2: boardListCreate(input: $m2) { list { id } errors } }"
    );
    assert_eq!(
        body["variables"]["m1"],
        json!({ "boardId": "gid://gitlab/Board/5", "labelId": "gid://gitlab/GroupLabel/12" })
    );
}

#[tokio::test]
async fn a_document_whose_answer_is_lost_is_not_sent_again_by_other_means() {
    let server = MockServer::start().await;
    answer(&server, "POST", "projects/7/boards/5/lists", ResponseTemplate::new(500)).await;
    Mock::given(path("/api/graphql"))
        .respond_with(ResponseTemplate::new(502))
        .mount(&server)
        .await;
    let error = writer(&server)
        .create_board_lists(ProjectId(7), BoardId(5), &[BoardListLabel::OfProject(LabelId(11))])
        .await
        .unwrap_err();
    assert!(error.is_outcome_unknown(), "{error:?}");
    assert_eq!(received(&server).await.len(), 1);
}

#[tokio::test]
async fn without_graphql_lists_are_made_one_by_one() {
    let server = MockServer::start().await;
    let page = ResponseTemplate::new(404).set_body_raw("<html>404</html>", "text/html");
    Mock::given(path("/api/graphql"))
        .respond_with(page)
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .and(path("/api/v4/projects/7/boards/5/lists"))
        .respond_with(ResponseTemplate::new(201).set_body_json(json!({ "id": 8, "position": 0 })))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    answer_json(
        &server,
        "POST",
        "projects/7/boards/5/lists",
        201,
        json!({ "id": 9, "position": 1 }),
    )
    .await;
    let wanted = [
        BoardListLabel::OfProject(LabelId(12)),
        BoardListLabel::OfProject(LabelId(13)),
    ];
    assert_eq!(
        writer(&server)
            .create_board_lists(ProjectId(7), BoardId(5), &wanted)
            .await
            .unwrap(),
        [Ok(BoardListId(8)), Ok(BoardListId(9))]
    );
    assert_eq!(received(&server).await.len(), 3);
}
