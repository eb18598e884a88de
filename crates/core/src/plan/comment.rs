//! The one comment on a proposal: what was understood, what is missing, what looks alike, what would be made, how far it is.

use super::judge::{Judged, LookAlike, Stage, is_known_here};
use super::listing::Listing;
use super::seen::{MergeRequestSeen, MergeRequestState, ProjectStanding, ProposalSeen};
use super::{provision, wanted::Wanted};
use crate::approval::{ApprovedBy, NotCounted, Wish};
use crate::charter::Join;
use crate::command::Command;
use crate::escape::Markdown;
use crate::program::{ApprovalPolicy, Program};
use crate::proposal::Severity;
use crate::similarity::Verdict as Likeness;
use crate::untrusted::Untrusted;

/// The comment for a proposal as it stands.
#[must_use]
pub fn status(program: &Program, seen: &ProposalSeen, judged: &Judged) -> Markdown {
    let mut text = Markdown::new();
    text = headline(text, judged);
    if matches!(judged.stage, Stage::Confidential) {
        return text;
    }
    text = findings(text, judged);
    text = look_alikes(text, &judged.look_alikes, &judged.stage);
    match &judged.stage {
        Stage::NeedsInfo | Stage::Confidential | Stage::Gone | Stage::Broken | Stage::Declined { .. } => {}
        Stage::Ready => {
            text = understood(text, judged);
            text = planned(text, judged);
            text = who_may_approve(text, program, judged);
        }
        Stage::Making(_) | Stage::Done(_) => {
            text = progress(text, seen, judged);
            text = understood(text, judged);
            text = planned(text, judged);
        }
    }
    if matches!(judged.stage, Stage::NeedsInfo) {
        text = understood(text, judged);
    }
    text = answers(text, program, judged);
    text = footer(text, seen);
    text
}

fn headline(mut text: Markdown, judged: &Judged) -> Markdown {
    match &judged.stage {
        Stage::Confidential => {
            text = text.words(
                "### This proposal is confidential\n\n\
                 Everything that Convenor makes is seen by more people than this issue, so it stops here. \
                 Make the issue public when its text may be, or open a new one.",
            );
        }
        Stage::NeedsInfo => {
            text = text.words("### Thank you for the proposal: a few things are needed first\n\n");
            text = text.words("Edit the description of this issue; this comment follows by itself.\n");
        }
        Stage::Ready => {
            text = text.words("### The proposal is complete and waits for an approval\n");
        }
        Stage::Declined { by, reason } => {
            text = text
                .words("### The proposal was declined by ")
                .username_code(by)
                .words("\n");
            if let Some(reason) = reason {
                text = text.words("\n").quote(reason).words("\n");
            }
            text = text.words("\nReopen the issue with a changed description to propose it again.\n");
        }
        Stage::Gone => {
            text = text.words(
                "### The project of this community is gone\n\n\
                 It was deleted or archived. Convenor does not undo what a person did: restore the project to go on, \
                 or close this issue and open a new proposal.\n",
            );
        }
        Stage::Broken => {
            text = text.words(
                "### The proposal is fine, but Convenor cannot go on\n\n\
                 The templates of this program have a fault. Its operator has been told; nothing is needed from you.\n",
            );
        }
        Stage::Making(approved) => {
            text = text.words("### Approved: the community is being set up\n\n");
            text = approved_by(text, approved.by());
        }
        Stage::Done(approved) => {
            text = text.words("### Welcome! The community is up\n\n");
            text = approved_by(text, approved.by());
        }
    }
    text
}

fn approved_by(mut text: Markdown, by: &ApprovedBy) -> Markdown {
    text = match by {
        ApprovedBy::Policy => text.words("This program approves every complete proposal.\n"),
        ApprovedBy::Membership => text.words("Approved because its author is a member of the group.\n"),
        ApprovedBy::Approver(who) => text.words("Approved by ").username_code(who).words(".\n"),
    };
    text
}

fn findings(mut text: Markdown, judged: &Judged) -> Markdown {
    let (blocking, notes): (Vec<_>, Vec<_>) = judged
        .findings
        .iter()
        .partition(|finding| finding.severity == Severity::Refusal);
    if !blocking.is_empty() {
        text = text.words("\n#### To mend\n\n");
    }
    for finding in blocking {
        text = text.words("- ").append(&finding.sentence()).words("\n");
    }
    if !notes.is_empty() {
        text = text.words("\n#### To note\n\n");
    }
    for finding in notes {
        text = text.words("- ").append(&finding.sentence()).words("\n");
    }
    text
}

fn look_alikes(mut text: Markdown, found: &[LookAlike], stage: &Stage) -> Markdown {
    if found.is_empty() || matches!(stage, Stage::Done(_) | Stage::Gone) {
        return text;
    }
    text = text.words("\n#### Communities that look alike\n\n");
    for alike in found {
        text = text.words("- ");
        text = match &alike.url {
            Some(url) => text.link(&alike.name, url),
            None => text.inline(&alike.name),
        };
        text = text.words(match (alike.likeness, alike.archived) {
            (Likeness::Duplicate, true) => ": the same subject, asleep. Revive it instead?",
            (Likeness::Duplicate, false) => ": the same subject. Join it instead?",
            (_, true) => ": a neighbouring subject, asleep",
            (_, false) => ": a neighbouring subject",
        });
        text = text.words("\n");
    }
    text
}

fn understood(mut text: Markdown, judged: &Judged) -> Markdown {
    let form = &judged.read.understood;
    text = text.words("\n#### What was understood\n\n");
    if let Some(name) = &form.topic {
        text = text.words("- Name: ").inline(name).words("\n");
    }
    if let Some(form) = &judged.read.form {
        text = text.words("- Summary: ").inline(&form.summary).words("\n");
    }
    for (what, people) in [("- Facilitators: ", &form.facilitators), ("- Members: ", &form.members)] {
        if people.is_empty() {
            continue;
        }
        text = text.words(what);
        for (index, person) in people.iter().enumerate() {
            text = text.words(if index == 0 { "" } else { ", " }).username_code(person);
        }
        text = text.words("\n");
    }
    if let Some(wanted) = &judged.wanted {
        let charter = &wanted.charter;
        text = text
            .words("- Meets: ")
            .inline(&Untrusted::new(charter.cadence.describe()))
            .words("\n");
        if let Some(chat) = &charter.chat {
            text = text.words("- Chat channel: ").code(chat).words("\n");
        }
        text = text.words("- Who can join: ");
        text = match &charter.join {
            Join::Open => text.words("anyone"),
            Join::Request => text.words("on request"),
            Join::Sentence(sentence) => text.inline(sentence),
        };
        text = text.words("\n");
    }
    text
}

fn planned(mut text: Markdown, judged: &Judged) -> Markdown {
    let Some(wanted) = &judged.wanted else { return text };
    if matches!(judged.stage, Stage::Ready) {
        text = text.words("\n#### What would be made\n\n");
        text = text
            .words("- the ")
            .words(wanted.visibility.as_str())
            .words(" project ");
        text = text.slug(&wanted.slug).words(" in the program's group\n");
        text = text
            .words("- ")
            .number(wanted.files.len() as u64)
            .words(" files: README, charter, issue templates\n");
        text = text
            .words("- an issue board with ")
            .number(wanted.board.lists.len() as u64)
            .words(" lists\n");
        text = text.words("- ").number(wanted.members.len() as u64).words(" members\n");
        text = text.words("- a kick-off issue\n");
    }
    let mut previews: Vec<&Untrusted> = Vec::new();
    for listing in &judged.listings {
        match listing {
            // Once it is merged, the page may have been read a moment before that.
            Listing::Missing(_) if matches!(judged.stage, Stage::Done(_)) => {}
            Listing::Missing(preview) if !preview.is_blank() && !previews.contains(&preview) => previews.push(preview),
            _ => {}
        }
    }
    if !previews.is_empty() {
        text = text.words("\n#### The line in the handbook\n\n");
    }
    for preview in previews {
        text = text.fence("diff", preview);
    }
    text
}

fn who_may_approve(mut text: Markdown, program: &Program, judged: &Judged) -> Markdown {
    text = text.words("\n#### Who may approve\n\n");
    text = text.words("Maintainers and Owners of the program's group");
    for approver in &program.approvers {
        text = text.words(", ").username_code(approver);
    }
    text = text.words(", but not the author. ");
    if program.approval == ApprovalPolicy::Members {
        text = text.words(
            "(What members of the group with at least the Reporter role opened, and edited last, needs nobody.) ",
        );
    }
    text = text
        .words("They comment with a mention of this bot and the word `approve`, or set the label `cop::approved`.\n");
    for (signal, why) in &judged.refused {
        text = text.words("\n- ").username_code(&signal.username).words(match (signal.wish, why) {
            (Wish::Approve, NotCounted::OwnProposal) => ": authors cannot approve their own proposal.",
            (Wish::Approve, NotCounted::TextChanged) => {
                ": the approval was given before the text last changed, so it does not count any more. Please approve again."
            }
            (Wish::Decline, NotCounted::TextChanged) => {
                ": the proposal was declined before the text last changed, so that does not count any more."
            }
            (_, NotCounted::Edited) => {
                ": the comment was edited afterwards, so it does not count. Please write a new one."
            }
            (_, NotCounted::NoRight | NotCounted::OwnProposal) => {
                ": sorry, only those named above may approve or decline."
            }
        });
    }
    if !judged.refused.is_empty() {
        text = text.words("\n");
    }
    text
}

fn progress(mut text: Markdown, seen: &ProposalSeen, judged: &Judged) -> Markdown {
    let Some(wanted) = &judged.wanted else { return text };
    text = text.words("\n#### Progress\n\n");
    let ours = match &seen.project {
        ProjectStanding::Ours(project) => Some(project),
        _ => None,
    };
    text = tick(text, ours.is_some());
    text = match ours {
        Some(project) if is_known_here(seen, project) => text.words("project ").link(&project.name, &project.web_url),
        // Fewer people may know of the project than of this issue: it is called what the proposal calls it.
        Some(project) if project.path == wanted.slug.as_str() => {
            text.words("project ").link(&wanted.name.untrusted(), &project.web_url)
        }
        _ => text.words("project ").slug(&wanted.slug),
    };
    text = text.words("\n");
    text = made_inside(text, seen, wanted, judged);
    text = handbook_lines(text, seen, judged);
    text
}

fn made_inside(mut text: Markdown, seen: &ProposalSeen, wanted: &Wanted, judged: &Judged) -> Markdown {
    let due = if judged.made {
        Vec::new()
    } else {
        provision::steps(seen, wanted)
    };
    let started = judged.made || (matches!(seen.project, ProjectStanding::Ours(_)) && seen.inside.is_some());
    let done = |kinds: &[&str]| started && !due.iter().any(|step| kinds.contains(&step.kind()));
    text = tick(text, done(&["commit"]));
    text = text.words("README, charter and issue templates\n");
    text = tick(text, done(&["create_label", "create_board", "create_board_list"]));
    text = text.words("issue board with its labels\n");
    let knows_members = judged.made || seen.inside.as_ref().is_some_and(|inside| inside.members.is_some());
    text = tick(text, done(&["add_member"]) && knows_members);
    text = text.words("members\n");
    for member in wanted
        .members
        .iter()
        .filter(|member| seen.refused_members.contains(&member.user))
    {
        text = text
            .words("  - GitLab refused to add ")
            .username_code(&member.username)
            .words("; add them by hand\n");
    }
    text = tick(text, done(&["create_issue"]));
    text = text.words("kick-off issue\n");
    text
}

fn handbook_lines(mut text: Markdown, seen: &ProposalSeen, judged: &Judged) -> Markdown {
    for (listing, (_, merge_requests)) in judged.listings.iter().zip(&seen.pages) {
        text = handbook_line(text, listing, merge_requests.first());
    }
    text
}

fn handbook_line(mut text: Markdown, listing: &Listing, newest: Option<&MergeRequestSeen>) -> Markdown {
    let there = matches!(listing, Listing::There);
    match listing {
        Listing::Private => return text.words("- the handbook does not name private projects\n"),
        Listing::Unusable(_) => {
            text = tick(text, false);
            return text
                .words("line in the handbook: the page cannot be edited as it is; the operator has been told\n");
        }
        Listing::There | Listing::Missing(_) => {}
    }
    let Some(newest) = newest else {
        return tick(text, there).words("line in the handbook\n");
    };
    text = tick(text, newest.state == MergeRequestState::Merged || there);
    text = text
        .words("line in the handbook: ")
        .link_words("merge request", &newest.web_url);
    text.words(match newest.state {
        MergeRequestState::Opened => ", waits for a maintainer\n",
        MergeRequestState::Closed if there => ", closed because the line is there\n",
        MergeRequestState::Closed => ", closed by a person; the line is not proposed again until something changes\n",
        MergeRequestState::Merged => ", merged\n",
        MergeRequestState::Locked => ", being merged\n",
    })
}

fn tick(mut text: Markdown, done: bool) -> Markdown {
    text = text.words(if done { "- [x] " } else { "- [ ] " });
    text
}

/// Answers to commands that are neither approval nor refusal, each kind once.
fn answers(mut text: Markdown, program: &Program, judged: &Judged) -> Markdown {
    let decided = !matches!(judged.stage, Stage::Ready);
    let refused = judged
        .refused
        .iter()
        .filter(|(_, why)| decided && *why == NotCounted::NoRight);
    for (signal, _) in refused {
        text = text.words("\n").username_code(&signal.username);
        text = text.words(": sorry, only Maintainers and Owners of the program's group may approve or decline.\n");
    }
    if judged.other_commands.is_empty() {
        return text;
    }
    text = text.words("\n#### Commands\n\n");
    let mut unknown: Vec<_> = judged
        .other_commands
        .iter()
        .filter(|(_, command)| *command != Command::Help)
        .collect();
    unknown.dedup_by_key(|(who, _)| who.clone());
    for (who, _) in unknown {
        text = text
            .words("- ")
            .username_code(who)
            .words(": that is no command for a proposal\n");
    }
    text = text.words("- `approve`, `decline <reason>`: for approvers\n");
    text = text.words("- `recheck`: look at everything again\n- `help`: this list\n");
    let _ = program;
    text
}

fn footer(mut text: Markdown, seen: &ProposalSeen) -> Markdown {
    text = text.words("\n<sub>Convenor keeps this comment up to date. Commands: begin a comment with ");
    text = text.username_code(&seen.bot.username);
    text = text.words(" and a word, for example `help`.</sub>\n");
    text
}
