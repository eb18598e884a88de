//! What a candidate says it is about: the subjects it names, and the words that no subject explains.

use std::collections::{BTreeMap, BTreeSet};

use super::acronym;
use super::thesaurus::{Kinship, Subject, THESAURUS};
use super::words::{self, Kind, Word};
use super::{Candidate, MOST_NAME, MOST_PURPOSE};
use crate::untrusted::Untrusted;

/// One thing that a text speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Feature {
    /// A known subject, or one of several where the word is ambiguous.
    Subjects(Vec<Subject>),
    /// The stem of another word.
    Word(String),
    /// A word that names a subject elsewhere, but here means something else: it is like no other.
    OtherSense(String),
}

/// A text's features with what they count, in a fixed order.
pub(super) type Features = BTreeMap<Feature, f64>;

/// What an everyday word or a misspelt one counts as evidence for a subject.
const WEAK: f64 = 0.5;

/// What an unknown word counts beside a known subject.
const BESIDE: f64 = 0.3;

/// The words of a candidate that mean something, in their order.
pub(super) struct Wording {
    name: Vec<Word>,
    purpose: Vec<Word>,
}

impl Wording {
    pub(super) fn of(candidate: &Candidate) -> Self {
        Self {
            name: significant(&candidate.name, MOST_NAME),
            purpose: significant(&candidate.purpose, MOST_PURPOSE),
        }
    }
}

/// A candidate, read.
pub(super) struct Reading {
    /// What the name speaks of.
    pub(super) name: Features,
    /// What the purpose speaks of.
    pub(super) purpose: Features,
    /// The stems of all words of the text, explained or not.
    pub(super) stems: BTreeSet<String>,
    /// The stems of those words that may name a subject.
    pub(super) content: BTreeSet<String>,
    /// The words behind those features of the name that are everyday words.
    pub(super) everyday: BTreeMap<Feature, String>,
}

impl Reading {
    /// Reads a candidate in the light of another one, whose words may spell an acronym out.
    pub(super) fn new(candidate: &Wording, other: &Wording) -> Self {
        let (name_words, purpose_words) = (&candidate.name, &candidate.purpose);
        let other_words: Vec<Word> = other.name.iter().chain(&other.purpose).cloned().collect();
        let name = found_in(&acronym::spell_out(name_words, purpose_words, &other_words), true);
        let purpose = found_in(&acronym::spell_out(purpose_words, name_words, &other_words), false);
        let mut reading = Self {
            stems: name_words
                .iter()
                .chain(purpose_words)
                .map(|word| word.stem.clone())
                .collect(),
            content: content(name_words).chain(content(purpose_words)).collect(),
            everyday: BTreeMap::new(),
            name: Features::new(),
            purpose: features(&purpose),
        };
        let name = reading.borne_out(name);
        reading.name = features(&name);
        reading.forget_other_senses();
        let everyday = name
            .iter()
            .filter_map(|found| Some((found.feature.clone(), found.everyday.clone()?)));
        reading.everyday = everyday.collect();
        // A name that speaks of no known subject, such as "The Guild" or "Acme Net": the purpose has to.
        if reading.name.keys().all(|feature| feature.subjects().is_empty()) {
            let clear = reading
                .purpose
                .iter()
                .filter(|(feature, weight)| **weight > WEAK && !feature.subjects().is_empty());
            let purpose: Features = clear.map(|(feature, _)| (feature.clone(), 1.0)).collect();
            reading.name.extend(purpose);
        }
        if reading.name.values().all(|weight| *weight < WEAK) {
            reading.name.extend(reading.purpose.clone());
        }
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

    /// The subjects of the name.
    pub(super) fn name_subjects(&self) -> impl Iterator<Item = Subject> {
        subjects(&self.name)
    }

    /// The subjects of the purpose that it names clearly.
    pub(super) fn purpose_subjects(&self) -> impl Iterator<Item = Subject> {
        let clearly = self.purpose.iter().filter(|(_, weight)| **weight > WEAK);
        clearly.flat_map(|(feature, _)| feature.subjects().to_vec())
    }

    /// An everyday word in a name with other words ("Release Windows", "Rust Prevention") names its subject only when
    /// the rest of the text speaks of that subject or of its field.
    fn borne_out(&self, name: Vec<Found>) -> Vec<Found> {
        let content = name.iter().filter(|found| found.weight >= BESIDE).count();
        if content < 2 || self.purpose.is_empty() {
            return name;
        }
        let around = |at: usize| -> Vec<Subject> {
            let others = name.iter().enumerate().filter(|(place, _)| *place != at);
            let others = others.flat_map(|(_, found)| found.subjects().to_vec());
            let purpose = self.purpose.iter().filter(|(_, weight)| **weight > WEAK);
            others
                .chain(purpose.flat_map(|(feature, _)| feature.subjects().to_vec()))
                .collect()
        };
        let judged = name.iter().enumerate().map(|(at, found)| {
            let near = |sense: &Subject| {
                around(at).iter().any(|there| {
                    THESAURUS.kinship(*sense, *there) != Kinship::None || THESAURUS.near_fields(*sense, *there)
                })
            };
            let keeps = found.everyday.is_none() || found.subjects().iter().any(near);
            if keeps { found.clone() } else { found.in_other_sense() }
        });
        judged.collect()
    }

    /// The purpose says such a word again, in the same other sense.
    fn forget_other_senses(&mut self) {
        let elsewhere: Vec<String> = self.name.keys().filter_map(Feature::other_sense).collect();
        for word in elsewhere {
            let weak = |feature: &Feature, weight: f64| {
                weight <= WEAK && feature.subjects().iter().any(|sense| THESAURUS.means(&word, *sense))
            };
            self.purpose.retain(|feature, weight| !weak(feature, *weight));
        }
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

impl Feature {
    /// The subjects that it may be; none for a word.
    pub(super) fn subjects(&self) -> &[Subject] {
        match self {
            Self::Subjects(subjects) => subjects,
            Self::Word(_) | Self::OtherSense(_) => &[],
        }
    }

    fn other_sense(&self) -> Option<String> {
        match self {
            Self::OtherSense(word) => Some(word.clone()),
            Self::Subjects(_) | Self::Word(_) => None,
        }
    }
}

/// A feature where it stands.
#[derive(Clone, Debug)]
struct Found {
    feature: Feature,
    weight: f64,
    /// The word, when it has everyday meanings beside its subject.
    everyday: Option<String>,
}

impl Found {
    fn subjects(&self) -> &[Subject] {
        self.feature.subjects()
    }

    fn in_other_sense(&self) -> Self {
        let word = self.everyday.clone().unwrap_or_default();
        Self {
            feature: Feature::OtherSense(word),
            weight: 1.0,
            everyday: None,
        }
    }
}

fn features(found: &[Found]) -> Features {
    let mut features = Features::new();
    for found in found {
        let there = features.entry(found.feature.clone()).or_insert(0.0);
        *there = there.max(found.weight);
    }
    features
}

fn resolved(features: &Features, context: &[Subject]) -> Features {
    let support = |sense: Subject| -> usize {
        let points = context.iter().map(|there| match THESAURUS.kinship(sense, *there) {
            Kinship::None => usize::from(THESAURUS.field(sense) == THESAURUS.field(*there)),
            Kinship::Same => 6,
            _ => 3,
        });
        points.sum()
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
    features.keys().flat_map(|feature| feature.subjects().to_vec())
}

fn clear_subjects(features: &Features) -> impl Iterator<Item = Subject> {
    features.keys().filter_map(|feature| match feature.subjects() {
        [subject] => Some(*subject),
        _ => None,
    })
}

fn content(words: &[Word]) -> impl Iterator<Item = String> {
    words
        .iter()
        .filter(|word| words::kind(word) == Kind::Content)
        .map(|word| word.stem.clone())
}

fn significant(text: &Untrusted, (most_chars, most_words): (usize, usize)) -> Vec<Word> {
    words::words(text.first(most_chars).expose())
        .into_iter()
        .filter(|word| words::kind(word) != Kind::Function)
        .take(most_words)
        .collect()
}

/// Phrases of the thesaurus first, the longest at each place; then the words that are left.
///
/// "Service Desk Managers" are people of the service desk and "UX Designers" people of UX, while in "Health Analysts" the
/// role is all there is: words for people count only in a name that speaks of nothing else.
fn found_in(words: &[Word], in_name: bool) -> Vec<Found> {
    let all = all_found_in(words, in_name);
    let speaks_of_more = all
        .iter()
        .any(|(found, is_role)| !is_role && !found.subjects().is_empty());
    let counted = all
        .into_iter()
        .filter(|(_, is_role)| !(in_name && *is_role && speaks_of_more));
    let mut counted: Vec<Found> = counted.map(|(found, _)| found).collect();
    if in_name && speaks_of_more {
        // Beside a known subject an unknown word is mostly an adjective, or the organisation's own name.
        for found in counted
            .iter_mut()
            .filter(|found| matches!(found.feature, Feature::Word(_)))
        {
            found.weight = found.weight.min(BESIDE);
        }
    }
    counted
}

/// Everything found, and whether it is a single word for people.
fn all_found_in(words: &[Word], in_name: bool) -> Vec<(Found, bool)> {
    let mut all = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let word = &words[at];
        let longest = THESAURUS.longest().min(words.len() - at);
        let phrase = (1..=longest).rev().find_map(|length| {
            let subjects = THESAURUS.subjects(&words[at..at + length], in_name);
            let unsaid = subjects.is_empty() || (length == 1 && says_little(words, at, in_name));
            (!unsaid).then_some((subjects, length))
        });
        match phrase {
            Some((subjects, length)) => {
                let is_plain = length == 1 && !word.capitals;
                let everyday = (is_plain && THESAURUS.is_everyday(word)).then(|| word.stem.clone());
                let weight = if everyday.is_some() && !in_name { WEAK } else { 1.0 };
                let feature = Feature::Subjects(subjects.to_vec());
                all.push((
                    Found {
                        feature,
                        weight,
                        everyday,
                    },
                    is_plain && words::is_role(word),
                ));
                at += length;
            }
            None => {
                all.extend(single(words, at, in_name).map(|found| (found, words::is_role(word))));
                at += 1;
            }
        }
    }
    all
}

/// A word that begins no phrase as it stands.
fn single(words: &[Word], at: usize, in_name: bool) -> Option<Found> {
    let word = &words[at];
    let found = |subjects: &[Subject], weight| {
        let feature = Feature::Subjects(subjects.to_vec());
        (!subjects.is_empty()).then_some(Found {
            feature,
            weight,
            everyday: None,
        })
    };
    let kind = words::kind(word);
    if kind.weight() == 0.0 {
        return None;
    }
    // "Virtual and Augmented Reality", "Continuous Integration and Delivery": one word is said for both.
    let skipping = |one: usize, other: usize| match (words.get(one), words.get(other)) {
        (Some(one), Some(other)) => THESAURUS.subjects(&[one.clone(), other.clone()], in_name),
        _ => &[],
    };
    let shared = found(skipping(at, at + 2), 1.0)
        .or_else(|| at.checked_sub(2).and_then(|before| found(skipping(before, at), 1.0)));
    let misspelt = || {
        if kind == Kind::Content {
            found(THESAURUS.misspelt(word), WEAK + 0.3)
        } else {
            None
        }
    };
    let plain = || Found {
        feature: Feature::Word(word.stem.clone()),
        weight: kind.weight(),
        everyday: None,
    };
    Some(shared.or_else(misspelt).unwrap_or_else(plain))
}

/// "Coaching Network" is a gathering of coaches and "Risk Management" is about risk, while "Network" and "Management" are
/// about just that. In a purpose such words say nothing.
fn says_little(words: &[Word], at: usize, in_name: bool) -> bool {
    let gathering = |word: &Word| words::kind(word) == Kind::Gathering;
    let little = |word: &Word| {
        gathering(word) || (words::kind(word) == Kind::Common && !word.capitals && !(in_name && words::is_role(word)))
    };
    if gathering(&words[at]) {
        return !(in_name && words.iter().all(gathering));
    }
    little(&words[at]) && !(in_name && words.iter().all(little))
}
