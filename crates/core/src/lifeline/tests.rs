use std::collections::BTreeMap;

use jiff::civil::date;
use url::Url;

use super::*;
use crate::ids::{GroupId, HookId, Username};
use crate::plan::init::HookSeen;
use crate::plan::step::HookScope;
use crate::thing::ProgramName;
use crate::untrusted::Untrusted;

const ADDRESS: &str = "https://convenor.example.com/webhooks/gitlab";
const INTAKE: HookScope = HookScope::Project(ProjectId(2));
const COMMUNITY: HookScope = HookScope::Project(ProjectId(3));

fn hook(enabled: bool) -> HookSeen {
    HookSeen {
        id: HookId(9),
        url: ADDRESS.to_owned(),
        events_are_complete: true,
        enabled,
        has_secret: Some(true),
        verifies_tls: Some(true),
        marked: true,
    }
}

/// A Free GitLab: the intake has a hook, one community has or has not.
fn seen(intake: Option<HookSeen>, community: Option<HookSeen>) -> LifelineSeen {
    LifelineSeen {
        bot: UserId(1),
        intake: ProjectId(2),
        issues: Vec::new(),
        setup: InitSeen {
            group: GroupId(1),
            may_label_group: true,
            intake: ProjectId(2),
            intake_in_group: true,
            labels: Vec::new(),
            branch: "main".to_owned(),
            template: None,
            replacement_is_proposed: false,
            group_hooks: None,
            project_hooks: vec![
                (ProjectId(2), Some(intake.into_iter().collect())),
                (ProjectId(3), Some(community.into_iter().collect())),
            ],
            paths: BTreeMap::from([(COMMUNITY, "acme/cops/rust".to_owned())]),
            made_hooks: BTreeMap::new(),
            has_secret: true,
            outside_group: Vec::new(),
            address: Url::parse(ADDRESS).ok(),
        },
        health: Vec::new(),
        renewed_lately: 0,
        token: None,
        today: date(2026, 1, 1),
        facilitators: Vec::new(),
        readers: Readers {
            intake: Visibility::Public,
            group: Visibility::Public,
            projects: BTreeMap::from([(ProjectId(2), Visibility::Public), (ProjectId(3), Visibility::Public)]),
        },
    }
}

fn planned(seen: &LifelineSeen) -> Plan {
    plan(
        &Program::new(ProgramName::new("cop").unwrap(), "acme/cops", "acme/cops/intake"),
        seen,
    )
}

fn kinds(seen: &LifelineSeen) -> Vec<&'static str> {
    planned(seen).steps.iter().map(crate::plan::Step::kind).collect()
}

fn text(seen: &LifelineSeen) -> String {
    let plan = planned(seen);
    let texts = plan.steps.iter().filter_map(|step| match step {
        crate::plan::Step::CreateIssue {
            description,
            confidential: true,
            ..
        } => Some(description.as_str().to_owned()),
        _ => None,
    });
    texts.collect()
}

#[test]
fn a_new_community_gets_a_hook_once_hooks_were_set_up() {
    assert_eq!(kinds(&seen(Some(hook(true)), None)), ["create_hook"]);
    assert_eq!(kinds(&seen(Some(hook(true)), Some(hook(true)))), Vec::<&str>::new());
    assert_eq!(
        kinds(&seen(None, None)),
        Vec::<&str>::new(),
        "the operator lives without"
    );
}

#[test]
fn a_disabled_hook_is_renewed_and_where_that_does_not_help_people_are_told() {
    let mut disabled = seen(Some(hook(true)), Some(hook(false)));
    assert_eq!(kinds(&disabled), ["update_hook"]);
    disabled.renewed_lately = 1;
    assert_eq!(kinds(&disabled), ["create_issue"]);
    assert!(text(&disabled).contains("acme/cops/rust"), "{}", text(&disabled));
}

#[test]
fn a_hook_that_a_person_took_away_is_not_made_again() {
    let mut removed = seen(Some(hook(true)), None);
    removed.setup.made_hooks.insert(COMMUNITY, HookId(4));
    assert_eq!(kinds(&removed), ["create_issue"]);
}

#[test]
fn missed_deliveries_are_caught_up_by_a_look_at_everything() {
    let mut missed = seen(Some(hook(true)), Some(hook(true)));
    let deliveries = Health {
        failed: 2,
        ..Health::default()
    };
    missed.health.push(HookHealth {
        scope: INTAKE,
        hook: HookId(9),
        deliveries,
    });
    let plan = planned(&missed);
    assert_eq!((plan.steps.len(), plan.knocks.len()), (0, 1));
    missed.health[0].deliveries.failed_since = 4;
    missed.health[0].deliveries.last_failure = Some("401".to_owned());
    assert_eq!(kinds(&missed), ["create_issue"]);
    assert!(text(&missed).contains("--renew-hooks"));
}

#[test]
fn the_tokens_end_is_told_a_month_a_week_and_a_day_before() {
    let mut ends = seen(None, None);
    let told = |ends: &LifelineSeen| text(ends);
    let mut texts = Vec::new();
    for (day, is_told) in [
        (date(2026, 2, 1), false),
        (date(2026, 1, 31), true),
        (date(2026, 1, 20), true),
        (date(2026, 1, 8), true),
        (date(2026, 1, 2), true),
        (date(2026, 1, 1), true),
    ] {
        ends.token = Some(TokenSeen {
            scopes: vec!["api".to_owned()],
            expires_at: Some(day),
        });
        assert_eq!(!told(&ends).is_empty(), is_told, "{day}");
        texts.push(told(&ends).split("(UTC). ").nth(1).unwrap_or_default().to_owned());
    }
    assert_eq!(texts[1], texts[2], "within a stage nothing new is said");
    assert!(texts[2] != texts[3] && texts[3] != texts[4] && texts[4] != texts[5]);
}

fn facilitator(name: &str, account: Account, known: Option<u64>) -> FacilitatorSeen {
    FacilitatorSeen {
        community: Untrusted::new("Rust"),
        project: ProjectId(3),
        url: Url::parse("https://gitlab.example.com/acme/cops/rust").unwrap(),
        username: Username::new(name).unwrap(),
        account,
        known: known.map(UserId),
    }
}

#[test]
fn facilitators_who_cannot_be_reached_are_named_once_for_all() {
    let mut people = seen(None, None);
    people.facilitators = vec![
        facilitator("vera", Account::Active(UserId(7)), Some(7)),
        facilitator("old", Account::Renamed(Username::new("new").unwrap()), Some(8)),
        facilitator("bart", Account::Blocked, None),
        facilitator("gone", Account::Gone, None),
    ];
    assert_eq!(kinds(&people), ["create_issue"]);
    let told = text(&people);
    assert!(
        told.contains("`@new`") && told.contains("`@bart`") && !told.contains("vera"),
        "{told}"
    );
    people.facilitators.truncate(1);
    assert_eq!(kinds(&people), Vec::<&str>::new());
    people.facilitators[0].known = None;
    assert_eq!(kinds(&people), ["remember_people"]);
}

#[test]
fn what_not_every_reader_of_the_intake_may_see_is_not_named_there() {
    let mut private = seen(Some(hook(true)), Some(hook(false)));
    private.renewed_lately = 1;
    private.facilitators = vec![
        facilitator("old", Account::Renamed(Username::new("new").unwrap()), Some(8)),
        facilitator("bart", Account::Blocked, None),
    ];
    let named = text(&private);
    for narrow in [Some(Visibility::Private), Some(Visibility::Internal), None] {
        private.readers.projects.remove(&ProjectId(3));
        private
            .readers
            .projects
            .extend(narrow.map(|readers| (ProjectId(3), readers)));
        let told = text(&private);
        for word in ["acme/cops/rust", "Rust", "@old", "@new", "@bart"] {
            assert!(
                named.contains(word) && !told.contains(word),
                "{narrow:?} {word}: {told}"
            );
        }
        assert_eq!(told.matches("`project 3`").count(), 3, "{told}");
    }
    private.readers.projects.insert(ProjectId(3), Visibility::Private);
    private.readers.intake = Visibility::Private;
    assert_eq!(text(&private), named, "whoever reads there sees both");
}
