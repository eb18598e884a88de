//! From Markdown to [`Page`]: one pass over pulldown-cmark's events.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{Alignment, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::hidden;
use super::page::{Align, CellSpan, Grid, Heading, Line, Page, Piece, Words, breaks, line_start};

/// Reads the headings and tables of a page.
pub(super) fn read(text: &str) -> Page<'_> {
    read_from(text, hidden::front_matter(text))
}

/// The same from an offset on.
pub(super) fn read_from(text: &str, base: usize) -> Page<'_> {
    let masked = as_the_parser_needs(&text[base..]);
    let mut scan = Scan {
        page: Page {
            text,
            headings: Vec::new(),
            grids: Vec::new(),
            cells: Vec::new(),
            pieces: Vec::new(),
            spelled: String::new(),
        },
        hidden: hidden::regions(text, base),
        base,
        parsed: masked.as_ptr() as usize..masked.as_ptr() as usize + masked.len(),
        counted: (0, 1),
        depth: 0,
        root: base,
        sections: vec![None],
        heading: None,
        quiet: 0,
        in_table: false,
    };
    for (event, range) in Parser::new_ext(&masked, options()).into_offset_iter() {
        scan.take(event, range.start + base..range.end + base);
    }
    scan.page
}

fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_HEADING_ATTRIBUTES | Options::ENABLE_STRIKETHROUGH
}

struct Scan<'a> {
    page: Page<'a>,
    /// Parts of the page that the site never renders as Markdown.
    hidden: Vec<Range<usize>>,
    base: usize,
    /// Addresses of the text that the parser is given.
    parsed: Range<usize>,
    /// An offset and its line: lines are counted once.
    counted: (usize, usize),
    depth: usize,
    root: usize,
    /// The latest heading of each open container; a heading in a quote or list says nothing about what follows outside.
    sections: Vec<Option<usize>>,
    heading: Option<Heading>,
    /// Open images: their text is not said.
    quiet: usize,
    in_table: bool,
}

impl Scan<'_> {
    fn take(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => {
                if self.depth == 0 {
                    self.root = range.start;
                }
                self.depth += 1;
                self.start(tag, range);
            }
            Event::End(tag) => {
                self.depth -= 1;
                self.end(tag);
            }
            Event::Text(text) => self.text(&text, Piece::Text),
            Event::Code(code) => self.text(&code, Piece::Code),
            Event::InlineHtml(_) => self.piece(Piece::Tag),
            Event::SoftBreak | Event::HardBreak => self.text(" ", Piece::Text),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Heading { level, .. } => self.heading = Some(self.open_heading(level, range)),
            Tag::BlockQuote(_) | Tag::List(_) | Tag::Item | Tag::FootnoteDefinition(_) => {
                let section = self.sections.last().copied().flatten();
                self.sections.push(section);
            }
            Tag::Table(aligns) => self.open_table(&aligns, range.start),
            Tag::TableRow if self.in_table => {
                let line = Line::of_row(self.page.text, range, u32_of(self.page.cells.len()));
                if let Some(grid) = self.page.grids.last_mut() {
                    grid.rows.push(line);
                }
            }
            Tag::TableCell if self.in_table => self.open_cell(range),
            Tag::Link { dest_url, .. } => self.word_piece(&dest_url, Piece::Link),
            Tag::Image { .. } => {
                self.piece(Piece::Image);
                self.quiet += 1;
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) => self.close_heading(),
            TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item | TagEnd::FootnoteDefinition => {
                self.sections.pop();
            }
            TagEnd::Table => {
                if let (true, Some(grid)) = (self.in_table, self.page.grids.last_mut()) {
                    grid.find_end(self.page.text);
                }
                self.in_table = false;
            }
            TagEnd::Link => self.piece(Piece::LinkEnd),
            TagEnd::Image => self.quiet = self.quiet.saturating_sub(1),
            _ => {}
        }
    }

    fn open_heading(&self, level: HeadingLevel, range: Range<usize>) -> Heading {
        let source = self.page.text[range.clone()].trim_end();
        let raw = source
            .lines()
            .next()
            .unwrap_or_default()
            .trim_matches(['#', ' ', '\t'])
            .to_owned();
        // The line is filled in when the heading is kept.
        Heading {
            text: String::new(),
            level: level as u8,
            line: range.start,
            raw,
        }
    }

    fn close_heading(&mut self) {
        let Some(mut heading) = self.heading.take() else { return };
        if self.is_hidden(heading.line) {
            return;
        }
        heading.line = self.line_number(heading.line);
        heading.text = collapse(&heading.text);
        self.page.headings.push(heading);
        if let Some(section) = self.sections.last_mut() {
            *section = Some(self.page.headings.len() - 1);
        }
    }

    fn open_table(&mut self, aligns: &[Alignment], start: usize) {
        if self.is_hidden(start) {
            return;
        }
        let at = u32_of(self.page.cells.len());
        let header = Line {
            cells: (at, at),
            ..Line::at(self.page.text, start)
        };
        let delimiter = self.delimiter(&header);
        if !is_delimiter(self.page.text, &delimiter) {
            return;
        }
        let line = self.line_number(header.start);
        self.page.grids.push(Grid {
            line,
            section: self.sections.last().copied().flatten(),
            root: line_start(self.page.text, self.root).max(self.base),
            aligns: aligns.iter().copied().map(align).collect(),
            header,
            delimiter,
            rows: Vec::new(),
            end: 0,
        });
        self.in_table = true;
    }

    /// The line after the header: its row begins at the first byte that can begin a delimiter.
    fn delimiter(&self, header: &Line) -> Line {
        let text = self.page.text;
        let line = Line::at(text, header.next);
        let found = text[line.content..line.end].find(['|', ':', '-']);
        // In a list item the indentation holds no such byte; `-` cannot be a list mark here, for then it were no table.
        Line {
            content: line.content + found.unwrap_or(0),
            ..line
        }
    }

    /// The number of the line, from 1; asked from the page's begin to its end.
    fn line_number(&mut self, offset: usize) -> usize {
        let (from, line) = self.counted;
        let line = line + breaks(self.page.text.as_bytes(), from..offset.max(from));
        self.counted = (offset.max(from), line);
        line
    }

    fn open_cell(&mut self, range: Range<usize>) {
        let at = u32_of(self.page.pieces.len());
        self.page.cells.push(CellSpan {
            raw: (u32_of(range.start), u32_of(range.end)),
            pieces: (at, at),
        });
        let count = u32_of(self.page.cells.len());
        if let Some(grid) = self.page.grids.last_mut() {
            grid.rows.last_mut().unwrap_or(&mut grid.header).cells.1 = count;
        }
    }

    fn text(&mut self, text: &str, piece: fn(Words) -> Piece) {
        match &mut self.heading {
            Some(_) if self.quiet > 0 => {}
            Some(heading) => heading.text.push_str(text),
            None => self.word_piece(text, piece),
        }
    }

    fn word_piece(&mut self, text: &str, piece: fn(Words) -> Piece) {
        if self.says() {
            let words = self.words(text);
            self.piece(piece(words));
        }
    }

    /// Where the text stands: the parser borrows what is read as it is written, so its address tells; a copy otherwise.
    fn words(&mut self, text: &str) -> Words {
        let at = (text.as_ptr() as usize).wrapping_sub(self.parsed.start);
        let spelled = at.saturating_add(text.len()) > self.parsed.len();
        let from = if spelled {
            self.page.spelled.len()
        } else {
            at + self.base
        };
        if spelled {
            self.page.spelled.push_str(text);
        }
        Words {
            from: u32_of(from),
            to: u32_of(from + text.len()),
            spelled,
        }
    }

    fn says(&self) -> bool {
        self.in_table && self.quiet == 0 && self.heading.is_none()
    }

    fn piece(&mut self, piece: Piece) {
        if self.says() {
            self.page.pieces.push(piece);
            let end = u32_of(self.page.pieces.len());
            if let Some(cell) = self.page.cells.last_mut() {
                cell.pieces.1 = end;
            }
        }
    }

    fn is_hidden(&self, offset: usize) -> bool {
        self.hidden.iter().any(|region| region.contains(&offset))
    }
}

/// GFM's rule for the line of dashes, which is stricter than the parser's: `-+`, with a colon at either end or not.
fn is_delimiter(text: &str, line: &Line) -> bool {
    let split = line.split(text);
    let good = |slot: &Range<usize>| {
        let marks = text[slot.clone()].trim();
        let marks = marks.strip_prefix(':').unwrap_or(marks);
        let dashes = marks.strip_suffix(':').unwrap_or(marks);
        !dashes.is_empty() && dashes.bytes().all(|b| b == b'-')
    };
    split.piped && split.slots.iter().all(good)
}

fn align(alignment: Alignment) -> Align {
    match alignment {
        Alignment::None => Align::None,
        Alignment::Left => Align::Left,
        Alignment::Center => Align::Center,
        Alignment::Right => Align::Right,
    }
}

/// Offsets fit: a page has at most [`super::MAX_PAGE_BYTES`].
fn u32_of(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// One blank for any run of white space, none at the ends.
pub(super) fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What pulldown-cmark reads otherwise than GFM is written for it as it understands it, byte for byte as long: blanks for
/// tabs in the line of dashes, `\n` for a lone `\r` at a line's end.
fn as_the_parser_needs(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let lone_return = |at: usize| bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    let returns = text.contains('\r') && (0..bytes.len()).any(lone_return);
    if !returns && !text.contains('\t') {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    for line in text.split_inclusive(['\n', '\r']) {
        let (line, lone) = match line.strip_suffix('\r') {
            Some(line) if lone_return(masked.len() + line.len()) => (line, "\n"),
            _ => (line, ""),
        };
        let begin = line.find(['|', ':', '-']).unwrap_or(0);
        let is_dash = |b: u8| matches!(b, b'|' | b':' | b'-' | b' ' | b'\t' | b'\r' | b'\n');
        if line.contains('|') && line.contains('-') && line[begin..].bytes().all(is_dash) {
            masked.push_str(&line[..begin]);
            masked.push_str(&line[begin..].replace('\t', " "));
        } else {
            masked.push_str(line);
        }
        masked.push_str(lone);
    }
    Cow::Owned(masked)
}
