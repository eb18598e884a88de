//! What all tests of this repository said to a sandbox and heard from it, held against GitLab's own papers: its description of
//! the API, its schemas for answers, payloads of real webhooks.
//!
//!     GITLAB_SANDBOX_RECORD=/tmp/record cargo test --workspace
//!     GITLAB_SANDBOX_CHECK=/tmp/record cargo test -p gitlab-sandbox --test record -- --nocapture
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test says what it expects, what it counted and why it is skipped"
)]

mod papers;

use gitlab_sandbox::{CallRecord, OpenApi};
use papers::{Payloads, Schemas, paper};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

/// One line of a record.
enum Line {
    Call(Box<CallRecord>, Value),
    Webhook(String, Value),
}

fn read(line: &str) -> Line {
    let mut value: Value = serde_json::from_str(line).unwrap();
    let body = |value: &mut Value, key: &str| value.get_mut(key).map(Value::take).unwrap_or_default();
    match value["webhook"].as_str().map(str::to_owned) {
        Some(event) => Line::Webhook(event, body(&mut value, "body")),
        None => {
            let answer = body(&mut value, "answer");
            Line::Call(serde_json::from_value(body(&mut value, "call")).unwrap(), answer)
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    entries
        .filter(|p| p.extension().is_some_and(|e| e == "jsonl"))
        .collect()
}

#[derive(Default)]
struct Counted {
    calls: usize,
    described: usize,
    on_purpose: usize,
    answers: usize,
    webhooks: usize,
    fields: usize,
    faults: BTreeSet<String>,
}

#[test]
fn everything_recorded_is_as_gitlab_has_it() {
    let Some(folder) = std::env::var_os("GITLAB_SANDBOX_CHECK").map(PathBuf::from) else {
        eprintln!("SKIPPED: GITLAB_SANDBOX_CHECK names no record");
        return;
    };
    let (Some(api), Some(schemas), Some(samples)) = (paper("openapi-v2.yaml"), paper("schemas"), paper("webhooks"))
    else {
        return;
    };
    let api = OpenApi::from_yaml(&std::fs::read_to_string(api).unwrap()).unwrap();
    let (mut schemas, payloads) = (Schemas::new(schemas), Payloads::new(&samples));
    let mut counted = Counted::default();
    for file in files(&folder) {
        // A program that was killed may have left half a line.
        let lines = BufReader::new(std::fs::File::open(&file).unwrap())
            .lines()
            .map(|l| l.unwrap());
        for line in lines.filter(|l| l.ends_with('}')) {
            match read(&line) {
                Line::Call(call, answer) => check_call(&api, &mut schemas, &call, &answer, &mut counted),
                Line::Webhook(event, body) => {
                    counted.webhooks += 1;
                    counted.fields += payloads.compare(&event, &body, &mut counted.faults);
                }
            }
        }
    }
    println!(
        "{} calls that succeeded, {} of them described by GitLab, {} odd on purpose; {} answers validated; \
         {} webhooks with {} fields compared",
        counted.calls, counted.described, counted.on_purpose, counted.answers, counted.webhooks, counted.fields
    );
    let faults: Vec<_> = counted.faults.into_iter().collect();
    assert!(faults.is_empty(), "{}\n{}", faults.len(), faults.join("\n"));
    assert!(counted.described > 1000 && counted.answers > 1000 && counted.webhooks > 100);
}

fn check_call(api: &OpenApi, schemas: &mut Schemas, call: &CallRecord, answer: &Value, counted: &mut Counted) {
    if !call.succeeded() {
        return;
    }
    counted.calls += 1;
    // The sandbox has complained already: a test asks for something that GitLab would swallow, to see just that.
    if call.violations.is_empty() {
        let compared = api.compare(std::slice::from_ref(call));
        counted.described += compared.checked;
        counted.faults.extend(compared.faults);
    } else {
        counted.on_purpose += 1;
    }
    counted.answers += schemas.check_answer(call, answer, &mut counted.faults);
}
