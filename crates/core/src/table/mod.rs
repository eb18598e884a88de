//! The handbook's table: read, understood and edited without touching a byte that is not ours.
//!
//! [`Page::parse`] finds headings and tables, [`Page::table`] the configured one, [`Table::edit`] changes one row of it.
//! What is under another heading, in a code block, a comment or a shortcode is no table; what cannot be done for certain
//! is refused with a [`Finding`] or [`Refusal`] that says what would mend it.

mod cell;
mod directory;
mod edit;
mod fill;
mod finding;
mod fold;
mod grid;
mod hidden;
mod merge;
mod order;
mod padding;
mod page;
mod people;
mod read_back;
mod reconcile;
mod repair;
mod report;
mod rewrite;
mod scan;
mod style;
mod survey;
mod wanted;
mod whose;

pub use cell::{BadCell, Cell, MAX_TEXT_CHARS, Said};
pub use directory::{BEGIN as DIRECTORY_BEGIN, END as DIRECTORY_END, directory};
pub use edit::{Change, Edited, Place};
pub use fill::{Columns, DEFAULT_COLUMNS};
pub use finding::{Finding, Malformed, Refusal};
pub use grid::{Row, Table};
pub use merge::merges_cleanly;
pub use page::{Heading, MAX_PAGE_BYTES, Page};
pub use people::{People, Someone};
pub use reconcile::{ChangeKind, Reconciled, reconcile, target, without};
pub use report::{RowFinding, RowReport};
pub use survey::{Owner, Survey, SurveyedRow, survey};
pub use wanted::{Known, Ownership, Person, WantedRow, links_to_project};
pub use whose::Whose;
