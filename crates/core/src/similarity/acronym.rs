//! Acronyms and the words that they stand for.

use super::thesaurus::THESAURUS;
use super::words::Word;

/// The words with each acronym replaced by what it stands for, as far as a text spells it out.
///
/// The text around it decides first: `PA: Public Address Systems` is no personal assistant, whatever others mean by `PA`.
/// Then the other candidate's text, unless the acronym has an everyday meaning of its own.
pub(super) fn spell_out(words: &[Word], around: &[Word], other: &[Word]) -> Vec<Word> {
    let (around, other): (Vec<&Word>, Vec<&Word>) = (around.iter().collect(), other.iter().collect());
    let mut spelled = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let (before, after) = (words[..at].iter(), words[at + 1..].iter());
        let rest: Vec<&Word> = before.chain(after).collect();
        let known = !THESAURUS.subjects(std::slice::from_ref(word), true).is_empty();
        let own = expansion(word, &rest).or_else(|| expansion(word, &around));
        let meant = match own {
            Some(own) => Some(own),
            None if known && !word.capitals => None,
            None => expansion(word, &other).filter(|_| !known),
        };
        match meant {
            Some(meant) => spelled.extend(meant),
            None => spelled.push(word.clone()),
        }
    }
    spelled
}

/// The words in a text whose initials are this acronym, or whose length this numeronym counts.
fn expansion(acronym: &Word, text: &[&Word]) -> Option<Vec<Word>> {
    if let Some(word) = text.iter().find(|word| is_numeronym_of(&acronym.plain, &word.plain)) {
        return Some(vec![Word::clone(word)]);
    }
    let letters = letters(&acronym.plain)?;
    if !(acronym.capitals || letters.len() >= 3) {
        return None;
    }
    let initials = |word: &&Word| word.plain.chars().next();
    text.windows(letters.len())
        .find(|window| {
            window
                .iter()
                .zip(&letters)
                .all(|(word, letter)| initials(word) == Some(*letter))
                && window.iter().any(|word| word.plain.len() > 2)
        })
        .map(|window| window.iter().copied().cloned().collect())
}

/// `p3m` is `pppm`: a digit repeats the letter before it.
fn letters(acronym: &str) -> Option<Vec<char>> {
    let mut letters: Vec<char> = Vec::new();
    for character in acronym.chars() {
        match character.to_digit(10) {
            Some(times) => {
                let last = *letters.last()?;
                let more = usize::try_from(times).ok()?.checked_sub(1)?;
                letters.extend(std::iter::repeat_n(last, more));
            }
            None => letters.push(character),
        }
    }
    (2..=6).contains(&letters.len()).then_some(letters)
}

/// `k8s`, `i18n`: the first letter, how many are left out, the last letter.
fn is_numeronym_of(short: &str, word: &str) -> bool {
    let Some((first, rest)) = short.split_at_checked(1) else {
        return false;
    };
    let Some((count, last)) = rest.len().checked_sub(1).and_then(|at| rest.split_at_checked(at)) else {
        return false;
    };
    let left_out: Option<usize> = count.parse().ok();
    left_out.is_some_and(|count| count > 0 && word.len() == count + 2)
        && word.starts_with(first)
        && word.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::super::words::words;
    use super::*;

    fn check(acronym: &str, text: &str, expected: Option<&str>) {
        let text_words = words(text);
        let found = expansion(&words(acronym)[0], &text_words.iter().collect::<Vec<_>>());
        let found = found.map(|words| words.into_iter().map(|word| word.plain).collect::<Vec<_>>().join(" "));
        assert_eq!(found.as_deref(), expected, "{acronym} in {text}");
    }

    #[test]
    fn an_acronym_is_found_by_its_initials() {
        check(
            "RPA",
            "leaders explore robotic process automation",
            Some("robotic process automation"),
        );
        check(
            "P3M",
            "portfolio programme project management",
            Some("portfolio programme project management"),
        );
        check("PA", "Public Address Systems", Some("public address"));
        check("i18n", "about internationalization", Some("internationalization"));
        check("ITSM", "service management", None);
        check("it", "information technology", None);
    }
}
