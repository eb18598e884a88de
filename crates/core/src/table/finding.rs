//! What can be wrong with a page or a table, said so that the reader knows what was found and what would mend it.

use thiserror::Error;

/// Why a page cannot be read or its table not be chosen. Nothing is written while one of these stands.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Finding {
    /// The file is not text in UTF-8.
    #[error("the page is not UTF-8 (first bad byte on line {line}): save it as UTF-8")]
    NotUtf8 {
        /// Line of the first bad byte, from 1.
        line: usize,
    },
    /// The file is larger than [`super::MAX_PAGE_BYTES`].
    #[error("the page has {bytes} bytes, more than the {limit} that are read: split it or correct the path")]
    TooLarge {
        /// Size of the page in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// No heading has the configured text.
    #[error("no heading `{wanted}` on the page{}: correct the heading of the page or the setting `heading`", alike(.near))]
    NoHeading {
        /// The configured heading.
        wanted: String,
        /// Headings that look alike, as the page writes them.
        near: Vec<String>,
    },
    /// Several headings have the configured text.
    #[error("the heading `{heading}` stands on lines {}: give one of them another text", list(.lines))]
    DoubledHeading {
        /// The heading's text.
        heading: String,
        /// Lines of the headings, from 1.
        lines: Vec<usize>,
    },
    /// There is no table between the heading and the next one.
    #[error(
        "no table under the heading `{heading}` (line {line}){}: put the table directly under the heading, or name the heading over it",
        others(.elsewhere)
    )]
    NoTable {
        /// The heading's text.
        heading: String,
        /// Line of the heading, from 1; 0 when the part before the first heading was asked for.
        line: usize,
        /// Headings of the page that do have a table.
        elsewhere: Vec<String>,
    },
    /// Fewer tables under the heading than the asked number.
    #[error("there is no table {nth} under the heading `{heading}`: it has {found} (they are numbered from 0)")]
    NoSuchTable {
        /// The heading's text.
        heading: String,
        /// The asked number, from 0.
        nth: usize,
        /// How many tables there are.
        found: usize,
    },
    /// Several tables with the same header stand under the heading, so that no rule says which one is meant.
    #[error(
        "the heading `{heading}` has tables with the same header on lines {}: leave one there, or give the others a heading of their own",
        list(.lines)
    )]
    TwoCandidates {
        /// The heading's text.
        heading: String,
        /// Lines of the tables' headers, from 1.
        lines: Vec<usize>,
    },
    /// No column's header begins with the wanted text.
    #[error("no column begins with `{wanted}` (the table has {}): correct the header or the setting `columns`", quoted(.header))]
    NoColumn {
        /// The text looked for.
        wanted: String,
        /// The header's texts.
        header: Vec<String>,
    },
    /// The templates of the columns do not say where the community's name stands.
    #[error(
        "no column's template contains `{{{{name}}}}`: without it no row can be found again; correct the setting `columns`"
    )]
    NoNameTemplate,
    /// A cell template cannot be used.
    #[error("the template of the column `{column}` cannot be filled ({reason}): correct the setting `columns`")]
    BadTemplate {
        /// The column as the setting names it.
        column: String,
        /// What the template engine says.
        reason: String,
    },
    /// The community cannot be told apart from others on the page.
    #[error("{} could each be the row of `{name}`: remove the doubled row, or link one of them to the project", rows(.lines))]
    Ambiguous {
        /// The community's name as plain text.
        name: String,
        /// Lines of the rows, from 1.
        lines: Vec<usize>,
    },
    /// The one row with the community's name links to another project.
    #[error(
        "the row on line {line} has the name `{name}` and links to another project: link it to the community's project, or give one of them another name"
    )]
    Elsewhere {
        /// The community's name as plain text.
        name: String,
        /// Line of the row, from 1.
        line: usize,
    },
    /// The row's name links to the community's project and to another.
    #[error(
        "the row on line {line} links to the project of `{name}` and somewhere else: give each community a row of its own"
    )]
    Shared {
        /// The community's name as plain text.
        name: String,
        /// Line of the row, from 1.
        line: usize,
    },
    /// The community's row is broken, so that it is a person's to mend.
    #[error("the row of `{name}` on line {line} is malformed ({reason}): mend it by hand")]
    Malformed {
        /// The community's name as plain text.
        name: String,
        /// Line of the row, from 1.
        line: usize,
        /// What is wrong with it.
        reason: Malformed,
    },
    /// The page lacks the markers of its generated part, or has too many.
    #[error(
        "the page needs one line `{begin}` and after it one line `{end}` (found on lines {} and {}): write them where the directory belongs",
        lines_or_none(.begins), lines_or_none(.ends)
    )]
    NoMarkers {
        /// The marker before the part.
        begin: &'static str,
        /// The marker after it.
        end: &'static str,
        /// Lines with the first, from 1.
        begins: Vec<usize>,
        /// Lines with the second.
        ends: Vec<usize>,
    },
    /// The edit was not made.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Finding {
    /// The finding's kind as one word, for scripts.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotUtf8 { .. } => "not-utf-8",
            Self::TooLarge { .. } => "too-large",
            Self::NoHeading { .. } => "no-heading",
            Self::DoubledHeading { .. } => "doubled-heading",
            Self::NoTable { .. } => "no-table",
            Self::NoSuchTable { .. } => "no-such-table",
            Self::TwoCandidates { .. } => "two-candidates",
            Self::NoColumn { .. } => "no-column",
            Self::NoNameTemplate => "no-name-template",
            Self::BadTemplate { .. } => "bad-template",
            Self::Ambiguous { .. } => "ambiguous",
            Self::Elsewhere { .. } => "elsewhere",
            Self::Shared { .. } => "shared",
            Self::Malformed { .. } => "malformed",
            Self::NoMarkers { .. } => "no-markers",
            Self::Refused(_) => "refused",
        }
    }

    /// The line to look at, from 1: of several the last; the first when it concerns the whole page.
    #[must_use]
    pub fn line(&self) -> usize {
        let line = match self {
            Self::NotUtf8 { line }
            | Self::NoTable { line, .. }
            | Self::Elsewhere { line, .. }
            | Self::Shared { line, .. }
            | Self::Malformed { line, .. } => Some(*line),
            Self::DoubledHeading { lines, .. } | Self::TwoCandidates { lines, .. } | Self::Ambiguous { lines, .. } => {
                lines.last().copied()
            }
            Self::Refused(Refusal::MalformedRow { line, .. }) => Some(*line),
            _ => None,
        };
        line.unwrap_or(1).max(1)
    }
}

/// Why a row is not what a row of its table should be. Such rows stay as they are and are reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum Malformed {
    /// Text without any pipe right under the table, which GFM counts as a row.
    #[error("it is text without a pipe right under the table, which GFM counts as a row: put an empty line before it")]
    Text,
    /// Fewer cells than columns.
    #[error("it has {found} of {expected} cells")]
    Short {
        /// Cells of the row.
        found: usize,
        /// Columns of the table.
        expected: usize,
    },
    /// More cells than columns; the surplus is invisible on the rendered page.
    #[error(
        "it has {} for {}, the surplus is not shown: escape a pipe inside a cell as `\\|`",
        counted(*.found, "cell"), counted(*.expected, "column")
    )]
    Long {
        /// Cells of the row.
        found: usize,
        /// Columns of the table.
        expected: usize,
    },
    /// A bracket or parenthesis of a link is missing in the cell of this column (from 0).
    #[error("a link in cell {0} is broken: a bracket or parenthesis is missing")]
    BrokenLink(usize),
    /// The row lacks a leading or trailing pipe that the header has (or the other way round).
    #[error("its outer pipes differ from the header's")]
    OuterPipes,
    /// Parsers disagree about where its cells begin.
    #[error("its cells cannot be told apart for certain")]
    Unclear,
}

/// Why an edit was not made; the page stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Not as many cells as the table has columns.
    #[error(
        "{} given, but the table has {} ({}): give one cell for each column, `\"\"` for an empty one",
        were(*.found, "cell"), counted(*.expected, "column"), quoted(.header)
    )]
    CellCount {
        /// Given cells.
        found: usize,
        /// Columns.
        expected: usize,
        /// The header's texts.
        header: Vec<String>,
    },
    /// There is no such row.
    #[error("there is no row {row}: the table has {}, numbered from 0", counted(*.rows, "row"))]
    NoSuchRow {
        /// The asked row.
        row: usize,
        /// How many rows there are.
        rows: usize,
    },
    /// A row cannot be put there.
    #[error("a row cannot be put at {at}: the table has {}, so 0 to {rows} are possible", counted(*.rows, "row"))]
    NoSuchPlace {
        /// The asked index.
        at: usize,
        /// How many rows there are.
        rows: usize,
    },
    /// The row, or its place, is not one that may be touched.
    #[error("row {row} (line {line}) is left alone: {reason}")]
    MalformedRow {
        /// Index of the row.
        row: usize,
        /// Its line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: Malformed,
    },
    /// A cell cannot stand in a table.
    #[error("cell {column} cannot stand in a table: {reason}")]
    BadCell {
        /// Index of the cell.
        column: usize,
        /// Why not.
        reason: super::cell::BadCell,
    },
    /// The edited line does not read back as it was meant.
    #[error("the new line would not read back as meant ({what}): it is not written")]
    NotReadBack {
        /// What differs.
        what: &'static str,
    },
}

/// `1 row`, `2 rows`.
fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `1 row was`, `2 rows were`.
fn were(count: usize, noun: &str) -> String {
    format!("{} {}", counted(count, noun), if count == 1 { "was" } else { "were" })
}

fn alike(near: &[String]) -> String {
    if near.is_empty() {
        String::new()
    } else {
        format!(" (it has {})", quoted(near))
    }
}

fn others(headings: &[String]) -> String {
    if headings.is_empty() {
        String::new()
    } else {
        format!("; there are tables under {}", quoted(headings))
    }
}

fn quoted(texts: &[String]) -> String {
    texts
        .iter()
        .map(|text| format!("`{text}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn lines_or_none(lines: &[usize]) -> String {
    if lines.is_empty() {
        "none".to_owned()
    } else {
        list(lines)
    }
}

fn list(lines: &[usize]) -> String {
    lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn rows(lines: &[usize]) -> String {
    let noun = if lines.len() == 1 {
        "the row on line"
    } else {
        "the rows on lines"
    };
    format!("{noun} {}", list(lines))
}
