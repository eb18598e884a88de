//! GitLab's published description of its API as a witness: whether calls that were made are calls that it knows.

use crate::calls::CallRecord;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A Swagger 2.0 file, as GitLab publishes it. Only names and fixed values are looked at: its types and required marks are
/// known to be unreliable.
#[derive(Debug, Clone, Deserialize)]
pub struct OpenApi {
    paths: BTreeMap<String, BTreeMap<String, Operation>>,
    #[serde(default)]
    definitions: BTreeMap<String, Shape>,
}

#[derive(Debug, Clone, Deserialize)]
struct Operation {
    #[serde(default)]
    parameters: Vec<Parameter>,
}

#[derive(Debug, Clone, Deserialize)]
struct Parameter {
    name: String,
    #[serde(rename = "in")]
    place: String,
    #[serde(default, rename = "enum")]
    allowed: Vec<Value>,
    schema: Option<Reference>,
}

#[derive(Debug, Clone, Deserialize)]
struct Reference {
    #[serde(rename = "$ref")]
    target: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Shape {
    #[serde(default)]
    properties: BTreeMap<String, Property>,
}

#[derive(Debug, Clone, Deserialize)]
struct Property {
    #[serde(default, rename = "enum")]
    allowed: Vec<Value>,
}

/// Parameters that came after the file was generated, or that belong to every route.
const NEWER: &[&str] = &[
    "page",
    "per_page",
    "pagination",
    "cursor",
    "id_after",
    "page_token",
    "active",
    "allow_empty",
    "permanently_remove",
    "full_path",
    "signing_token",
    "max_pages",
    "iterator",
];

/// What a look at the calls found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Calls whose path and method the file describes.
    pub checked: usize,
    /// Calls it does not describe (it lacks labels, boards, notes, group hooks and more).
    pub unknown: usize,
    /// What does not fit, one sentence each.
    pub faults: Vec<String>,
}

impl OpenApi {
    /// Reads the file's YAML.
    ///
    /// # Errors
    /// It is not YAML or not Swagger 2.0.
    pub fn from_yaml(text: &str) -> Result<Self, serde_yaml::Error> {
        serde_yaml::from_str(text)
    }

    /// Compares calls that GitLab accepted with the file.
    #[must_use]
    pub fn compare(&self, calls: &[CallRecord]) -> Comparison {
        let mut comparison = Comparison::default();
        for call in calls.iter().filter(|c| c.succeeded()) {
            match self.operation(&call.method, &call.path) {
                None => comparison.unknown += 1,
                Some((path, operation)) => {
                    comparison.checked += 1;
                    comparison.faults.extend(self.faults(call, path, operation));
                }
            }
        }
        comparison.faults.sort();
        comparison.faults.dedup();
        comparison
    }

    fn operation(&self, method: &str, path: &str) -> Option<(&str, &Operation)> {
        let method = method.to_lowercase();
        let parts: Vec<&str> = path.split('/').collect();
        let fits = |pattern: &str| {
            let pattern: Vec<&str> = pattern.split('/').collect();
            pattern.len() == parts.len() && pattern.iter().zip(&parts).all(|(a, b)| a.starts_with('{') || a == b)
        };
        // Where several patterns fit, the one with the fewest placeholders is meant.
        self.paths
            .iter()
            .filter(|(pattern, methods)| fits(pattern) && methods.contains_key(&method))
            .min_by_key(|(pattern, _)| pattern.matches('{').count())
            .and_then(|(pattern, methods)| methods.get(&method).map(|op| (pattern.as_str(), op)))
    }

    fn faults(&self, call: &CallRecord, path: &str, operation: &Operation) -> Vec<String> {
        let known = self.parameters(operation);
        let sent = call.params.as_object().into_iter().flatten();
        sent.filter(|(name, _)| !NEWER.contains(&name.as_str()))
            .filter_map(|(name, value)| {
                let what = match known.get(name.as_str()) {
                    None => "is not in the published API".to_owned(),
                    Some(allowed) if !fits_one(value, allowed) => format!("may not be {value}"),
                    Some(_) => return None,
                };
                Some(format!("{} {path}: `{name}` {what}", call.method))
            })
            .collect()
    }

    /// Names of all parameters with their fixed values.
    fn parameters<'a>(&'a self, operation: &'a Operation) -> BTreeMap<&'a str, &'a [Value]> {
        let mut known = BTreeMap::new();
        for parameter in &operation.parameters {
            let target = parameter.schema.as_ref().and_then(|s| s.target.as_deref());
            let shape = target
                .and_then(|t| t.rsplit('/').next())
                .and_then(|name| self.definitions.get(name));
            match (parameter.place.as_str(), shape) {
                ("body", Some(shape)) => {
                    known.extend(shape.properties.iter().map(|(n, p)| (n.as_str(), p.allowed.as_slice())));
                }
                _ => {
                    let name = parameter.name.split('[').next().unwrap_or_default();
                    known.insert(name, parameter.allowed.as_slice());
                }
            }
        }
        known
    }
}

/// Whether a value is one of the fixed ones; lists and empty sets of fixed values are not judged.
fn fits_one(value: &Value, allowed: &[Value]) -> bool {
    let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
    allowed.is_empty() || value.is_array() || value.is_null() || allowed.iter().any(|a| text(a) == text(value))
}
