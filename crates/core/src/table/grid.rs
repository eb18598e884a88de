//! One table of a page, as its readers see it: header, rows, cells, and what is wrong with them.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use super::cell::Said;
use super::finding::{Finding, Malformed};
use super::page::{CellSpan, Grid, Line, Page, Piece, Split, trim_padding};
use super::scan::collapse;
use crate::escape::clean;

/// One table of a [`Page`].
#[derive(Clone, Copy, Debug)]
pub struct Table<'p> {
    pub(super) page: &'p Page<'p>,
    pub(super) grid: &'p Grid,
}

/// One row of the table's body.
#[derive(Clone, Copy, Debug)]
pub struct Row<'p> {
    table: Table<'p>,
    /// Its number, from 0.
    pub index: usize,
    pub(super) line: &'p Line,
}

/// A text as it looks: what cannot be seen, and how an accent is encoded, make no difference.
fn letters(text: &str) -> String {
    clean::one_line(text).nfc().collect()
}

impl<'a> Page<'a> {
    /// The table that the configured heading means: the first GFM table between the heading and the next one, or the
    /// `nth` (from 0). The heading is compared by its text, at any level; the empty text means the part before the
    /// first heading.
    ///
    /// # Errors
    /// [`Finding::NoHeading`], [`Finding::DoubledHeading`], [`Finding::NoTable`] or [`Finding::NoSuchTable`].
    pub fn table<'p>(&'p self, heading: &str, nth: Option<usize>) -> Result<Table<'p>, Finding> {
        let wanted = collapse(heading);
        let section = self.section(&wanted)?;
        let mut tables = self.grids.iter().filter(|grid| grid.section == section);
        let found = tables.clone().count();
        if found == 0 {
            return Err(self.no_table(wanted, section));
        }
        let nth = nth.unwrap_or(0);
        match tables.nth(nth) {
            Some(grid) => Ok(Table { page: self, grid }),
            None => Err(Finding::NoSuchTable {
                heading: wanted,
                nth,
                found,
            }),
        }
    }

    /// Fails when another table under the same heading has the same header: then nothing says which one is meant.
    ///
    /// # Errors
    /// [`Finding::TwoCandidates`], and those of [`Page::table`].
    pub fn only_candidate(&self, heading: &str) -> Result<(), Finding> {
        let first = self.table(heading, None)?;
        let header = first.header();
        let alike = self.grids.iter().filter(|grid| grid.section == first.grid.section);
        let lines: Vec<usize> = alike
            .map(|grid| Table { page: self, grid })
            .filter(|table| table.header() == header)
            .map(|table| table.line())
            .collect();
        if lines.len() > 1 {
            return Err(Finding::TwoCandidates {
                heading: collapse(heading),
                lines,
            });
        }
        Ok(())
    }

    fn section(&self, wanted: &str) -> Result<Option<usize>, Finding> {
        if wanted.is_empty() {
            return Ok(None);
        }
        let wanted_letters = letters(wanted);
        let same = |at: &usize| {
            let heading = &self.headings[*at];
            [&heading.text, &heading.raw]
                .into_iter()
                .any(|text| letters(text) == wanted_letters)
        };
        let found: Vec<usize> = (0..self.headings.len()).filter(same).collect();
        match found[..] {
            [one] => Ok(Some(one)),
            [] => Err(Finding::NoHeading {
                wanted: wanted.to_owned(),
                near: self.near(wanted),
            }),
            _ => Err(Finding::DoubledHeading {
                heading: wanted.to_owned(),
                lines: found.iter().map(|&at| self.headings[at].line).collect(),
            }),
        }
    }

    /// Headings that may have been meant: those that look alike, or else those over tables.
    fn near(&self, wanted: &str) -> Vec<String> {
        let wanted = wanted.trim_start_matches(['#', ' ']).to_lowercase();
        let alike = |text: &&String| {
            let text = text.to_lowercase();
            !text.is_empty()
                && (text.contains(&wanted) || wanted.contains(&text) || strsim::jaro_winkler(&text, &wanted) > 0.85)
        };
        let texts = self.headings.iter().map(|heading| &heading.text);
        let near: Vec<String> = texts.filter(alike).take(5).cloned().collect();
        if near.is_empty() { self.over_tables() } else { near }
    }

    /// The first few headings that have a table.
    fn over_tables(&self) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        for at in self.grids.iter().filter_map(|grid| grid.section) {
            let text = &self.headings[at].text;
            if !texts.contains(text) && texts.len() < 5 {
                texts.push(text.clone());
            }
        }
        texts
    }

    fn no_table(&self, heading: String, section: Option<usize>) -> Finding {
        Finding::NoTable {
            heading,
            line: section.map_or(0, |at| self.headings[at].line),
            elsewhere: self.over_tables(),
        }
    }
}

impl<'p> Table<'p> {
    /// The header's texts, one for each column, as a reader sees them.
    #[must_use]
    pub fn header(&self) -> Vec<String> {
        self.spans(&self.grid.header)
            .iter()
            .map(|span| self.said_span(span).text)
            .collect()
    }

    /// How many columns it has.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.grid.aligns.len()
    }

    /// How many rows its body has.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.grid.rows.len()
    }

    /// The line of its header, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.grid.line
    }

    /// Line of a row, from 1: a table's lines follow each other.
    pub(super) fn line_of_row(&self, index: usize) -> usize {
        self.line() + 2 + index
    }

    /// The text of the heading that it stands under.
    #[must_use]
    pub fn heading(&self) -> Option<&'p str> {
        self.grid.section.map(|at| self.page.headings[at].text.as_str())
    }

    /// The rows of its body.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = Row<'p>> + ExactSizeIterator + use<'p> {
        let table = *self;
        self.grid
            .rows
            .iter()
            .enumerate()
            .map(move |(index, line)| Row { table, index, line })
    }

    /// One row of its body.
    #[must_use]
    pub fn row(&self, index: usize) -> Option<Row<'p>> {
        self.grid.rows.get(index).map(|line| Row {
            table: *self,
            index,
            line,
        })
    }

    /// The column whose header is the text, or else begins with it, without regard to case.
    #[must_use]
    pub fn column(&self, header: &str) -> Option<usize> {
        let wanted = collapse(header).to_lowercase();
        let texts: Vec<String> = self.header().iter().map(|text| text.to_lowercase()).collect();
        let exact = texts.iter().position(|text| *text == wanted);
        exact.or_else(|| texts.iter().position(|text| text.starts_with(&wanted)))
    }

    /// Number of rows before the text that GFM takes into the table but a person would not: where the end is for people.
    pub(super) fn end(&self) -> usize {
        self.grid.end
    }

    pub(super) fn spans(&self, line: &Line) -> &'p [CellSpan] {
        &self.page.cells[line.cells.0 as usize..line.cells.1 as usize]
    }

    pub(super) fn said_span(&self, span: &CellSpan) -> Said {
        Said::read(self.page, self.pieces(span))
    }

    fn pieces(&self, span: &CellSpan) -> &'p [Piece] {
        &self.page.pieces[span.pieces.0 as usize..span.pieces.1 as usize]
    }
}

impl<'p> Row<'p> {
    /// Its line on the page, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.table.line_of_row(self.index)
    }

    /// The GFM content of its cells without white space around it, one for each column; cells that the row lacks are empty.
    #[must_use]
    pub fn cells(&self) -> Vec<&'p str> {
        let text = self.table.page.text;
        let spans = self.table.spans(self.line);
        spans
            .iter()
            .map(|span| text[span.raw.0 as usize..span.raw.1 as usize].trim())
            .collect()
    }

    /// What the cell of a column says; nothing for a column that the table lacks.
    #[must_use]
    pub fn said(&self, column: usize) -> Said {
        self.table
            .spans(self.line)
            .get(column)
            .map(|span| self.table.said_span(span))
            .unwrap_or_default()
    }

    /// The whole line without its break.
    #[must_use]
    pub fn source(&self) -> &'p str {
        &self.table.page.text[self.line.start..self.line.end]
    }

    /// What is wrong with the row, if anything: such a row is a person's to mend.
    #[must_use]
    pub fn malformed(&self) -> Option<Malformed> {
        let split = self.line.split(self.table.page.text);
        let expected = self.table.columns();
        if !split.piped && self.index >= self.table.end() {
            return Some(Malformed::Text);
        }
        let found = split.slots.len();
        if !self.agrees(&split) {
            return Some(Malformed::Unclear);
        }
        if found < expected {
            return Some(Malformed::Short { found, expected });
        }
        if found > expected {
            return Some(Malformed::Long { found, expected });
        }
        if let Some(column) = (0..expected).find(|&column| self.has_broken_link(column)) {
            return Some(Malformed::BrokenLink(column));
        }
        let header_lead = self.table.page.text[self.table.grid.header.content..].starts_with('|');
        (header_lead != split.lead).then_some(Malformed::OuterPipes)
    }

    /// What the cell of a column says: the text alone, white space as it is written.
    pub(super) fn text(&self, column: usize) -> Cow<'p, str> {
        let page = self.table.page;
        let pieces = self
            .table
            .spans(self.line)
            .get(column)
            .map(|span| self.table.pieces(span))
            .unwrap_or_default();
        let mut said = pieces
            .iter()
            .map(|piece| page.read_piece(piece))
            .filter(|part| !part.is_empty());
        match (said.next(), said.next()) {
            (None, _) => Cow::Borrowed(""),
            (Some(one), None) => Cow::Borrowed(one),
            (Some(one), Some(two)) => Cow::Owned([one, two].into_iter().chain(said).collect()),
        }
    }

    /// A bracket left over in the text is the trace of a link that lost its other half.
    fn has_broken_link(&self, column: usize) -> bool {
        let source = self.table.page.text.as_bytes();
        let mut paired = self.brackets(column).filter(|&at| source[at] == b']');
        !self.lone_brackets(column).is_empty() || paired.any(|at| source.get(at + 1) == Some(&b'('))
    }

    /// Where a bracket of the cell's text has no other half.
    pub(super) fn lone_brackets(&self, column: usize) -> Vec<usize> {
        let source = self.table.page.text.as_bytes();
        let (mut open, mut lone) = (Vec::new(), Vec::new());
        for at in self.brackets(column) {
            if source[at] == b'[' {
                open.push(at);
            } else if open.pop().is_none() {
                lone.push(at);
            }
        }
        lone.append(&mut open);
        lone
    }

    /// Where brackets of the cell stand that are neither a link's nor escaped. In code, and in text that is not written as
    /// it reads (entities), brackets are only brackets.
    fn brackets(&self, column: usize) -> impl Iterator<Item = usize> {
        let source = self.table.page.text.as_bytes();
        let pieces = self
            .table
            .spans(self.line)
            .get(column)
            .map(|span| self.table.pieces(span))
            .unwrap_or_default();
        let written = pieces.iter().filter_map(|piece| match piece {
            Piece::Text(words) if !words.spelled => Some(words.from as usize..words.to as usize),
            _ => None,
        });
        let is_bracket = |&at: &usize| matches!(source[at], b'[' | b']') && (at == 0 || source[at - 1] != b'\\');
        written.flatten().filter(is_bracket)
    }

    /// Whether our split of the line is the parser's.
    pub(super) fn agrees(&self, split: &Split) -> bool {
        let spans = self.table.spans(self.line);
        let text = self.table.page.text;
        let ours = split.slots.iter().map(|slot| trim_padding(&text[slot.clone()]));
        let theirs = spans
            .iter()
            .map(|span| trim_padding(&text[span.raw.0 as usize..span.raw.1 as usize]));
        spans.len() == self.table.columns() && ours.chain(std::iter::repeat("")).zip(theirs).all(|(a, b)| a == b)
    }
}
