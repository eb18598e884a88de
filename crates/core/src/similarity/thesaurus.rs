//! The subjects that communities are about, the words for them, and how they border on each other (`subjects.txt`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;

use super::vocabulary::{self, Ends, Words};
use super::words::{self, Kind, Word};

/// A subject, by its place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Subject(usize);

/// How two subjects stand to each other, from nothing to the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kinship {
    /// Nothing in common.
    None,
    /// Parts of one wide subject, no more.
    Cousins,
    /// Neighbouring practices.
    Neighbours,
    /// Sister products, methods or languages.
    Sisters,
    /// The second is a part of the first.
    Contains,
    /// The first is a part of the second.
    PartOf,
    /// The same.
    Same,
}

struct Entry {
    name: String,
    field: String,
    parents: BTreeSet<usize>,
    families: BTreeSet<usize>,
    neighbours: BTreeSet<usize>,
}

/// All subjects and the words for them.
#[derive(Default)]
pub(super) struct Thesaurus {
    entries: Vec<Entry>,
    /// What words mean, and the words that count in names only.
    anywhere: Words,
    in_names: Words,
    everyday: HashSet<String>,
    longest: usize,
    /// What stands above each entry, two steps up.
    above: Vec<BTreeSet<usize>>,
    /// Long phrases by how they begin and end.
    by_ends: HashMap<Ends, Vec<(String, Vec<Subject>)>>,
}

/// The list that comes with the program.
pub(super) static THESAURUS: LazyLock<Thesaurus> = LazyLock::new(|| Thesaurus::parse(include_str!("subjects.txt")));

/// One line of the list, taken apart.
struct Line<'a> {
    name: &'a str,
    words: &'a str,
    parts: &'a str,
    sisters: &'a str,
    parents: &'a str,
    families: &'a str,
    neighbours: &'a str,
}

impl<'a> Line<'a> {
    fn new(line: &'a str) -> Option<Self> {
        fn cut<'b>(text: &'b str, sign: &str) -> (&'b str, &'b str) {
            text.split_once(sign).unwrap_or((text, ""))
        }
        let (name, rest) = line.split_once(':')?;
        let (rest, neighbours) = cut(rest, "~");
        let (rest, families) = cut(rest, "<<");
        let (rest, parents) = cut(rest, "<");
        let (rest, sisters) = cut(rest, ">>");
        let (words, parts) = cut(rest, ">");
        Some(Self {
            name,
            words,
            parts,
            sisters,
            parents,
            families,
            neighbours,
        })
    }

    fn bare_name(&self) -> &'a str {
        bare(self.name)
    }
}

impl Thesaurus {
    fn parse(source: &str) -> Self {
        let mut thesaurus = Self {
            longest: 1,
            ..Self::default()
        };
        let lines = || {
            source
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty() && !line.starts_with(['#', '!', '[']))
        };
        let names = lines().filter_map(Line::new).enumerate();
        let places: BTreeMap<_, _> = names.map(|(place, line)| (line.bare_name(), place)).collect();
        let mut field = "";
        let mut parts = Vec::new();
        for line in source.lines().map(str::trim) {
            if let Some(heading) = line.strip_prefix('[') {
                field = heading.trim_end_matches(']');
            } else if let Some(everyday) = line.strip_prefix("!everyday:") {
                thesaurus.everyday.extend(listed(everyday).map(words::stem));
            } else if let Some(line) = Line::new(line).filter(|line| places.contains_key(line.bare_name())) {
                thesaurus.add(&line, field, &places);
                parts.push((line, field));
            }
        }
        // Parts without lines of their own come after all that have one, so that the places above stay true.
        for (line, field) in parts {
            thesaurus.add_parts(&line, field, &places);
        }
        thesaurus.above = (0..thesaurus.entries.len())
            .map(|place| thesaurus.look_up(Subject(place)))
            .collect();
        thesaurus.by_ends = thesaurus.anywhere.by_ends();
        thesaurus
    }

    fn add(&mut self, line: &Line<'_>, field: &str, places: &BTreeMap<&str, usize>) {
        let found = |names: &str| listed(names).filter_map(|name| places.get(name).copied()).collect();
        let subject = Subject(self.entries.len());
        self.entries.push(Entry {
            name: line.bare_name().replace('-', " "),
            field: field.to_owned(),
            parents: found(line.parents),
            families: found(line.families),
            neighbours: found(line.neighbours),
        });
        let own = (!line.name.starts_with('(')).then_some(line.name);
        for phrase in own.into_iter().chain(listed(line.words)) {
            self.add_phrase(phrase, subject);
        }
    }

    fn add_parts(&mut self, line: &Line<'_>, field: &str, places: &BTreeMap<&str, usize>) {
        let Some(&whole) = places.get(line.bare_name()) else {
            return;
        };
        let parts = listed(line.parts).map(|phrase| (phrase, false));
        for (phrase, is_sister) in parts.chain(listed(line.sisters).map(|phrase| (phrase, true))) {
            let (parents, families) = if is_sister {
                ([].into(), [whole].into())
            } else {
                ([whole].into(), [].into())
            };
            let subject = Subject(self.entries.len());
            self.entries.push(Entry {
                name: phrase.split('|').next().unwrap_or(phrase).to_owned(),
                field: field.to_owned(),
                parents,
                families,
                neighbours: BTreeSet::new(),
            });
            for phrase in phrase.split('|') {
                self.add_phrase(phrase, subject);
            }
        }
    }

    fn add_phrase(&mut self, phrase: &str, subject: Subject) {
        let names_only = phrase.strip_prefix('=');
        let phrase = names_only.unwrap_or(phrase);
        let words = significant(phrase);
        // "On call" without "on" would be any call.
        let worn_down = words.len() == 1 && words::words(phrase).len() > 1;
        if words.is_empty() || worn_down {
            return;
        }
        self.longest = self.longest.max(words.len());
        let known = if names_only.is_some() {
            &mut self.in_names
        } else {
            &mut self.anywhere
        };
        known.add(&words, subject);
    }

    /// The most words that a phrase has.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// The subjects that these words may mean, in a name or elsewhere; none, one, or several.
    pub(super) fn subjects(&self, words: &[Word], in_name: bool) -> &[Subject] {
        let found = self
            .anywhere
            .find(words)
            .or_else(|| self.in_names.find(words).filter(|_| in_name));
        found.map_or(&[], Vec::as_slice)
    }

    /// Whether the word has everyday meanings beside its subject.
    pub(super) fn is_everyday(&self, word: &Word) -> bool {
        self.everyday.contains(&word.stem)
    }

    /// Whether the stem of a word is one of the words for a subject.
    pub(super) fn means(&self, stem: &str, subject: Subject) -> bool {
        let known = self.anywhere.apart.get(stem);
        known.is_some_and(|subjects| subjects.contains(&subject))
    }

    /// The subjects of a phrase that differs from this long word by a slip of the pen.
    pub(super) fn misspelt(&self, word: &Word) -> &[Subject] {
        // Other endings are other words; a slip is somewhere inside.
        let stem = word.stem.as_str();
        let near = |phrase: &str| phrase.len().abs_diff(stem.len()) <= 1 && strsim::osa_distance(phrase, stem) == 1;
        let alike = vocabulary::ends(stem).and_then(|ends| self.by_ends.get(&ends));
        let best = alike
            .into_iter()
            .flatten()
            .filter(|(phrase, _)| near(phrase))
            .min_by_key(|(phrase, _)| phrase);
        best.map_or(&[], |(_, subjects)| subjects)
    }

    /// The subject's name, for people.
    pub(super) fn name(&self, subject: Subject) -> &str {
        &self.entries[subject.0].name
    }

    /// The field of work that it belongs to.
    pub(super) fn field(&self, subject: Subject) -> &str {
        &self.entries[subject.0].field
    }

    /// Whether both fields are technical, or the same.
    pub(super) fn near_fields(&self, one: Subject, other: Subject) -> bool {
        const TECHNICAL: [&str; 5] = ["cloud", "operations", "software", "data", "security"];
        let technical = |subject| TECHNICAL.contains(&self.field(subject));
        self.field(one) == self.field(other) || (technical(one) && technical(other))
    }

    /// How `one` stands to `other`, looking two steps up.
    pub(super) fn kinship(&self, one: Subject, other: Subject) -> Kinship {
        if one == other {
            return Kinship::Same;
        }
        let (up_one, up_other) = (self.above(one), self.above(other));
        let (first, second) = (&self.entries[one.0], &self.entries[other.0]);
        if up_one.contains(&other.0) {
            Kinship::PartOf
        } else if up_other.contains(&one.0) {
            Kinship::Contains
        } else if !first.families.is_disjoint(&second.families) {
            Kinship::Sisters
        } else if self.neighbours(one, other) {
            Kinship::Neighbours
        } else if !up_one.is_disjoint(up_other) {
            Kinship::Cousins
        } else {
            Kinship::None
        }
    }

    /// Neighbours themselves, or part of a neighbour.
    fn neighbours(&self, one: Subject, other: Subject) -> bool {
        let direct = |one: usize, other: usize| {
            self.entries[one].neighbours.contains(&other) || self.entries[other].neighbours.contains(&one)
        };
        let wholes = |subject: Subject| {
            let entry = &self.entries[subject.0];
            entry
                .parents
                .iter()
                .chain(&entry.families)
                .copied()
                .chain([subject.0])
                .collect::<Vec<_>>()
        };
        direct(one.0, other.0)
            || wholes(one).into_iter().any(|whole| direct(whole, other.0))
            || wholes(other).into_iter().any(|whole| direct(one.0, whole))
    }

    fn above(&self, subject: Subject) -> &BTreeSet<usize> {
        &self.above[subject.0]
    }

    fn look_up(&self, subject: Subject) -> BTreeSet<usize> {
        let direct = |place: usize| {
            self.entries[place]
                .parents
                .union(&self.entries[place].families)
                .copied()
        };
        let mut above: BTreeSet<usize> = direct(subject.0).collect();
        for parent in above.clone() {
            above.extend(direct(parent));
        }
        above
    }
}

fn listed(names: &str) -> impl Iterator<Item = &str> {
    names.split(',').map(str::trim).filter(|name| !name.is_empty())
}

fn bare(name: &str) -> &str {
    name.trim().trim_start_matches('(').trim_end_matches(')')
}

fn significant(phrase: &str) -> Vec<Word> {
    let words = words::words(&phrase.replace('-', " "));
    words
        .into_iter()
        .filter(|word| words::kind(word) != Kind::Function)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> impl Iterator<Item = Line<'static>> {
        let lines = include_str!("subjects.txt").lines();
        lines
            .filter(|line| !line.starts_with(['#', '!', '[']))
            .filter_map(Line::new)
    }

    #[test]
    fn every_subject_that_is_referred_to_exists() {
        let names: BTreeSet<_> = lines().map(|line| line.bare_name()).collect();
        for line in lines() {
            for name in [line.parents, line.families, line.neighbours]
                .into_iter()
                .flat_map(listed)
            {
                assert!(names.contains(name), "`{name}` at {}", line.name);
            }
        }
    }

    #[test]
    fn every_subject_stands_once() {
        let mut seen = BTreeSet::new();
        for line in lines() {
            assert!(seen.insert(line.bare_name()), "{}", line.name);
        }
    }
}
