//! A record of what went over the wire, for comparisons with other papers: one file a sandbox, one line a call or webhook.

use crate::calls::CallRecord;
use crate::http::{Answer, Body};
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Names the folder for records when [`crate::Config::record`] does not.
const VARIABLE: &str = "GITLAB_SANDBOX_RECORD";

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Writes lines to the sandbox's file, if one is wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recorder(Option<Arc<Mutex<File>>>);

impl Recorder {
    /// Opens a new file in the folder, if there is one; a record that cannot be written is a warning, not a failure.
    pub(crate) fn new(folder: Option<&Path>) -> Self {
        let from_outside = std::env::var_os(VARIABLE).filter(|v| !v.is_empty());
        let Some(folder) = folder.or(from_outside.as_deref().map(Path::new)) else {
            return Self::default();
        };
        let name = format!("{}-{}.jsonl", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let opened = std::fs::create_dir_all(folder).and_then(|()| File::create(folder.join(name)));
        match opened {
            Ok(file) => Self(Some(Arc::new(Mutex::new(file)))),
            Err(error) => {
                tracing::warn!("nothing is recorded in {}: {error}", folder.display());
                Self::default()
            }
        }
    }

    /// The answer as it will be written down, before a fault spoils it.
    pub(crate) fn keep(&self, answer: &Answer) -> Option<Value> {
        self.0.as_ref()?;
        match &answer.body {
            Body::Json(value) => Some(value.clone()),
            Body::Bytes(..) | Body::Empty => None,
        }
    }

    pub(crate) fn call(&self, call: &CallRecord, answer: Option<&Value>) {
        self.line(|| json!({ "call": call, "answer": answer }));
    }

    pub(crate) fn webhook(&self, event: &str, body: &Value) {
        self.line(|| json!({ "webhook": event, "body": body }));
    }

    fn line(&self, value: impl FnOnce() -> Value) {
        let Some(file) = &self.0 else { return };
        let line = format!("{}\n", value());
        if let Err(error) = crate::locked(file).write_all(line.as_bytes()) {
            tracing::warn!("a line of the record is lost: {error}");
        }
    }
}
