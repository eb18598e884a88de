//! What is wrong with an installation: each check says what was found and what would mend it.

use std::fmt;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::ids::AccessLevel;
use crate::plan::Step;
use crate::plan::init::{self, HookSeen, InitSeen};
use crate::plan::labels::State;
use crate::plan::listing;
use crate::plan::seen::PageSeen;
use crate::plan::wanted::Blueprint;
use crate::program::{Handbook, PageKind, Program};
use crate::table::{self, Page};

/// A token that ends within so many days is worth a warning.
const EXPIRES_SOON_DAYS: i32 = 30;
/// GitLab's clock and ours may differ by so much before signatures are refused (they are valid for 5 minutes either way).
const MOST_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Works, but not as well as it could, or not for long.
    Warning,
    /// Does not work.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was checked, as a stable word such as `token.scopes`.
    pub name: &'static str,
    /// The program that it is about; empty: the installation.
    pub program: String,
    /// How it ended.
    pub level: Level,
    /// What was found.
    pub evidence: String,
    /// What would mend it; empty when nothing has to be.
    pub mend: String,
}

impl Check {
    /// A check that found nothing to mend.
    #[must_use]
    pub fn fine(name: &'static str, evidence: impl Into<String>) -> Self {
        Self {
            name,
            program: String::new(),
            level: Level::Ok,
            evidence: evidence.into(),
            mend: String::new(),
        }
    }

    fn warning(name: &'static str, evidence: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            level: Level::Warning,
            mend: mend.into(),
            ..Self::fine(name, evidence)
        }
    }

    /// A check that failed.
    #[must_use]
    pub fn error(name: &'static str, evidence: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            mend: mend.into(),
            ..Self::fine(name, evidence)
        }
    }

    /// The same check, about a program.
    #[must_use]
    pub fn of(mut self, program: &Program) -> Self {
        self.program = program.name.to_string();
        self
    }
}

/// What GitLab says of the token.
#[derive(Clone, Debug)]
pub struct TokenSeen {
    /// What it may do.
    pub scopes: Vec<String>,
    /// The day on which it ends, at 00:00 UTC.
    pub expires_at: Option<Date>,
}

/// Checks the token; `None`: this GitLab does not tell.
#[must_use]
pub fn token(seen: Option<&TokenSeen>, today: Date) -> Vec<Check> {
    let Some(seen) = seen else {
        return vec![Check::warning(
            "token.scopes",
            "GitLab does not tell the token's scopes and end",
            "make sure by hand that it has the scope `api` and note when it ends",
        )];
    };
    vec![scopes(seen), expiry(seen, today)]
}

fn scopes(seen: &TokenSeen) -> Check {
    let listed = seen.scopes.join(", ");
    if !seen.scopes.iter().any(|scope| scope == "api") {
        return Check::error(
            "token.scopes",
            format!("scopes: {listed}"),
            "make a token with the scope `api`",
        );
    }
    let more: Vec<&str> = seen
        .scopes
        .iter()
        .map(String::as_str)
        .filter(|scope| matches!(*scope, "sudo" | "admin_mode"))
        .collect();
    if more.is_empty() {
        Check::fine("token.scopes", format!("scopes: {listed}"))
    } else {
        let mend = format!(
            "make a token without {}: it gives more power than is used",
            more.join(" and ")
        );
        Check::warning("token.scopes", format!("scopes: {listed}"), mend)
    }
}

fn expiry(seen: &TokenSeen, today: Date) -> Check {
    let Some(end) = seen.expires_at else {
        return Check::fine("token.expiry", "the token does not end");
    };
    let days = (end - today).get_days();
    let evidence = format!("the token ends on {end}, in {days} days");
    let mend = "make a new token, set it, and restart the service";
    match days {
        ..=0 => Check::error("token.expiry", format!("the token ended on {end}"), mend),
        days if days <= EXPIRES_SOON_DAYS => Check::warning("token.expiry", evidence, mend),
        _ => Check::fine("token.expiry", evidence),
    }
}

/// Checks the bot's role in the program's group.
#[must_use]
pub fn role(level: Option<AccessLevel>) -> Check {
    match level {
        Some(level) if level >= AccessLevel::OWNER => {
            Check::fine("role.group", format!("the bot is {level} of the group"))
        }
        Some(level) if level >= AccessLevel::MAINTAINER => Check::warning(
            "role.group",
            format!("the bot is {level} of the group"),
            "make it Owner if it should manage a group webhook; with project webhooks Maintainer is enough",
        ),
        Some(level) => Check::error(
            "role.group",
            format!("the bot is {level} of the group"),
            "make it at least Maintainer: it creates projects and commits to their default branch",
        ),
        None => Check::error(
            "role.group",
            "the bot is no member of the group",
            "add it as Maintainer or Owner",
        ),
    }
}

/// Checks the bot's role in a project that it works in.
#[must_use]
pub fn project_role(name: &'static str, level: Option<AccessLevel>, least: AccessLevel) -> Check {
    match level {
        Some(level) if level >= least => Check::fine(name, format!("the bot is {level} there")),
        Some(level) => Check::error(
            name,
            format!("the bot is {level} there"),
            format!("make it at least {least}"),
        ),
        None => Check::error(
            name,
            "the bot is no member there",
            format!("add it as {least} at least"),
        ),
    }
}

/// Checks that deliveries reach us, from each place that needs a webhook of its own.
#[must_use]
pub fn hooks(setup: &InitSeen) -> Vec<Check> {
    const NAME: &str = "webhook.present";
    let Some(address) = &setup.address else {
        return vec![Check::warning(
            NAME,
            "server.public_url is no address that GitLab could reach",
            "set it and run `convenor init`; until then changes are found by the scheduled resync",
        )];
    };
    let mut checks: Vec<Check> = init::plan(setup, false).steps.iter().filter_map(missing_hook).collect();
    let all = setup
        .group_hooks
        .iter()
        .chain(setup.project_hooks.iter().filter_map(|(_, hooks)| hooks.as_ref()));
    let ours: Vec<&HookSeen> = all.flatten().filter(|hook| hook.url == address.as_str()).collect();
    checks.extend(ours.iter().filter(|hook| !hook.enabled).map(|hook| {
        Check::error(
            NAME,
            format!("GitLab has disabled webhook {} after failed deliveries", hook.id),
            "mend what made them fail, then press Test in the webhook's settings",
        )
    }));
    if checks.is_empty() {
        checks.push(Check::fine(
            NAME,
            format!("{} send to {address}", counted(ours.len(), "webhook")),
        ));
    }
    checks
}

fn missing_hook(step: &Step) -> Option<Check> {
    let (scope, found) = match step {
        Step::CreateHook { scope, .. } => (scope, "has no webhook of ours"),
        Step::UpdateHook { scope, .. } => (scope, "has a webhook that leaves events out"),
        _ => return None,
    };
    Some(Check::warning(
        "webhook.present",
        format!("{scope} {found}"),
        "run `convenor init`; until then changes there are found by the scheduled resync",
    ))
}

fn counted(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        many => format!("{many} {what}s"),
    }
}

/// Checks that the state labels are there.
#[must_use]
pub fn labels(known: &[String]) -> Check {
    let missing: Vec<&str> = State::ALL
        .into_iter()
        .map(State::label)
        .filter(|label| !known.iter().any(|name| name == label))
        .collect();
    if missing.is_empty() {
        Check::fine("labels", "all state labels are there")
    } else {
        Check::warning(
            "labels",
            format!("missing: {}", missing.join(", ")),
            "run `convenor init`",
        )
    }
}

/// Checks a handbook page: its table, or its markers.
#[must_use]
pub fn page(handbook: &Handbook, blueprint: &Blueprint, seen: &PageSeen) -> Vec<Check> {
    let mend = "mend the page or `[program.handbook]` in the settings; until then no merge request is opened";
    let Some(file) = &seen.file else {
        return vec![Check::error("page", listing::no_such_page(handbook), mend)];
    };
    let found = Check::fine(
        "page",
        format!(
            "{} on branch {}, {} bytes",
            handbook.page,
            seen.branch,
            file.bytes.len()
        ),
    );
    let inside = match handbook.kind {
        PageKind::Table => table_on(handbook, &file.bytes, mend),
        PageKind::Directory => match table::directory(&file.bytes, blueprint.directory(), &[]) {
            Ok(_) => Check::fine("directory", "the markers are there"),
            Err(finding) => Check::error("directory", finding.to_string(), mend),
        },
    };
    vec![found, inside]
}

fn table_on(handbook: &Handbook, page: &[u8], mend: &str) -> Check {
    let table = Page::parse(page).and_then(|page| {
        let table = table::target(&page, handbook)?;
        let columns = table::Columns::of(&table, &handbook.columns)?;
        let named = table
            .rows()
            .filter(|row| !row.said(columns.name).text.trim().is_empty())
            .count();
        let malformed = table.rows().filter(|row| row.malformed().is_some()).count();
        Ok((named, malformed))
    });
    match table {
        Err(finding) => Check::error("table", finding.to_string(), mend),
        Ok((named, 0)) => Check::fine("table", format!("{named} rows understood")),
        Ok((named, malformed)) => Check::warning(
            "table",
            format!("{named} rows understood, {malformed} malformed"),
            "`convenor plan` shows them; they stay as they are, and `convenor apply --repair` proposes to mend what is certain",
        ),
    }
}

/// Checks that GitLab's clock and ours agree; `None`: GitLab did not tell the time.
#[must_use]
pub fn clock(gitlab: Option<Timestamp>, ours: Timestamp) -> Check {
    let Some(gitlab) = gitlab else {
        return Check::fine("clock", "GitLab does not tell its time");
    };
    let skew = ours.duration_since(gitlab).abs();
    let evidence = format!("{} s apart from GitLab's clock", skew.as_secs());
    if skew <= MOST_SKEW {
        Check::fine("clock", evidence)
    } else {
        Check::error(
            "clock",
            evidence,
            "set the machine's clock (NTP): signatures of deliveries are valid for 5 minutes",
        )
    }
}

/// Secrets shorter than this can be guessed; the same as the least that Standard Webhooks asks for.
const SHORTEST_SECRET: usize = 24;

/// Checks that deliveries can be believed. `tokens` are the lengths of the secret tokens.
#[must_use]
pub fn secrets(tokens: &[usize], signing_tokens: usize) -> Check {
    const NAME: &str = "webhook.secret";
    if tokens.is_empty() && signing_tokens == 0 {
        return Check::error(
            NAME,
            "no webhook secret is configured",
            "set CONVENOR_WEBHOOK__SECRET_TOKEN or CONVENOR_WEBHOOK__SIGNING_TOKEN; `serve` refuses to start without",
        );
    }
    let found = format!(
        "{}, {}",
        counted(tokens.len(), "secret token"),
        counted(signing_tokens, "signing token")
    );
    if tokens.iter().any(|length| *length < SHORTEST_SECRET) {
        let mend =
            format!("use at least {SHORTEST_SECRET} random characters, and run `convenor init` for the webhooks");
        return Check::warning(NAME, format!("{found}; one is so short that it can be guessed"), mend);
    }
    Check::fine(NAME, found)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::ids::{GroupId, HookId, ProjectId};

    fn token_seen(scopes: &[&str], expires_at: Option<Date>) -> TokenSeen {
        TokenSeen {
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            expires_at,
        }
    }

    fn levels(checks: &[Check]) -> Vec<Level> {
        checks.iter().map(|check| check.level).collect()
    }

    #[test]
    fn a_token_needs_the_scope_api_and_no_more() {
        let today = date(2026, 1, 1);
        for (scopes, level) in [
            (&["api"][..], Level::Ok),
            (&["read_api"], Level::Error),
            (&["api", "sudo"], Level::Warning),
        ] {
            assert_eq!(
                token(Some(&token_seen(scopes, None)), today)[0].level,
                level,
                "{scopes:?}"
            );
        }
        assert_eq!(levels(&token(None, today)), [Level::Warning]);
    }

    #[test]
    fn a_token_that_ends_soon_is_worth_a_warning() {
        let today = date(2026, 1, 1);
        for (end, level) in [
            (date(2026, 6, 1), Level::Ok),
            (date(2026, 1, 20), Level::Warning),
            (date(2026, 1, 1), Level::Error),
        ] {
            assert_eq!(
                token(Some(&token_seen(&["api"], Some(end))), today)[1].level,
                level,
                "{end}"
            );
        }
    }

    #[test]
    fn the_bot_has_to_be_maintainer_at_least() {
        let of = |level| role(level).level;
        assert_eq!(of(Some(AccessLevel::OWNER)), Level::Ok);
        assert_eq!(of(Some(AccessLevel::MAINTAINER)), Level::Warning);
        assert_eq!(of(Some(AccessLevel::DEVELOPER)), Level::Error);
        assert_eq!(of(None), Level::Error);
    }

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
            outside_group: Vec::new(),
            address: Some(url::Url::parse(HOOK_URL).unwrap()),
        }
    }

    const HOOK_URL: &str = "https://convenor.example.com/webhooks/gitlab";

    fn good_hook() -> HookSeen {
        HookSeen {
            id: HookId(1),
            url: HOOK_URL.to_owned(),
            events_are_complete: true,
            enabled: true,
        }
    }

    #[test]
    fn every_place_has_to_have_a_hook_that_is_enabled_and_complete() {
        let of = |hook| levels(&hooks(&setup(hook)));
        assert_eq!(of(Some(good_hook())), [Level::Ok]);
        assert_eq!(
            of(None),
            [Level::Warning],
            "the other project's hook does not make up for it"
        );
        assert_eq!(
            of(Some(HookSeen {
                enabled: false,
                ..good_hook()
            })),
            [Level::Error]
        );
        assert_eq!(
            of(Some(HookSeen {
                events_are_complete: false,
                ..good_hook()
            })),
            [Level::Warning]
        );
        let nowhere = InitSeen {
            address: None,
            ..setup(Some(good_hook()))
        };
        assert_eq!(levels(&hooks(&nowhere)), [Level::Warning]);
    }

    #[test]
    fn the_bot_has_to_be_developer_of_the_handbook() {
        let of = |level| project_role("role.handbook", level, AccessLevel::DEVELOPER).level;
        assert_eq!(of(Some(AccessLevel::DEVELOPER)), Level::Ok);
        assert_eq!(of(Some(AccessLevel::REPORTER)), Level::Error);
        assert_eq!(of(None), Level::Error);
    }

    #[test]
    fn missing_labels_are_named() {
        let known: Vec<String> = State::ALL
            .into_iter()
            .skip(1)
            .map(|state| state.label().to_owned())
            .collect();
        let check = labels(&known);
        assert_eq!(
            (check.level, check.evidence.as_str()),
            (Level::Warning, "missing: cop::proposed")
        );
    }

    #[test]
    fn clocks_may_be_a_minute_apart() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let of = |seconds| clock(Some(now + SignedDuration::from_secs(seconds)), now).level;
        assert_eq!(
            (of(-60), of(60), of(-61), of(61)),
            (Level::Ok, Level::Ok, Level::Error, Level::Error)
        );
    }

    #[test]
    fn without_a_secret_nothing_can_be_believed() {
        assert_eq!(secrets(&[], 0).level, Level::Error);
        assert_eq!(secrets(&[], 1).level, Level::Ok);
        assert_eq!(secrets(&[24], 0).level, Level::Ok);
        assert_eq!(secrets(&[24, 1], 1).level, Level::Warning);
    }
}
