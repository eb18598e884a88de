//! A test delivery: out of GitLab, past the signature, into the database of the running service.

use std::time::Duration;

use convenor_core::doctor::RoundTrip;
use convenor_core::plan::{Step, init};
use convenor_core::thing::Thing;

use crate::apply::{ApplyError, Errand};
use crate::assemble;
use crate::clock::Clock;
use crate::gitlab::Client;
use crate::hooks::OwnHooks;
use crate::observe::Observer;
use crate::settings::Settings;
use crate::store::{DeliveryFilter, Store};

/// GitLab sends a test before it answers, so this is for a slow disk.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);

/// Has GitLab test the program's first webhook, and looks for the delivery.
///
/// # Errors
/// When GitLab or the database does not answer as it should.
pub(super) async fn test(
    settings: &Settings,
    client: &Client,
    store: &Store,
    observer: &Observer,
    own: &OwnHooks,
) -> anyhow::Result<RoundTrip> {
    let setup = observer.setup(own).await?;
    let hook =
        init::hook_places(&setup).find_map(|(scope, hooks)| Some((scope, init::our_hook(&setup, scope, hooks?)?.id)));
    let Some((scope, hook)) = hook else {
        return Ok(RoundTrip::NoHook);
    };
    let clock = Clock::system();
    let filter = DeliveryFilter {
        since: Some(clock.now()),
        ..DeliveryFilter::default()
    };
    let applier = assemble::applier(settings, client, store.clone(), clock);
    let thing = Thing::Lifeline(observer.program().name.clone());
    let applied = applier
        .apply(
            Errand::of_command(&thing, "convenor doctor"),
            &[Step::TestHook { scope, hook }],
        )
        .await;
    match applied.failed {
        None => {}
        Some(ApplyError::GitLab { source, .. }) => return Ok(RoundTrip::Refused(source.to_string())),
        Some(error) => return Err(error.into()),
    }
    let mut waited = Duration::ZERO;
    while waited < PATIENCE {
        if !store.find_deliveries(&filter, 1).await?.is_empty() {
            return Ok(RoundTrip::Arrived);
        }
        tokio::time::sleep(PAUSE).await;
        waited += PAUSE;
    }
    Ok(RoundTrip::Lost)
}
