//! Reading one section key by key: every fault is noted and the reading goes on.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use secrecy::SecretString;
use toml::{Table, Value};

use super::faults::Fault;
use super::source::Shared;
use super::units;

/// A table of the settings that remembers which keys were asked for, so that the others can be refused.
pub(super) struct Section {
    path: String,
    table: Table,
    asked: BTreeSet<String>,
    shared: Shared,
}

impl Section {
    pub(super) fn root(table: Table, shared: &Shared) -> Self {
        Self {
            path: String::new(),
            table,
            asked: BTreeSet::new(),
            shared: shared.clone(),
        }
    }

    /// Notes a fault of `key` of this section.
    pub(super) fn fault(&self, key: &str, problem: impl Into<String>, mend: impl Into<String>) {
        let path = self.join(key);
        let mut shared = self.shared.borrow_mut();
        let key = shared.by_variable.get(&path).cloned().unwrap_or(path);
        shared.faults.push(Fault {
            key,
            problem: problem.into(),
            mend: mend.into(),
        });
    }

    /// The text of `key`; `None` when it is not set.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        match self.take(key)? {
            Value::String(text) => Some(text),
            other => {
                self.fault(key, format!("is {}", kind(&other)), "write a text in quotes");
                None
            }
        }
    }

    /// The text of a key that must be set.
    pub(super) fn required(&mut self, key: &str, mend: &str) -> Option<String> {
        let was_set = self.table.contains_key(key);
        let text = self.text(key).filter(|text| !text.trim().is_empty());
        if text.is_none() && !was_set {
            self.fault(key, "is not set", mend);
        } else if text.is_none() && self.table.get(key).is_none_or(Value::is_str) {
            self.fault(key, "is empty", mend);
        }
        text
    }

    /// A text that `parse` understands, or `default` when it is not set. The parser's error is the mend.
    pub(super) fn parsed<T, E: Display>(
        &mut self,
        key: &str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> T {
        let Some(text) = self.text(key) else { return default };
        parse(&text).unwrap_or_else(|mend| {
            self.fault(
                key,
                format!("`{}` is not understood", text.escape_debug()),
                mend.to_string(),
            );
            default
        })
    }

    /// A duration with its unit, inside `range`.
    pub(super) fn duration(&mut self, key: &str, default: Duration, range: RangeInclusive<Duration>) -> Duration {
        let value = self.parsed(key, default, units::duration);
        self.in_range(key, value, default, range, |duration| format!("{duration:?}"))
    }

    /// A size with its unit, in bytes, inside `range`.
    pub(super) fn size(&mut self, key: &str, default: usize, range: RangeInclusive<usize>) -> usize {
        let value = self.parsed(key, default, units::size);
        self.in_range(key, value, default, range, |bytes| format!("{bytes} B"))
    }

    /// A whole number inside `range`.
    pub(super) fn whole(&mut self, key: &str, default: u32, range: RangeInclusive<u32>) -> u32 {
        let by_variable = self.is_by_variable(key);
        let number = match self.take(key) {
            None => return default,
            Some(Value::Integer(number)) => Some(number),
            Some(Value::String(text)) if by_variable => text.trim().parse().ok(),
            Some(_) => None,
        };
        let Some(number) = number.and_then(|number| u32::try_from(number).ok()) else {
            self.fault(
                key,
                "is no whole number",
                format!("write one from {} to {}", range.start(), range.end()),
            );
            return default;
        };
        self.in_range(key, number, default, range, ToString::to_string)
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &str, default: bool) -> bool {
        let by_variable = self.is_by_variable(key);
        let flag = match self.take(key) {
            None => return default,
            Some(Value::Boolean(flag)) => Some(flag),
            Some(Value::String(text)) if by_variable => text.trim().parse().ok(),
            Some(_) => None,
        };
        flag.unwrap_or_else(|| {
            self.fault(key, "is neither true nor false", "write `true` or `false`");
            default
        })
    }

    /// `true`, `false`, or the default when it is not set.
    pub(super) fn choice(&mut self, key: &str, default: Option<bool>) -> Option<bool> {
        let is_set = self.has(key);
        let flag = self.flag(key, default.unwrap_or_default());
        if is_set { Some(flag) } else { default }
    }

    /// A list of texts; in a variable they are separated by commas. `None` when it is not set.
    pub(super) fn list(&mut self, key: &str) -> Option<Vec<String>> {
        let by_variable = self.is_by_variable(key);
        match self.take(key)? {
            Value::String(text) if by_variable => Some(
                text.split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(str::to_owned)
                    .collect(),
            ),
            Value::Array(items) if items.iter().all(Value::is_str) => {
                Some(items.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            }
            other => {
                self.fault(
                    key,
                    format!("is {}", kind(&other)),
                    "write a list of texts, for example [\"a\", \"b\"]",
                );
                None
            }
        }
    }

    /// A table of texts, such as `{ Subject = "…" }`.
    pub(super) fn pairs(&mut self, key: &str) -> Vec<(String, String)> {
        match self.take(key) {
            None => Vec::new(),
            Some(Value::Table(table)) if table.values().all(Value::is_str) => table
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
                .collect(),
            Some(other) => {
                self.fault(
                    key,
                    format!("is {}", kind(&other)),
                    "write a table of texts, for example { Subject = \"…\" }",
                );
                Vec::new()
            }
        }
    }

    /// Secrets of `key`, one a line: from a variable and from the files of `<key>_file`; together they allow rotation.
    ///
    /// A secret in the settings' file itself is refused, and its value is not repeated.
    pub(super) fn secrets(&mut self, key: &str) -> Vec<SecretString> {
        let by_variable = self.is_by_variable(key);
        let mut secrets = Vec::new();
        match self.take(key) {
            None => {}
            Some(Value::String(text)) if by_variable => self.add_secrets(key, &text, &mut secrets),
            Some(_) => {
                let variable = self.variable(key);
                self.fault(
                    key,
                    "is a secret and does not belong in this file",
                    format!("set {variable}, or `{key}_file` to a file that holds it"),
                );
            }
        }
        let file_key = format!("{key}_file");
        for file in self.one_or_more(&file_key) {
            if let Some(text) = self.read_file(&file_key, &file) {
                self.add_secrets(&file_key, &text, &mut secrets);
            }
        }
        secrets
    }

    /// The first of [`Section::secrets`]; more than one is a fault.
    pub(super) fn secret(&mut self, key: &str) -> Option<SecretString> {
        let mut secrets = self.secrets(key);
        if secrets.len() > 1 {
            self.fault(
                key,
                "is set more than once",
                format!("set one of the variable and `{key}_file`, with one line"),
            );
        }
        (!secrets.is_empty()).then(|| secrets.swap_remove(0))
    }

    /// A text that may hold a secret, such as an address with a password: from a variable, from the file of `<key>_file`, or
    /// from the settings' file when `has_secret` says that there is none in it.
    pub(super) fn delicate(&mut self, key: &str, has_secret: impl Fn(&str) -> bool) -> Option<SecretString> {
        let by_variable = self.is_by_variable(key);
        let plain = self.text(key);
        let file_key = format!("{key}_file");
        let from_file = self.text(&file_key).and_then(|file| self.read_file(&file_key, &file));
        if plain.is_some() && from_file.is_some() {
            self.fault(
                key,
                "is set more than once",
                format!("set one of `{key}` and `{file_key}`"),
            );
        }
        if let Some(text) = &plain
            && !by_variable
            && has_secret(text)
        {
            let variable = self.variable(key);
            let mend = format!("set {variable}, or `{file_key}` to a file that holds it");
            self.fault(key, "holds a secret, which does not belong in this file", mend);
        }
        plain.or(from_file).map(|text| SecretString::from(text.trim()))
    }

    /// The section of this name; an empty one when it is not there.
    pub(super) fn section(&mut self, key: &str) -> Self {
        let table = match self.take(key) {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            Some(other) => {
                self.fault(
                    key,
                    format!("is {}", kind(&other)),
                    format!("write it as a section: [{}]", self.join(key)),
                );
                Table::new()
            }
        };
        self.inner(self.join(key), table)
    }

    /// Whether the key is there, and no empty list.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table
            .get(key)
            .is_some_and(|value| value.as_array().is_none_or(|items| !items.is_empty()))
    }

    /// The sections of a list such as `[[program]]`.
    pub(super) fn sections(&mut self, key: &str) -> Vec<Self> {
        let items = match self.take(key) {
            None => Vec::new(),
            Some(Value::Array(items)) if items.iter().all(Value::is_table) => items,
            Some(other) => {
                let mend = format!("write each as a section: [[{}]]", self.join(key));
                self.fault(key, format!("is {}", kind(&other)), mend);
                Vec::new()
            }
        };
        let path = self.join(key);
        items
            .into_iter()
            .enumerate()
            .filter_map(|(position, item)| match item {
                Value::Table(table) => Some(self.inner(format!("{path}.{position}"), table)),
                _ => None,
            })
            .collect()
    }

    /// One section, or a list of such; none when it is not there.
    pub(super) fn one_or_more_sections(&mut self, key: &str) -> Vec<Self> {
        match self.table.get(key) {
            Some(Value::Array(_)) => self.sections(key),
            _ if self.has(key) => vec![self.section(key)],
            _ => {
                self.asked.insert(key.to_owned());
                Vec::new()
            }
        }
    }

    /// Refuses every key that was not asked for. An empty section sets nothing, so it is no fault.
    pub(super) fn finish(self) {
        let unknown = self
            .table
            .iter()
            .filter(|(key, value)| !self.asked.contains(*key) && !value.as_table().is_some_and(Table::is_empty));
        for (key, _) in unknown {
            let known = self.asked.iter().map(String::as_str);
            let close = known
                .map(|name| (strsim::damerau_levenshtein(name, key), name))
                .filter(|(distance, name)| *distance <= 2.max(name.len() / 3))
                .min();
            let mend = match close {
                Some((_, name)) => format!("did you mean `{name}`?"),
                None => format!(
                    "known here: {}",
                    self.asked.iter().cloned().collect::<Vec<_>>().join(", ")
                ),
            };
            self.fault(key, "is no known key", mend);
        }
    }

    /// A secret's file is read here because the settings are the only reader of files and environment.
    fn read_file(&self, key: &str, file: &str) -> Option<String> {
        match std::fs::read_to_string(file) {
            Ok(text) => Some(text),
            Err(error) => {
                self.fault(
                    key,
                    format!("`{file}` cannot be read ({error})"),
                    "name a file that can be read",
                );
                None
            }
        }
    }

    fn variable(&self, key: &str) -> String {
        format!("CONVENOR_{}", self.join(key).replace('.', "__").to_uppercase())
    }

    fn add_secrets(&self, key: &str, text: &str, secrets: &mut Vec<SecretString>) {
        let before = secrets.len();
        secrets.extend(
            text.lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(SecretString::from),
        );
        if secrets.len() == before {
            self.fault(key, "is empty", "put the secret there, one a line");
        }
    }

    /// One text or a list of texts.
    fn one_or_more(&mut self, key: &str) -> Vec<String> {
        match self.table.get(key) {
            Some(Value::Array(_)) => self.list(key).unwrap_or_default(),
            _ => self.text(key).into_iter().collect(),
        }
    }

    fn in_range<T: PartialOrd>(
        &self,
        key: &str,
        value: T,
        default: T,
        range: RangeInclusive<T>,
        show: impl Fn(&T) -> String,
    ) -> T {
        if range.contains(&value) {
            return value;
        }
        let problem = format!("{} is out of range", show(&value));
        self.fault(
            key,
            problem,
            format!("choose from {} to {}", show(range.start()), show(range.end())),
        );
        default
    }

    fn inner(&self, path: String, table: Table) -> Self {
        Self {
            path,
            table,
            asked: BTreeSet::new(),
            shared: self.shared.clone(),
        }
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        let steps: Vec<_> = self
            .path
            .split('.')
            .chain([key])
            .filter(|step| !step.is_empty())
            .collect();
        let general = steps
            .iter()
            .map(|step| if step.parse::<usize>().is_ok() { "[]" } else { step });
        self.shared
            .borrow_mut()
            .asked
            .insert(general.collect::<Vec<_>>().join("."));
        self.asked.insert(key.to_owned());
        self.table.get(key).cloned()
    }

    fn is_by_variable(&self, key: &str) -> bool {
        self.shared.borrow().by_variable.contains_key(&self.join(key))
    }

    fn join(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
    }
}
