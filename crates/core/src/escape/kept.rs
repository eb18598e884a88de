//! Text that stays as it is, because no reader of it acts on it: our own store, and JSON for other programs.

use serde::Serialize;

use crate::untrusted::Untrusted;

/// People's text for a column of our own database, bound as a value and read back as [`Untrusted`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredText(String);

impl StoredText {
    /// Takes the text as it is.
    #[must_use]
    pub fn new(text: &Untrusted) -> Self {
        Self(text.expose().to_owned())
    }

    /// The value to bind.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// People's text as a value in JSON that we print; whoever prints it escapes what a terminal would act on ([`ascii_json`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct JsonText(String);

impl JsonText {
    /// Takes the text as it is.
    #[must_use]
    pub fn new(text: &Untrusted) -> Self {
        Self(text.expose().to_owned())
    }
}

/// Finished JSON with every control and invisible character written as `\uXXXX`: the same values, and nothing that a terminal
/// or an editor would act on. JSON has such characters inside of strings only.
#[must_use]
pub fn ascii_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        let acts = (c.is_control() && c != '\n') || super::clean::invisible(c) || matches!(c, '\u{2028}' | '\u{2029}');
        if !acts {
            out.push(c);
            continue;
        }
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_json_says_the_same_and_steers_no_terminal() {
        let text = "a\u{9b}31m\u{202e}\u{1b}[2J\u{e0041}\u{2028} \"é\" \\";
        let json = serde_json::to_string_pretty(&[JsonText::new(&Untrusted::new(text))]).unwrap();
        let printed = ascii_json(&json);
        assert!(
            !printed.contains(|c: char| (c.is_control() && c != '\n') || super::super::clean::invisible(c)),
            "{printed}"
        );
        assert_eq!(serde_json::from_str::<Vec<String>>(&printed).unwrap(), [text]);
    }
}
