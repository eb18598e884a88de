//! Which characters may pass at all, whatever the sink.

use unicode_normalization::char::is_combining_mark;

/// More marks than this on one letter are no language's spelling; they only climb over the neighbouring lines.
const MARKS: usize = 4;

/// Characters that show nothing and steer how the rest is shown: bidirectional controls, zero-width characters, tags,
/// fillers. They hide text, or make it read differently than it is.
pub(crate) fn invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffc}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Everything that some program takes for the end of a line.
fn ends_line(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Joiners and emoji selectors mean something between the letters of some scripts and between emoji, never in ASCII.
fn joins(c: char, before: Option<char>, after: Option<char>) -> bool {
    let wide = |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && !c.is_whitespace() && !c.is_control());
    match c {
        '\u{200c}' | '\u{200d}' => wide(before) && wide(after) && !after.is_some_and(invisible),
        '\u{fe0f}' => wide(before),
        _ => false,
    }
}

/// One line: line ends and all kinds of space become single spaces, controls and invisible characters go.
pub(crate) fn one_line(text: &str) -> String {
    Line::default().of(text)
}

/// The same, and where something goes within a word that is seen: a secret that was taken apart, so that nobody found it in there, is not
/// put together again.
pub(crate) fn one_line_with_gaps(text: &str) -> String {
    let line = Line {
        gap: Some(char::REPLACEMENT_CHARACTER),
        ..Line::default()
    };
    line.of(text)
}

#[derive(Default)]
struct Line {
    /// What stands for characters that go.
    gap: Option<char>,
    text: String,
    last: Option<char>,
    space: bool,
    marks: usize,
}

impl Line {
    fn of(mut self, text: &str) -> String {
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            self.take(c, rest.peek().copied());
        }
        self.text
    }

    fn take(&mut self, c: char, next: Option<char>) {
        if ends_line(c) || c.is_whitespace() {
            self.space = self.last.is_some();
            return;
        }
        if c.is_control() || (invisible(c) && !joins(c, self.last.filter(|_| !self.space), next)) {
            let is_within = self.last.is_some() && self.last != self.gap && !self.space;
            if let Some(gap) = self.gap.filter(|_| is_within) {
                self.text.push(gap);
                self.last = Some(gap);
            }
            return;
        }
        self.marks = if is_combining_mark(c) { self.marks + 1 } else { 0 };
        if self.marks > MARKS {
            return;
        }
        if self.space {
            self.text.push(' ');
            self.space = false;
        }
        self.text.push(c);
        self.last = Some(c);
    }
}

/// The lines of a text, each cleaned of controls and invisible characters; indentation (also by tabs) stays.
///
/// `\r\n`, `\r` and every other character that ends a line somewhere end a line here.
pub(crate) fn lines(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n");
    let mut lines: Vec<String> = text.split(ends_line).map(one_raw_line).collect();
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    lines
}

fn one_raw_line(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line.chars().peekable();
    let mut marks = 0;
    while let Some(c) = rest.next() {
        let before = out.chars().next_back();
        if (c.is_control() && c != '\t') || (invisible(c) && !joins(c, before, rest.peek().copied())) {
            continue;
        }
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        if marks <= MARKS {
            out.push(c);
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// At most `max` characters, the last of them `…` when something was cut off.
pub(crate) fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(max.saturating_sub(1)).collect();
    short.truncate(short.trim_end().len());
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_has_no_line_end_of_any_program() {
        assert_eq!(one_line(" a\r\nb\rc\u{2028}d\u{85}e\u{b}f\t g "), "a b c d e f g");
    }

    #[test]
    fn what_steers_the_screen_goes() {
        assert_eq!(one_line("a\u{202e}b\u{0}c\u{1b}[31m\u{feff}\u{9b}"), "abc[31m");
    }

    #[test]
    fn joined_emoji_stay_whole_and_ascii_is_never_joined() {
        assert_eq!(one_line("👩\u{200d}💻 a\u{200d}b #\u{fe0f}1"), "👩\u{200d}💻 ab #1");
    }

    #[test]
    fn towers_of_marks_are_cut() {
        assert_eq!(
            one_line(&format!("e{}", "\u{301}".repeat(50))).chars().count(),
            1 + MARKS
        );
    }

    #[test]
    fn lines_keep_indentation_and_lose_what_trails() {
        assert_eq!(lines("a \r\n\tb\r\rc\n\n"), ["a", "\tb", "", "c"]);
    }

    #[test]
    fn a_word_that_was_taken_apart_is_not_put_together_again() {
        assert_eq!(
            one_line_with_gaps("glpat-\0\0\0secret \u{200b}and\u{1b}"),
            "glpat-\u{fffd}secret and\u{fffd}"
        );
        assert_eq!(one_line_with_gaps("\0a \u{202e} b\nc"), "a b c");
        assert_eq!(
            one_line("glpat-\0secret"),
            "glpat-secret",
            "elsewhere nothing stands for it"
        );
    }
}
