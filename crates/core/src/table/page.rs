//! A page as far as tables are concerned: its headings and where every table, row and cell lies.
//!
//! The places come from pulldown-cmark's offsets, never from a search for pipes; where our own split of a line into
//! cells differs from the parser's, the row counts as unclear and is not edited.

use std::ops::Range;

use super::finding::Finding;
use super::scan;

/// Larger pages are not read: ten times the largest page of a big handbook.
pub const MAX_PAGE_BYTES: usize = 16 * 1024 * 1024;

/// A parsed page: the text, its headings, and all of its tables.
#[derive(Debug)]
pub struct Page<'a> {
    pub(super) text: &'a str,
    pub(super) headings: Vec<Heading>,
    pub(super) grids: Vec<Grid>,
    pub(super) cells: Vec<CellSpan>,
    pub(super) pieces: Vec<Piece>,
    /// Texts with escapes and entities, as they are read, one after the other.
    pub(super) spelled: String,
}

/// A heading and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// Its text as a reader sees it, without marks, attributes and links' targets.
    pub text: String,
    /// 1 to 6.
    pub level: u8,
    /// Its line, from 1.
    pub line: usize,
    /// Its text as the page writes it.
    pub(super) raw: String,
}

/// One table: lines as byte ranges of the page.
#[derive(Debug)]
pub(super) struct Grid {
    /// Line of its header, from 1.
    pub(super) line: usize,
    /// Index of the heading it stands under.
    pub(super) section: Option<usize>,
    /// Begin of the outermost block that contains it (a list, a quote or the table itself).
    pub(super) root: usize,
    pub(super) aligns: Vec<Align>,
    pub(super) header: Line,
    pub(super) delimiter: Line,
    pub(super) rows: Vec<Line>,
    /// Number of rows before the text that GFM takes into the table but a person would not.
    pub(super) end: usize,
}

impl Grid {
    /// Where the rows end for people: before lines without any pipe, unless the table is written without pipes.
    pub(super) fn find_end(&mut self, text: &str) {
        let pipes = self.aligns.len() > 1 || self.header.split(text).lead;
        let swallowed = |line: &&Line| pipes && !line.split(text).piped;
        self.end = self.rows.len() - self.rows.iter().rev().take_while(swallowed).count();
    }
}

/// A column's alignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    None,
    Left,
    Center,
    Right,
}

/// One line of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// Begin of the line.
    pub(super) start: usize,
    /// Begin of the row after indentation and marks of quotes or lists.
    pub(super) content: usize,
    /// End of the row, before the line break.
    pub(super) end: usize,
    /// Begin of the next line.
    pub(super) next: usize,
    /// Its cells as the parser sees them: range in [`Page::cells`].
    pub(super) cells: (u32, u32),
}

/// A cell as the parser sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct CellSpan {
    /// Bytes between the pipes; empty for a cell that the row lacks.
    pub(super) raw: (u32, u32),
    /// Range in [`Page::pieces`].
    pub(super) pieces: (u32, u32),
}

/// A piece of what a cell says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text.
    Text(Words),
    /// Text in a code span.
    Code(Words),
    /// Begin of a link, with its target.
    Link(Words),
    /// End of a link.
    LinkEnd,
    /// An HTML tag.
    Tag,
    /// An image; its alternative text is not part of what the cell says.
    Image,
}

/// A stretch of text: of the page, or of [`Page::spelled`] when it is read otherwise than it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) spelled: bool,
}

impl<'a> Page<'a> {
    /// Reads a page.
    ///
    /// # Errors
    /// [`Finding::NotUtf8`] or [`Finding::TooLarge`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Finding> {
        if bytes.len() > MAX_PAGE_BYTES {
            return Err(Finding::TooLarge {
                bytes: bytes.len(),
                limit: MAX_PAGE_BYTES,
            });
        }
        let text = std::str::from_utf8(bytes).map_err(|error| Finding::NotUtf8 {
            line: line_of(bytes, error.valid_up_to()),
        })?;
        Ok(scan::read(text))
    }

    /// Reads a piece of a page whose front matter is not in it.
    pub(super) fn parse_fragment(text: &'a str) -> Self {
        scan::read_from(text, 0)
    }

    /// The page's headings in their order.
    #[must_use]
    pub fn headings(&self) -> &[Heading] {
        &self.headings
    }

    /// How many tables the page has in all.
    #[must_use]
    pub fn table_count(&self) -> usize {
        self.grids.len()
    }

    pub(super) fn words(&self, words: Words) -> &str {
        let source = if words.spelled {
            self.spelled.as_str()
        } else {
            self.text
        };
        &source[words.from as usize..words.to as usize]
    }

    /// The text that a reader sees for a piece.
    pub(super) fn read_piece(&self, piece: &Piece) -> &str {
        match piece {
            Piece::Text(words) | Piece::Code(words) => self.words(*words),
            Piece::Tag => " ",
            Piece::Link(_) | Piece::LinkEnd | Piece::Image => "",
        }
    }
}

/// Without the blanks that GFM takes for padding; others, such as a no-break space, are content.
pub(super) fn trim_padding(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\x0b', '\x0c'])
}

/// The number, from 1, of the line on which the offset lies; `\n`, `\r\n` and a lone `\r` end lines, as in CommonMark.
pub(super) fn line_of(bytes: &[u8], offset: usize) -> usize {
    1 + breaks(bytes, 0..offset.min(bytes.len()))
}

/// How many lines end in the range.
pub(super) fn breaks(bytes: &[u8], range: Range<usize>) -> usize {
    let ends = |&at: &usize| match bytes[at] {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    range.filter(ends).count()
}

/// Begin of the line on which the offset lies.
pub(super) fn line_start(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset]
        .iter()
        .rposition(|&b| b == b'\n' || b == b'\r')
        .map_or(0, |at| at + 1)
}

/// End of the line (before its break) and begin of the next one.
pub(super) fn line_end(text: &str, offset: usize) -> (usize, usize) {
    let bytes = text.as_bytes();
    let end = bytes[offset..]
        .iter()
        .position(|&b| b == b'\n' || b == b'\r')
        .map_or(bytes.len(), |n| offset + n);
    let width = match &bytes[end..] {
        [b'\r', b'\n', ..] => 2,
        [_, ..] => 1,
        [] => 0,
    };
    (end, end + width)
}

impl Line {
    /// The line that contains the offset at which a row begins.
    pub(super) fn at(text: &str, content: usize) -> Self {
        let (end, next) = line_end(text, content);
        Self {
            start: line_start(text, content),
            content,
            end,
            next,
            cells: (0, 0),
        }
    }

    /// The line of a row whose bytes, break included, the parser gives.
    pub(super) fn of_row(text: &str, row: Range<usize>, cells: u32) -> Self {
        let end = row.start + text[row.clone()].trim_end_matches(['\n', '\r']).len();
        Self {
            start: line_start(text, row.start),
            content: row.start,
            end,
            next: row.end,
            cells: (cells, cells),
        }
    }

    /// The line's break, empty at the end of the page.
    pub(super) fn line_break<'t>(&self, text: &'t str) -> &'t str {
        &text[self.end..self.next]
    }

    /// Indentation and marks before the row.
    pub(super) fn prefix<'t>(&self, text: &'t str) -> &'t str {
        &text[self.start..self.content]
    }

    /// Splits the row at its pipes, as GFM does: a pipe after a backslash never splits.
    pub(super) fn split(&self, text: &str) -> Split {
        split(text, self.content..self.end)
    }
}

/// A row taken apart at its pipes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Split {
    /// Bytes between the pipes, padding included.
    pub(super) slots: Vec<Range<usize>>,
    /// Whether it begins with a pipe.
    pub(super) lead: bool,
    /// Whether it ends with a pipe.
    pub(super) trail: bool,
    /// Whether there is any pipe.
    pub(super) piped: bool,
}

fn split(text: &str, row: Range<usize>) -> Split {
    let bytes = text.as_bytes();
    let is_blank = |range: Range<usize>| {
        bytes[range]
            .iter()
            .all(|b| matches!(b, b' ' | b'\t' | b'\x0b' | b'\x0c'))
    };
    let is_pipe = |&at: &usize| bytes[at] == b'|' && (at == row.start || bytes[at - 1] != b'\\');
    let mut split = Split {
        slots: Vec::with_capacity(8),
        lead: false,
        trail: false,
        piped: false,
    };
    let mut from = row.start;
    for pipe in row.clone().filter(is_pipe) {
        if !split.piped && is_blank(from..pipe) {
            split.lead = true;
        } else {
            split.slots.push(from..pipe);
        }
        split.piped = true;
        from = pipe + 1;
    }
    let rest_is_blank = is_blank(from..row.end);
    split.trail = !split.slots.is_empty() && rest_is_blank;
    // A lone pipe begins no cell; whatever else follows the last pipe is one.
    let lone_pipe = split.lead && split.slots.is_empty() && rest_is_blank;
    if !(split.trail || lone_pipe) {
        split.slots.push(from..row.end);
    }
    split
}
