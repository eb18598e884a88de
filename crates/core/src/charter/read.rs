//! From the file's bytes to a charter, or to everything that is wrong with it.

use super::finding::{Finding, Problem};
use super::tree::{self, Node, Value};
use super::{Charter, FullPath, IssueReference, Link, Status, join_of};
use crate::cadence::{self, Cadence, Day, Every, Zone};
use crate::ids::Username;
use crate::untrusted::Untrusted;

/// Larger files are refused unread.
pub const MOST_BYTES: usize = 64 * 1024;

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
        for item in self.items(
            "facilitators",
            node,
            "a list of usernames, for example `[darwinjs, brianwald]`",
        ) {
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
mod tests {
    use super::super::Join;
    use super::*;

    const EXAMPLE: &str = "\
name: Agile Architecture
summary: One sentence.
status: active            # proposed | active | inactive | retired
facilitators: [darwinjs, brianwald]
join: open
cadence: { every: month, on: first tuesday, at: \"16:00\", timezone: UTC, minutes: 50 }
chat: \"#cp_agile_architecture\"
proposal: gitlab-com/customer-success/communities-of-practice/intake#12
merged_into: null
links: []
";

    fn check(source: &str, expected: &[(Option<u64>, &str, Problem)]) {
        let findings = read(source.as_bytes()).expect_err(source);
        let got: Vec<_> = findings
            .iter()
            .map(|f| (f.line, f.key.as_str(), f.problem.clone()))
            .collect();
        assert_eq!(got, expected, "{source}");
    }

    #[test]
    fn the_charter_of_the_specification_is_understood() {
        let charter = read(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(charter.name.expose(), "Agile Architecture");
        assert_eq!(charter.status, Status::Active);
        assert_eq!(
            charter.facilitators.iter().map(Username::as_str).collect::<Vec<_>>(),
            ["darwinjs", "brianwald"]
        );
        assert_eq!(charter.join, Join::Open);
        assert_eq!(
            charter.cadence.describe(),
            "Monthly, first Tuesday, 16:00 UTC, 50 minutes"
        );
        assert_eq!(charter.chat.unwrap().expose(), "#cp_agile_architecture");
        assert_eq!(charter.proposal.unwrap().iid.0, 12);
        assert_eq!((charter.merged_into, charter.links), (None, vec![]));
    }

    #[test]
    fn a_short_charter_has_the_defaults() {
        let charter = read(b"name: X\nstatus: active\nfacilitators:\n").unwrap();
        assert_eq!((charter.cadence, charter.join), (Cadence::default(), Join::Open));
    }

    #[test]
    fn scalars_that_look_like_numbers_or_truth_values_stay_as_written() {
        for name in ["1.10", "0x10", "no", "true", "1e3", "012", "2026-01-01"] {
            let charter = read(format!("name: {name}\nstatus: active\nfacilitators: [\"007\"]\n").as_bytes()).unwrap();
            assert_eq!(charter.name.expose(), name);
            assert_eq!(charter.facilitators[0].as_str(), "007");
        }
    }

    #[test]
    fn all_mistakes_are_found_at_once_with_their_lines() {
        let source = "name: \"\"\nstatus: sleeping\nfacilitators:\n  - a b\n  - bob\n  - Bob\ncadence:\n  every: moon\n  on: first tuesday\n  at: 1600\n  timezone: Mars/Base\n  minutes: 2\nproposal: 12\nlinks: here\n";
        let every = "`week`, `2 weeks`, `month`, `quarter` or the like";
        check(
            source,
            &[
                (Some(1), "name", Problem::Expected("a name")),
                (
                    Some(2),
                    "status",
                    Problem::Expected("`proposed`, `active`, `inactive` or `retired`"),
                ),
                (Some(4), "facilitators", Problem::NotAUsername),
                (Some(6), "facilitators", Problem::ListedTwice),
                (Some(8), "cadence.every", Problem::Expected(every)),
                (
                    Some(10),
                    "cadence.at",
                    Problem::Expected("a time of day such as `\"16:00\"`"),
                ),
                (
                    Some(11),
                    "cadence.timezone",
                    Problem::Expected("a time zone such as `UTC` or `Europe/Berlin`"),
                ),
                (
                    Some(12),
                    "cadence.minutes",
                    Problem::Expected("a number of minutes from 5 to 1440"),
                ),
                (
                    Some(13),
                    "proposal",
                    Problem::Expected("an issue such as `group/intake#12`"),
                ),
                (
                    Some(14),
                    "links",
                    Problem::Expected("a list of addresses, or of entries with `title` and `url`"),
                ),
            ],
        );
    }

    #[test]
    fn what_has_to_be_there_is_asked_for() {
        check(
            "join: open\n",
            &[
                (None, "name", Problem::Missing),
                (None, "status", Problem::Missing),
                (None, "facilitators", Problem::Missing),
            ],
        );
    }

    #[test]
    fn broken_yaml_is_one_finding_with_its_line() {
        check("name: X\nname: Y\n", &[(Some(2), "", Problem::DuplicateKey)]);
        check("name: X\nfacilitators: [@bob]\n", &[(Some(2), "", Problem::NotYaml)]);
        check("name: &a X\nsummary: *a\n", &[(Some(1), "", Problem::Aliases)]);
        check("name: X\n<<: {status: active}\n", &[(Some(2), "", Problem::Aliases)]);
        check("- a\n- b\n", &[(Some(1), "", Problem::NotAMapping)]);
        check("just words\n", &[(Some(1), "", Problem::NotAMapping)]);
    }

    #[test]
    fn large_deep_and_foreign_files_are_refused_quickly() {
        let large = format!("name: {}\n", "x".repeat(MOST_BYTES));
        check(&large, &[(None, "", Problem::TooLarge)]);
        assert_eq!(read(b"name: \xff\n").unwrap_err()[0].problem, Problem::NotUtf8);
        let deep = format!("name: {}{}\n", "[".repeat(30_000), "]".repeat(30_000));
        assert_eq!(read(deep.as_bytes()).unwrap_err()[0].problem, Problem::NotYaml);
        assert!(read(b"").is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "(name|status|links|cadence|: |\\[|\\]|\\{|\\}|\n|  |- |'|\"|#|[a-z@&*<|>]){0,40}") {
            let _ = read(text.as_bytes());
        }
    }
}
