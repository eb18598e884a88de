//! Which existing communities look like a proposed one.
//!
//! [`rank`] reads each text for the *subjects* it speaks of, with the everyday words, abbreviations and translations for
//! them (`subjects.txt`), and for the words that no subject explains. Same subject means duplicate; part, whole, sister or
//! neighbour means related; anything else is distinct, even where words, letters or a vendor agree. Where name and
//! purpose pull apart the purpose decides. It is a help for people, never a refusal: nothing here decides what happens.

mod acronym;
mod judge;
mod reading;
mod thesaurus;
mod vocabulary;
mod words;

use serde::Serialize;

use crate::untrusted::Untrusted;
use reading::Wording;

/// A community, proposed or existing.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Candidate {
    /// Its name.
    pub name: Untrusted,
    /// What it is for; may be blank.
    pub purpose: Untrusted,
}

/// How an existing community compares with the proposed one.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// Its place in the list that was given.
    pub index: usize,
    /// Its name.
    pub name: Untrusted,
    /// From 0 (nothing in common) to 1 (the same). Duplicates are above 0.7, distinct ones below 0.35.
    pub score: f64,
    /// What follows from it.
    pub verdict: Verdict,
    /// The reason in a few words, without people's text beyond single plain words.
    pub why: String,
}

/// What follows from a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Same subject and same people: join the existing one.
    Duplicate,
    /// Part, whole, sister or neighbour: good to know of.
    Related,
    /// No common subject.
    Distinct,
}

impl Verdict {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Related => "related",
            Self::Distinct => "distinct",
        }
    }
}

/// So much of a name and of a purpose is read, in characters and in words that mean something. People say what a community is for in
/// less; more would cost time in every look, and anybody can write it.
const MOST_NAME: (usize, usize) = (200, 24);
const MOST_PURPOSE: (usize, usize) = (2_000, 120);

/// Compares a proposed community with each existing one; the most alike first, equal ones in the order given. Very long texts are
/// read in part.
#[must_use]
pub fn rank(proposed: &Candidate, existing: &[Candidate]) -> Vec<Match> {
    let wording = Wording::of(proposed);
    let mut matches: Vec<Match> = existing
        .iter()
        .enumerate()
        .map(|(index, candidate)| {
            let judgement = judge::judge(&wording, &Wording::of(candidate));
            Match {
                index,
                name: candidate.name.clone(),
                score: judgement.score,
                verdict: judgement.verdict,
                why: judgement.why,
            }
        })
        .collect();
    matches.sort_by(|one, other| other.score.total_cmp(&one.score).then(one.index.cmp(&other.index)));
    matches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_very_long_text_the_beginning_is_read() {
        let candidate = |purpose: String| Candidate {
            name: Untrusted::new("Guild"),
            purpose: Untrusted::new(purpose),
        };
        let filler: String = (0..200).map(|number| format!("q{number}x ")).collect();
        let rust = [candidate("We write Rust".to_owned())];
        let verdict = |purpose: String| rank(&candidate(purpose), &rust)[0].verdict;
        assert_ne!(verdict(format!("Rust {filler}")), Verdict::Distinct);
        assert_eq!(verdict(format!("{filler} Rust")), Verdict::Distinct);
    }
}
