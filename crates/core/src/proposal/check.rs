//! The form's rules: each field read, each fault found, all at once.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::people::{self, Unknown};
use super::sections::{self, Piece, Section};
use super::{ChannelName, Field, Finding, Join, Link, MAX_BYTES, Severity, Understood};
use crate::escape::{Markdown, NameProblem, ProjectName, clean};
use crate::ids::Username;
use crate::slug::Slug;
use crate::untrusted::Untrusted;

/// More people than this are added by hand, not by a form.
const MAX_PEOPLE: usize = 100;
/// After so many words that name nobody the rest is only counted.
const MAX_UNKNOWN: usize = 10;
/// So many sections under other headings are kept.
const MAX_EXTRA: usize = 50;
/// More links than this are a page of their own.
const MAX_LINKS: usize = 50;
/// Words and addresses of all links together, in bytes: they go into the charter, which people read.
const MAX_LINK_BYTES: usize = 16 * 1024;
/// The most characters of a link's words.
const MAX_LINK_TEXT: usize = 200;
/// The most characters of the sentence on who can join.
const MAX_JOIN: usize = 500;

fn words(words: &'static str) -> Markdown {
    Markdown::new().words(words)
}

/// Reads all fields of a description; the title only serves to suggest a name.
pub(super) fn read(title: &Untrusted, description: &Untrusted) -> (Understood, Vec<Finding>) {
    let mut form = Form {
        title: title.clone(),
        ..Form::default()
    };
    if description.expose().len() > MAX_BYTES {
        form.refuse(
            Field::Form,
            words("the description is longer than 256 KiB"),
            words("shorten it"),
        );
        return (form.understood, form.findings);
    }
    let mut found: BTreeMap<Field, Section> = BTreeMap::new();
    let mut twice: BTreeSet<Field> = BTreeSet::new();
    for section in sections::sections(description.expose()) {
        match section.field {
            None => form.extra(&section),
            Some(field) if found.contains_key(&field) => {
                twice.insert(field);
            }
            Some(field) => {
                found.insert(field, section);
            }
        }
    }
    for field in twice {
        form.refuse(
            field,
            words("this heading stands there twice"),
            words("keep one of them"),
        );
    }
    for field in Field::ALL {
        let section = found.remove(&field);
        form.read(field, section.as_ref());
    }
    form.enough_people();
    (form.understood, form.findings)
}

#[derive(Default)]
struct Form {
    title: Untrusted,
    understood: Understood,
    findings: Vec<Finding>,
}

impl Form {
    fn refuse(&mut self, field: Field, found: Markdown, mend: Markdown) {
        self.findings.push(Finding::refusal(field, found, mend));
    }

    fn extra(&mut self, section: &Section) {
        if self.understood.extra.len() < MAX_EXTRA {
            let pair = (Untrusted::new(section.heading.trim()), Untrusted::new(section.plain()));
            self.understood.extra.push(pair);
        }
    }

    fn read(&mut self, field: Field, section: Option<&Section>) {
        let Some(section) = section else {
            return self.missing(field, words("the heading is missing"));
        };
        let lines: Vec<String> = section.lines().into_iter().filter(|line| !placeholder(line)).collect();
        if lines.is_empty() {
            return self.missing(field, words("nothing is written under this heading"));
        }
        match field {
            Field::Form => {}
            Field::FocusTopic => self.topic(&lines),
            Field::Purpose => self.purpose(section),
            Field::Facilitators | Field::Members => self.people(field, section),
            Field::Cadence => self.understood.cadence = Some(Untrusted::new(lines.join(" "))),
            Field::ChatChannel => self.channel(&lines),
            Field::Join => self.join(&lines),
            Field::Similar => self.understood.similar = Some(Untrusted::new(section.with_lists())),
            Field::Links => self.links(section),
        }
    }

    fn missing(&mut self, field: Field, found: Markdown) {
        if !field.required() {
            return;
        }
        let near = self
            .understood
            .extra
            .iter()
            .find(|(heading, _)| nearly(heading.expose(), field.heading()));
        let mend = match near {
            Some((heading, _)) => words("name the heading ")
                .code(heading)
                .words(" so: `")
                .words(field.heading())
                .words("`"),
            None if field == Field::FocusTopic && !self.title.is_blank() => {
                mend_of_missing(field).words("; the title says ").code(&self.title)
            }
            None => mend_of_missing(field),
        };
        self.refuse(field, found, mend);
    }

    fn topic(&mut self, lines: &[String]) {
        let field = Field::FocusTopic;
        let topic = Untrusted::new(lines.join(" "));
        self.understood.topic = Some(topic.clone());
        if lines.len() > 1 {
            self.refuse(
                field,
                words("it has more than one line"),
                words("write the community's name on one line"),
            );
        }
        let length = topic.expose().chars().count();
        if !(3..=80).contains(&length) {
            let found = words("it has ").number(length as u64).words(" characters");
            self.refuse(field, found, words("write a name of 3 to 80 characters"));
        }
        match ProjectName::new(&topic) {
            Ok(name) => self.understood.name = Some(name),
            Err(problem) => self.refuse(field, problem.found(), better_name(&problem, &topic)),
        }
        match Slug::from_name(&topic) {
            Ok(slug) => self.understood.slug = Some(slug),
            Err(problem) => self.refuse(field, problem.found(), problem.mend()),
        }
    }

    fn purpose(&mut self, section: &Section) {
        let text = section.with_lists();
        let length = text
            .split_whitespace()
            .map(|word| word.chars().count() + 1)
            .sum::<usize>()
            .saturating_sub(1);
        if length < 40 {
            let found = words("it has only ").number(length as u64).words(" characters");
            self.refuse(
                Field::Purpose,
                found,
                words("say in at least 40 characters what the community is for"),
            );
        }
        self.understood.purpose = Some(Untrusted::new(text));
    }

    fn people(&mut self, field: Field, section: &Section) {
        let named = people::people(section);
        for unknown in named.unknown.iter().take(MAX_UNKNOWN) {
            let mut finding = unknown_person(field, unknown);
            if !named.people.is_empty() && matches!(unknown, Unknown::Words(words) if prose(words)) {
                finding.severity = Severity::Note;
            }
            self.findings.push(finding);
        }
        if let Some(more) = named.unknown.len().checked_sub(MAX_UNKNOWN).filter(|more| *more > 0) {
            let found = words("").number(more as u64).words(" more words name nobody");
            self.refuse(field, found, words("write nothing but `@usernames` here"));
        }
        if named.people.is_empty() && named.unknown.is_empty() {
            self.refuse(field, words("nobody is named"), mend_of_missing(field));
        }
        if named.people.len() > MAX_PEOPLE {
            let found = words("more than ").number(MAX_PEOPLE as u64).words(" people are named");
            self.refuse(
                field,
                found,
                words("name those who start it; the others can join later"),
            );
        }
        match field {
            Field::Facilitators => self.understood.facilitators = named.people,
            _ => self.understood.members = named.people,
        }
    }

    fn enough_people(&mut self) {
        let facilitators = &self.understood.facilitators;
        if facilitators.len() == 1 {
            let mend = words("a second one keeps the community going when the first is away");
            self.findings.push(Finding::note(
                Field::Facilitators,
                words("only one facilitator is named"),
                mend,
            ));
        }
        let people: BTreeSet<&Username> = facilitators.iter().chain(&self.understood.members).collect();
        if people.len() < 3 && !self.understood.members.is_empty() && !facilitators.is_empty() {
            let found = words("facilitators and members are ")
                .number(people.len() as u64)
                .words(" different people");
            self.refuse(Field::Members, found, words("name at least three different people"));
        }
    }

    fn channel(&mut self, lines: &[String]) {
        let text = lines.join(" ");
        let mut marked = text.split_whitespace().filter(|word| word.starts_with('#'));
        let word = match (marked.next(), marked.next()) {
            (Some(word), None) => word.trim_end_matches(['.', ',', ')']),
            _ => text.as_str(),
        };
        match ChannelName::new(&word.to_lowercase()) {
            Some(channel) => self.understood.chat_channel = Some(channel),
            None => self.refuse(
                Field::ChatChannel,
                words("").code(&Untrusted::new(text)).words(" is no channel's name"),
                words("write one name of letters `a` to `z`, digits, `-` and `_`, at most 80 characters, or leave it empty"),
            ),
        }
    }

    fn join(&mut self, lines: &[String]) {
        let text = lines.join(" ");
        let word = text.trim_end_matches(['.', '!']).to_lowercase();
        self.understood.join = match word.as_str() {
            "open" => Join::Open,
            "request" => Join::Request,
            _ => Join::Sentence(Untrusted::new(text.as_str())),
        };
        let length = text.chars().count();
        if length > MAX_JOIN {
            let found = words("it has ").number(length as u64).words(" characters");
            let mend = words("write `open`, `request`, or one sentence of at most 500 characters");
            self.refuse(Field::Join, found, mend);
        }
    }

    fn links(&mut self, section: &Section) {
        let mut written: Vec<(String, String)> = Vec::new();
        for piece in &section.pieces {
            match piece {
                Piece::Link(text, address) => written.push((text.clone(), address.clone())),
                Piece::Text(text) => written.extend(bare_links(text)),
                _ => {}
            }
        }
        if written.is_empty() {
            let mend = words("write a list such as `- [Reading list](https://example.com/list)`, or leave it empty");
            self.findings
                .push(Finding::note(Field::Links, words("no link is found in it"), mend));
        }
        if written.len() > MAX_LINKS {
            let found = words("more than ").number(MAX_LINKS as u64).words(" links");
            self.refuse(Field::Links, found, words("keep the most important ones"));
            written.truncate(MAX_LINKS);
        }
        if written
            .iter()
            .map(|(text, address)| text.len() + address.len())
            .sum::<usize>()
            > MAX_LINK_BYTES
        {
            let mend = words("keep the most important ones; all addresses and words together may have 16 KiB");
            self.refuse(Field::Links, words("they are too long"), mend);
            return;
        }
        for (text, address) in written {
            match safe_url(&address) {
                Some(url) => {
                    let text = if text.trim().is_empty() { address } else { text };
                    self.understood.links.push(Link {
                        text: Untrusted::new(clean::cut(&clean::one_line(&text), MAX_LINK_TEXT)),
                        url,
                    });
                }
                None => self.refuse(
                    Field::Links,
                    words("").code(&Untrusted::new(address)).words(" is no https address"),
                    words("write the whole address, beginning with `https://`"),
                ),
            }
        }
    }
}

fn safe_url(address: &str) -> Option<Url> {
    let url = Url::parse(address.trim()).ok()?;
    let good = url.scheme() == "https" && url.has_host() && url.username().is_empty() && url.password().is_none();
    good.then_some(url)
}

/// Addresses in running text, as people paste them.
fn bare_links(text: &str) -> Vec<(String, String)> {
    text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"'))
        .map(|word| {
            word.trim_start_matches(['(', '['])
                .trim_end_matches(['.', ',', ';', ')', ']', '!'])
        })
        .filter(|word| word.contains("://") || word.to_lowercase().starts_with("javascript:"))
        .map(|word| (String::new(), word.to_owned()))
        .collect()
}

/// Nobody's name has so many words; beside people who are named, a remark need not stop a proposal.
fn prose(words: &str) -> bool {
    words.split_whitespace().count() > 4
}

fn unknown_person(field: Field, unknown: &Unknown) -> Finding {
    let (found, mend) = match unknown {
        Unknown::Words(text) => (
            words("").code(&Untrusted::new(text.as_str())).words(" is no username"),
            words("write each person as `@username`"),
        ),
        Unknown::Beside(text) => {
            let found = words("")
                .code(&Untrusted::new(text.as_str()))
                .words(" beside a mention is not read as a person");
            return Finding::note(field, found, words("write each person as `@username`"));
        }
        Unknown::Group(name) => (
            words("")
                .code(&Untrusted::new(format!("@{name}")))
                .words(" stands for many people"),
            words("name each person as `@username`"),
        ),
        Unknown::Mail(address) => (
            words("")
                .code(&Untrusted::new(address.as_str()))
                .words(" is an e-mail address"),
            words("write the person's GitLab `@username`"),
        ),
        Unknown::Link(text) => (
            words("the link ")
                .code(&Untrusted::new(text.as_str()))
                .words(" names no user"),
            words("write the person's GitLab `@username`"),
        ),
    };
    Finding::refusal(field, found, mend)
}

fn better_name(problem: &NameProblem, topic: &Untrusted) -> Markdown {
    match ProjectName::near(topic) {
        Some(name) => problem.mend().words(", for example ").code(&name.untrusted()),
        None => problem.mend(),
    }
}

/// Whether somebody wrote one heading and meant the other: `Purpose`, `Facilitator(s)`, `Focus topics`.
fn nearly(written: &str, heading: &str) -> bool {
    let (written, heading) = (written.trim().to_lowercase(), heading.to_lowercase());
    let written: String = written.chars().take(80).collect();
    let begins = written
        .split_whitespace()
        .next()
        .is_some_and(|word| heading.split(' ').next() == Some(word));
    begins || strsim::normalized_damerau_levenshtein(&written, &heading) > 0.7
}

fn mend_of_missing(field: Field) -> Markdown {
    match field {
        Field::FocusTopic => words("write the community's name there, on one line"),
        Field::Purpose => words("say in at least 40 characters what the community is for"),
        Field::Facilitators => words("name who runs the community, as `@username`"),
        Field::Members => words("name who takes part from the start, as `@username`"),
        _ => words("write it there, or remove the heading"),
    }
}

/// What people leave in a field that they have nothing to say in.
fn placeholder(line: &str) -> bool {
    let word = line.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    matches!(
        word.as_str(),
        "" | "tbd" | "todo" | "n/a" | "none" | "no response" | "not yet" | "not yet set"
    )
}
