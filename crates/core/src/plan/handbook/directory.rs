//! The generated directory on a page: everything between its markers, nothing outside.

use std::collections::BTreeSet;

use url::Url;

use super::{At, Joint, Member, joint, page_words};
use crate::digest::Digest;
use crate::escape::{CommitMessage, Markdown, Title};
use crate::plan::change::{Settled, Wanted, What};
use crate::plan::listing::{self, Line};
use crate::plan::{Plan, Remark, community};
use crate::table::{self, WantedRow};

/// What is due for the directory on this page.
pub(super) fn plan(at: &At<'_>, page: &[u8], members: &[Member<'_>]) -> Plan {
    let rows: Vec<WantedRow> = members
        .iter()
        .filter(|member| listing::line(at.handbook, &at.look.page, &member.subject()) == Line::There)
        .map(|member| listing::wanted_row(&member.charter, &member.seen.web_url, &at.seen.people))
        .collect();
    if !at.seen.allow_removals && is_capped(at, page, members) {
        return Plan::nothing(Remark::RemovalsCapped);
    }
    let wanted = match table::directory(page, at.context.blueprint.directory(), &rows) {
        Err(finding) => return Plan::nothing(Remark::PageUnusable(finding.to_string())),
        Ok(None) => Wanted::Nothing(Settled::ON_THE_PAGE),
        Ok(Some(page)) => Wanted::Page(page),
    };
    let facts = match &wanted {
        Wanted::Page(page) => generated(page),
        Wanted::Nothing(_) => Digest::default(),
    };
    joint(
        at,
        Joint {
            what: What::Directory,
            place: &at.look.directory,
            items: Vec::new(),
            wanted,
            facts,
            title: Title::new().words("docs: update the directory of communities of practice"),
            commit: CommitMessage::new()
                .words("docs: update the directory of communities of practice\n\nGenerated from the charters of ")
                .number(rows.len() as u64)
                .words(" communities."),
            description: description(at, rows.len()),
        },
    )
}

/// What is between the markers is the fact; the rest of the page is other people's.
fn generated(page: &[u8]) -> Digest {
    Digest::of(between(page).replace("\r\n", "\n").as_bytes())
}

fn between(page: &[u8]) -> String {
    let text = String::from_utf8_lossy(page);
    let between = text
        .split(table::DIRECTORY_BEGIN)
        .nth(1)
        .and_then(|rest| rest.split(table::DIRECTORY_END).next());
    between.unwrap_or_default().to_owned()
}

/// Whether too many communities would disappear only because GitLab does not show their projects now: absence is no evidence.
/// Those that are shown as retired, archived or hidden go by their own word.
fn is_capped(at: &At<'_>, page: &[u8], members: &[Member<'_>]) -> bool {
    let listed = listed(&between(page), &at.seen.group.web_url);
    let is_shown = |link: &&String| {
        members
            .iter()
            .any(|member| table::links_to_project(link, &member.seen.web_url))
    };
    let absent = listed.iter().filter(|link| !is_shown(link)).count();
    absent > (listed.len() / SHARE).max(LEAST)
}

/// At most one in so many may disappear at once…
const SHARE: usize = 4;
/// …but so many always.
const LEAST: usize = 3;

/// Addresses of the group's projects in a text, each once.
fn listed(text: &str, group: &Url) -> BTreeSet<String> {
    let base = group.as_str().replacen("/groups/", "/", 1);
    let base = format!("{}/", base.trim_end_matches('/'));
    let ends = |c: char| c.is_whitespace() || matches!(c, ')' | '>' | '"' | '|' | ']');
    text.match_indices(&base)
        .filter_map(|(start, _)| text[start..].split(ends).next())
        .map(|link| link.trim_end_matches('/').to_lowercase())
        .collect()
}

fn description(at: &At<'_>, communities: usize) -> Markdown {
    Markdown::new()
        .words("This brings the generated directory in ")
        .append(&page_words(at))
        .words(" up to date with the charters of ")
        .number(communities as u64)
        .words(
            " communities. Everything between the two markers is made from `templates/directory.md.hbs`; not a byte outside \
             them is touched.\n\n- To change what a community says: edit `.gitlab/community.yml` in its project.\n- To change \
             how the directory looks: edit the template.\n",
        )
        .append(&community::footer())
}
