//! From the file's bytes to a charter, or to everything that is wrong with it.

use super::finding::{Finding, Problem};
use super::tree::{self, Node, Value};
use super::{Charter, FullPath, IssueReference, Link, Status, join_of};
use crate::cadence::{self, Cadence, Day, Every, Zone};
use crate::ids::Username;
use crate::untrusted::Untrusted;

/// Larger files are refused unread.
pub const MOST_BYTES: usize = 64 * 1024;

/// Each facilitator is looked up in GitLab, and anybody who may push to a community writes the list; as many as a form may name.
const MOST_FACILITATORS: usize = 100;

/// Reads a charter. Unknown keys are people's and pass without a word.
///
/// # Errors
/// Every finding, in the order of the file; a file that is no YAML gives the first mistake only.
pub fn read(source: &[u8]) -> Result<Charter, Vec<Finding>> {
    let tree = tree_of(source).map_err(|finding| vec![finding])?;
    charter_of(&tree)
}

pub(super) fn tree_of(source: &[u8]) -> Result<Node, Finding> {
    let whole = |problem| Finding {
        line: None,
        key: String::new(),
        problem,
        found: None,
    };
    if source.len() > MOST_BYTES {
        return Err(whole(Problem::TooLarge));
    }
    let text = std::str::from_utf8(source).map_err(|_| whole(Problem::NotUtf8))?;
    tree::parse(text)
}

pub(super) fn charter_of(tree: &Node) -> Result<Charter, Vec<Finding>> {
    let Value::Map(entries) = &tree.value else {
        let line = Some(tree.line).filter(|line| *line > 0);
        return Err(vec![Finding {
            line,
            key: String::new(),
            problem: Problem::NotAMapping,
            found: None,
        }]);
    };
    let mut fields = Fields {
        entries,
        prefix: "",
        findings: Vec::new(),
    };
    let charter = fields.charter();
    if fields.findings.is_empty() {
        Ok(charter)
    } else {
        fields.findings.sort_by_key(|finding| finding.line.unwrap_or(u64::MAX));
        Err(fields.findings)
    }
}

struct Fields<'a> {
    entries: &'a [(String, Node)],
    prefix: &'a str,
    findings: Vec<Finding>,
}

impl<'a> Fields<'a> {
    fn charter(&mut self) -> Charter {
        Charter {
            name: self.name(),
            summary: self.text("summary").unwrap_or_default(),
            status: self.status(),
            facilitators: self.facilitators(),
            join: self.text("join").map(|text| join_of(&text)).unwrap_or_default(),
            cadence: self.cadence(),
            chat: self.text("chat").filter(|text| !text.is_blank()),
            proposal: self.parsed("proposal", "an issue such as `group/intake#12`", IssueReference::parse),
            merged_into: self.parsed(
                "merged_into",
                "a project such as `group/community`, or `null`",
                |text| FullPath::new(text.trim()),
            ),
            links: self.links(),
        }
    }

    fn name(&mut self) -> Untrusted {
        match self.text("name") {
            Some(name) if name.is_blank() => self.wrong("name", "a name", None),
            Some(name) if name.expose().trim().contains('\n') => self.wrong("name", "a name on one line", None),
            Some(name) => return Untrusted::new(name.expose().trim()),
            // A value of another kind has its finding already.
            None if self.entry("name").is_none_or(Node::is_null) => self.missing("name"),
            None => {}
        }
        Untrusted::default()
    }

    fn status(&mut self) -> Status {
        if self.entry("status").is_none_or(Node::is_null) {
            self.missing("status");
        }
        let expected = "`proposed`, `active`, `inactive` or `retired`";
        self.parsed("status", expected, Status::parse)
            .unwrap_or(Status::Proposed)
    }

    fn facilitators(&mut self) -> Vec<Username> {
        let Some(node) = self.entry("facilitators") else {
            self.missing("facilitators");
            return Vec::new();
        };
        let mut people: Vec<Username> = Vec::new();
        let items = self.items(
            "facilitators",
            node,
            "a list of usernames, for example `[darwinjs, brianwald]`",
        );
        if items.len() > MOST_FACILITATORS {
            self.find(node, "facilitators", Problem::Expected("at most 100 usernames"));
            return people;
        }
        for item in items {
            let Value::Text(text) = &item.value else {
                self.find(item, "facilitators", Problem::NotAUsername);
                continue;
            };
            match Username::new(text.trim()) {
                None => self.find(item, "facilitators", Problem::NotAUsername),
                Some(person) if people.contains(&person) => self.find(item, "facilitators", Problem::ListedTwice),
                Some(person) => people.push(person),
            }
        }
        people
    }

    fn cadence(&mut self) -> Cadence {
        let Some(node) = self.entry("cadence") else {
            return Cadence::default();
        };
        match &node.value {
            Value::Null => Cadence::default(),
            Value::Text(text) => self.cadence_from_words(node, text),
            Value::List(_) => {
                self.find(node, "cadence", Problem::NotAMapping);
                Cadence::default()
            }
            Value::Map(entries) => {
                let mut fields = Fields {
                    entries,
                    prefix: "cadence.",
                    findings: Vec::new(),
                };
                let cadence = fields.cadence_fields();
                self.findings.append(&mut fields.findings);
                cadence
            }
        }
    }

    fn cadence_from_words(&mut self, node: &Node, text: &str) -> Cadence {
        let reading = cadence::read(&Untrusted::new(text));
        let unclear = reading
            .findings
            .iter()
            .any(|finding| !matches!(finding.problem, cadence::Problem::ZoneTakenAs(_)));
        if unclear {
            let expected = "a cadence such as `Monthly, first Tuesday, 16:00 UTC, 50 minutes`";
            self.find(node, "cadence", Problem::Expected(expected));
        }
        reading.cadence
    }

    fn cadence_fields(&mut self) -> Cadence {
        let every = self.parsed(
            "every",
            "`week`, `2 weeks`, `month`, `quarter` or the like",
            Every::parse,
        );
        let every = every.unwrap_or_default();
        let on = self.parsed(
            "on",
            "a day such as `first tuesday`, `last friday`, `tuesday` or `15`",
            Day::parse,
        );
        if on.is_some_and(|day| !day.fits(every))
            && let Some(node) = self.entry("on")
        {
            self.find(node, "on", Problem::DayDoesNotFit);
        }
        Cadence {
            every,
            on,
            at: self.parsed("at", "a time of day such as `\"16:00\"`", time_of_day),
            timezone: self
                .parsed("timezone", "a time zone such as `UTC` or `Europe/Berlin`", |text| {
                    Zone::new(text.trim())
                })
                .unwrap_or_default(),
            minutes: self.parsed("minutes", "a number of minutes from 5 to 1440", |text| {
                text.trim().parse().ok().filter(|minutes| (5..=1440).contains(minutes))
            }),
            from: self.parsed("from", "a day such as `2026-01-31`", |text| text.trim().parse().ok()),
        }
    }

    fn links(&mut self) -> Vec<Link> {
        let Some(node) = self.entry("links") else {
            return Vec::new();
        };
        let expected = "a list of addresses, or of entries with `title` and `url`";
        let mut links = Vec::new();
        for item in self.items("links", node, expected) {
            let link = match &item.value {
                Value::Text(text) => Link::parse(&Untrusted::new(text)),
                Value::Map(entries) => link_of(entries),
                _ => None,
            };
            match link {
                Some(link) => links.push(link),
                None => self.find(
                    item,
                    "links",
                    Problem::Expected("an address, or an entry with `title` and `url`"),
                ),
            }
        }
        links
    }

    fn entry(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// The items of a list; nothing for `null`; a finding for anything else.
    fn items(&mut self, key: &'static str, node: &'a Node, expected: &'static str) -> &'a [Node] {
        match &node.value {
            Value::List(items) => items,
            Value::Null => &[],
            _ => {
                self.find(node, key, Problem::Expected(expected));
                &[]
            }
        }
    }

    fn text(&mut self, key: &'static str) -> Option<Untrusted> {
        let node = self.entry(key)?;
        match &node.value {
            Value::Text(text) => Some(Untrusted::new(text)),
            Value::Null => None,
            _ => {
                self.find(node, key, Problem::Expected("text"));
                None
            }
        }
    }

    fn parsed<T>(&mut self, key: &'static str, expected: &'static str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let node = self.entry(key).filter(|node| !node.is_null())?;
        let value = match &node.value {
            Value::Text(text) => parse(text),
            _ => None,
        };
        if value.is_none() {
            self.find(node, key, Problem::Expected(expected));
        }
        value
    }

    fn wrong(&mut self, key: &'static str, expected: &'static str, found: Option<Untrusted>) {
        let line = self.entry(key).map(|node| node.line);
        let key = format!("{}{key}", self.prefix);
        self.findings.push(Finding {
            line,
            key,
            problem: Problem::Expected(expected),
            found,
        });
    }

    fn missing(&mut self, key: &'static str) {
        let line = self.entry(key).map(|node| node.line);
        let key = format!("{}{key}", self.prefix);
        self.findings.push(Finding {
            line,
            key,
            problem: Problem::Missing,
            found: None,
        });
    }

    fn find(&mut self, node: &Node, key: &'static str, problem: Problem) {
        let found = match &node.value {
            Value::Text(text) => Some(Untrusted::new(text)),
            _ => None,
        };
        let key = format!("{}{key}", self.prefix);
        self.findings.push(Finding {
            line: Some(node.line),
            key,
            problem,
            found,
        });
    }
}

fn link_of(entries: &[(String, Node)]) -> Option<Link> {
    let text = |key: &str| {
        entries
            .iter()
            .find(|(name, _)| name == key)
            .and_then(|(_, node)| match &node.value {
                Value::Text(text) if !text.trim().is_empty() => Some(Untrusted::new(text.trim())),
                _ => None,
            })
    };
    Some(Link {
        title: text("title"),
        url: text("url")?,
    })
}

fn time_of_day(text: &str) -> Option<jiff::civil::Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    if minute.len() != 2 {
        return None;
    }
    jiff::civil::Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

#[cfg(test)]
mod tests;
