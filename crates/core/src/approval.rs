//! Who may approve a proposal, and whether somebody did.
//!
//! An approval is believed only when it was read back from GitLab's API: a label event or a comment, by somebody who has
//! the role *now*, who is not the proposer, and later than the last change of the text that it approves. The label by
//! itself proves nothing: GitLab lets a guest set labels while creating an issue.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::ids::{AccessLevel, NoteId, UserId, Username};
use crate::program::{ApprovalPolicy, Program};
use crate::untrusted::Untrusted;

/// Somebody's wish, as GitLab recorded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Who.
    pub user: UserId,
    /// Their username, for messages and for approvers that are named in the settings.
    pub username: Username,
    /// What they want.
    pub wish: Wish,
    /// When, by GitLab's clock.
    pub at: Timestamp,
    /// The note that says it; `None` for a label event.
    pub note: Option<NoteId>,
    /// The note's text was changed afterwards: Maintainers can edit other people's comments, so nobody knows whose words they
    /// are.
    pub edited: bool,
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Create the community.
    Approve,
    /// Do not.
    Decline,
}

/// The last change of a proposal's text: a decision counts only when it is later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextSince {
    /// When, by GitLab's clock.
    pub at: Timestamp,
    /// GitLab's own note about the edit; note ids order what happened within one second.
    pub note: Option<NoteId>,
    /// Whether this is the creation of the issue: nothing can be earlier, so equal times count as later.
    pub creation: bool,
}

impl TextSince {
    fn is_before(&self, signal: &Signal) -> bool {
        match (self.note, signal.note) {
            (Some(edit), Some(said)) => said > edit,
            _ if self.creation => signal.at >= self.at,
            _ => signal.at > self.at,
        }
    }
}

/// Everything that the decision depends on.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The program: policy and named approvers.
    pub program: &'a Program,
    /// Who opened the proposal.
    pub proposer: UserId,
    /// Who changed its text last, if anybody did: whoever has a role in the intake can edit what others opened.
    pub editor: Option<UserId>,
    /// Roles in the program's group now, of everybody in question; who is not in it has none.
    pub roles: &'a BTreeMap<UserId, AccessLevel>,
    /// Accounts that are not in use (blocked, banned, deactivated), whatever they said before.
    pub blocked: &'a BTreeSet<UserId>,
    /// The text's last change.
    pub since: TextSince,
    /// All wishes, in any order.
    pub signals: &'a [Signal],
}

/// Proof that a proposal may become a community. Only [`check`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved {
    by: ApprovedBy,
}

impl Approved {
    /// What the approval rests on.
    #[must_use]
    pub fn by(&self) -> &ApprovedBy {
        &self.by
    }

    /// An approval that was recorded together with the text it approved, when the acceptance was stored.
    #[must_use]
    pub fn recorded(acceptance: &Acceptance) -> Self {
        Self {
            by: acceptance.by.clone(),
        }
    }
}

/// The text that was approved, kept from the moment of acceptance: later edits of the issue change nothing that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// Hash of title and description ([`crate::proposal::text_hash`]).
    pub text_hash: String,
    /// The title as it was.
    pub title: Untrusted,
    /// The description as it was.
    pub description: Untrusted,
    /// What the approval rests on.
    pub by: ApprovedBy,
    /// When it was recorded.
    pub at: Timestamp,
}

/// What an approval rests on.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovedBy {
    /// The program asks for nobody (`approval = "never"`).
    Policy,
    /// Who opened it and who edited it last are members of the group (`approval = "members"`).
    Membership,
    /// This approver said so.
    Approver(Username),
}

/// The answer of [`check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go.
    Approved(Approved),
    /// An approver said no.
    Declined {
        /// Who.
        by: Username,
        /// The comment that says it, with the reason.
        note: Option<NoteId>,
    },
    /// Nobody who may has decided on the text as it is now.
    Waiting,
}

/// Why a wish does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotCounted {
    /// The proposer cannot approve their own proposal where an approver is needed.
    OwnProposal,
    /// Neither Maintainer of the group nor named in the settings.
    NoRight,
    /// The text was changed afterwards.
    TextChanged,
    /// The comment was edited after it was written.
    Edited,
}

/// Decides.
#[must_use]
pub fn check(facts: &Facts<'_>) -> Verdict {
    let last = facts
        .signals
        .iter()
        .filter(|signal| why_not(facts, signal).is_none())
        .max_by_key(|signal| (signal.at, signal.note));
    match last {
        Some(Signal {
            wish: Wish::Decline,
            username,
            note,
            ..
        }) => Verdict::Declined {
            by: username.clone(),
            note: *note,
        },
        Some(Signal {
            wish: Wish::Approve,
            username,
            ..
        }) => approved(ApprovedBy::Approver(username.clone())),
        None => without_approver(facts),
    }
}

fn without_approver(facts: &Facts<'_>) -> Verdict {
    match facts.program.approval {
        ApprovalPolicy::Never => approved(ApprovedBy::Policy),
        ApprovalPolicy::Members if is_by_members(facts) => approved(ApprovedBy::Membership),
        ApprovalPolicy::Members | ApprovalPolicy::Always => Verdict::Waiting,
    }
}

/// Opened by a member of the group, whose account is in use, and the text is a member's too.
fn is_by_members(facts: &Facts<'_>) -> bool {
    let is_member = |user| role(facts, user) >= AccessLevel::REPORTER && !facts.blocked.contains(&user);
    is_member(facts.proposer)
        && facts
            .editor
            .is_none_or(|editor| editor == facts.proposer || is_member(editor))
}

fn approved(by: ApprovedBy) -> Verdict {
    Verdict::Approved(Approved { by })
}

/// Why one wish does not count; `None`: it does.
#[must_use]
pub fn why_not(facts: &Facts<'_>, signal: &Signal) -> Option<NotCounted> {
    let may = may_approve(facts.program, role(facts, signal.user), &signal.username);
    if !may || facts.blocked.contains(&signal.user) {
        return Some(NotCounted::NoRight);
    }
    if signal.wish == Wish::Approve && signal.user == facts.proposer {
        return Some(NotCounted::OwnProposal);
    }
    if signal.edited {
        return Some(NotCounted::Edited);
    }
    (!facts.since.is_before(signal)).then_some(NotCounted::TextChanged)
}

/// Whether somebody with this role and name may approve.
#[must_use]
pub fn may_approve(program: &Program, role: AccessLevel, username: &Username) -> bool {
    role >= AccessLevel::MAINTAINER || program.approvers.contains(username)
}

fn role(facts: &Facts<'_>, user: UserId) -> AccessLevel {
    facts.roles.get(&user).copied().unwrap_or(AccessLevel(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thing::ProgramName;

    const PROPOSER: UserId = UserId(1);
    const MAINTAINER: UserId = UserId(2);
    const REPORTER: UserId = UserId(3);
    const NAMED: UserId = UserId(4);

    fn program(approval: ApprovalPolicy) -> Program {
        Program {
            approval,
            approvers: vec![name("named")],
            ..Program::new(ProgramName::new("cop").unwrap(), "cops", "cops/intake")
        }
    }

    fn name(text: &str) -> Username {
        Username::new(text).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn signal(user: UserId, wish: Wish, second: i64) -> Signal {
        let username = match user {
            PROPOSER => "proposer",
            MAINTAINER => "maintainer",
            REPORTER => "reporter",
            _ => "named",
        };
        Signal {
            user,
            username: name(username),
            wish,
            at: at(second),
            note: None,
            edited: false,
        }
    }

    fn verdict(policy: ApprovalPolicy, proposer_role: Option<AccessLevel>, signals: &[Signal]) -> Verdict {
        let mut roles = BTreeMap::from([(MAINTAINER, AccessLevel::MAINTAINER), (REPORTER, AccessLevel::REPORTER)]);
        roles.extend(proposer_role.map(|role| (PROPOSER, role)));
        let since = TextSince {
            at: at(0),
            note: None,
            creation: false,
        };
        check(&Facts {
            program: &program(policy),
            proposer: PROPOSER,
            editor: None,
            roles: &roles,
            blocked: &BTreeSet::new(),
            since,
            signals,
        })
    }

    fn by(username: &str) -> Verdict {
        approved(ApprovedBy::Approver(name(username)))
    }

    #[test]
    fn a_members_proposal_is_approved_at_once() {
        assert_eq!(
            verdict(ApprovalPolicy::Members, Some(AccessLevel::REPORTER), &[]),
            approved(ApprovedBy::Membership)
        );
    }

    #[test]
    fn a_members_proposal_waits_when_the_text_is_not_a_members_or_the_account_is_not_in_use() {
        let program = program(ApprovalPolicy::Members);
        let roles = BTreeMap::from([(PROPOSER, AccessLevel::REPORTER), (REPORTER, AccessLevel::REPORTER)]);
        let judged = |editor, blocked: &[UserId]| {
            check(&Facts {
                program: &program,
                proposer: PROPOSER,
                editor,
                roles: &roles,
                blocked: &blocked.iter().copied().collect(),
                since: TextSince {
                    at: at(0),
                    note: None,
                    creation: false,
                },
                signals: &[],
            })
        };
        for editor in [None, Some(PROPOSER), Some(REPORTER)] {
            assert_eq!(judged(editor, &[]), approved(ApprovedBy::Membership), "{editor:?}");
        }
        assert_eq!(judged(Some(NAMED), &[]), Verdict::Waiting, "no member edited it");
        assert_eq!(judged(Some(REPORTER), &[REPORTER]), Verdict::Waiting);
        assert_eq!(judged(None, &[PROPOSER]), Verdict::Waiting);
    }

    #[test]
    fn a_guests_or_outsiders_proposal_waits() {
        assert_eq!(
            verdict(ApprovalPolicy::Members, Some(AccessLevel(15)), &[]),
            Verdict::Waiting
        );
        assert_eq!(verdict(ApprovalPolicy::Members, None, &[]), Verdict::Waiting);
    }

    #[test]
    fn always_asks_even_for_an_owners_proposal() {
        assert_eq!(
            verdict(ApprovalPolicy::Always, Some(AccessLevel::OWNER), &[]),
            Verdict::Waiting
        );
    }

    #[test]
    fn valid_is_enough_where_nobody_is_asked() {
        assert_eq!(verdict(ApprovalPolicy::Never, None, &[]), approved(ApprovedBy::Policy));
    }

    #[test]
    fn a_maintainer_or_a_named_approver_approves() {
        assert_eq!(
            verdict(ApprovalPolicy::Always, None, &[signal(MAINTAINER, Wish::Approve, 5)]),
            by("maintainer")
        );
        assert_eq!(
            verdict(ApprovalPolicy::Always, None, &[signal(NAMED, Wish::Approve, 5)]),
            by("named")
        );
    }

    #[test]
    fn a_reporters_approval_does_not_count() {
        assert_eq!(
            verdict(ApprovalPolicy::Always, None, &[signal(REPORTER, Wish::Approve, 5)]),
            Verdict::Waiting
        );
    }

    #[test]
    fn nobody_approves_their_own_proposal() {
        let own = [signal(PROPOSER, Wish::Approve, 5)];
        assert_eq!(
            verdict(ApprovalPolicy::Always, Some(AccessLevel::OWNER), &own),
            Verdict::Waiting
        );
    }

    #[test]
    fn an_approval_does_not_outlive_a_change_of_the_text() {
        assert_eq!(
            verdict(ApprovalPolicy::Always, None, &[signal(MAINTAINER, Wish::Approve, -5)]),
            Verdict::Waiting
        );
        assert_eq!(
            verdict(ApprovalPolicy::Always, None, &[signal(MAINTAINER, Wish::Approve, 0)]),
            Verdict::Waiting
        );
    }

    #[test]
    fn within_one_second_the_notes_ids_tell_what_came_first() {
        let roles = BTreeMap::from([(MAINTAINER, AccessLevel::MAINTAINER)]);
        let since = TextSince {
            at: at(0),
            note: Some(NoteId(10)),
            creation: false,
        };
        for (note, counts) in [(9, false), (11, true)] {
            let said = Signal {
                note: Some(NoteId(note)),
                ..signal(MAINTAINER, Wish::Approve, 0)
            };
            let program = program(ApprovalPolicy::Always);
            let facts = Facts {
                program: &program,
                proposer: PROPOSER,
                editor: None,
                roles: &roles,
                blocked: &BTreeSet::new(),
                since,
                signals: &[said],
            };
            assert_eq!(check(&facts) == by("maintainer"), counts, "note {note}");
        }
    }

    #[test]
    fn the_last_word_of_those_who_may_counts() {
        let no = Verdict::Declined {
            by: name("named"),
            note: None,
        };
        let signals = [signal(MAINTAINER, Wish::Approve, 5), signal(NAMED, Wish::Decline, 9)];
        assert_eq!(verdict(ApprovalPolicy::Members, Some(AccessLevel::OWNER), &signals), no);
        let signals = [signal(NAMED, Wish::Decline, 5), signal(MAINTAINER, Wish::Approve, 9)];
        assert_eq!(verdict(ApprovalPolicy::Always, None, &signals), by("maintainer"));
    }

    #[test]
    fn a_comment_that_was_edited_afterwards_is_nobodys_word() {
        for wish in [Wish::Approve, Wish::Decline] {
            let edited = Signal {
                edited: true,
                note: Some(NoteId(7)),
                ..signal(MAINTAINER, wish, 5)
            };
            assert_eq!(verdict(ApprovalPolicy::Always, None, &[edited]), Verdict::Waiting);
        }
    }

    #[test]
    fn a_blocked_account_decides_nothing_even_when_the_settings_name_it() {
        let program = program(ApprovalPolicy::Always);
        let signals = [signal(NAMED, Wish::Approve, 5)];
        for (blocked, expected) in [(BTreeSet::new(), by("named")), ([NAMED].into(), Verdict::Waiting)] {
            let facts = Facts {
                program: &program,
                proposer: PROPOSER,
                editor: None,
                roles: &BTreeMap::new(),
                blocked: &blocked,
                since: TextSince {
                    at: at(0),
                    note: None,
                    creation: true,
                },
                signals: &signals,
            };
            assert_eq!(check(&facts), expected, "{blocked:?}");
        }
    }

    #[test]
    fn an_outsider_cannot_decline() {
        let signals = [signal(REPORTER, Wish::Decline, 5)];
        assert_eq!(
            verdict(ApprovalPolicy::Members, Some(AccessLevel::REPORTER), &signals),
            approved(ApprovedBy::Membership)
        );
    }
}
