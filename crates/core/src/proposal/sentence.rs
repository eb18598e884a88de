//! Where the first sentence of a text ends.

/// The first sentence of a text: up to the first `.`, `!` or `?` that ends one, or the end of the first paragraph.
pub(super) fn first_sentence(text: &str) -> String {
    let paragraph = text
        .split("\n\n")
        .map(str::trim)
        .find(|part| !part.is_empty())
        .unwrap_or_default();
    let item = paragraph
        .strip_prefix("- ")
        .map(|list| list.lines().next().unwrap_or_default());
    let line = item
        .unwrap_or(paragraph)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    for (at, c) in line.char_indices() {
        let after = &line[at + c.len_utf8()..];
        if ends_sentence(&line[..at], c, after) {
            return line[..line.len() - after.len()].to_owned();
        }
    }
    line
}

fn ends_sentence(before: &str, c: char, after: &str) -> bool {
    let next = after.chars().find(|c| !c.is_whitespace());
    let apart = after.is_empty() || after.starts_with(char::is_whitespace);
    match c {
        '。' | '！' | '？' => true,
        '!' | '?' => apart,
        '.' => apart && !next.is_some_and(char::is_lowercase) && !abbreviated(before),
        _ => false,
    }
}

fn abbreviated(before: &str) -> bool {
    const SHORT: [&str; 16] = [
        "e.g", "i.e", "etc", "vs", "cf", "approx", "incl", "no", "nr", "dr", "mr", "mrs", "ms", "prof", "st", "resp",
    ];
    let word = before
        .rsplit(|c: char| c.is_whitespace() || c == '(')
        .next()
        .unwrap_or_default()
        .to_lowercase();
    SHORT.contains(&word.as_str()) || (word.chars().count() == 1 && word.chars().all(char::is_alphabetic))
}
