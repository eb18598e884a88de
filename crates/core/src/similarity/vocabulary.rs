//! Which words mean which subjects.

use std::collections::HashMap;

use super::thesaurus::Subject;
use super::words::{self, Word};

/// Subjects by the words for them; several where these are ambiguous.
#[derive(Default)]
pub(super) struct Words {
    /// Phrases of several words, by their joined stems.
    pub(super) phrases: HashMap<String, Vec<Subject>>,
    /// Single words by their stems: for text that writes them apart (`front end`).
    pub(super) apart: HashMap<String, Vec<Subject>>,
    /// Single words as they are, but for number and spelling: the stem of "container" is that of "contains".
    plain: HashMap<String, Vec<Subject>>,
    /// Single words for a doing or who does it: `fundraising`, `fundraisers`.
    doing: HashMap<String, Vec<Subject>>,
}

impl Words {
    /// Adds words for a subject.
    pub(super) fn add(&mut self, words: &[Word], subject: Subject) {
        if let [word] = words {
            put(&mut self.apart, word.stem.clone(), subject);
            put(&mut self.plain, words::singular(&word.plain), subject);
            if let Some(doing) = words::doing(&word.plain) {
                put(&mut self.doing, doing, subject);
            }
        } else {
            for key in keys(words) {
                put(&mut self.phrases, key, subject);
            }
        }
    }

    /// All phrases and words that are long enough for a slip, by how they begin and end.
    pub(super) fn by_ends(&self) -> HashMap<Ends, Vec<(String, Vec<Subject>)>> {
        let mut by_ends: HashMap<Ends, Vec<(String, Vec<Subject>)>> = HashMap::new();
        for (phrase, subjects) in self.phrases.iter().chain(&self.apart) {
            if let Some(ends) = ends(phrase) {
                by_ends
                    .entry(ends)
                    .or_default()
                    .push((phrase.clone(), subjects.clone()));
            }
        }
        by_ends
    }

    /// The subjects that these words may mean.
    pub(super) fn find(&self, words: &[Word]) -> Option<&Vec<Subject>> {
        let [word] = words else {
            return keys(words).find_map(|key| self.phrases.get(&key).or_else(|| self.apart.get(&key)));
        };
        let doing = || words::doing(&word.plain).and_then(|doing| self.doing.get(&doing));
        self.plain
            .get(&words::singular(&word.plain))
            .or_else(|| self.phrases.get(&word.stem))
            .or_else(doing)
    }
}

/// First byte and last two of a text.
pub(super) type Ends = (u8, [u8; 2]);

/// How a text begins and ends, when it is long enough that a slip inside leaves it recognisable.
pub(super) fn ends(text: &str) -> Option<Ends> {
    match text.as_bytes() {
        [first, .., before, last] if text.len() >= 7 => Some((*first, [*before, *last])),
        _ => None,
    }
}

fn put(map: &mut HashMap<String, Vec<Subject>>, key: String, subject: Subject) {
    let subjects = map.entry(key).or_default();
    if !subjects.contains(&subject) {
        subjects.push(subject);
    }
}

/// What a phrase is found by: its stems joined, and the stem of its words joined (`Fin Ops` is `finops`).
fn keys(words: &[Word]) -> impl Iterator<Item = String> {
    let stems: String = words.iter().map(|word| word.stem.as_str()).collect();
    let whole = words::stem(&words.iter().map(|word| word.plain.as_str()).collect::<String>());
    let other = (words.len() > 1 && whole != stems).then_some(whole);
    [stems].into_iter().chain(other)
}
