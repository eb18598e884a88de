//! Text for eyes of operators and browsers: log lines, terminals, HTML pages.

use std::fmt;

use super::clean;
use crate::untrusted::Untrusted;

/// Longer than this says nothing more in a log line.
const MAX_LOG: usize = 200;

/// People's text for one field of a log line: one line, no control characters (what was within a word leaves a `\u{fffd}`), at most 200
/// characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogText(String);

impl LogText {
    /// Makes it.
    #[must_use]
    pub fn new(text: &Untrusted) -> Self {
        Self(clean::cut(&clean::one_line_with_gaps(text.expose()), MAX_LOG))
    }
}

/// People's text for a terminal: no escape sequences, nothing that changes the direction of reading.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TerminalText(String);

impl TerminalText {
    /// On one line.
    #[must_use]
    pub fn line(text: &Untrusted) -> Self {
        Self(clean::one_line(text.expose()))
    }

    /// With its lines and their indentation; no line end at the end.
    #[must_use]
    pub fn block(text: &Untrusted) -> Self {
        Self(clean::lines(text.expose()).join("\n"))
    }
}

/// People's text for an HTML page, in an element or a quoted attribute; never in a script, style or address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct HtmlText(String);

impl HtmlText {
    /// Makes it, on one line.
    #[must_use]
    pub fn line(text: &Untrusted) -> Self {
        Self(escape_html(&clean::one_line(text.expose())))
    }

    /// Makes it, with its line ends.
    #[must_use]
    pub fn block(text: &Untrusted) -> Self {
        Self(escape_html(&clean::lines(text.expose()).join("\n")))
    }
}

/// A finished log line as one that steers nothing: what ends a line, controls a terminal or hides is spelled out as
/// `\u{…}`. Colours (`ESC [ digits m`) stay: the logger itself makes them.
#[must_use]
pub fn log_line(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        if let Some(colour) = colour(rest) {
            out.push_str(&rest[..colour]);
            rest = &rest[colour..];
            continue;
        }
        if c.is_control() || clean::invisible(c) || matches!(c, '\u{2028}' | '\u{2029}') {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// The length of the colour that begins here.
fn colour(text: &str) -> Option<usize> {
    let inside = text.strip_prefix("\u{1b}[")?;
    let end = inside.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    (end <= 16 && inside[end..].starts_with('m')).then_some(2 + end + 1)
}

fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '`' => out.push_str("&#96;"),
            c => out.push(c),
        }
    }
    out
}

macro_rules! shown {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

shown!(LogText, TerminalText, HtmlText);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_text_is_one_short_line() {
        let text = Untrusted::new(format!("a\nERROR forged \u{1b}[2J{}", "x".repeat(500)));
        let shown = LogText::new(&text).to_string();
        assert!(shown.starts_with("a ERROR forged [2Jxxx"), "{shown}");
        assert_eq!(shown.chars().count(), 200);
    }

    #[test]
    fn a_finished_log_line_keeps_its_colours_and_nothing_else_that_acts() {
        assert_eq!(
            log_line("\u{1b}[32m INFO\u{1b}[0m a\nb\r\u{1b}[2Jc\u{9b}31m\u{202e}\u{1b}"),
            "\u{1b}[32m INFO\u{1b}[0m a\\u{a}b\\u{d}\\u{1b}[2Jc\\u{9b}31m\\u{202e}\\u{1b}"
        );
    }

    #[test]
    fn a_terminal_text_has_no_escape_sequences() {
        let text = Untrusted::new("a\u{1b}]8;;https://evil\u{7}b\u{9b}31m\r\nc");
        assert_eq!(TerminalText::block(&text).to_string(), "a]8;;https://evilb31m\nc");
    }

    #[test]
    fn html_is_text() {
        let text = Untrusted::new("<img src=x onerror='a()'>&\"`");
        assert_eq!(
            HtmlText::line(&text).to_string(),
            "&lt;img src=x onerror=&#39;a()&#39;&gt;&amp;&quot;&#96;"
        );
    }
}
