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
    /// Words in the head of a table.
    Head(String),
    /// The beginning of a list item.
    Bullet,
    /// The end of a line inside a paragraph.
    LineEnd,
    /// The end of a paragraph, list item or other block.
    BlockEnd,
}

impl Piece {
    fn write(&self, text: &mut String) {
        match self {
            Self::Text(words) | Self::Code(words) | Self::Head(words) => text.push_str(words),
            Self::Link(words, address) => text.push_str(if words.trim().is_empty() { address } else { words }),
            Self::LineEnd => text.push('\n'),
            Self::BlockEnd if !text.is_empty() && !text.ends_with("\n\n") => text.push_str("\n\n"),
            Self::BlockEnd | Self::Bullet => {}
        }
    }
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
    /// The words as lines: Markdown is gone, links are their words, blank lines part paragraphs and list items.
    pub(super) fn plain(&self) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            piece.write(&mut text);
        }
        text.trim().to_owned()
    }

    /// The same with `- ` before each list item, lists in one block.
    pub(super) fn with_lists(&self) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            if matches!(piece, Piece::Bullet) {
                text.truncate(text.trim_end().len());
                let in_list = text.rsplit('\n').next().is_some_and(|line| line.starts_with("- "));
                text.push_str(if in_list { "\n- " } else { "\n\n- " });
            } else {
                piece.write(&mut text);
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

/// Quick actions that templates and people put into issues (`doc/user/project/quick_actions`).
const ACTIONS: [&str; 24] = [
    "add_email",
    "assign",
    "assign_reviewer",
    "cc",
    "confidential",
    "copy_metadata",
    "due",
    "duplicate",
    "epic",
    "estimate",
    "health_status",
    "iteration",
    "label",
    "milestone",
    "relabel",
    "relate",
    "set_parent",
    "severity",
    "spend",
    "subscribe",
    "todo",
    "type",
    "weight",
    "zoom",
];

/// The sections of a description, in order; what stands before the first heading belongs to none.
pub(super) fn sections(description: &str) -> Vec<Section> {
    let text = without_comments(&description.replace("\r\n", "\n").replace('\r', "\n"));
    let mut reader = Reader::default();
    for (event, range) in Parser::new_ext(&text, options()).into_offset_iter() {
        let underscores = text.as_bytes().get(range.start) == Some(&b'_');
        match event {
            Event::Start(tag @ (Tag::Emphasis | Tag::Strong)) if underscores => reader.emphasis(&tag),
            Event::End(TagEnd::Emphasis | TagEnd::Strong) if underscores => reader.emphasis_ends(),
            event => reader.take(event),
        }
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
    /// Inside a line that is a quick action.
    action: bool,
    /// Inside the head of a table.
    head: bool,
    /// What closes the open emphases: underscores where they are a username's, else nothing.
    emphases: Vec<&'static str>,
    /// An emphasis began or ended just now: the words on both sides are no one word (`*@alice*s`).
    seam: bool,
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

    /// `@__name__` is a username and no emphasis.
    fn emphasis(&mut self, tag: &Tag<'_>) {
        let mark = if matches!(tag, Tag::Strong) { "__" } else { "_" };
        let last = self.sections.last().and_then(|section| section.pieces.last());
        let mark = if matches!(last, Some(Piece::Text(text)) if text.ends_with('@')) {
            mark
        } else {
            ""
        };
        self.emphases.push(mark);
        self.seam = mark.is_empty();
        self.words(mark, false);
    }

    fn emphasis_ends(&mut self) {
        let mark = self.emphases.pop().unwrap_or_default();
        self.seam = mark.is_empty();
        self.words(mark, false);
    }

    fn open(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } if self.depth == 0 => self.heading = Some((level, String::new())),
            Tag::BlockQuote(_) | Tag::List(_) | Tag::Table(_) => {
                self.depth += 1;
                self.push(Piece::BlockEnd);
            }
            Tag::Emphasis | Tag::Strong | Tag::Strikethrough => self.seam = true,
            Tag::Item => self.push(Piece::Bullet),
            Tag::TableHead => self.head = true,
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
            TagEnd::Paragraph | TagEnd::Item | TagEnd::CodeBlock | TagEnd::HtmlBlock | TagEnd::TableRow => {
                self.push(Piece::BlockEnd);
            }
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough => self.seam = true,
            // The cells of a row belong together: `| @alice | back end |`.
            TagEnd::TableCell => self.words(" – ", false),
            TagEnd::TableHead => {
                self.head = false;
                self.push(Piece::BlockEnd);
            }
            _ => {}
        }
    }

    fn words(&mut self, words: &str, code: bool) {
        if words.is_empty() {
        } else if let Some((_, heading)) = &mut self.heading {
            heading.push_str(words);
        } else if self.action || (!code && self.begins_action(words)) {
            self.action = true;
        } else if let Some((label, _)) = &mut self.link {
            label.push_str(words);
        } else if self.head {
            self.push(Piece::Head(words.to_owned()));
        } else if code {
            self.push(Piece::Code(words.to_owned()));
        } else {
            self.push(Piece::Text(words.to_owned()));
        }
    }

    /// GitLab runs quick actions and takes them out of what it stores; in a file, or where they were not run, they still
    /// stand there.
    fn begins_action(&self, words: &str) -> bool {
        let begins = self.sections.last().and_then(|section| section.pieces.last());
        let begins = matches!(begins, None | Some(Piece::LineEnd | Piece::BlockEnd)) && self.depth == 0;
        let name = words
            .strip_prefix('/')
            .and_then(|rest| rest.split(char::is_whitespace).next());
        begins && name.is_some_and(|name| ACTIONS.contains(&name.to_ascii_lowercase().as_str()))
    }

    fn push(&mut self, piece: Piece) {
        if matches!(piece, Piece::LineEnd | Piece::BlockEnd) {
            self.action = false;
        } else if self.action {
            return;
        }
        if let Some((_, heading)) = &mut self.heading {
            heading.push(' ');
        } else if let Some(section) = self.sections.last_mut() {
            match (section.pieces.last_mut(), piece) {
                (Some(Piece::Text(last)), Piece::Text(more)) if !self.seam => last.push_str(&more),
                (_, piece) => section.pieces.push(piece),
            }
            self.seam = false;
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
