//! Which keys this process stored a moment ago: whoever sends one of them again need not have the body understood, as long as the
//! database still has it.
//!
//! Only a hint. What is said of a key here is asked of the database before it is believed, and what is not said here is stored as usual.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

/// So many are remembered, of 16 to 32 bytes each.
const MOST: usize = 4096;

#[derive(Default)]
pub(super) struct Recent {
    hasher: RandomState,
    hashes: HashSet<u64>,
    oldest_first: VecDeque<u64>,
}

impl Recent {
    pub(super) fn add(&mut self, key: &str) {
        let hash = self.hasher.hash_one(key);
        if !self.hashes.insert(hash) {
            return;
        }
        self.oldest_first.push_back(hash);
        if self.oldest_first.len() > MOST
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.hashes.remove(&oldest);
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.hashes.contains(&self.hasher.hash_one(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered() {
        let mut recent = Recent::default();
        for number in 0..=MOST {
            recent.add(&number.to_string());
            recent.add("again and again");
        }
        assert!(!recent.has("0") && !recent.has("never"));
        assert!(recent.has(&MOST.to_string()));
        assert_eq!((recent.hashes.len(), recent.oldest_first.len()), (MOST, MOST));
    }
}
