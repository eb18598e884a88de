//! The checks of one program.

use convenor_core::doctor::{self, Check, RoundTrip};
use convenor_core::ids::{AccessLevel, Username};
use convenor_core::plan::wanted::Blueprint;
use convenor_core::proposal::PersonState;

use super::delivery;
use crate::assemble;
use crate::clock::Clock;
use crate::gitlab::Client;
use crate::hooks::OwnHooks;
use crate::observe::{ObserveError, Observer};
use crate::settings::{ProgramSettings, Settings};
use crate::store::Store;

/// Adds the checks of a program; one that cannot be looked at is an error of its own.
pub(super) async fn check(
    settings: &Settings,
    program: &ProgramSettings,
    client: &Client,
    store: Option<&Store>,
    deliver: bool,
    checks: &mut Vec<Check>,
) {
    let observer = Observer::new(client.reader(), program.program.clone());
    let made = match store {
        Some(store) => store.made_setup(&program.program.name).await.unwrap_or_default(),
        None => Vec::new(),
    };
    let own = OwnHooks::new(settings).with_made(&made);
    // What is wrong with the templates is said elsewhere.
    let blueprint = assemble::blueprint(program).ok();
    let mut found = Vec::new();
    if let Err(error) = look(&observer, blueprint.as_ref(), &own, &mut found).await {
        let group = &program.program.group;
        found.push(Check::error(
            "program",
            format!("group {group}, intake {}: {error}", program.program.intake),
            "mend the paths in the settings or the bot's membership",
        ));
    } else {
        let round_trip = match (deliver, store) {
            (false, _) => Ok(RoundTrip::NotTried),
            (true, None) => Ok(RoundTrip::Lost),
            (true, Some(store)) => delivery::test(settings, client, store, &observer, &own).await,
        };
        found.push(match round_trip {
            Ok(seen) => doctor::round_trip(&seen),
            Err(error) => Check::error("webhook.round_trip", format!("{error:#}"), "see the other checks first"),
        });
    }
    checks.extend(found.into_iter().map(|check| check.of(&program.program)));
}

async fn look(
    observer: &Observer,
    blueprint: Option<&Blueprint>,
    own: &OwnHooks,
    checks: &mut Vec<Check>,
) -> Result<(), ObserveError> {
    let program = observer.program();
    let places = observer.places().await?;
    let role = observer.role_in_group().await?;
    checks.push(doctor::role(role));
    let group = observer.reader().group(program.group.as_str()).await?;
    checks.push(doctor::creation(group.project_creation_level.as_deref(), role));
    let intake = observer.role_in_project(places.intake.id).await?;
    checks.push(doctor::project_role("role.intake", intake, AccessLevel::REPORTER));
    let mut known = Vec::new();
    for handbook in &places.handbooks {
        if known.contains(&handbook.id) {
            continue;
        }
        known.push(handbook.id);
        let role = observer.role_in_project(handbook.id).await?;
        checks.push(doctor::project_role("role.handbook", role, AccessLevel::DEVELOPER));
    }
    let setup = observer.setup(own).await?;
    let health = observer.hook_health(&setup, Clock::system().now()).await?;
    checks.push(doctor::tier(&setup, role));
    checks.extend(doctor::hooks(&setup, &health));
    checks.push(doctor::labels(&setup.labels));
    checks.push(doctor::template(setup.template.as_ref()));
    if program.handbooks.is_empty() {
        checks.push(Check::fine("page", "the program has no handbook page"));
    }
    if let Some(blueprint) = blueprint {
        for (handbook, page) in observer.pages().await? {
            checks.extend(doctor::page(handbook, blueprint, &page));
        }
    }
    let mut reviewers: Vec<Username> = Vec::new();
    for name in program.handbooks.iter().flat_map(|handbook| &handbook.reviewers) {
        if !reviewers.contains(name) {
            reviewers.push(name.clone());
        }
    }
    for (name, setting, people) in [
        ("approvers", "approvers", program.approvers.clone()),
        ("reviewers", "handbook.reviewers", reviewers),
    ] {
        let found = observer.people(people).await?;
        let states: Vec<(_, PersonState)> = found.into_iter().collect();
        checks.push(doctor::people(name, setting, &states));
    }
    let communities = observer.communities().await?;
    checks.push(doctor::charters(communities.iter().map(|community| {
        (community.project.full_path.as_str(), community.charter.as_slice())
    })));
    Ok(())
}
