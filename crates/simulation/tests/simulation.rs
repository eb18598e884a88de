//! The short run of the simulation. The long ones are a command of their own, see the crate's README.
#![expect(clippy::unwrap_used, reason = "a test ends where its set-up fails")]

use convenor_simulation::{CallFault, CommitFault, Point, Report, Schedule, Story, run};

/// Seeds and schedules that once failed, with what they found.
const REGRESSIONS: &str = include_str!("../regressions.txt");

fn holds(name: &str, schedule: &Schedule) -> Report {
    let report = run(schedule, false).unwrap();
    if !report.violations.is_empty() {
        let again = run(schedule, true).unwrap();
        panic!("{name}: {:#?}\n{}", report.violations, again.transcript.join("\n"));
    }
    report
}

#[test]
fn the_same_schedule_gives_the_same_run() {
    let (one, two) = (run(&Schedule::draw(3), false), run(&Schedule::draw(3), true));
    assert_eq!(one.unwrap().fingerprint, two.unwrap().fingerprint);
}

#[test]
fn what_once_failed_holds() {
    let lines = REGRESSIONS
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim());
    let (mut seeds, mut schedules) = (0, 0);
    for line in lines.filter(|line| !line.is_empty()) {
        if let Ok(seed) = line.parse() {
            holds(&format!("seed {seed}"), &Schedule::draw(seed));
            seeds += 1;
        } else {
            holds(line, &line.parse().unwrap());
            schedules += 1;
        }
    }
    assert!(seeds > 0 && schedules > 0, "the list was read");
}

#[test]
fn whatever_is_drawn_the_rules_hold() {
    let mut faults = 0;
    for seed in 1_000..1_008 {
        faults += holds(&format!("seed {seed}"), &Schedule::draw(seed)).faults;
    }
    assert!(faults > 5, "{faults} faults struck");
}

/// Every kind of fault that a write can meet, in turn, so that each write of each story meets one; the command with
/// `--exhaustive` strikes every call with every kind.
#[test]
fn a_fault_at_any_write_changes_neither_the_end_nor_what_was_made() {
    let mut kinds = CallFault::ALL.into_iter().filter(|kind| kind.can_happen(true)).cycle();
    let mut points = 0;
    for story in Story::CORE {
        let calm = holds("no fault", &Schedule::calm(story));
        for call in calm.write_calls {
            let kind = kinds.next().unwrap();
            let point = Point::Call(call, kind);
            let report = holds(&format!("{story:?}, {point}"), &Schedule::struck(story, point));
            assert_eq!(report.faults, 1, "{story:?}, {point}");
            points += 1;
        }
    }
    assert!(points > 20, "{points} writes");
}

#[test]
fn a_crash_around_any_commit_changes_neither_the_end_nor_what_was_made() {
    let mut kinds = CommitFault::ALL.into_iter().cycle();
    let story = Story::Change;
    let calm = holds("no fault", &Schedule::calm(story));
    for commit in (0..calm.commits).step_by(8) {
        let kind = kinds.next().unwrap();
        let point = Point::Commit(commit, kind);
        holds(&format!("{story:?}, {point}"), &Schedule::struck(story, point));
    }
}
