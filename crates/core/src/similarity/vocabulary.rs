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
