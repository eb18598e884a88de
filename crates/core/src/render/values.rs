//! The values that templates may use, made fit for the kind of file in which they will stand.
//!
//! In Markdown a value is text of a line that begins nothing (no heading, list, quick action, table cell or HTML); in
//! YAML it is a whole value in quotes; elsewhere it is one line. `purpose` and the lists keep their lines in Markdown.

use serde_json::{Value, json};

use jiff::civil::Date;

use super::{Addresses, ProjectData};
use crate::charter::{self, Join, Link, yaml_text};
use crate::escape::TemplateValue;
use crate::ids::Username;
use crate::proposal::ChannelName;
use crate::untrusted::Untrusted;

/// The kind of file in which a value will stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sink {
    Markdown,
    Yaml,
    Line,
}

impl Sink {
    /// The kind by the file's name.
    pub(super) fn of(path: &str) -> Self {
        match path
            .rsplit_once('.')
            .map(|(_, ending)| ending.to_ascii_lowercase())
            .as_deref()
        {
            Some("md" | "markdown") => Self::Markdown,
            Some("yml" | "yaml" | "json") => Self::Yaml,
            _ => Self::Line,
        }
    }

    fn text(self, text: &Untrusted) -> String {
        match self {
            Self::Markdown => inline(text),
            Self::Yaml => yaml_text(text.expose()),
            Self::Line => plain_line(text.expose()),
        }
    }

    fn block(self, text: &Untrusted) -> String {
        match self {
            Self::Markdown => markdown_block(text),
            other => other.text(text),
        }
    }

    /// Text of our own or of a validated type.
    fn own(self, text: &str) -> String {
        if self == Self::Yaml {
            yaml_text(text)
        } else {
            text.to_owned()
        }
    }

    /// A channel that really is one can be copied from a code span; other text is text.
    fn chat(self, chat: &Untrusted) -> String {
        match ChannelName::new(chat.expose().trim()) {
            Some(channel) if self == Self::Markdown => format!("`#{}`", channel.as_str()),
            _ => self.text(chat),
        }
    }

    fn person(self, person: &Username) -> String {
        if self == Self::Yaml {
            charter::username(person)
        } else {
            person.as_str().to_owned()
        }
    }

    fn link(self, link: &Link) -> Option<String> {
        let title = link.title.as_ref().unwrap_or(&link.url);
        match self {
            Self::Markdown => {
                let url = safe_address(link.url.expose())?;
                Some(format!("[{}]({url})", inline(title)))
            }
            Self::Yaml => Some(format!(
                "{{ title: {}, url: {} }}",
                link.title
                    .as_ref()
                    .map_or("null".to_owned(), |title| yaml_text(title.expose())),
                yaml_text(link.url.expose())
            )),
            Self::Line => safe_address(link.url.expose()),
        }
    }
}

/// All values; strict templates find `null` where a community has none of it, and a fault where the name is wrong.
pub(super) fn context(data: &ProjectData, sink: Sink, day: Option<Date>) -> Value {
    let ProjectData {
        charter,
        slug,
        purpose,
        members,
        addresses,
    } = data;
    let people = |people: &[Username]| -> Vec<String> { people.iter().map(|person| sink.person(person)).collect() };
    json!({
        "name": sink.text(&charter.name),
        "summary": or_null(Some(&charter.summary).filter(|text| !text.is_blank()).map(|text| sink.text(text)), sink),
        "purpose": sink.block(purpose),
        "status": charter.status.as_str(),
        "slug": sink.own(slug.as_str()),
        "facilitators": people(&charter.facilitators),
        "members": people(members),
        "join": join(&charter.join, sink),
        "cadence": cadence(data, sink),
        "chat": or_null(charter.chat.as_ref().map(|chat| sink.chat(chat)), sink),
        "proposal": or_null(charter.proposal.as_ref().map(|issue| sink.own(&issue.to_string())), sink),
        "merged_into": or_null(charter.merged_into.as_ref().map(|path| sink.own(path.as_str())), sink),
        "links": charter.links.iter().filter_map(|link| sink.link(link)).collect::<Vec<_>>(),
        "address": address(addresses, sink),
        "day": day.map(|day| sink.own(&day.to_string())),
    })
}

/// In YAML nothing is a word of its own; elsewhere it is what `{{#if}}` asks for.
fn or_null(text: Option<String>, sink: Sink) -> Value {
    match (text, sink) {
        (Some(text), _) => Value::String(text),
        (None, Sink::Yaml) => Value::String("null".to_owned()),
        (None, _) => Value::Null,
    }
}

fn join(join: &Join, sink: Sink) -> Value {
    let (word, sentence) = match join {
        Join::Open => ("open".to_owned(), None),
        Join::Request => ("request".to_owned(), None),
        Join::Sentence(sentence) if sink == Sink::Yaml => (yaml_text(sentence.expose()), None),
        Join::Sentence(sentence) => ("sentence".to_owned(), Some(sink.text(sentence))),
    };
    json!({
        "word": word,
        "open": *join == Join::Open,
        "request": *join == Join::Request,
        "sentence": sentence,
    })
}

fn cadence(data: &ProjectData, sink: Sink) -> Value {
    let cadence = &data.charter.cadence;
    json!({
        "text": sink.own(&cadence.describe()),
        "day_known": cadence.on.is_some(),
        "mapping": charter::cadence_mapping(cadence),
    })
}

fn address(addresses: &Addresses, sink: Sink) -> Value {
    let Addresses {
        project,
        board,
        charter,
        proposal,
        handbook,
    } = addresses;
    let sure = |text: &str| sink.own(&linkable(text));
    let own = |text: &Option<String>| or_null(text.as_deref().map(sure), sink);
    json!({
        "project": sure(project),
        "board": sure(board),
        "issues": sure(&format!("{project}/-/issues")),
        "new_issue": sure(&format!("{project}/-/issues/new")),
        "members": sure(&format!("{project}/-/project_members")),
        "charter": sure(charter),
        "proposal": own(proposal),
        "handbook": own(handbook),
    })
}

/// An address that cannot end a Markdown link early.
fn linkable(address: &str) -> String {
    let mut safe = String::with_capacity(address.len());
    for character in address.chars().filter(|c| !c.is_whitespace() && !c.is_control()) {
        match character {
            '(' => safe.push_str("%28"),
            ')' => safe.push_str("%29"),
            '<' => safe.push_str("%3C"),
            '>' => safe.push_str("%3E"),
            '|' => safe.push_str("%7C"),
            '\\' => safe.push_str("%5C"),
            other => safe.push(other),
        }
    }
    safe
}

/// Only web addresses become links, and nothing in them can end the link early.
fn safe_address(text: &str) -> Option<String> {
    let url = url::Url::parse(text.trim())
        .ok()
        .filter(|url| url.scheme() == "https" && url.has_host())?;
    let plain = url.username().is_empty() && url.password().is_none();
    plain.then(|| linkable(url.as_str()))
}

/// One line of Markdown that sets nothing off.
fn inline(text: &Untrusted) -> String {
    TemplateValue::inline(text).as_str().to_owned()
}

/// One line without controls and without marks that nobody sees (they reorder or hide text).
fn plain_line(text: &str) -> String {
    let seen: String = text.chars().filter(|c| !charter::is_invisible(*c)).collect();
    let words: Vec<_> = seen
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

/// Several lines of Markdown: paragraphs and plain lists stay, everything else becomes words.
fn markdown_block(text: &Untrusted) -> String {
    let mut lines = Vec::new();
    for line in text.expose().lines() {
        let line = line.trim();
        let item = line.strip_prefix("- ").or_else(|| line.strip_prefix("* "));
        let escaped = match item {
            Some(item) => format!("- {}", inline(&Untrusted::new(item))),
            None => inline(&Untrusted::new(line)),
        };
        let blank_again = escaped.is_empty() && lines.last().is_none_or(String::is_empty);
        if !blank_again {
            lines.push(escaped);
        }
    }
    lines.join("\n").trim_end().to_owned()
}
