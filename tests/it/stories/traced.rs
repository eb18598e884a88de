//! What a collector of traces gets to see of the main job.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use warp::Filter as _;

use super::binary::{Installation, figure};
use super::town::{FORM, HANDBOOK, INTAKE, SECRET};

/// An OpenTelemetry collector that keeps what it gets.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

impl Collector {
    /// Its address.
    async fn listen(&self) -> String {
        let spans = self.0.clone();
        let take = warp::path!("v1" / "traces")
            .and(warp::post())
            .and(warp::body::bytes())
            .map(move |body: bytes::Bytes| {
                let request = ExportTraceServiceRequest::decode(body).unwrap();
                let of_resources = request
                    .resource_spans
                    .into_iter()
                    .flat_map(|resource| resource.scope_spans);
                spans.lock().unwrap().extend(of_resources.flat_map(|scope| scope.spans));
                Vec::new()
            });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(warp::serve(take).incoming(listener).run());
        format!("http://{address}")
    }

    fn spans(&self) -> Vec<Span> {
        self.0.lock().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_delivery_to_the_merge_request_it_is_one_trace() {
    let collector = Collector::default();
    let endpoint = collector.listen().await;
    let installed = Installation::new();
    assert_eq!(installed.run(&["init"]).0, Some(0));
    let mut service = installed.serve_with(&[("CONVENOR_LOG__OTLP_ENDPOINT", &endpoint)]);
    installed.is_ready().await;
    // The first full look, which the start causes, must not be what finds the proposal.
    installed
        .until("the first full look", async || {
            let (_, figures) = installed.get("/metrics").await?;
            (figure(&figures, "convenor_looks_total", r#"kind="program""#) > 0.0).then_some(())
        })
        .await;
    let proposer = installed.gitlab.person("proposer").unwrap();
    let words = FORM.replace("Share what we learn", "Words of a person: share what we learn");
    proposer
        .open_issue(INTAKE, "New community", &words, &["cop::proposed"])
        .unwrap();
    installed
        .until("the merge request", async || {
            (!installed.gitlab.merge_requests(HANDBOOK).unwrap().is_empty()).then_some(())
        })
        .await;
    // A stop sends what has not been sent yet.
    let pid = service.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(service.0.wait().unwrap().success());

    let spans = collector.spans();
    let opened = spans.iter().find(|span| span.name == "create_merge_request").unwrap();
    let trace: Vec<&Span> = spans.iter().filter(|span| span.trace_id == opened.trace_id).collect();
    let names: BTreeSet<&str> = trace.iter().map(|span| span.name.as_str()).collect();
    for name in [
        "delivery",
        "look at a proposal",
        "create_project",
        "look at a community",
    ] {
        assert!(names.contains(name), "no {name} in {names:?}");
    }
    let ids: BTreeSet<_> = trace.iter().map(|span| span.span_id.clone()).collect();
    assert_eq!(ids.len(), trace.len(), "ids of spans differ");
    for span in &trace {
        let is_root = span.parent_span_id.is_empty();
        assert_eq!(is_root, span.name == "delivery", "{}", span.name);
        assert!(
            is_root || ids.contains(&span.parent_span_id),
            "the parent of {} is missing",
            span.name
        );
    }
    let told = format!("{spans:?}");
    assert!(!told.contains(SECRET) && !told.contains("Words of a person"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_not_there_harms_nothing() {
    let installed = Installation::new();
    assert_eq!(installed.run(&["init"]).0, Some(0));
    let mut service = installed.serve_with(&[("CONVENOR_LOG__OTLP_ENDPOINT", "http://127.0.0.1:9")]);
    installed.is_ready().await;
    let pid = service.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(service.0.wait().unwrap().success());
}
