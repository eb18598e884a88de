//! Lists are whole, or an error.

use std::time::{Duration, Instant};

use convenor::gitlab::GitLabError;
use convenor_core::ids::{GroupId, IssueIid, NoteId, ProjectId};
use serde_json::{Value, json};
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{note, project, reader, received};

/// Serves page `page` of `/groups/3/projects`.
async fn page(server: &MockServer, page: u64, projects: std::ops::Range<u64>, headers: &[(&str, &str)]) {
    let entries: Vec<Value> = projects.map(|id| project(id, &format!("p{id}"))).collect();
    let mut template = ResponseTemplate::new(200).set_body_json(entries);
    for (name, value) in headers {
        template = template.insert_header(*name, *value);
    }
    Mock::given(method("GET"))
        .and(path("/api/v4/groups/3/projects"))
        .and(query_param("page", page.to_string()))
        .and(query_param("per_page", "100"))
        .respond_with(template)
        .mount(server)
        .await;
}

async fn read(server: &MockServer) -> Result<Vec<u64>, GitLabError> {
    let projects = reader(server).group_projects(GroupId(3)).await?;
    Ok(projects.into_iter().map(|project| project.id.0).collect())
}

#[tokio::test]
async fn all_pages_are_read() {
    let server = MockServer::start().await;
    page(&server, 1, 0..100, &[("x-next-page", "2"), ("x-total", "230")]).await;
    page(&server, 2, 100..200, &[("x-next-page", "3"), ("x-total", "230")]).await;
    page(&server, 3, 200..230, &[("x-next-page", ""), ("x-total", "230")]).await;
    assert_eq!(read(&server).await.unwrap(), (0..230).collect::<Vec<_>>());
    let first = &received(&server).await[0];
    assert_eq!(
        first,
        "GET /api/v4/groups/3/projects?order_by=id&sort=asc&with_shared=false&include_subgroups=true&page=1&per_page=100"
    );
}

#[tokio::test]
async fn pages_without_headers_are_read_until_one_is_not_full() {
    let server = MockServer::start().await;
    page(&server, 1, 0..100, &[]).await;
    page(&server, 2, 100..100, &[]).await;
    assert_eq!(read(&server).await.unwrap().len(), 100);
    assert_eq!(received(&server).await.len(), 2);
}

#[tokio::test]
async fn a_foreign_next_link_is_counted_and_never_followed() {
    let server = MockServer::start().await;
    let elsewhere = MockServer::start().await;
    let next = format!("<{}/api/v4/groups/3/projects?page=2>; rel=\"next\"", elsewhere.uri());
    page(&server, 1, 0..100, &[("link", &next)]).await;
    page(&server, 2, 100..105, &[("link", "<x>; rel=\"first\"")]).await;
    assert_eq!(read(&server).await.unwrap().len(), 105);
    assert!(elsewhere.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_entry_that_comes_on_two_pages_counts_once() {
    let server = MockServer::start().await;
    page(&server, 1, 0..100, &[("x-next-page", "2"), ("x-total", "101")]).await;
    page(&server, 2, 99..102, &[("x-next-page", ""), ("x-total", "102")]).await;
    assert_eq!(read(&server).await.unwrap().len(), 102);
}

#[tokio::test]
async fn a_list_shorter_than_promised_is_an_error() {
    for (entries, headers) in [
        (0..0, &[("x-total", "230"), ("x-next-page", "")][..]),
        (0..60, &[("x-total", "100"), ("x-next-page", "")][..]),
        (0..60, &[("x-next-page", "2")][..]),
    ] {
        let server = MockServer::start().await;
        page(&server, 1, entries.clone(), headers).await;
        let error = read(&server).await.unwrap_err();
        assert!(
            matches!(error, GitLabError::Incomplete { .. }),
            "{entries:?} {headers:?}: {error:?}"
        );
        assert!(error.is_passing());
    }
}

#[tokio::test]
async fn a_list_that_shrinks_while_it_is_read_is_read_again() {
    let server = MockServer::start().await;
    page(&server, 1, 0..100, &[("x-next-page", "2"), ("x-total", "150")]).await;
    let gone: Vec<Value> = (101..150).map(|id| project(id, "p")).collect();
    let shrunk = ResponseTemplate::new(200)
        .set_body_json(gone)
        .insert_header("x-next-page", "")
        .insert_header("x-total", "149");
    Mock::given(query_param("page", "2"))
        .respond_with(shrunk)
        .up_to_n_times(1)
        .with_priority(1)
        .mount(&server)
        .await;
    page(&server, 2, 100..150, &[("x-next-page", ""), ("x-total", "150")]).await;
    assert_eq!(read(&server).await.unwrap().len(), 150);
    assert_eq!(received(&server).await.len(), 4);
}

#[tokio::test]
async fn a_page_that_fails_fails_the_list() {
    for failure in [
        ResponseTemplate::new(404).set_body_json(json!({ "message": "404 Group Not Found" })),
        ResponseTemplate::new(403).set_body_json(json!({ "message": "403 Forbidden" })),
        ResponseTemplate::new(200).set_body_raw("<html>sign in</html>", "text/html"),
        ResponseTemplate::new(200).set_body_raw("[{\"id\":1", "application/json"),
        ResponseTemplate::new(200).set_body_json(json!({ "projects": [] })),
    ] {
        let server = MockServer::start().await;
        page(&server, 1, 0..100, &[("x-next-page", "2"), ("x-total", "150")]).await;
        Mock::given(query_param("page", "2"))
            .respond_with(failure)
            .mount(&server)
            .await;
        assert!(read(&server).await.is_err());
    }
}

#[tokio::test]
async fn notes_that_gitlab_hides_from_us_do_not_make_the_list_incomplete() {
    let server = MockServer::start().await;
    let notes = |ids: std::ops::Range<u64>| ids.map(|id| note(id, "x")).collect::<Vec<_>>();
    for (number, entries, next) in [(1, notes(1..91), "2"), (2, notes(101..121), "")] {
        let template = ResponseTemplate::new(200)
            .set_body_json(entries)
            .insert_header("x-next-page", next)
            .insert_header("x-total", "125");
        Mock::given(query_param("page", number.to_string()))
            .respond_with(template)
            .mount(&server)
            .await;
    }
    let found = reader(&server).notes(ProjectId(7), IssueIid(12)).await.unwrap();
    assert_eq!(found.len(), 110);
    assert_eq!(received(&server).await.len(), 4, "believed when it is the same twice");
    let first = &received(&server).await[0];
    assert_eq!(
        first,
        "GET /api/v4/projects/7/issues/12/notes?order_by=created_at&sort=asc&page=1&per_page=100"
    );
}

/// Serves notes of an issue: one answer after the other, and the last one for ever; GitLab counts four.
async fn four_notes(server: &MockServer, answers: &[std::ops::Range<u64>]) {
    for (number, ids) in answers.iter().enumerate() {
        let template = ResponseTemplate::new(200)
            .set_body_json(ids.clone().map(|id| note(id, "x")).collect::<Vec<_>>())
            .insert_header("x-next-page", "")
            .insert_header("x-total", "4");
        let mock = Mock::given(method("GET")).respond_with(template);
        let mock = mock.with_priority(u8::try_from(number + 1).unwrap());
        let is_last = number + 1 == answers.len();
        let mock = if is_last { mock } else { mock.up_to_n_times(1) };
        mock.mount(server).await;
    }
}

#[tokio::test]
async fn notes_that_do_not_come_once_are_not_taken_for_hidden() {
    let server = MockServer::start().await;
    four_notes(&server, &[1..3, 1..5]).await;
    let found = reader(&server).notes(ProjectId(7), IssueIid(12)).await.unwrap();
    assert_eq!(found.len(), 4);
    assert_eq!(received(&server).await.len(), 2);
}

#[tokio::test]
async fn notes_that_are_other_ones_each_time_are_an_error() {
    let server = MockServer::start().await;
    four_notes(&server, &[1..3, 1..4, 1..2]).await;
    let error = reader(&server).notes(ProjectId(7), IssueIid(12)).await.unwrap_err();
    assert!(matches!(error, GitLabError::Incomplete { .. }), "{error:?}");
}

#[tokio::test]
async fn a_note_is_gone_when_gitlab_says_so_and_not_when_its_project_is_not_there() {
    for (answer, expected) in [
        (ResponseTemplate::new(200).set_body_json(note(3, "x")), Some(true)),
        (
            ResponseTemplate::new(404).set_body_json(json!({ "message": "404 Note Not Found" })),
            Some(false),
        ),
        (
            ResponseTemplate::new(404).set_body_json(json!({ "message": "404 Not found" })),
            Some(false),
        ),
        (
            ResponseTemplate::new(404).set_body_json(json!({ "message": "404 Project Not Found" })),
            None,
        ),
    ] {
        let server = MockServer::start().await;
        let there = Mock::given(path("/api/v4/projects/7/issues/12/notes/3"));
        there.respond_with(answer).mount(&server).await;
        let of_project = Mock::given(path("/api/v4/projects/7"));
        let shown = ResponseTemplate::new(200).set_body_json(project(7, "intake"));
        of_project.respond_with(shown).mount(&server).await;
        let found = reader(&server).note(ProjectId(7), IssueIid(12), NoteId(3)).await;
        assert_eq!(found.ok().map(|note| note.is_some()), expected);
    }
}

#[tokio::test]
async fn pages_whose_number_is_known_do_not_wait_for_one_another() {
    let server = MockServer::start().await;
    for number in 1..=9 {
        let next = if number < 9 {
            (number + 1).to_string()
        } else {
            String::new()
        };
        let entries: Vec<Value> = ((number - 1) * 100..number * 100).map(|id| project(id, "p")).collect();
        let template = ResponseTemplate::new(200)
            .set_body_json(entries)
            .insert_header("x-next-page", next.as_str())
            .insert_header("x-total", "900")
            .insert_header("x-total-pages", "9")
            .set_delay(Duration::from_millis(150));
        Mock::given(query_param("page", number.to_string()))
            .respond_with(template)
            .mount(&server)
            .await;
    }
    let start = Instant::now();
    assert_eq!(read(&server).await.unwrap(), (0..900).collect::<Vec<_>>());
    assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
    assert_eq!(received(&server).await.len(), 9);
}
