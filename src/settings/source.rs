//! Where settings come from: a TOML text with environment variables laid over it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use toml::{Table, Value};

use super::faults::Fault;

/// What all [`super::section::Section`]s of one reading share.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) faults: Vec<Fault>,
    /// Every key that was asked for, with `[]` for positions in lists.
    pub(super) asked: BTreeSet<String>,
    /// Keys that an environment variable set, and which one.
    pub(super) by_variable: BTreeMap<String, String>,
}

pub(super) type Shared = Rc<RefCell<Gathered>>;

/// Parses the file's text. A syntax error names the line but never shows it: the line may hold a secret.
pub(super) fn parse(text: &str, gathered: &Shared) -> Table {
    match text.parse::<Table>() {
        Ok(table) => table,
        Err(error) => {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes()[..start].iter().filter(|&&byte| byte == b'\n').count() + 1;
            gathered.borrow_mut().faults.push(Fault {
                key: format!("line {line}"),
                problem: format!("is no TOML ({})", error.message()),
                mend: "mend the line as https://toml.io says".to_owned(),
            });
            Table::new()
        }
    }
}

/// Lays `CONVENOR_<SECTION>__<KEY>` over the table; `__` separates steps, a number is a position in a list.
///
/// Variables without `__` are not settings: container platforms set names such as `CONVENOR_SERVICE_HOST` by themselves. An empty
/// variable counts as none, so that what an image sets can be taken back.
pub(super) fn overlay(table: &mut Table, environment: &BTreeMap<String, String>, gathered: &Shared) {
    for (variable, value) in environment.iter().filter(|(_, value)| !value.is_empty()) {
        let Some(name) = variable.strip_prefix("CONVENOR_").filter(|name| name.contains("__")) else {
            continue;
        };
        let steps: Vec<String> = name.split("__").map(str::to_ascii_lowercase).collect();
        let key = steps.join(".");
        if insert(table, &steps, value) {
            gathered.borrow_mut().by_variable.insert(key, variable.clone());
        } else {
            gathered.borrow_mut().faults.push(Fault {
                key: variable.clone(),
                problem: "fits nowhere".to_owned(),
                mend: format!("`{key}` has to be a key of a section; positions in lists count from 0 without gaps"),
            });
        }
    }
}

fn insert(table: &mut Table, steps: &[String], value: &str) -> bool {
    let [first, rest @ ..] = steps else { return false };
    let [next, ..] = rest else {
        table.insert(first.clone(), Value::String(value.to_owned()));
        return true;
    };
    let Ok(position) = next.parse::<usize>() else {
        let inner = table.entry(first.clone()).or_insert_with(|| Value::Table(Table::new()));
        return inner.as_table_mut().is_some_and(|inner| insert(inner, rest, value));
    };
    let list = table.entry(first.clone()).or_insert_with(|| Value::Array(Vec::new()));
    let Some(list) = list.as_array_mut() else { return false };
    if position == list.len() {
        list.push(Value::Table(Table::new()));
    }
    list.get_mut(position)
        .and_then(Value::as_table_mut)
        .is_some_and(|inner| insert(inner, &rest[1..], value))
}
