//! Fields of webhooks as the samples have them. What all samples of a kind have must be there; what none has must not.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Fields of projects that came after the samples of system hooks were taken.
const NEWER: [&str; 2] = ["owners", "project_namespace_id"];

/// Lists of people that are there when anybody is in them (`HookData::MergeRequestBuilder`); no sample has anybody.
const WHEN_ANY: [&str; 1] = ["assignees"];

/// What the samples of one kind have.
#[derive(Default)]
struct Fields {
    always: BTreeSet<String>,
    ever: BTreeSet<String>,
}

/// The samples by kind.
pub(crate) struct Payloads(BTreeMap<String, Fields>);

impl Payloads {
    pub(crate) fn new(folder: &Path) -> Self {
        let mut kinds: BTreeMap<String, Fields> = BTreeMap::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            // Illustrations and old ones, which lack newer fields (the folder's README says so).
            let old = [
                "issue.json",
                "push.json",
                "merge_request.json",
                "note_merge_request.json",
                "system_push.json",
            ];
            if old.contains(&name.as_str()) {
                continue;
            }
            let sample: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            let (kind, found) = (kind(name.starts_with("system_"), &sample), fields(&sample));
            let known = kinds.entry(kind).or_insert_with(|| Fields {
                always: found.clone(),
                ever: BTreeSet::new(),
            });
            known.always = known.always.intersection(&found).cloned().collect();
            known.ever.extend(found);
        }
        Self(kinds)
    }

    /// Compares one payload; gives how many fields were looked at, none when there is no sample of its kind.
    pub(crate) fn compare(&self, event: &str, body: &Value, faults: &mut BTreeSet<String>) -> usize {
        let kind = kind(event == "System Hook", body);
        let Some(known) = self.0.get(&kind) else { return 0 };
        let found = fields(body);
        let missing = known
            .always
            .difference(&found)
            .map(|f| format!("{kind}: `{f}` is missing"));
        faults.extend(missing);
        let invented = found
            .difference(&known.ever)
            .filter(|f| !NEWER.contains(&f.as_str()) && !WHEN_ANY.contains(&f.as_str()))
            .map(|f| format!("{kind}: `{f}` is in no sample"));
        faults.extend(invented);
        found.len()
    }
}

fn kind(system: bool, body: &Value) -> String {
    let word = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let kind = if body["object_kind"].is_string() {
        word("object_kind")
    } else {
        word("event_name")
    };
    // Notes carry what they stand on.
    let on = body["object_attributes"]["noteable_type"].as_str().unwrap_or_default();
    format!(
        "{}{kind}{}{on}",
        if system { "system " } else { "" },
        if on.is_empty() { "" } else { " on " }
    )
}

/// The paths of all fields, without what changed (it differs from event to event) and the rows of lists.
fn fields(body: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(body, "", &mut found);
    found
}

fn collect(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    let Some(object) = value.as_object() else { return };
    for (key, value) in object {
        let path = if at.is_empty() {
            key.clone()
        } else {
            format!("{at}.{key}")
        };
        if path == "changes" {
            found.insert(path);
            continue;
        }
        collect(value, &path, found);
        found.insert(path);
    }
}
