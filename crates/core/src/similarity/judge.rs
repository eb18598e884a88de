//! From two readings to a verdict.

use super::Verdict;
use super::reading::{Feature, Features, Reading, Wording};
use super::thesaurus::{Kinship, Subject, THESAURUS};

pub(super) struct Judgement {
    pub(super) score: f64,
    pub(super) verdict: Verdict,
    pub(super) why: String,
}

/// Judges an existing community beside a proposed one.
pub(super) fn judge(proposed: &Wording, existing: &Wording) -> Judgement {
    let (one, other) = (Reading::new(proposed, existing), Reading::new(existing, proposed));
    let evidence = Evidence::gather(&one, &other);
    evidence.judgement()
}

/// What two readings have in common, each from 0 to 1.
struct Evidence {
    /// How much of the proposed name the existing name says, and the other way round.
    names: (f64, f64),
    /// How much of each name the whole other text says.
    across: (f64, f64),
    /// How much of both whole texts is the same.
    texts: f64,
    /// How much of the words of both texts is the same, whatever they mean, and how many that are.
    words: (f64, usize),
    /// How many features with a meaning of their own both texts have.
    shared: usize,
    /// The closest kinship between the subjects of the two names.
    kin: Option<(Kinship, Subject, Subject)>,
    /// The closest kinship between a name's subject and the other's purpose.
    kin_across: Option<(Kinship, Subject, Subject)>,
    /// Each purpose that there is says something that the other text says too.
    purposes_meet: bool,
    /// A name stands whole in the other's name, and its subject again in the other's purpose.
    named_and_meant: bool,
    /// All that one name says beyond the other are words that name no subject.
    only_words_more: bool,
    /// One is about leisure, or each purpose belongs to another field, though words agree.
    apart: bool,
}

impl Evidence {
    fn gather(one: &Reading, other: &Reading) -> Self {
        let (all_one, all_other) = (one.all(), other.all());
        let subjects = |reading: &Reading| reading.name_subjects().collect::<Vec<_>>();
        let purposes = |reading: &Reading| reading.purpose_subjects().collect::<Vec<_>>();
        let kin = closest(&subjects(one), &subjects(other));
        let kin_across = [
            closest(&subjects(one), &purposes(other)),
            closest(&purposes(one), &subjects(other)),
        ]
        .into_iter()
        .flatten()
        .max_by_key(|(kinship, ..)| *kinship);
        Self {
            names: (covered(one, &other.name, None), covered(other, &one.name, None)),
            across: (
                covered(one, &all_other, Some(other)),
                covered(other, &all_one, Some(one)),
            ),
            texts: dice(&all_one, &all_other),
            words: same_words(one, other),
            shared: all_one
                .iter()
                .filter(|(feature, weight)| **weight >= 0.5 && found(feature, &all_other))
                .count(),
            kin,
            kin_across,
            purposes_meet: meets(one, &all_other) && meets(other, &all_one),
            named_and_meant: named_and_meant(one, other) || named_and_meant(other, one),
            only_words_more: only_words_more(&one.name, &other.name) && only_words_more(&other.name, &one.name),
            apart: apart(one, other),
        }
    }

    fn judgement(&self) -> Judgement {
        let likeness = self.likeness();
        let verdict = self.verdict();
        let (low, high) = match verdict {
            Verdict::Duplicate => (0.7, 1.0),
            Verdict::Related => (0.35, 0.7),
            Verdict::Distinct => (0.0, 0.35),
        };
        // Within a verdict the likeness orders; across verdicts the verdict does.
        let score = low + (high - low) * likeness.clamp(0.0, 1.0);
        Judgement {
            score: (score * 1000.0).round() / 1000.0,
            verdict,
            why: self.why(verdict),
        }
    }

    fn likeness(&self) -> f64 {
        let names = (self.names.0 + self.names.1) / 2.0;
        let across = (self.across.0 + self.across.1) / 2.0;
        let kin = self.kin.map_or(0.0, |(kinship, ..)| f64::from(kinship as u8) / 6.0);
        0.45 * names + 0.25 * across + 0.2 * self.texts + 0.1 * kin
    }

    fn verdict(&self) -> Verdict {
        if self.apart {
            return Verdict::Distinct;
        }
        let names = self.names.0.min(self.names.1);
        let across = self.across.0.min(self.across.1);
        let one_in_other = self.names.0.max(self.names.1) >= 0.85 && across >= 0.7;
        let said_by_both = across >= 0.85 && self.shared >= 1;
        let one_more_word = self.only_words_more && self.names.0.max(self.names.1) >= 0.85 && self.texts >= 0.4;
        let same_text = (self.texts >= 0.5 && self.shared >= 2) || (self.words.0 >= 0.6 && self.words.1 >= 3);
        if names >= 0.8
            || one_in_other
            || said_by_both
            || self.named_and_meant
            || one_more_word
            || same_text
            || self.specialised()
        {
            return Verdict::Duplicate;
        }
        let kin = self.kin.map_or(Kinship::None, |(kinship, ..)| kinship);
        let kin_across = self.kin_across.map_or(Kinship::None, |(kinship, ..)| kinship);
        let one_name_in_other = self.names.0.max(self.names.1) >= 0.85;
        // Without a common subject words alone have to do, and the purposes have to bear them out.
        let same_words = self.purposes_meet && (one_name_in_other || (self.texts >= 0.2 && self.shared >= 1));
        let same_words = same_words || (self.words.0 >= 0.4 && self.words.1 >= 2);
        let related = kin != Kinship::None || kin_across >= Kinship::Contains || same_words;
        if related { Verdict::Related } else { Verdict::Distinct }
    }

    /// A wide name whose purpose says the narrower thing that the other is called: "Testing" that means automated tests.
    fn specialised(&self) -> bool {
        let part = self
            .kin
            .is_some_and(|(kinship, ..)| matches!(kinship, Kinship::PartOf | Kinship::Contains));
        part && self.across.0.max(self.across.1) >= 0.85 && self.texts >= 0.3
    }

    fn why(&self, verdict: Verdict) -> String {
        let name = |subject| THESAURUS.name(subject);
        let closest = [self.kin, self.kin_across]
            .into_iter()
            .flatten()
            .max_by_key(|(kinship, ..)| *kinship);
        match (verdict, closest) {
            (Verdict::Distinct, _) if self.apart => "words agree, subjects do not".to_owned(),
            (Verdict::Distinct, _) => "no common subject".to_owned(),
            (Verdict::Duplicate, Some((Kinship::Same, subject, _))) => format!("same subject: {}", name(subject)),
            (Verdict::Duplicate, _) => "same subject in other words".to_owned(),
            (Verdict::Related, Some((Kinship::Same, subject, _))) => format!("both touch {}", name(subject)),
            (Verdict::Related, Some((Kinship::PartOf, part, whole))) => {
                format!("{} is part of {}", name(part), name(whole))
            }
            (Verdict::Related, Some((Kinship::Contains, whole, part))) => {
                format!("{} contains {}", name(whole), name(part))
            }
            (Verdict::Related, Some((Kinship::Sisters, one, other))) => {
                format!("{} and {} are of one kind", name(one), name(other))
            }
            (Verdict::Related, Some((Kinship::Neighbours | Kinship::Cousins, one, other))) => {
                format!("{} borders on {}", name(one), name(other))
            }
            (Verdict::Related, _) => "names or purposes share words".to_owned(),
        }
    }
}

fn closest(ones: &[Subject], others: &[Subject]) -> Option<(Kinship, Subject, Subject)> {
    let pairs = ones
        .iter()
        .flat_map(|one| others.iter().map(move |other| (*one, *other)));
    pairs
        .map(|(one, other)| (THESAURUS.kinship(one, other), one, other))
        .filter(|(kinship, ..)| *kinship != Kinship::None)
        .max_by_key(|(kinship, ..)| *kinship)
}

fn found(feature: &Feature, among: &Features) -> bool {
    match feature {
        // Subjects come first in their order.
        Feature::Subjects(ones) => among
            .keys()
            .map(Feature::subjects)
            .take_while(|others| !others.is_empty())
            .any(|others| ones.iter().any(|subject| others.contains(subject))),
        Feature::Word(_) => among.contains_key(feature),
        Feature::OtherSense(_) => false,
    }
}

/// A wide subject beside a part of it that is there says nothing more: "Kubernetes" in "Kubernetes Autoscaling".
fn is_context(feature: &Feature, part: &Features, whole: &Features) -> bool {
    let contains = |other: &Feature| {
        let pairs = feature
            .subjects()
            .iter()
            .flat_map(|one| other.subjects().iter().map(move |other| (*one, *other)));
        pairs
            .into_iter()
            .any(|(one, other)| THESAURUS.kinship(one, other) == Kinship::Contains)
    };
    !feature.subjects().is_empty() && part.keys().any(|other| contains(other) && found(other, whole))
}

/// The share of what a name says that `whole` says too.
///
/// Where a whole text is given, a word is there too when the text has it inside a phrase: "research" in "user research".
fn covered(reading: &Reading, whole: &Features, text: Option<&Reading>) -> f64 {
    let part = &reading.name;
    let inside = |feature: &Feature| {
        let stem = match feature {
            Feature::Word(stem) => Some(stem),
            Feature::Subjects(_) => reading.everyday.get(feature),
            Feature::OtherSense(_) => None,
        };
        stem.zip(text).is_some_and(|(stem, text)| text.stems.contains(stem))
    };
    let counted = || part.iter().filter(|(feature, _)| !is_context(feature, part, whole));
    let total: f64 = counted().map(|(_, weight)| weight).sum();
    let there = counted().filter(|(feature, _)| found(feature, whole) || inside(feature));
    let there: f64 = there.map(|(_, weight)| weight).sum();
    if total > 0.0 { there / total } else { 0.0 }
}

fn meets(reading: &Reading, other: &Features) -> bool {
    let said = |feature: &Feature, weight: f64| weight >= 0.5 && found(feature, other);
    reading.purpose.is_empty() || reading.purpose.iter().any(|(feature, weight)| said(feature, *weight))
}

fn named_and_meant(one: &Reading, other: &Reading) -> bool {
    let whole = covered(one, &other.name, None) >= 0.85;
    let meant = |subject: Subject| other.purpose_subjects().any(|there| there == subject);
    whole && one.name_subjects().any(meant)
}

fn same_words(one: &Reading, other: &Reading) -> (f64, usize) {
    let shared = one.content.intersection(&other.content).count();
    let total = one.content.len() + other.content.len();
    let share = if total > 0 {
        2.0 * shared as f64 / total as f64
    } else {
        0.0
    };
    (share, shared)
}

fn only_words_more(one: &Features, other: &Features) -> bool {
    one.keys()
        .filter(|feature| !found(feature, other))
        .all(|feature| matches!(feature, Feature::Word(_)))
}

fn dice(one: &Features, other: &Features) -> f64 {
    let total: f64 = one.values().chain(other.values()).sum();
    let there = |from: &Features, to: &Features| -> f64 {
        from.iter()
            .filter(|(feature, _)| found(feature, to))
            .map(|(_, weight)| weight)
            .sum()
    };
    if total > 0.0 {
        (there(one, other) + there(other, one)) / total
    } else {
        0.0
    }
}

/// Leisure on one side only, however the words agree.
fn apart(one: &Reading, other: &Reading) -> bool {
    leisure(one) != leisure(other)
}

/// A name of leisure; or a name that may mean anything, with a purpose of nothing but leisure.
fn leisure(reading: &Reading) -> bool {
    let is_leisure = |subject: Subject| THESAURUS.field(subject) == "leisure";
    let vague = reading
        .name
        .keys()
        .all(|feature| feature.subjects().is_empty() || reading.everyday.contains_key(feature));
    let mut purpose = reading
        .purpose
        .iter()
        .filter(|(feature, _)| !feature.subjects().is_empty())
        .peekable();
    reading.name_subjects().any(is_leisure)
        || (vague
            && purpose.peek().is_some()
            && purpose.all(|(feature, _)| feature.subjects().iter().copied().all(is_leisure)))
}
