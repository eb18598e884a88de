//! From two readings to a verdict.

use super::reading::{Feature, Features, Reading};
use super::thesaurus::{Kinship, Subject, THESAURUS};
use super::{Candidate, Verdict};

pub(super) struct Judgement {
    pub(super) score: f64,
    pub(super) verdict: Verdict,
    pub(super) why: String,
}

/// Judges an existing community beside a proposed one.
pub(super) fn judge(proposed: &Candidate, existing: &Candidate) -> Judgement {
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
    /// How many features with a meaning of their own both texts have.
    shared: usize,
    /// The closest kinship between the subjects of the two names.
    kin: Option<(Kinship, Subject, Subject)>,
    /// The closest kinship between a name's subject and the other's purpose.
    kin_across: Option<(Kinship, Subject, Subject)>,
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
        .max_by_key(|(kinship, ..)| closeness(*kinship));
        Self {
            names: (covered(&one.name, &other.name), covered(&other.name, &one.name)),
            across: (covered(&one.name, &all_other), covered(&other.name, &all_one)),
            texts: dice(&all_one, &all_other),
            shared: all_one
                .iter()
                .filter(|(feature, weight)| **weight >= 0.5 && found(feature, &all_other))
                .count(),
            kin,
            kin_across,
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
        let kin = self
            .kin
            .map_or(0.0, |(kinship, ..)| f64::from(closeness(kinship)) / 5.0);
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
        let same_text = self.texts >= 0.5 && self.shared >= 2;
        if names >= 0.8 || one_in_other || said_by_both || same_text || self.specialised() {
            return Verdict::Duplicate;
        }
        let kin = self.kin.map_or(Kinship::None, |(kinship, ..)| kinship);
        let kin_across = self.kin_across.map_or(Kinship::None, |(kinship, ..)| kinship);
        let half_the_name = self.names.0.max(self.names.1) >= 0.5 && names >= 0.3;
        let related = match kin {
            Kinship::Same | Kinship::PartOf | Kinship::Contains | Kinship::Sisters | Kinship::Neighbours => true,
            Kinship::Cousins => self.texts >= 0.1 || kin_across != Kinship::None,
            Kinship::None => half_the_name || (self.texts >= 0.2 && self.shared >= 1) || closeness(kin_across) >= 4,
        };
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
            .max_by_key(|(kinship, ..)| closeness(*kinship));
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

fn closeness(kinship: Kinship) -> u8 {
    match kinship {
        Kinship::Same => 5,
        Kinship::PartOf | Kinship::Contains => 4,
        Kinship::Sisters => 3,
        Kinship::Neighbours => 2,
        Kinship::Cousins => 1,
        Kinship::None => 0,
    }
}

fn closest(ones: &[Subject], others: &[Subject]) -> Option<(Kinship, Subject, Subject)> {
    let pairs = ones
        .iter()
        .flat_map(|one| others.iter().map(move |other| (*one, *other)));
    pairs
        .map(|(one, other)| (THESAURUS.kinship(one, other), one, other))
        .filter(|(kinship, ..)| *kinship != Kinship::None)
        .max_by_key(|(kinship, ..)| closeness(*kinship))
}

fn found(feature: &Feature, among: &Features) -> bool {
    among.keys().any(|there| same(feature, there))
}

fn same(one: &Feature, other: &Feature) -> bool {
    match (one, other) {
        (Feature::Subjects(ones), Feature::Subjects(others)) => ones.iter().any(|subject| others.contains(subject)),
        (Feature::Word(one), Feature::Word(other)) => one == other,
        _ => false,
    }
}

/// The share of `part`'s weight that `whole` says too.
fn covered(part: &Features, whole: &Features) -> f64 {
    let total: f64 = part.values().sum();
    let there: f64 = part
        .iter()
        .filter(|(feature, _)| found(feature, whole))
        .map(|(_, weight)| weight)
        .sum();
    if total > 0.0 { there / total } else { 0.0 }
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

/// Leisure on one side only, or purposes from fields that have nothing to do with each other.
fn apart(one: &Reading, other: &Reading) -> bool {
    leisure(one) != leisure(other)
}

fn leisure(reading: &Reading) -> bool {
    let is_leisure = |subject: Subject| THESAURUS.field(subject) == "leisure";
    reading.name_subjects().any(is_leisure)
        || (reading.purpose_subjects().any(is_leisure) && reading.purpose_subjects().all(is_leisure))
}
