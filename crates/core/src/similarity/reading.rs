//! What a candidate says it is about: the subjects it names, and the words that no subject explains.

use std::collections::BTreeMap;

use super::Candidate;
use super::acronym;
use super::thesaurus::{Kinship, Subject, THESAURUS};
use super::words::{self, Kind, Word};

/// One thing that a text speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Feature {
    /// A known subject, or one of several where the word is ambiguous.
    Subjects(Vec<Subject>),
    /// The stem of another word.
    Word(String),
}

/// A text's features with what they count, in a fixed order.
pub(super) type Features = BTreeMap<Feature, f64>;

/// A candidate, read.
pub(super) struct Reading {
    /// What the name speaks of.
    pub(super) name: Features,
    /// What the purpose speaks of.
    pub(super) purpose: Features,
}

impl Reading {
    /// Reads a candidate in the light of another one, whose words may spell an acronym out.
    pub(super) fn new(candidate: &Candidate, other: &Candidate) -> Self {
        let name_words = significant(candidate.name.expose());
        let purpose_words = significant(candidate.purpose.expose());
        let other_words: Vec<Word> = [other.name.expose(), other.purpose.expose()]
            .into_iter()
            .flat_map(significant)
            .collect();
        let spelled = acronym::spell_out(&name_words, &purpose_words, &other_words);
        let mut name = features(&spelled, true);
        let purpose = features(&acronym::spell_out(&purpose_words, &name_words, &other_words), false);
        if name.values().all(|weight| *weight < 0.5) {
            // A name that says nothing, such as "The Guild": the purpose has to.
            name.extend(purpose.iter().map(|(feature, weight)| (feature.clone(), *weight)));
        }
        let mut reading = Self { name, purpose };
        reading.resolve();
        reading
    }

    /// All features: the name's in full, the purpose's by half, for it says more and means less.
    pub(super) fn all(&self) -> Features {
        let mut all: Features = self
            .purpose
            .iter()
            .map(|(feature, weight)| (feature.clone(), weight * 0.6))
            .collect();
        for (feature, weight) in &self.name {
            all.insert(feature.clone(), *weight);
        }
        all
    }

    /// The subjects of the name and of the purpose.
    pub(super) fn name_subjects(&self) -> impl Iterator<Item = Subject> {
        subjects(&self.name)
    }

    pub(super) fn purpose_subjects(&self) -> impl Iterator<Item = Subject> {
        subjects(&self.purpose)
    }

    /// Chooses among the meanings of ambiguous words by what else the text speaks of.
    fn resolve(&mut self) {
        let context: Vec<Subject> = [&self.name, &self.purpose]
            .into_iter()
            .flat_map(clear_subjects)
            .collect();
        self.name = resolved(&self.name, &context);
        self.purpose = resolved(&self.purpose, &context);
    }
}

fn resolved(features: &Features, context: &[Subject]) -> Features {
    let support = |sense: Subject| -> usize {
        context
            .iter()
            .map(|there| match THESAURUS.kinship(sense, *there) {
                Kinship::None => usize::from(THESAURUS.field(sense) == THESAURUS.field(*there)),
                Kinship::Same => 6,
                _ => 3,
            })
            .sum()
    };
    let choose = |feature: &Feature| match feature {
        Feature::Subjects(senses) if senses.len() > 1 => {
            let best = senses.iter().map(|sense| support(*sense)).max().unwrap_or(0);
            Feature::Subjects(senses.iter().copied().filter(|sense| support(*sense) == best).collect())
        }
        other => other.clone(),
    };
    features
        .iter()
        .map(|(feature, weight)| (choose(feature), *weight))
        .collect()
}

fn subjects(features: &Features) -> impl Iterator<Item = Subject> {
    features.keys().flat_map(|feature| match feature {
        Feature::Subjects(subjects) => subjects.clone(),
        Feature::Word(_) => Vec::new(),
    })
}

fn clear_subjects(features: &Features) -> impl Iterator<Item = Subject> {
    features.keys().filter_map(|feature| match feature {
        Feature::Subjects(subjects) if subjects.len() == 1 => Some(subjects[0]),
        _ => None,
    })
}

fn significant(text: &str) -> Vec<Word> {
    words::words(text)
        .into_iter()
        .filter(|word| words::kind(word) != Kind::Function)
        .collect()
}

/// Phrases of the thesaurus first, the longest at each place; then the words that are left.
fn features(words: &[Word], is_name: bool) -> Features {
    let mut features = Features::new();
    let mut add = |feature: Feature, weight: f64| {
        let there = features.entry(feature).or_insert(0.0);
        *there = f64::max(*there, weight);
    };
    let mut at = 0;
    while at < words.len() {
        let longest = THESAURUS.longest().min(words.len() - at);
        let phrase = (1..=longest).rev().find_map(|length| {
            let subjects = THESAURUS.subjects(&words[at..at + length]);
            (!subjects.is_empty() && !is_gathering(words, at, length, is_name)).then_some((subjects, length))
        });
        if let Some((subjects, length)) = phrase {
            add(Feature::Subjects(subjects.to_vec()), 1.0);
            at += length;
            continue;
        }
        let kind = words::kind(&words[at]);
        let misspelt = if kind == Kind::Content {
            THESAURUS.misspelt(&words[at].stem)
        } else {
            &[]
        };
        if !misspelt.is_empty() {
            add(Feature::Subjects(misspelt.to_vec()), 0.9);
        } else if kind.weight() > 0.0 {
            add(Feature::Word(words[at].stem.clone()), kind.weight());
        }
        at += 1;
    }
    features
}

/// "Coaching Network" is a gathering of coaches, "Network" is about networks: the word counts only where it stands alone.
fn is_gathering(words: &[Word], at: usize, length: usize, is_name: bool) -> bool {
    let gathering = |word: &Word| words::kind(word) == Kind::Gathering;
    if length > 1 || !gathering(&words[at]) {
        return false;
    }
    !is_name || words.iter().any(|word| !gathering(word))
}
