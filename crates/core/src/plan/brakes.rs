//! Brakes: what keeps a program that is right as a rule from doing harm when something is wrong. Decisions only.
//!
//! - What may have happened is not done again before it would be visible ([`check`]); when it was lost too often, a person
//!   has to look.
//! - A change that may still be on its way may undo a later one: nothing is closed before that would be visible, because what is
//!   closed is not looked at any more.
//! - A thing has a budget of writes an hour: whoever fights with another program, or chases its own tail, stops.
//! - A list that is suddenly much shorter is not believed at once ([`is_plausible`]).
//!
//! The limit on removals stands with the rows, in [`super::community`].

use jiff::{SignedDuration, Timestamp};

use super::Step;

/// An answer that has not come may still be on its way: GitLab ends a request after 60 seconds
/// (`GITLAB_RAILS_RACK_TIMEOUT`), and our own wait is part of that minute. And it may answer reads from a replica of its database
/// that is up to 60 seconds behind (`max_replication_lag_time`).
const LATEST_SEEN: SignedDuration = SignedDuration::from_secs(125);

/// So often may the fate of one creation stay unknown within [`REMEMBERED`].
const MOST_UNKNOWN: usize = 3;

/// Clocks of two processes may differ by so much.
const MOST_SKEW: SignedDuration = SignedDuration::from_secs(2);

/// How long an unknown fate counts.
pub const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// The hour of the budget.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// One sentence may be carried out so often in an hour: a tenth of the thing's budget, but at least so often.
const LEAST_REPEATS: usize = 12;

/// So often GitLab refuses a step…
const LEAST_REFUSALS: usize = 3;

/// …over at least so long, until it is believed to be for good.
const REFUSED_OVER: SignedDuration = SignedDuration::from_secs(15);

/// Kind of the journal's entry that says that an operator has looked: what was before counts no more.
pub const RELEASE: &str = "release";

/// A list that loses at least so many of its entries…
const MANY: usize = 3;

/// A step as the journal remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// Its kind.
    pub kind: String,
    /// Its sentence.
    pub words: String,
    /// Whether nobody knows its end.
    pub is_open: bool,
    /// Whether it was refused, so that nothing changed.
    pub failed: bool,
    /// When it was begun.
    pub at: Timestamp,
    /// When it ended, where that is known.
    pub ended_at: Option<Timestamp>,
}

/// What may be done of a plan now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leave {
    /// So many of its steps, from the first.
    Steps(usize),
    /// Nothing yet: the first step may have happened, and would be visible only then.
    NotBefore(Timestamp),
    /// Nothing, until an operator has looked.
    Hold(String),
}

/// What may be done of these steps, which follow from what was seen since `looked_at`, given what was begun for the thing within
/// [`REMEMBERED`], in any order. `budget`: writes an hour.
#[must_use]
pub fn check(steps: &[Step], begun: &[Begun], budget: usize, looked_at: Timestamp, now: Timestamp) -> Leave {
    let since = begun
        .iter()
        .filter(|entry| entry.kind == RELEASE)
        .map(|entry| entry.at)
        .max();
    let begun: Vec<&Begun> = begun
        .iter()
        .filter(|entry| entry.kind != RELEASE && since.is_none_or(|since| entry.at > since))
        .collect();
    if let Some(why) = over_budget(steps, &begun, budget, now) {
        return Leave::Hold(why);
    }
    for (index, step) in steps.iter().enumerate() {
        let leave = match ends(step) {
            true => wait_for_all(step, &begun, looked_at, now),
            false => doubt(step, &begun, looked_at, now),
        };
        match leave {
            Leave::Steps(_) => {}
            _ if index > 0 => return Leave::Steps(index),
            stop => return stop,
        }
    }
    Leave::Steps(steps.len())
}

/// Whether a step was refused so often, over such a time, that what GitLab said of it ("not found", "forbidden") was no fault of a
/// moment. `begun` as in [`check`].
#[must_use]
pub fn is_refused_for_good(step: &Step, begun: &[Begun], now: Timestamp) -> bool {
    let words = step.to_string();
    let refused: Vec<Timestamp> = begun
        .iter()
        .filter(|entry| entry.failed && entry.kind == step.kind() && entry.words == words)
        .map(|entry| entry.at)
        .collect();
    let first = refused.iter().min();
    refused.len() >= LEAST_REFUSALS && first.is_some_and(|first| now.duration_since(*first) >= REFUSED_OVER)
}

/// Whether this creation may be sent, given that the look before did not find its result.
fn doubt(step: &Step, begun: &[&Begun], looked_at: Timestamp, now: Timestamp) -> Leave {
    if !makes_another(step) {
        return Leave::Steps(1);
    }
    let words = step.to_string();
    let same: Vec<&&Begun> = begun
        .iter()
        .filter(|entry| entry.kind == step.kind() && entry.words == words)
        .collect();
    // Whoever looked before somebody else's call ended may have seen nothing of it.
    let ended = same
        .iter()
        .filter(|entry| !entry.failed)
        .filter_map(|entry| entry.ended_at);
    if let Some(ended) = ended.max().and_then(|at| at.checked_add(MOST_SKEW).ok())
        && ended >= looked_at
    {
        return Leave::NotBefore(ended.max(now));
    }
    let open = same.iter().filter(|entry| entry.is_open);
    let times: Vec<Timestamp> = open.map(|entry| entry.at).collect();
    let visible = times.iter().max().and_then(|at| at.checked_add(LATEST_SEEN).ok());
    match visible {
        Some(visible) if visible > looked_at => Leave::NotBefore(visible.max(now)),
        _ if times.len() >= MOST_UNKNOWN => Leave::Hold(format!(
            "{} times nobody could say what became of this, and nothing was found afterwards: {words}. Look at GitLab, then release it",
            times.len()
        )),
        _ => Leave::Steps(1),
    }
}

/// Whether nothing is seen of the thing's texts after this step.
fn ends(step: &Step) -> bool {
    matches!(step, Step::SetIssueState { close: true, .. })
}

/// Whether everything that was begun has had its effect by now, or never will.
fn wait_for_all(step: &Step, begun: &[&Begun], looked_at: Timestamp, now: Timestamp) -> Leave {
    let words = step.to_string();
    let open = begun.iter().filter(|entry| entry.is_open && entry.words != words);
    let visible = open.filter_map(|entry| entry.at.checked_add(LATEST_SEEN).ok()).max();
    match visible {
        Some(visible) if visible > looked_at => Leave::NotBefore(visible.max(now)),
        _ => Leave::Steps(1),
    }
}

/// Whether what became of a step that is not due any more is beyond doubt. What was made was found; but a change that was overtaken by
/// another may still come and undo that.
#[must_use]
pub fn is_over(begun: &Begun, looked_at: Timestamp) -> bool {
    let made = begun.kind.starts_with("create_") || begun.kind == "commit";
    made || is_seen(begun.at, looked_at)
}

/// Whether what was begun at a time and is done would be seen by who looked then.
#[must_use]
pub fn is_seen(begun: Timestamp, looked_at: Timestamp) -> bool {
    looked_at >= seen_by(begun)
}

/// From when on what was begun at a time, and is done, is seen.
#[must_use]
pub fn seen_by(begun: Timestamp) -> Timestamp {
    begun.checked_add(LATEST_SEEN).unwrap_or(Timestamp::MAX)
}

/// Whether GitLab would take it a second time without a word. Everything else has a name that GitLab keeps unique, or is
/// the same when it is done twice.
fn makes_another(step: &Step) -> bool {
    matches!(
        step,
        Step::CreateNote { .. } | Step::CreateIssue { .. } | Step::CreateBoard { .. } | Step::CreateHook { .. }
    )
}

fn over_budget(steps: &[Step], begun: &[&Begun], budget: usize, now: Timestamp) -> Option<String> {
    let of_the_hour = |entry: &&&Begun| !entry.failed && now.duration_since(entry.at) < HOUR;
    let lately: Vec<&&Begun> = begun.iter().filter(of_the_hour).collect();
    if lately.len() + steps.len() > budget.max(steps.len()) {
        return Some(format!(
            "{} writes within an hour and {} more are due: something may be working against them. Look at GitLab, then release it",
            lately.len(),
            steps.len()
        ));
    }
    let most = (budget / 10).max(LEAST_REPEATS);
    steps.iter().find_map(|step| {
        let words = step.to_string();
        let times = lately.iter().filter(|entry| entry.words == words).count();
        (times >= most).then(|| {
            format!("done {times} times within an hour and due again: {words}. Find out who undoes it, then release it")
        })
    })
}

/// Whether a list of `now` entries can be believed after one of `before`: more than a quarter less, and at least three, is
/// rather a fault than the truth. Whoever asks again after a while and finds the same may believe it.
#[must_use]
pub fn is_plausible(before: usize, now: usize) -> bool {
    let gone = before.saturating_sub(now);
    gone < MANY || gone * 4 <= before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::escape::Markdown;
    use crate::ids::{IssueIid, NoteId, ProjectId};

    const BUDGET: usize = 200;

    /// Everything was seen just now.
    fn check(steps: &[Step], begun: &[Begun], budget: usize, now: Timestamp) -> Leave {
        super::check(steps, begun, budget, now, now)
    }

    #[test]
    fn what_ended_after_the_look_may_not_have_been_seen() {
        let ended = |seconds| Begun {
            ended_at: Some(at(seconds)),
            ..begun(&note(), 0, false)
        };
        let check = |entry: Begun, looked| super::check(&[note()], &[entry], BUDGET, at(looked), at(100));
        assert_eq!(check(ended(50), 60), Leave::Steps(1));
        assert_eq!(check(ended(50), 40), Leave::NotBefore(at(100)));
        // Another clock may be late.
        assert_eq!(check(ended(59), 60), Leave::NotBefore(at(100)));
        let refused = Begun {
            failed: true,
            ..ended(50)
        };
        assert_eq!(check(refused, 40), Leave::Steps(1));
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn note() -> Step {
        Step::CreateNote {
            project: ProjectId(1),
            issue: IssueIid(12),
            body: Markdown::new().words("text"),
        }
    }

    fn update() -> Step {
        Step::UpdateNote {
            project: ProjectId(1),
            issue: IssueIid(12),
            note: NoteId(5),
            body: Markdown::new().words("text"),
        }
    }

    fn begun(step: &Step, seconds: i64, is_open: bool) -> Begun {
        Begun {
            kind: step.kind().to_owned(),
            words: step.to_string(),
            is_open,
            failed: false,
            at: at(seconds),
            ended_at: None,
        }
    }

    fn released(seconds: i64) -> Begun {
        Begun {
            kind: RELEASE.to_owned(),
            ..begun(&note(), seconds, false)
        }
    }

    #[test]
    fn what_may_have_happened_is_not_sent_again_before_it_would_be_visible() {
        let check = |entries: &[Begun], now| check(&[note()], entries, BUDGET, at(now));
        assert_eq!(check(&[], 0), Leave::Steps(1));
        assert_eq!(check(&[begun(&note(), 0, true)], 10), Leave::NotBefore(at(125)));
        assert_eq!(check(&[begun(&note(), 0, true)], 126), Leave::Steps(1));
        let looked_before = super::check(&[note()], &[begun(&note(), 0, true)], BUDGET, at(124), at(200));
        assert_eq!(
            looked_before,
            Leave::NotBefore(at(200)),
            "who looked before may have missed it"
        );
        assert_eq!(
            check(&[begun(&note(), 0, false)], 10),
            Leave::Steps(1),
            "its end is known"
        );
        let other = Step::CreateNote {
            project: ProjectId(1),
            issue: IssueIid(13),
            body: Markdown::new().words("text"),
        };
        assert_eq!(check(&[begun(&other, 0, true)], 10), Leave::Steps(1), "another issue");
    }

    #[test]
    fn what_gitlab_keeps_unique_needs_no_waiting() {
        let entries = [begun(&update(), 0, true)];
        assert_eq!(check(&[update()], &entries, BUDGET, at(1)), Leave::Steps(1));
    }

    fn close() -> Step {
        Step::SetIssueState {
            project: ProjectId(1),
            issue: IssueIid(12),
            add: None,
            remove: Vec::new(),
            close: true,
        }
    }

    #[test]
    fn nothing_is_closed_while_a_change_may_still_be_on_its_way() {
        let check = |steps: &[Step], entries: &[Begun], now| check(steps, entries, BUDGET, at(now));
        let late = [begun(&update(), 0, true)];
        assert_eq!(
            check(&[update(), close()], &late, 30),
            Leave::Steps(1),
            "the text before"
        );
        assert_eq!(check(&[close()], &late, 30), Leave::NotBefore(at(125)));
        assert_eq!(check(&[close()], &late, 125), Leave::Steps(1));
        assert_eq!(check(&[close()], &[begun(&update(), 0, false)], 30), Leave::Steps(1));
        let itself = [begun(&close(), 0, true)];
        assert_eq!(check(&[close()], &itself, 30), Leave::Steps(1), "it says the same");
    }

    #[test]
    fn a_change_that_was_overtaken_is_open_until_it_cannot_come_any_more() {
        let late = begun(&update(), 0, true);
        assert!(!is_over(&late, at(124)));
        assert!(is_over(&late, at(125)));
        assert!(is_over(&begun(&note(), 0, true), at(1)), "it was found");
    }

    #[test]
    fn the_steps_before_the_doubtful_one_are_done() {
        let entries = [begun(&note(), 0, true)];
        let leave = check(&[update(), note(), update()], &entries, BUDGET, at(1));
        assert_eq!(leave, Leave::Steps(1));
    }

    #[test]
    fn what_was_lost_three_times_is_held_until_an_operator_has_looked() {
        let mut entries = vec![
            begun(&note(), 0, true),
            begun(&note(), 100, true),
            begun(&note(), 200, true),
        ];
        assert!(
            matches!(check(&[note()], &entries, BUDGET, at(400)), Leave::Hold(why) if why.contains("comment on issue #12"))
        );
        entries.push(released(410));
        assert_eq!(check(&[note()], &entries, BUDGET, at(411)), Leave::Steps(1));
    }

    #[test]
    fn a_thing_that_is_written_to_again_and_again_is_held() {
        let entries = |count: i64| (0..count).map(|n| begun(&update(), n, false)).collect::<Vec<_>>();
        assert_eq!(check(&[update()], &entries(19), BUDGET, at(100)), Leave::Steps(1));
        assert!(matches!(
            check(&[update()], &entries(20), BUDGET, at(100)),
            Leave::Hold(_)
        ));
        assert_eq!(
            check(&[update()], &entries(20), BUDGET, at(3_700)),
            Leave::Steps(1),
            "an hour later"
        );
        let mut failed = entries(20);
        failed.iter_mut().for_each(|entry| entry.failed = true);
        assert_eq!(
            check(&[update()], &failed, BUDGET, at(100)),
            Leave::Steps(1),
            "nothing was changed"
        );
    }

    #[test]
    fn the_budget_counts_all_writes_of_a_thing() {
        let entries: Vec<_> = (0..199)
            .map(|n| Begun {
                words: format!("step {n}"),
                ..begun(&update(), n, false)
            })
            .collect();
        assert_eq!(check(&[update()], &entries, BUDGET, at(300)), Leave::Steps(1));
        assert!(matches!(
            check(&[update(), note()], &entries, BUDGET, at(300)),
            Leave::Hold(_)
        ));
    }

    #[test]
    fn one_plan_may_be_longer_than_the_budget_when_nothing_was_written_before() {
        let steps = vec![update(); 300];
        assert_eq!(check(&steps, &[], BUDGET, at(0)), Leave::Steps(300));
    }

    #[test]
    fn a_refusal_is_believed_when_it_lasts() {
        let refused = |seconds| Begun {
            failed: true,
            ..begun(&update(), seconds, false)
        };
        let three = [refused(0), refused(1), refused(15)];
        assert!(is_refused_for_good(&update(), &three, at(15)));
        assert!(!is_refused_for_good(&update(), &three, at(14)), "a fault may last");
        assert!(!is_refused_for_good(&update(), &three[..2], at(100)), "or come twice");
        let others = [begun(&update(), 1, false), begun(&note(), 2, true)];
        assert!(!is_refused_for_good(
            &update(),
            &[&others[..], &three[..2]].concat(),
            at(100)
        ));
    }

    #[test]
    fn a_list_that_loses_a_quarter_is_not_believed() {
        for (before, now, expected) in [
            (0, 0, true),
            (2, 0, true),
            (3, 0, false),
            (10, 8, true),
            (10, 7, false),
            (100, 75, true),
            (100, 74, false),
            (5, 50, true),
        ] {
            assert_eq!(is_plausible(before, now), expected, "{before} -> {now}");
        }
    }
}
