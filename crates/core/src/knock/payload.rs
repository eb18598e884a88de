//! The few fields of a payload that say where something happened. All may be missing, null or of another type.

use serde::{Deserialize, Deserializer, de};

use crate::escape::LogText;
use crate::untrusted::Untrusted;

/// A delivery's body; unknown fields are skipped without being kept.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Payload {
    #[serde(deserialize_with = "text")]
    object_kind: Option<String>,
    #[serde(deserialize_with = "text")]
    event_name: Option<String>,
    #[serde(deserialize_with = "number")]
    project_id: Option<u64>,
    #[serde(deserialize_with = "text")]
    path_with_namespace: Option<String>,
    #[serde(deserialize_with = "text")]
    project_path_with_namespace: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) old_path_with_namespace: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) full_path: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) old_full_path: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) group_path: Option<String>,
    #[serde(rename = "ref", deserialize_with = "text")]
    reference: Option<String>,
    refs: Option<Vec<String>>,
    pub(super) project: Option<Project>,
    pub(super) group: Option<Group>,
    pub(super) object_attributes: Option<About>,
    pub(super) issue: Option<About>,
    pub(super) merge_request: Option<About>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Project {
    #[serde(deserialize_with = "number")]
    id: Option<u64>,
    #[serde(deserialize_with = "text")]
    path_with_namespace: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) default_branch: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Group {
    #[serde(deserialize_with = "text")]
    pub(super) group_path: Option<String>,
}

/// An issue, merge request or note.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct About {
    #[serde(deserialize_with = "number")]
    pub(super) iid: Option<u64>,
    #[serde(rename = "type", deserialize_with = "text")]
    pub(super) kind: Option<String>,
    #[serde(deserialize_with = "number")]
    project_id: Option<u64>,
    #[serde(deserialize_with = "number")]
    target_project_id: Option<u64>,
}

impl Payload {
    /// What happened, in GitLab's word.
    pub(super) fn kind(&self) -> Option<&str> {
        self.object_kind
            .as_deref()
            .or(self.event_name.as_deref())
            .filter(|kind| !kind.is_empty())
    }

    /// The full path of the project in which it happened.
    pub(super) fn project_path(&self) -> Option<String> {
        let project = self
            .project
            .as_ref()
            .and_then(|project| project.path_with_namespace.as_ref());
        project
            .or(self.path_with_namespace.as_ref())
            .or(self.project_path_with_namespace.as_ref())
            .cloned()
    }

    /// The id of that project.
    pub(super) fn project_number(&self) -> Option<u64> {
        let about = self.object_attributes.as_ref();
        let project = self.project.as_ref().and_then(|project| project.id);
        project
            .or(self.project_id)
            .or_else(|| about.and_then(|about| about.target_project_id.or(about.project_id)))
    }

    /// The branches that a push changed.
    pub(super) fn branches(&self) -> Vec<&str> {
        let refs = self.refs.iter().flatten().chain(&self.reference);
        refs.filter_map(|name| name.strip_prefix("refs/heads/")).collect()
    }

    /// Kind, place and number for the log.
    pub(super) fn subject(&self, kind: &str) -> LogText {
        let place = self
            .project_path()
            .or_else(|| self.full_path.clone())
            .or_else(|| self.group_path.clone());
        let about = self
            .issue
            .as_ref()
            .or(self.merge_request.as_ref())
            .or(self.object_attributes.as_ref());
        let number = about
            .and_then(|about| about.iid)
            .map(|iid| format!("#{iid}"))
            .unwrap_or_default();
        LogText::new(&Untrusted::new(format!("{kind} {}{number}", place.unwrap_or_default())))
    }
}

/// A text, or nothing when it is anything else.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    deserializer.deserialize_any(Loose).map(|scalar| match scalar {
        Scalar::Text(text) => Some(text),
        _ => None,
    })
}

/// A number, also one written as text, or nothing when it is anything else.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    deserializer.deserialize_any(Loose).map(|scalar| match scalar {
        Scalar::Number(number) => Some(number),
        Scalar::Text(text) => text.parse().ok(),
        Scalar::Other => None,
    })
}

enum Scalar {
    Text(String),
    Number(u64),
    Other,
}

struct Loose;

impl<'de> de::Visitor<'de> for Loose {
    type Value = Scalar;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Scalar, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
        while seq.next_element::<de::IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<de::IgnoredAny, de::IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}
