//! Many known projects at a glance: few calls, a few at a time, smaller pages where GitLab asks for them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use convenor::gitlab::{Broken, Client, GlanceOf, Glances, Transport};
use convenor_core::ids::ProjectId;
use http::{Request, Response};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::settings;

const LATENCY: Duration = Duration::from_millis(50);

/// A GitLab that knows every project and everybody, takes its time, and counts.
#[derive(Default)]
struct Knowing {
    /// Pages of more projects than this are too complex.
    largest: Option<usize>,
    /// The page with this project fails with this status, or with words of GraphQL.
    broken: Option<(u64, u16)>,
    calls: AtomicUsize,
    running: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Transport for Knowing {
    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Broken> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        sleep(LATENCY).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        let asked: Value = serde_json::from_slice(request.body()).unwrap();
        let (status, body) = self.answer(&asked["variables"]);
        let answer = Response::builder()
            .status(status)
            .header("content-type", "application/json");
        Ok(answer.body(body.to_string().into()).unwrap())
    }
}

impl Knowing {
    fn answer(&self, asked: &Value) -> (u16, Value) {
        let list = |name: &str| asked[name].as_array().cloned().unwrap_or_default();
        let ids: Vec<u64> = list("ids").iter().map(|gid| number(gid.as_str().unwrap())).collect();
        if self.largest.is_some_and(|largest| ids.len() > largest) {
            let words = "Query has complexity of 346, which exceeds max complexity of 250";
            return (200, json!({ "errors": [{ "message": words }] }));
        }
        if let Some((_, status)) = self.broken.filter(|(id, _)| ids.contains(id)) {
            return (status, json!({ "errors": [{ "message": "Internal server error" }] }));
        }
        // Somebody else's project is left out without a word.
        let told = ids.iter().filter(|id| **id != 13);
        let project = |id: &u64| {
            json!({
                "id": format!("gid://gitlab/Project/{id}"), "name": "P", "fullPath": format!("g/p{id}"), "visibility": "public",
                "archived": false, "webUrl": "https://gitlab.example.com/g/p",
                "repository": { "blobs": { "nodes": [{ "path": "f", "oid": format!("{id:x}") }] } },
            })
        };
        let person =
            |name: &Value| json!({ "id": "gid://gitlab/User/5", "username": name, "name": "N", "state": "active" });
        let data = json!({
            "projects": { "nodes": told.map(project).collect::<Vec<_>>() },
            "users": { "nodes": list("usernames").iter().map(person).collect::<Vec<_>>() },
            "group": { "projects": { "count": 2000 } },
        });
        (200, json!({ "data": data }))
    }

    fn numbers(&self) -> (usize, usize) {
        (
            self.calls.swap(0, Ordering::SeqCst),
            self.most.swap(0, Ordering::SeqCst),
        )
    }
}

fn number(gid: &str) -> u64 {
    gid.rsplit('/').next().unwrap().parse().unwrap()
}

fn client(gitlab: &Arc<Knowing>) -> Client {
    Client::over(gitlab.clone(), &settings("http://127.0.0.1:9")).unwrap()
}

async fn glances(client: &Client, projects: u64, people: usize) -> Option<Glances> {
    let of = GlanceOf {
        projects: (1..=projects).map(ProjectId).collect(),
        usernames: (0..people).map(|number| format!("user{number}")).collect(),
        file: "f",
        group: "g",
    };
    client.reader().glances(&of).await.unwrap()
}

fn ids(found: &Glances) -> BTreeSet<u64> {
    found.projects.iter().map(|project| project.id.0).collect()
}

#[tokio::test(start_paused = true)]
async fn a_hundred_a_call_eight_at_a_time_and_people_travel_along() {
    let gitlab = Arc::new(Knowing::default());
    let client = client(&gitlab);
    let began = Instant::now();
    let found = glances(&client, 2000, 2000).await.unwrap();
    // Calls in rounds: 20 calls, 8 at a time.
    assert_eq!(began.elapsed().as_millis() / LATENCY.as_millis(), 3);
    assert_eq!(gitlab.numbers(), (20, 8));
    assert_eq!(
        (found.projects.len(), found.people.len(), found.asked_for.len()),
        (1999, 2000, 2000)
    );
    assert_eq!(found.count, Some(2000));
    assert!(!ids(&found).contains(&13), "what GitLab leaves out is left out");
    assert_eq!(
        found.projects[0].blob,
        Some(Some(format!("{:x}", found.projects[0].id.0)))
    );
}

#[tokio::test(start_paused = true)]
async fn without_anything_known_one_call_tells_how_many_there_are() {
    let gitlab = Arc::new(Knowing::default());
    let found = glances(&client(&gitlab), 0, 0).await.unwrap();
    assert_eq!((found.count, found.projects.len()), (Some(2000), 0));
    assert_eq!(gitlab.numbers(), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn too_complex_pages_shrink_and_stay_so() {
    let gitlab = Arc::new(Knowing {
        largest: Some(30),
        ..Knowing::default()
    });
    let client = client(&gitlab);
    let found = glances(&client, 400, 400).await.unwrap();
    assert_eq!(
        (ids(&found).len(), found.asked_for.len(), found.count),
        (399, 400, Some(2000))
    );
    let (calls, most) = gitlab.numbers();
    // All that are on their way when the first refusal comes are refused, with 100 and with 50; then 20 pages of 20.
    assert!(
        (21..=4 + 8 + 20).contains(&calls) && most <= 8,
        "{calls} calls, {most} at a time"
    );
    glances(&client, 400, 0).await.unwrap();
    assert_eq!(gitlab.numbers().0, 20, "GitLab is not asked again for what it refused");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_fails_is_left_out_and_the_others_are_read() {
    for status in [200, 500] {
        let gitlab = Arc::new(Knowing {
            broken: Some((150, status)),
            ..Knowing::default()
        });
        let found = glances(&client(&gitlab), 300, 300).await.unwrap();
        let expected: BTreeSet<u64> = (1..=300).filter(|id| !(101..=200).contains(id) && *id != 13).collect();
        assert_eq!(ids(&found), expected, "{status}");
        assert_eq!(found.asked_for.len(), 200, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn when_no_page_can_be_read_it_is_an_error_or_not_to_be_had() {
    let of = |status| {
        let gitlab = Arc::new(Knowing {
            broken: Some((1, status)),
            ..Knowing::default()
        });
        client(&gitlab)
    };
    // In words of GraphQL that nobody understands: there is another way.
    assert_eq!(glances(&of(200), 50, 0).await, None);
    let of_file = GlanceOf {
        projects: vec![ProjectId(1)],
        usernames: Vec::new(),
        file: "f",
        group: "g",
    };
    let error = of(500).reader().glances(&of_file).await.unwrap_err();
    assert!(error.is_passing(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn when_even_the_smallest_page_is_too_complex_it_is_not_to_be_had() {
    let gitlab = Arc::new(Knowing {
        largest: Some(2),
        ..Knowing::default()
    });
    assert_eq!(glances(&client(&gitlab), 400, 0).await, None);
}
