//! The subjects that communities are about, the words for them, and how they border on each other (`subjects.txt`).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

use super::words::{self, Kind, Word};

/// A subject, by its place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Subject(usize);

/// How two subjects stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kinship {
    /// The same.
    Same,
    /// The first is a part of the second.
    PartOf,
    /// The second is a part of the first.
    Contains,
    /// Sister products, methods or languages.
    Sisters,
    /// Neighbouring practices.
    Neighbours,
    /// Parts of one wide subject, no more.
    Cousins,
    /// Nothing in common.
    None,
}

struct Entry {
    name: String,
    field: String,
    parents: BTreeSet<usize>,
    families: BTreeSet<usize>,
    neighbours: BTreeSet<usize>,
}

/// All subjects and the words for them.
pub(super) struct Thesaurus {
    entries: Vec<Entry>,
    /// Subjects by the joined stems of a phrase; several where it is ambiguous.
    phrases: HashMap<String, Vec<Subject>>,
    longest: usize,
}

/// The list that comes with the program.
pub(super) static THESAURUS: LazyLock<Thesaurus> = LazyLock::new(|| Thesaurus::parse(include_str!("subjects.txt")));

impl Thesaurus {
    fn parse(source: &str) -> Self {
        let lines: Vec<_> = source
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        let mut places = BTreeMap::new();
        for line in &lines {
            if let Some((name, _)) = line.split_once(':') {
                places.insert(bare(name).to_owned(), places.len());
            }
        }
        let mut thesaurus = Self {
            entries: Vec::new(),
            phrases: HashMap::new(),
            longest: 1,
        };
        let mut field = "";
        for line in lines {
            match line.strip_prefix('[') {
                Some(heading) => field = heading.trim_end_matches(']'),
                None => thesaurus.add(line, field, &places),
            }
        }
        thesaurus
    }

    fn add(&mut self, line: &str, field: &str, places: &BTreeMap<String, usize>) {
        let Some((name, rest)) = line.split_once(':') else {
            return;
        };
        let subject = Subject(self.entries.len());
        let (rest, neighbours) = rest.split_once(" ~").unwrap_or((rest, ""));
        let (rest, families) = rest.split_once(" <<").unwrap_or((rest, ""));
        let (phrases, parents) = rest.split_once(" <").unwrap_or((rest, ""));
        let found = |names: &str| {
            names
                .split(',')
                .filter_map(|name| places.get(name.trim()).copied())
                .collect()
        };
        self.entries.push(Entry {
            name: bare(name).replace('-', " "),
            field: field.to_owned(),
            parents: found(parents),
            families: found(families),
            neighbours: found(neighbours),
        });
        let own = (!name.starts_with('(')).then_some(name);
        for phrase in own.into_iter().chain(phrases.split(',')) {
            let words: Vec<_> = words::words(&phrase.replace('-', " "))
                .into_iter()
                .filter(|word| words::kind(word) != Kind::Function)
                .collect();
            if words.is_empty() {
                continue;
            }
            self.longest = self.longest.max(words.len());
            let subjects = self.phrases.entry(joined(&words)).or_default();
            if !subjects.contains(&subject) {
                subjects.push(subject);
            }
        }
    }

    /// The most words that a phrase has.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// The subjects that these words may mean; none, one, or several.
    pub(super) fn subjects(&self, words: &[Word]) -> &[Subject] {
        self.phrases.get(&joined(words)).map_or(&[], Vec::as_slice)
    }

    /// The subjects of a phrase that differs from this long word by a slip of the pen.
    pub(super) fn misspelt(&self, stem: &str) -> &[Subject] {
        if stem.len() < 7 {
            return &[];
        }
        let slips = if stem.len() >= 10 { 2 } else { 1 };
        let near = |phrase: &&String| {
            phrase.len().abs_diff(stem.len()) <= slips
                && phrase.as_bytes()[0] == stem.as_bytes()[0]
                && strsim::osa_distance(phrase, stem) <= slips
        };
        let best = self
            .phrases
            .keys()
            .filter(near)
            .min_by_key(|phrase| (strsim::osa_distance(phrase, stem), (*phrase).clone()));
        best.and_then(|phrase| self.phrases.get(phrase))
            .map_or(&[], Vec::as_slice)
    }

    /// The subject's name, for people.
    pub(super) fn name(&self, subject: Subject) -> &str {
        &self.entries[subject.0].name
    }

    /// The field of work that it belongs to.
    pub(super) fn field(&self, subject: Subject) -> &str {
        &self.entries[subject.0].field
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
        } else if first.neighbours.contains(&other.0) || second.neighbours.contains(&one.0) {
            Kinship::Neighbours
        } else if !up_one.is_disjoint(&up_other) {
            Kinship::Cousins
        } else {
            Kinship::None
        }
    }

    fn above(&self, subject: Subject) -> BTreeSet<usize> {
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

fn bare(name: &str) -> &str {
    name.trim().trim_start_matches('(').trim_end_matches(')')
}

fn joined(words: &[Word]) -> String {
    words.iter().map(|word| word.stem.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_that_is_referred_to_exists() {
        let source = include_str!("subjects.txt");
        let names: BTreeSet<_> = source
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, _)| bare(name))
            .collect();
        for line in source
            .lines()
            .filter(|line| !line.starts_with('#') && line.contains(':'))
        {
            let references = line.split_once(['<', '~']).map_or("", |(_, references)| references);
            for name in references
                .split(['<', '~', ','])
                .map(str::trim)
                .filter(|name| !name.is_empty())
            {
                assert!(names.contains(name), "`{name}` in: {line}");
            }
        }
    }

    #[test]
    fn every_subject_stands_once() {
        let source = include_str!("subjects.txt");
        let mut seen = BTreeSet::new();
        for name in source
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once(':'))
        {
            assert!(seen.insert(bare(name.0)), "{}", name.0);
        }
    }
}
