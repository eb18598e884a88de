//! Usernames in what people write: `@a, @b`, lists, `Alice Smith (@alice)`, `[Alice](https://gitlab.example.com/alice)`, `alice`.

use std::collections::HashSet;

use url::Url;

use super::sections::{Piece, Section};
use crate::ids::Username;

/// The people of one field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// Each once, in order.
    pub(super) people: Vec<Username>,
    /// What names nobody.
    pub(super) unknown: Vec<Unknown>,
}

/// Words that could not be taken for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// Words without an `@`.
    Words(String),
    /// A mention that is a group or everybody.
    Group(String),
    /// An e-mail address.
    Mail(String),
    /// A link that is no person's page on GitLab.
    Link(String),
    /// Words behind a mention that are no remark in brackets or behind a dash.
    Beside(String),
}

/// Mentions that stand for many people.
const CROWDS: [&str; 4] = ["all", "here", "everyone", "channel"];
/// Words between names.
const FILLING: [&str; 13] = [
    "and",
    "&",
    "or",
    "plus",
    "with",
    "lead",
    "co-lead",
    "leads",
    "co-leads",
    "facilitators",
    "members",
    "tbd",
    "etc",
];

/// Reads the people of a section.
pub(super) fn people(section: &Section) -> Named {
    let mut named = Named::default();
    let mut seen = HashSet::new();
    let segments = segments(section);
    let style = if segments.iter().any(|segment| segment.mentions) {
        Style::Mentions
    } else {
        Style::BareNames
    };
    for segment in segments {
        segment.read(style, &mut named);
    }
    named.people.retain(|user| seen.insert(user.clone()));
    named
}

/// Who writes `@` before one name means no person where it is missing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Mentions,
    BareNames,
}

/// What stands between commas, semicolons, line ends and the ends of list items.
#[derive(Default)]
struct Segment {
    people: Vec<Username>,
    unknown: Vec<Unknown>,
    words: String,
    /// How many bytes of `words` stand before the last mention.
    before: usize,
    /// Whether there is an `@name` in it.
    mentions: bool,
}

fn segments(section: &Section) -> Vec<Segment> {
    let mut segments = Segments(vec![Segment::default()]);
    for piece in &section.pieces {
        match piece {
            Piece::Text(text) => parts(text)
                .enumerate()
                .for_each(|(at, part)| segments.part(at > 0).scan(part)),
            Piece::Code(text) => parts(text)
                .enumerate()
                .for_each(|(at, part)| segments.part(at > 0).code(part)),
            Piece::Link(words, address) => segments.part(false).link(words, address),
            Piece::Head(_) | Piece::Bullet => {}
            Piece::LineEnd | Piece::BlockEnd => segments.0.push(Segment::default()),
        }
    }
    segments.0
}

struct Segments(Vec<Segment>);

impl Segments {
    fn part(&mut self, another: bool) -> &mut Segment {
        if another || self.0.is_empty() {
            self.0.push(Segment::default());
        }
        let last = self.0.len() - 1;
        &mut self.0[last]
    }
}

/// The parts between commas and the like, and between the words that part names.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', '\n', '\u{ff0c}', '\u{3001}', '|', '•'])
        .flat_map(|part| part.split(" and "))
        .flat_map(|part| part.split(" & "))
}

impl Segment {
    /// Finds the mentions in running text; the rest is kept as words.
    fn scan(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find('@') {
            let (before, after) = rest.split_at(at);
            let name = &after[1..][..after[1..].find(|c: char| !name_character(c)).unwrap_or(after.len() - 1)];
            let name = name.trim_end_matches('.');
            let tail = &after[1 + name.len()..];
            if before
                .chars()
                .next_back()
                .is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '+' | '-'))
            {
                let start = before.len()
                    - before
                        .chars()
                        .rev()
                        .take_while(|c| !c.is_whitespace())
                        .map(char::len_utf8)
                        .sum::<usize>();
                self.words.push_str(&before[..start]);
                self.unknown.push(Unknown::Mail(format!("{}@{name}", &before[start..])));
            } else {
                self.words.push_str(before);
                self.mention(name, tail);
            }
            rest = tail;
        }
        self.words.push_str(rest);
    }

    /// A code span holds one username, or it is running text.
    fn code(&mut self, text: &str) {
        match Username::new(text.trim()) {
            Some(user) if !CROWDS.contains(&user.key().as_str()) => self.person(user),
            _ => self.scan(text),
        }
    }

    fn person(&mut self, user: Username) {
        self.people.push(user);
        self.before = self.words.len();
    }

    fn mention(&mut self, name: &str, tail: &str) {
        let group = tail.starts_with('/') && tail[1..].starts_with(name_character);
        match Username::new(name) {
            _ if name.is_empty() => self.words.push('@'),
            Some(user) if !group && !CROWDS.contains(&user.key().as_str()) => {
                self.mentions = true;
                self.person(user);
            }
            _ => {
                let path = tail
                    .split(|c: char| !name_character(c) && c != '/')
                    .next()
                    .unwrap_or_default();
                self.unknown.push(Unknown::Group(format!("{name}{path}")));
            }
        }
    }

    fn link(&mut self, words: &str, address: &str) {
        if words.contains('@') && !address.starts_with("mailto:") {
            return self.scan(words);
        }
        match profile(address) {
            Some(user) => self.person(user),
            None => self.unknown.push(Unknown::Link(
                if words.trim().is_empty() { address } else { words }.to_owned(),
            )),
        }
    }

    /// What stands behind the last mention and is no remark.
    fn beside(&self) -> Option<String> {
        if self.people.is_empty() {
            return None;
        }
        let words = without_brackets(self.words.get(self.before..)?);
        let words = words.trim();
        let remark = words.starts_with(['-', '–', '—', ':', '/', '=']) || filling(words);
        (!remark).then(|| words.to_owned())
    }

    /// Words beside a mention are a display name or a role; alone they must be one username.
    fn read(mut self, style: Style, named: &mut Named) {
        if let Some(words) = self.beside() {
            let address = words.contains("://");
            self.unknown.push(if address {
                Unknown::Words(words)
            } else {
                Unknown::Beside(words)
            });
        }
        if self.people.is_empty() && self.unknown.is_empty() {
            let words = self.words.trim().trim_end_matches(['.', ':', '!']).trim();
            match Username::new(words) {
                _ if words.is_empty() || filling(words) => {}
                Some(user) if style == Style::BareNames => self.people.push(user),
                _ if words.starts_with("https://") && profile(words).is_some() => self.people.extend(profile(words)),
                _ => self.unknown.push(Unknown::Words(words.to_owned())),
            }
        }
        named.unknown.append(&mut self.unknown);
        named.people.append(&mut self.people);
    }
}

/// Text without its parts in brackets.
fn without_brackets(text: &str) -> String {
    let mut depth = 0_usize;
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out
}

fn filling(words: &str) -> bool {
    let lower = words.to_lowercase();
    FILLING.contains(&lower.as_str()) || !lower.contains(char::is_alphanumeric)
}

fn name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// The user of `https://gitlab.example.com/alice`; other hosts have usernames of their own.
fn profile(address: &str) -> Option<Username> {
    let url = Url::parse(address).ok().filter(|url| url.scheme() == "https")?;
    if !url.host_str()?.split('.').any(|label| label == "gitlab") {
        return None;
    }
    let mut parts = url.path_segments()?.filter(|part| !part.is_empty());
    match (parts.next(), parts.next()) {
        (Some(name), None) => Username::new(name),
        _ => None,
    }
}
