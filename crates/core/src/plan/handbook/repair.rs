//! Malformed rows: they stay and are reported. Where the mend is certain, and somebody asks for it, one merge request mends them.

use std::collections::BTreeSet;

use super::{At, Joint, is_open, joint, page_words};
use crate::digest::Digest;
use crate::escape::{CommitMessage, Markdown, Title};
use crate::plan::change::{Settled, Wanted, What};
use crate::plan::{Plan, Remark};
use crate::plan::{community, listing};
use crate::program::Handbook;
use crate::table::{self, Edited, Page};
use crate::untrusted::Untrusted;

/// The malformed rows of a page, as the report tells them. Nothing when the page has no table that could be edited.
#[must_use]
pub fn faults(page: &[u8], handbook: &Handbook) -> Vec<Remark> {
    let Ok(parsed) = Page::parse(page) else {
        return Vec::new();
    };
    let Ok(table) = table::target(&parsed, handbook) else {
        return Vec::new();
    };
    let malformed = table
        .rows()
        .filter_map(|row| Some((row.index, row.line(), row.malformed()?)));
    malformed
        .map(|(index, line, why)| Remark::MalformedRow {
            page: handbook.page.clone(),
            line,
            why: why.to_string(),
            mendable: table.repair(index).is_ok_and(|edited| !edited.is_unchanged()),
        })
        .collect()
}

/// What is due about malformed rows. Once asked for, the merge request is kept true until a person merges or closes it.
pub(super) fn plan(at: &At<'_>, page: &[u8]) -> Plan {
    let plan = Plan {
        report: faults(page, at.handbook),
        ..Plan::default()
    };
    if !at.look.repair_is_asked && !is_open(at, &at.look.repair) {
        return plan;
    }
    let mends = mended(page, at.handbook);
    let wanted = match mends.last() {
        None => Wanted::Nothing(Settled::ON_THE_PAGE),
        Some(last) => Wanted::Page(last.page.clone()),
    };
    let diff: String = mends
        .iter()
        .map(|edited| listing::diff(edited).expose().to_owned())
        .collect();
    let count = mends.len() as u64;
    let title = match count {
        1 => Title::new().words("docs: mend a malformed row of the communities of practice"),
        _ => Title::new()
            .words("docs: mend ")
            .number(count)
            .words(" malformed rows of the communities of practice"),
    };
    plan.and(joint(
        at,
        Joint {
            what: What::Repair,
            place: &at.look.repair,
            items: Vec::new(),
            wanted,
            facts: Digest::of(diff.as_bytes()),
            title,
            commit: CommitMessage::new().words("docs: mend malformed rows of the communities of practice"),
            description: description(at, &diff),
        },
    ))
}

/// Every row that can be mended for certain, one after the other.
fn mended(page: &[u8], handbook: &Handbook) -> Vec<Edited> {
    let mut mends: Vec<Edited> = Vec::new();
    let mut tried = BTreeSet::new();
    loop {
        let now = mends.last().map_or_else(|| page.to_vec(), |last| last.page.clone());
        let Ok(parsed) = Page::parse(&now) else { return mends };
        let Ok(table) = table::target(&parsed, handbook) else {
            return mends;
        };
        let mut rows = table.rows().filter(|row| row.malformed().is_some());
        let Some(index) = rows.find_map(|row| tried.insert(row.index).then_some(row.index)) else {
            return mends;
        };
        if let Ok(edited) = table.repair(index)
            && !edited.is_unchanged()
        {
            mends.push(edited);
        }
    }
}

fn description(at: &At<'_>, diff: &str) -> Markdown {
    Markdown::new()
        .words("Somebody asked Convenor (`convenor apply --repair`) to mend the malformed rows in the table of ")
        .append(&page_words(at))
        .words(
            ". Only rows with one certain mend are changed: a lone bracket goes, missing cells come as empty ones, a missing \
             leading pipe comes. What the rows say stays as it is.\n\n",
        )
        .fence("diff", &Untrusted::new(diff))
        .append(&community::footer())
}
