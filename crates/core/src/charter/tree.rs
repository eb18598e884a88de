//! YAML as a tree of text with line numbers, read within tight limits.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy, Options, Spanned};

use super::finding::{Finding, Problem};
use crate::untrusted::Untrusted;

/// A value and the line on which it begins, counted from 1.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) line: u64,
    pub(super) value: Value,
}

impl PartialEq for Node {
    /// Equal in meaning: lines do not count.
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// Scalars are kept as the text that stands there: a community may be called `1.10` or `no`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    pub(super) fn is_null(&self) -> bool {
        self.value == Value::Null
    }
}

/// Reads one document. At most one finding comes back, for a parser cannot go on past broken YAML.
pub(super) fn parse(source: &str) -> Result<Node, Finding> {
    serde_saphyr::from_str_with_options::<Raw>(source, options())
        .map(|raw| raw.into_node(source))
        .map_err(|error| finding(&error))
}

fn options() -> Options {
    serde_saphyr::options! {
        // A charter is a page of plain values: these are far above any real one and far below what hurts.
        budget: serde_saphyr::budget! {
            max_aliases: 0,
            max_anchors: 0,
            max_depth: 16,
            max_documents: 1,
            max_nodes: 5_000,
            max_events: 20_000,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
    }
}

fn finding(error: &serde_saphyr::Error) -> Finding {
    use serde_saphyr::Error;
    let line = error.location().map(|at| at.line());
    let error = error.without_snippet();
    let message = error.to_string();
    let problem = match error {
        Error::DuplicateMappingKey { .. } => Problem::DuplicateKey,
        // The kinds of a broken budget are many; the words are the parser's own.
        _ if message.contains("alias") || message.contains("anchor") || message.contains("merge key") => {
            Problem::Aliases
        }
        _ => Problem::NotYaml,
    };
    let key = match error {
        Error::DuplicateMappingKey { key, .. } => key.clone(),
        _ => None,
    };
    let found = Untrusted::new(key.unwrap_or(message));
    Finding {
        line,
        key: String::new(),
        problem,
        found: Some(found),
    }
}

struct Raw(Spanned<RawValue>);

enum RawValue {
    Null,
    Text(String),
    /// A number or truth value: its spelling is taken from the source.
    Spelled(String),
    List(Vec<Raw>),
    Map(Vec<(String, Raw)>),
}

impl Raw {
    fn into_node(self, source: &str) -> Node {
        let at = self.0.referenced;
        let value = match self.0.value {
            RawValue::Null => Value::Null,
            RawValue::Text(text) => Value::Text(text),
            RawValue::Spelled(meaning) => Value::Text(spelling(source, at).unwrap_or(meaning)),
            RawValue::List(items) => Value::List(items.into_iter().map(|item| item.into_node(source)).collect()),
            RawValue::Map(entries) => Value::Map(
                entries
                    .into_iter()
                    .map(|(key, value)| (key, value.into_node(source)))
                    .collect(),
            ),
        };
        Node { line: at.line(), value }
    }
}

fn spelling(source: &str, at: serde_saphyr::Location) -> Option<String> {
    let begin = usize::try_from(at.span().byte_offset()?).ok()?;
    let length = usize::try_from(at.span().byte_len()?).ok()?;
    source
        .get(begin..begin.checked_add(length)?)
        .map(|text| text.trim().to_owned())
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Spanned::deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = RawValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Null)
    }

    fn visit_none<E>(self) -> Result<RawValue, E> {
        Ok(RawValue::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<RawValue, E> {
        Ok(RawValue::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawValue, E> {
        Ok(RawValue::Spelled(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<RawValue, E> {
        Ok(RawValue::Spelled(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<RawValue, E> {
        Ok(RawValue::Spelled(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<RawValue, E> {
        Ok(RawValue::Spelled(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<RawValue, E> {
        Ok(RawValue::Spelled(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<RawValue, E> {
        Ok(RawValue::Spelled(value.to_string()))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<RawValue, D::Error> {
        RawValue::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<RawValue, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(RawValue::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<RawValue, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(RawValue::Map(map))
    }
}
