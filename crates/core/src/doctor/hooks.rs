//! Whether deliveries reach us, and are believed.

use super::{Check, counted};
use crate::ids::AccessLevel;
use crate::lifeline::{Health, HookHealth};
use crate::plan::init::{self, HookSeen, InitSeen};
use crate::plan::step::HookScope;

/// So many failures in a row are no accident; GitLab pauses a hook then.
const FAILING: usize = 4;

/// Checks the webhooks of every place that needs one of its own.
#[must_use]
pub fn hooks(setup: &InitSeen, health: &[HookHealth]) -> Vec<Check> {
    if setup.address.is_none() {
        return vec![Check::warning(
            "webhook.present",
            "server.public_url is no address that GitLab could reach",
            "set it and run `convenor init`; until then changes are found by the scheduled resync",
        )];
    }
    let places: Vec<(HookScope, Option<&[HookSeen]>)> = init::hook_places(setup).collect();
    let found = places
        .iter()
        .map(|(scope, hooks)| (*scope, hooks.and_then(|hooks| init::our_hook(setup, *scope, hooks))))
        .collect::<Vec<_>>();
    let ours: Vec<(HookScope, &HookSeen)> = found
        .iter()
        .filter_map(|(scope, hook)| Some((*scope, (*hook)?)))
        .collect();
    let mut checks = vec![present(setup, &places, &found)];
    if ours.is_empty() {
        return checks;
    }
    let that = |is: fn(&InitSeen, &HookSeen) -> bool| {
        let places = ours.iter().filter(|(_, hook)| is(setup, hook));
        places.map(|(scope, _)| path(setup, *scope)).collect::<Vec<_>>()
    };
    let renew = "run `convenor init`";
    checks.push(each(
        "webhook.enabled",
        &that(|_, hook| !hook.enabled),
        "all webhooks are enabled",
        "GitLab has disabled the webhook after failed deliveries",
        "mend what made them fail, then run `convenor init --renew-hooks`, or press Test in the webhook's settings",
        Check::error,
    ));
    checks.push(each(
        "webhook.address",
        &that(|setup, hook| {
            setup
                .address
                .as_ref()
                .is_some_and(|address| hook.url != address.as_str())
        }),
        "all webhooks send to server.public_url",
        "the webhook sends to another address",
        renew,
        Check::error,
    ));
    checks.push(each(
        "webhook.events",
        &that(|_, hook| !hook.events_are_complete),
        "all webhooks tell everything that is listened to",
        "the webhook leaves events out",
        renew,
        Check::warning,
    ));
    checks.push(each(
        "webhook.token",
        &that(|_, hook| hook.has_secret == Some(false)),
        "no webhook is without a secret",
        "the webhook carries no secret, so its deliveries are refused",
        renew,
        Check::error,
    ));
    checks.push(each(
        "webhook.tls",
        &that(|_, hook| hook.verifies_tls == Some(false)),
        "GitLab checks our certificate",
        "GitLab does not check our certificate, so anybody in between can read the secret",
        "switch \u{201c}SSL verification\u{201d} on in the webhook's settings, or run `convenor init --renew-hooks`",
        Check::warning,
    ));
    checks.push(deliveries(setup, health));
    checks
}

fn each(
    name: &'static str,
    places: &[String],
    fine: &str,
    found: &str,
    mend: &str,
    make: impl Fn(&'static str, String, String) -> Check,
) -> Check {
    match places {
        [] => Check::fine(name, fine),
        _ => make(name, format!("{}: {found}", places.join(", ")), mend.to_owned()),
    }
}

fn present(
    setup: &InitSeen,
    places: &[(HookScope, Option<&[HookSeen]>)],
    found: &[(HookScope, Option<&HookSeen>)],
) -> Check {
    const NAME: &str = "webhook.present";
    let hidden = places.iter().filter(|(_, hooks)| hooks.is_none());
    let hidden: Vec<String> = hidden.map(|(scope, _)| path(setup, *scope)).collect();
    let seen = |scope: &HookScope| places.iter().any(|(place, hooks)| place == scope && hooks.is_some());
    let missing = found.iter().filter(|(scope, hook)| hook.is_none() && seen(scope));
    let missing: Vec<String> = missing.map(|(scope, _)| path(setup, *scope)).collect();
    let later = "until then changes there are found by the scheduled resync";
    if !missing.is_empty() {
        let evidence = format!("no webhook of ours: {}", missing.join(", "));
        return Check::warning(NAME, evidence, format!("run `convenor init`; {later}"));
    }
    if !hidden.is_empty() {
        let evidence = format!("the bot may not see the webhooks of {}", hidden.join(", "));
        return Check::warning(
            NAME,
            evidence,
            format!("make it Maintainer there, or add the webhook by hand; {later}"),
        );
    }
    let address = setup.address.as_ref().map_or("", |address| address.as_str());
    Check::fine(NAME, format!("{} to {address}", counted(found.len(), "webhook")))
}

fn deliveries(setup: &InitSeen, health: &[HookHealth]) -> Check {
    const NAME: &str = "webhook.deliveries";
    let failing: Vec<String> = health
        .iter()
        .filter(|hook| hook.deliveries.failed_since >= FAILING)
        .map(|hook| {
            let Health { failed_since, .. } = hook.deliveries;
            format!(
                "{}: the last {failed_since} failed ({})",
                path(setup, hook.scope),
                answer(&hook.deliveries)
            )
        })
        .collect();
    if !failing.is_empty() {
        let mend = "401: run `convenor init --renew-hooks`; else see whether GitLab reaches server.public_url";
        return Check::error(NAME, failing.join("; "), mend);
    }
    let sum = |of: fn(&Health) -> usize| health.iter().map(|hook| of(&hook.deliveries)).sum::<usize>();
    let (arrived, failed) = (sum(|health| health.arrived), sum(|health| health.failed));
    let last = health.iter().filter_map(|hook| hook.deliveries.last_at).max();
    let last = last.map_or(String::new(), |at| format!(", the newest at {at:.0}"));
    let evidence = format!("within two hours {arrived} arrived and {failed} failed{last}");
    match failed {
        0 => Check::fine(NAME, evidence),
        _ => Check::warning(
            NAME,
            evidence,
            "what was missed is found by the next look at everything; see the webhooks' recent events",
        ),
    }
}

fn answer(health: &Health) -> &str {
    health.last_failure.as_deref().unwrap_or("no answer")
}

fn path(setup: &InitSeen, scope: HookScope) -> String {
    setup.paths.get(&scope).cloned().unwrap_or_else(|| scope.to_string())
}

/// How a test delivery fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoundTrip {
    /// It came in and was believed.
    Arrived,
    /// GitLab says that it sent it, and nothing came in.
    Lost,
    /// GitLab did not send it, or was not answered well; its words, fit for a terminal.
    Refused(String),
    /// There is no webhook to test.
    NoHook,
    /// It was not asked for.
    NotTried,
}

/// Checks that a delivery goes all the way: out of GitLab, past the signature, into our database.
#[must_use]
pub fn round_trip(seen: &RoundTrip) -> Check {
    const NAME: &str = "webhook.round_trip";
    match seen {
        RoundTrip::Arrived => Check::fine(NAME, "a test delivery came in and was believed"),
        RoundTrip::NotTried => Check::fine(
            NAME,
            "not tried; `convenor doctor --deliver` has GitLab send a test delivery",
        ),
        RoundTrip::NoHook => Check::warning(NAME, "there is no webhook to test", "run `convenor init`"),
        RoundTrip::Lost => Check::error(
            NAME,
            "GitLab sent a test delivery, and none came into this database",
            "start `convenor serve` with these settings; check that server.public_url leads to it, and the secret \
             (`convenor init --renew-hooks`)",
        ),
        RoundTrip::Refused(why) => Check::error(
            NAME,
            format!("GitLab could not deliver a test: {why}"),
            "check that server.public_url leads to a running `convenor serve`, and the secret (`convenor init --renew-hooks`)",
        ),
    }
}

/// Says what the edition offers: group webhooks, or the substitute.
#[must_use]
pub fn tier(setup: &InitSeen, role: Option<AccessLevel>) -> Check {
    const NAME: &str = "tier";
    let is_owner = role.is_some_and(|role| role >= AccessLevel::OWNER);
    match (&setup.group_hooks, is_owner) {
        (Some(_), _) => Check::fine(NAME, "group webhooks can be had (Premium or above)"),
        (None, true) => Check::fine(NAME, "no group webhooks (Free): every project has one of its own"),
        (None, false) => Check::warning(
            NAME,
            "whether group webhooks can be had is not shown to the bot's role; every project has one of its own",
            "on Premium and above make the bot Owner of the group, and run `convenor init`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Level, levels};
    use super::*;
    use crate::ids::{GroupId, HookId, ProjectId};

    const HOOK_URL: &str = "https://convenor.example.com/webhooks/gitlab";

    fn setup(hook: Option<HookSeen>) -> InitSeen {
        InitSeen {
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
                (ProjectId(2), Some(hook.into_iter().collect())),
                (ProjectId(3), Some(vec![good_hook()])),
            ],
            paths: BTreeMap::new(),
            made_hooks: BTreeMap::from([(HookScope::Project(ProjectId(2)), HookId(1))]),
            has_secret: true,
            outside_group: Vec::new(),
            address: url::Url::parse(HOOK_URL).ok(),
        }
    }

    fn good_hook() -> HookSeen {
        HookSeen {
            id: HookId(1),
            url: HOOK_URL.to_owned(),
            events_are_complete: true,
            enabled: true,
            has_secret: Some(true),
            verifies_tls: Some(true),
            marked: true,
        }
    }

    #[track_caller]
    fn check(hook: HookSeen, name: &str, level: Level) {
        let checks = hooks(&setup(Some(hook)), &[]);
        let bad: Vec<_> = checks.iter().filter(|check| check.level != Level::Ok).collect();
        assert_eq!(
            bad.iter().map(|check| (check.name, check.level)).collect::<Vec<_>>(),
            [(name, level)]
        );
    }

    #[test]
    fn every_place_has_to_have_a_hook_that_is_enabled_complete_and_sends_here() {
        assert_eq!(levels(&hooks(&setup(Some(good_hook())), &[])), [Level::Ok; 7]);
        let missing = hooks(&setup(None), &[]);
        assert_eq!(
            missing[0].level,
            Level::Warning,
            "the other project's hook does not make up for it"
        );
        let off = |change: fn(&mut HookSeen)| {
            let mut hook = good_hook();
            change(&mut hook);
            hook
        };
        check(off(|hook| hook.enabled = false), "webhook.enabled", Level::Error);
        check(
            off(|hook| hook.events_are_complete = false),
            "webhook.events",
            Level::Warning,
        );
        check(
            off(|hook| hook.url = "https://old.example.com/".to_owned()),
            "webhook.address",
            Level::Error,
        );
        check(off(|hook| hook.has_secret = Some(false)), "webhook.token", Level::Error);
        check(
            off(|hook| hook.verifies_tls = Some(false)),
            "webhook.tls",
            Level::Warning,
        );
        let nowhere = InitSeen {
            address: None,
            ..setup(Some(good_hook()))
        };
        assert_eq!(levels(&hooks(&nowhere, &[])), [Level::Warning]);
    }

    #[test]
    fn failures_in_a_row_are_an_error_and_single_ones_a_warning() {
        let of = |failed, failed_since| {
            let deliveries = Health {
                arrived: 1,
                failed,
                failed_since,
                last_failure: Some("401".to_owned()),
                last_at: None,
            };
            let health = [HookHealth {
                scope: HookScope::Project(ProjectId(2)),
                hook: HookId(1),
                deliveries,
            }];
            hooks(&setup(Some(good_hook())), &health).pop().map(|check| check.level)
        };
        assert_eq!(of(0, 0), Some(Level::Ok));
        assert_eq!(of(2, 0), Some(Level::Warning));
        assert_eq!(of(4, 4), Some(Level::Error));
    }

    #[test]
    fn a_test_delivery_has_to_come_in() {
        for (seen, level) in [
            (RoundTrip::Arrived, Level::Ok),
            (RoundTrip::NotTried, Level::Ok),
            (RoundTrip::NoHook, Level::Warning),
            (RoundTrip::Lost, Level::Error),
            (RoundTrip::Refused("x".to_owned()), Level::Error),
        ] {
            assert_eq!(round_trip(&seen).level, level, "{seen:?}");
        }
    }

    #[test]
    fn the_tier_is_told_where_the_role_lets_it_be_seen() {
        assert_eq!(tier(&setup(None), Some(AccessLevel::OWNER)).level, Level::Ok);
        assert_eq!(tier(&setup(None), Some(AccessLevel::MAINTAINER)).level, Level::Warning);
    }
}
