//! The program's pages themselves: whether they can be edited at all, and the changes that are about no single community.
//!
//! A page that cannot be edited holds everything about it back, and one issue in the intake project says so ([`super::notice`]).
//! Read on in [`batch`] for several rows in one merge request, in [`repair`] for malformed rows, in [`directory`] for the
//! generated page.

mod batch;
mod directory;
mod repair;

use super::change::{Change, Settled, Wanted, What, Words};
use super::context::Context;
use super::listing;
use super::notice::{self, Notice};
use super::seen::{HandbookSeen, MemberSeen, MergeRequestState, PageLookSeen, PlaceSeen};
use super::step::Opening;
use super::{Plan, Remark, change};
use crate::charter::{self, Charter};
use crate::digest::Digest;
use crate::escape::{CommitMessage, Markdown, Title};
use crate::program::{Handbook, PageKind};
use crate::table::{self, Finding, Page};
use crate::thing::Thing;
use crate::untrusted::Untrusted;

pub use repair::faults;

/// What the branch of several rows in one merge request is named after.
pub const BATCH: &str = "batch";
/// What the branch of a repair is named after.
pub const REPAIR: &str = "repair";
/// What the branch of a generated directory is named after.
pub const DIRECTORY: &str = "directory";

/// What is due for a program's pages.
#[must_use]
pub fn plan(context: &Context<'_>, seen: &HandbookSeen) -> Plan {
    if seen.pages.is_empty() {
        return Plan::nothing(Remark::NoHandbook);
    }
    let members: Vec<Member<'_>> = seen.members.iter().filter_map(Member::read).collect();
    let mut plan = Plan::default();
    for (handbook, look) in context.program.handbooks.iter().zip(&seen.pages) {
        let at = At {
            context,
            seen,
            handbook,
            look,
        };
        plan = plan.and(page(&at, &members));
    }
    if plan.report.is_empty() {
        plan.report.push(Remark::UpToDate);
    }
    plan
}

/// One page of the program, with everything around it.
struct At<'a> {
    context: &'a Context<'a>,
    seen: &'a HandbookSeen,
    handbook: &'a Handbook,
    look: &'a PageLookSeen,
}

/// A project with a charter that can be read.
struct Member<'a> {
    seen: &'a MemberSeen,
    charter: Charter,
}

impl<'a> Member<'a> {
    fn read(seen: &'a MemberSeen) -> Option<Self> {
        let charter = charter::read(seen.charter.as_ref()?).ok()?;
        Some(Self { seen, charter })
    }

    fn subject(&self) -> listing::Subject<'_> {
        listing::Subject {
            charter: &self.charter,
            url: &self.seen.web_url,
            visibility: self.seen.visibility,
            archived: self.seen.archived,
            // A list does not tell; the community's own look does.
            marked_for_deletion: false,
        }
    }
}

fn page(at: &At<'_>, members: &[Member<'_>]) -> Plan {
    let cause = cause(at.handbook);
    let found = fault(at);
    let notice = found.as_ref().map(|why| unusable(at, why));
    let mut plan = Plan {
        steps: notice::plan(
            at.seen.bot.id,
            at.seen.intake.id,
            &at.seen.issues,
            &cause,
            notice.as_ref(),
        ),
        ..Plan::default()
    };
    if let Some(why) = found {
        plan.report.push(Remark::PageUnusable(why));
        return plan;
    }
    if notice::is_open(&at.seen.issues, &cause) {
        // Mended just now: whoever was held back shall see.
        plan.knocks.push(Thing::Program(at.context.program.name.clone()));
    }
    let Some(file) = &at.look.page.file else { return plan };
    match at.handbook.kind {
        PageKind::Directory => plan.and(directory::plan(at, &file.bytes, members)),
        PageKind::Table => plan
            .and(repair::plan(at, &file.bytes))
            .and(batch::plan(at, &file.bytes, members)),
    }
}

/// The key of the notice about a page that cannot be edited.
fn cause(handbook: &Handbook) -> String {
    if handbook.name.is_empty() {
        "page".to_owned()
    } else {
        format!("page {}", handbook.name)
    }
}

/// Why the page cannot be edited, whatever the change.
fn fault(at: &At<'_>) -> Option<String> {
    let Some(file) = &at.look.page.file else {
        return Some(listing::no_such_page(at.handbook));
    };
    let usable = match at.handbook.kind {
        PageKind::Directory => table::directory(&file.bytes, at.context.blueprint.directory(), &[]).map(drop),
        PageKind::Table => table_of(&file.bytes, at.handbook),
    };
    usable.err().map(|finding| finding.to_string())
}

fn table_of(page: &[u8], handbook: &Handbook) -> Result<(), Finding> {
    let page = Page::parse(page)?;
    let table = table::target(&page, handbook)?;
    table::Columns::of(&table, &handbook.columns).map(drop)
}

/// The notice is read by whoever reads the intake; what few may read stays with few.
fn unusable(at: &At<'_>, why: &str) -> Notice {
    let text = Markdown::new()
        .words("Convenor keeps the handbook page ")
        .code(&Untrusted::new(at.handbook.page.as_str()))
        .words(" on branch ")
        .code(&Untrusted::new(at.look.page.branch.as_str()))
        .words(" of ")
        .code(&Untrusted::new(at.handbook.project.as_str()))
        .words(" true to the communities' charters. It cannot do so now, and leaves the page as it is:\n")
        .fence("text", &Untrusted::new(why))
        .words(match at.handbook.kind {
            PageKind::Table => "Mend the page, or the section `[program.handbook]` of Convenor's settings. ",
            PageKind::Directory => {
                "Mend the page, or the template `directory.md.hbs`, or the section `[program.handbook]` of Convenor's settings. "
            }
        })
        .words("Until then no merge request about this page is opened or changed.\n");
    Notice {
        title: Title::new().words("The handbook page cannot be edited as it is"),
        text,
        confidential: at.look.page.visibility < at.seen.intake.visibility,
    }
}

/// A change that is about no single community.
struct Joint<'a> {
    what: What,
    place: &'a PlaceSeen,
    items: Vec<change::Item>,
    wanted: Wanted,
    facts: Digest,
    title: Title,
    commit: CommitMessage,
    description: Markdown,
}

fn joint(at: &At<'_>, joint: Joint<'_>) -> Plan {
    change::plan(&Change {
        bot: at.seen.bot.id,
        what: joint.what,
        page_name: &at.handbook.name,
        items: joint.items,
        page: &at.look.page,
        path: &at.handbook.page,
        place: joint.place,
        wanted: joint.wanted,
        facts: joint.facts,
        words: Words {
            title: joint.title,
            commit: joint.commit,
            description: joint.description,
        },
        draft: change::is_draft(at.handbook.manners.draft, false),
        removes_row: false,
        opening: Opening {
            labels: at.handbook.labels.clone(),
            reviewers: at.look.reviewers.clone(),
            assignees: at.look.assignees.clone(),
            squash: at.handbook.manners.squash,
            remove_source_branch: at.handbook.manners.remove_source_branch,
        },
        traffic: None,
        // There is one of each at most.
        manners: None,
    })
}

/// Whether one of our merge requests is open there.
fn is_open(at: &At<'_>, place: &PlaceSeen) -> bool {
    let ours =
        |mr: &super::seen::MergeRequestSeen| mr.state == MergeRequestState::Opened && mr.author == at.seen.bot.id;
    place.merge_requests.iter().any(ours)
}

/// Nothing is wanted any more, because the settings say otherwise now.
fn dropped(reason: &'static str) -> Wanted {
    Wanted::Nothing(Settled {
        remark: Remark::UpToDate,
        reason,
    })
}

/// `page`, on `branch`, as the end of a sentence.
fn page_words(at: &At<'_>) -> Markdown {
    Markdown::new()
        .code(&Untrusted::new(at.handbook.page.as_str()))
        .words(" on ")
        .code(&Untrusted::new(at.look.page.branch.as_str()))
}
