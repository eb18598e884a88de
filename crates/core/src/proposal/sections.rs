//! The form's sections: which words, lists, links and code stand under which heading.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use unicode_normalization::UnicodeNormalization;

use super::Field;

/// One piece of a section's text, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Words outside links and code, also raw HTML: it is shown to people, never dropped in silence.
    Text(String),
    /// A code span or a line of a code block.
    Code(String),
    /// A link or image: its words and its address.
    Link(String, String),
    /// The end of a line inside a paragraph.
    LineEnd,
    /// The end of a paragraph, list item or other block.
    BlockEnd,
}

/// What stands under one heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    /// The heading's words.
    pub(super) heading: String,
    /// The field that the heading names.
    pub(super) field: Option<Field>,
    /// The text.
    pub(super) pieces: Vec<Piece>,
}

impl Section {
    /// The words as lines: Markdown is gone, links are their words, blank lines part paragraphs.
    pub(super) fn plain(&self) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(words) | Piece::Code(words) => text.push_str(words),
                Piece::Link(words, address) => text.push_str(if words.trim().is_empty() { address } else { words }),
                Piece::LineEnd => text.push('\n'),
                Piece::BlockEnd if text.ends_with("\n\n") || text.is_empty() => {}
                Piece::BlockEnd => text.push_str("\n\n"),
            }
        }
        text.trim().to_owned()
    }

    /// The lines with something in them.
    pub(super) fn lines(&self) -> Vec<String> {
        self.plain()
            .lines()
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty())
            .collect()
    }
}

/// The sections of a description, in order; what stands before the first heading belongs to none.
pub(super) fn sections(description: &str) -> Vec<Section> {
    let text = without_comments(&description.replace("\r\n", "\n").replace('\r', "\n"));
    let mut reader = Reader::default();
    for event in Parser::new_ext(&text, options()) {
        reader.take(event);
    }
    reader.close();
    reader.sections
}

/// How many different headings of the form there are.
pub(super) fn known_headings(description: &str) -> usize {
    let end = (0..=description.len().min(super::MAX_BYTES))
        .rev()
        .find(|&at| description.is_char_boundary(at));
    let sections = sections(&description[..end.unwrap_or(0)]);
    Field::ALL
        .iter()
        .filter(|&&field| sections.iter().any(|section| section.field == Some(field)))
        .count()
}

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS
}

/// Blanks out HTML comments, so that words behind a comment on its line are words and not HTML. Comments in code stay.
fn without_comments(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut done = 0;
    for (event, range) in Parser::new_ext(text, options()).into_offset_iter() {
        if !matches!(event, Event::Html(_) | Event::InlineHtml(_)) || range.start < done {
            continue;
        }
        let mut from = range.start;
        while let Some(comment) = comment_in(text, from, range.end) {
            for byte in &mut bytes[comment.clone()] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
            from = comment.end;
            done = done.max(comment.end);
        }
    }
    // Only whole comments were blanked, so this is still UTF-8.
    String::from_utf8(bytes).unwrap_or_default()
}

/// The first comment that begins in this part of the text; one that is never closed reaches to the end.
fn comment_in(text: &str, from: usize, to: usize) -> Option<Range<usize>> {
    let start = from + text.get(from..to)?.find("<!--")?;
    let end = text[start + 4..]
        .find("-->")
        .map_or(text.len(), |at| start + 4 + at + 3);
    Some(start..end)
}

#[derive(Default)]
struct Reader {
    sections: Vec<Section>,
    heading: Option<(HeadingLevel, String)>,
    level: Option<HeadingLevel>,
    depth: usize,
    link: Option<(String, String)>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.open(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(words) => self.words(&words, false),
            Event::Code(words) | Event::InlineMath(words) | Event::DisplayMath(words) => self.words(&words, true),
            Event::Html(html) | Event::InlineHtml(html) => self.words(&html, false),
            Event::SoftBreak | Event::HardBreak => self.push(Piece::LineEnd),
            Event::FootnoteReference(_) | Event::Rule | Event::TaskListMarker(_) => {}
        }
    }

    fn open(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } if self.depth == 0 => self.heading = Some((level, String::new())),
            Tag::BlockQuote(_) | Tag::List(_) | Tag::Table(_) => {
                self.depth += 1;
                self.push(Piece::BlockEnd);
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } if self.link.is_none() => {
                self.link = Some((String::new(), dest_url.into_string()));
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => match self.heading.take() {
                Some((level, words)) => self.start_section(level, words),
                None => self.push(Piece::BlockEnd),
            },
            TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Table => {
                self.depth = self.depth.saturating_sub(1);
                self.push(Piece::BlockEnd);
            }
            TagEnd::Link | TagEnd::Image => {
                if let Some((words, address)) = self.link.take() {
                    self.push(Piece::Link(words, address));
                }
            }
            TagEnd::Paragraph
            | TagEnd::Item
            | TagEnd::CodeBlock
            | TagEnd::HtmlBlock
            | TagEnd::TableRow
            | TagEnd::TableHead
            | TagEnd::TableCell => self.push(Piece::BlockEnd),
            _ => {}
        }
    }

    fn words(&mut self, words: &str, code: bool) {
        if let Some((_, heading)) = &mut self.heading {
            heading.push_str(words);
        } else if let Some((label, _)) = &mut self.link {
            label.push_str(words);
        } else if code {
            self.push(Piece::Code(words.to_owned()));
        } else {
            self.push(Piece::Text(words.to_owned()));
        }
    }

    fn push(&mut self, piece: Piece) {
        if let Some((_, heading)) = &mut self.heading {
            heading.push(' ');
        } else if let Some(section) = self.sections.last_mut() {
            match (section.pieces.last_mut(), piece) {
                (Some(Piece::Text(last)), Piece::Text(more)) => last.push_str(&more),
                (_, piece) => section.pieces.push(piece),
            }
        }
    }

    /// An unknown heading below the purpose's own level is a part of the purpose.
    fn start_section(&mut self, level: HeadingLevel, words: String) {
        let field = named(&words);
        let purpose = self
            .sections
            .last()
            .is_some_and(|section| section.field == Some(Field::Purpose));
        if field.is_none() && purpose && self.level.is_some_and(|over| level > over) {
            self.push(Piece::BlockEnd);
            self.push(Piece::Text(words));
            self.push(Piece::BlockEnd);
            return;
        }
        self.level = Some(level);
        self.sections.push(Section {
            heading: words,
            field,
            pieces: Vec::new(),
        });
    }

    fn close(&mut self) {
        if let Some((words, address)) = self.link.take() {
            self.push(Piece::Link(words, address));
        }
    }
}

/// The field that a heading names: case, accents of width, numbering, decoration and `(required)` make no difference.
fn named(heading: &str) -> Option<Field> {
    let folded: String = heading.nfkc().flat_map(char::to_lowercase).collect();
    let folded = folded.replace('&', " and ");
    let core = folded.split('(').next().unwrap_or_default();
    let words: Vec<&str> = core
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let words = match words.split_first() {
        Some((first, rest)) if first.chars().all(|c| c.is_ascii_digit()) && !rest.is_empty() => rest,
        _ => &words,
    };
    let name = words.join(" ");
    Field::ALL
        .into_iter()
        .find(|field| field.heading().eq_ignore_ascii_case(&name))
}
