//! Letters as people compare them.

use std::borrow::Cow;

use deunicode::deunicode_char;
use unicode_normalization::UnicodeNormalization as _;

/// Latin letters without accents and ligatures (`É` is `E`, `ß` is `ss`). Other scripts stay: there a mark makes another letter,
/// and a transcription would make different names alike.
pub(super) fn unaccented(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for c in text.nfc() {
        match c {
            '\u{300}'..='\u{36f}' => {}
            '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => plain.push_str(deunicode_char(c).unwrap_or_default()),
            _ => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::unaccented;

    #[test]
    fn only_latin_letters_lose_their_marks() {
        assert_eq!(unaccented("\u{c9}lan e\u{301} Stra\u{df}e \u{142}"), "Elan e Strasse l");
        assert_eq!(
            unaccented("\u{304c} \u{5317}\u{4eac} \u{439}"),
            "\u{304c} \u{5317}\u{4eac} \u{439}"
        );
    }
}
