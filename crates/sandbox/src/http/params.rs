//! Parameters of a call: query, JSON body or form body, in one bag. A parameter that no route reads has no effect on
//! GitLab; here it is remembered, so that a misspelt one is found.

use super::{Refusal, Result};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// The parameters of one call.
#[derive(Debug, Default, Clone)]
pub(crate) struct Params {
    all: Map<String, Value>,
    read: RefCell<BTreeSet<String>>,
    odd: RefCell<Vec<String>>,
}

impl Params {
    pub(crate) fn new(all: Map<String, Value>) -> Self {
        Self {
            all,
            read: RefCell::default(),
            odd: RefCell::default(),
        }
    }

    /// Reads what a client sent; `Err` is GitLab's 400 for a body that is not what its type says.
    pub(crate) fn parse(query: &str, content_type: &str, body: &[u8]) -> Result<Self> {
        let mut all = Map::new();
        read_form(&mut all, query.as_bytes());
        if body.is_empty() {
            return Ok(Self::new(all));
        }
        if content_type.starts_with("application/x-www-form-urlencoded") {
            read_form(&mut all, body);
        } else if let Some(boundary) = boundary(content_type) {
            let broken = || Refusal::error(400, "The request body is not a valid multipart form");
            for (key, value) in super::multipart::fields(body, &boundary).ok_or_else(broken)? {
                put(&mut all, &key, value);
            }
        } else if content_type.starts_with("application/json") || content_type.contains("+json") {
            match serde_json::from_slice(body) {
                Ok(Value::Object(object)) => all.extend(object),
                Ok(_) | Err(_) => {
                    return Err(Refusal::error(400, "The request body is not a valid JSON object"));
                }
            }
        } else {
            return Err(Refusal::error(
                415,
                format!("The provided content-type '{}' is not supported.", content_type.trim()),
            ));
        }
        Ok(Self::new(all))
    }

    /// Names that nothing has read, also those inside of objects that were reported.
    pub(crate) fn unread(&self) -> Vec<String> {
        let read = self.read.borrow();
        let unread = self.all.keys().filter(|k| !read.contains(*k));
        unread.chain(self.odd.borrow().iter()).cloned().collect()
    }

    /// Reports what nothing has read of an object in this call, such as one of a commit's `actions`.
    pub(crate) fn report(&self, place: &str, inner: &Self) {
        let unread = inner.unread().into_iter().map(|name| format!("{place}[{name}]"));
        self.odd.borrow_mut().extend(unread);
    }

    /// Everything, for the call log.
    pub(crate) fn as_value(&self) -> Value {
        Value::Object(self.all.clone())
    }

    /// Marks parameters that GitLab knows and that change nothing here.
    pub(crate) fn accept(&self, names: &[&str]) {
        self.read.borrow_mut().extend(names.iter().map(|n| (*n).to_owned()));
    }

    /// The raw value; an explicit null counts as present.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.read.borrow_mut().insert(name.to_owned());
        self.all.get(name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(scalar)
    }

    /// A text in which null and empty mean absent.
    pub(crate) fn filled(&self, name: &str) -> Option<String> {
        self.text(name).filter(|t| !t.is_empty())
    }

    /// For fields that null clears: `Some(None)` when null was sent.
    pub(crate) fn nullable(&self, name: &str) -> Option<Option<String>> {
        self.get(name).map(scalar)
    }

    pub(crate) fn required(&self, name: &str) -> Result<String> {
        match self.get(name) {
            None => Err(Refusal::error(400, format!("{name} is missing"))),
            Some(Value::Array(_) | Value::Object(_)) => Err(invalid(name)),
            Some(value) => scalar(value).ok_or_else(|| Refusal::error(400, format!("{name} is empty"))),
        }
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>> {
        match self.filled(name) {
            None => Ok(None),
            Some(text) => text.trim().parse().map(Some).map_err(|_| invalid(name)),
        }
    }

    pub(crate) fn required_number(&self, name: &str) -> Result<u64> {
        self.required(name)?;
        self.number(name)?.ok_or_else(|| invalid(name))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>> {
        match self.filled(name).map(|t| t.to_lowercase()).as_deref() {
            None => Ok(None),
            Some("true" | "1" | "t" | "on" | "yes" | "y") => Ok(Some(true)),
            Some("false" | "0" | "f" | "off" | "no" | "n") => Ok(Some(false)),
            Some(_) => Err(invalid(name)),
        }
    }

    pub(crate) fn is_set(&self, name: &str) -> Result<bool> {
        Ok(self.flag(name)?.unwrap_or(false))
    }

    /// A value out of a fixed set.
    pub(crate) fn one_of(&self, name: &str, allowed: &[&str]) -> Result<Option<String>> {
        match self.filled(name) {
            Some(text) if !allowed.contains(&text.as_str()) => {
                Err(Refusal::error(400, format!("{name} does not have a valid value")))
            }
            other => Ok(other),
        }
    }

    /// `a,b`, `["a","b"]` or `name[]=a&name[]=b`; GitLab splits inside of a list, too.
    pub(crate) fn words(&self, name: &str) -> Option<Vec<String>> {
        let parts: Vec<String> = match self.get(name)? {
            Value::Array(items) => items.iter().filter_map(scalar).collect(),
            other => scalar(other).into_iter().collect(),
        };
        Some(
            parts
                .iter()
                .flat_map(|part| part.split(','))
                .map(|p| p.trim().to_owned())
                .filter(|p| !p.is_empty())
                .collect(),
        )
    }

    /// Numbers in any of the shapes of [`Params::words`]; an empty list and `0` mean nobody.
    pub(crate) fn ids(&self, name: &str) -> Result<Option<Vec<u64>>> {
        let Some(words) = self.words(name) else { return Ok(None) };
        let ids: std::result::Result<Vec<u64>, _> = words.iter().map(|w| w.parse::<u64>()).collect();
        Ok(Some(
            ids.map_err(|_| invalid(name))?
                .into_iter()
                .filter(|id| *id != 0)
                .collect(),
        ))
    }

    /// Objects in a list, such as `actions` of a commit.
    pub(crate) fn objects(&self, name: &str) -> Result<Option<Vec<Self>>> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| match item {
                    Value::Object(object) => Ok(Self::new(object.clone())),
                    _ => Err(invalid(name)),
                })
                .collect::<Result<Vec<_>>>()
                .map(Some),
            Some(_) => Err(invalid(name)),
        }
    }

    /// One nested object, such as `not[labels]`.
    pub(crate) fn object(&self, name: &str) -> Option<Self> {
        match self.get(name)? {
            Value::Object(object) => Some(Self::new(object.clone())),
            _ => None,
        }
    }

    /// Fails as GitLab does when none of several parameters was given.
    pub(crate) fn at_least_one_of(&self, names: &[&str]) -> Result<()> {
        if names.iter().any(|n| self.has(n)) {
            return Ok(());
        }
        Err(Refusal::error(
            400,
            format!(
                "{} are missing, at least one parameter must be provided",
                names.join(", ")
            ),
        ))
    }
}

fn invalid(name: &str) -> Refusal {
    Refusal::error(400, format!("{name} is invalid"))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Reads `a=1&b[]=2&c[d]=3&e[][f]=4` the way Rack does.
fn read_form(into: &mut Map<String, Value>, form: &[u8]) {
    for (key, value) in url::form_urlencoded::parse(form) {
        put(into, &key, value.into_owned());
    }
}

/// Puts one field of a form where its name says.
fn put(into: &mut Map<String, Value>, key: &str, value: String) {
    let name = key.split('[').next().unwrap_or_default().to_owned();
    let rest: Vec<&str> = key[name.len()..]
        .split('[')
        .skip(1)
        .map(|k| k.trim_end_matches(']'))
        .collect();
    let slot = into.remove(&name);
    into.insert(name, placed(slot, &rest, value));
}

/// The boundary of a `multipart/form-data` body.
fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let found = parameters.split(';').find_map(|p| p.trim().strip_prefix("boundary="))?;
    Some(found.trim_matches('"').to_owned())
}

fn placed(slot: Option<Value>, path: &[&str], value: String) -> Value {
    match path {
        [] => Value::String(value),
        ["", rest @ ..] => {
            let mut items = match slot {
                Some(Value::Array(items)) => items,
                _ => Vec::new(),
            };
            // A list of objects: the next one begins when its first key comes again.
            let into_last = match (rest.first(), items.last()) {
                (Some(key), Some(Value::Object(last))) => !last.contains_key(*key),
                _ => false,
            };
            let last = if into_last { items.pop() } else { None };
            items.push(placed(last, rest, value));
            Value::Array(items)
        }
        [key, rest @ ..] => {
            let mut object = match slot {
                Some(Value::Object(object)) => object,
                _ => Map::new(),
            };
            let inner = object.remove(*key);
            object.insert((*key).to_owned(), placed(inner, rest, value));
            Value::Object(object)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn form(text: &str) -> Value {
        Params::parse(text, "", b"").unwrap().as_value()
    }

    #[test]
    fn forms_are_nested_as_rack_nests_them() {
        assert_eq!(form("a=1&b[]=x&b[]=y"), json!({"a": "1", "b": ["x", "y"]}));
        assert_eq!(form("not[labels]=x"), json!({"not": {"labels": "x"}}));
        assert_eq!(
            form("actions[][action]=create&actions[][file_path]=a&actions[][action]=delete&actions[][file_path]=b"),
            json!({"actions": [{"action": "create", "file_path": "a"}, {"action": "delete", "file_path": "b"}]})
        );
    }

    #[test]
    fn a_parameter_that_nobody_read_is_remembered() {
        let params = Params::parse("stat=opened&page=1", "", b"").unwrap();
        params.text("page");
        assert_eq!(params.unread(), ["stat"]);
    }

    #[test]
    fn null_clears_and_absence_does_not() {
        let params = Params::parse("", "application/json", br#"{"description":null}"#).unwrap();
        assert_eq!(params.nullable("description"), Some(None));
        assert_eq!(params.nullable("title"), None);
    }
}
