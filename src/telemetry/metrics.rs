//! Figures for Prometheus: their names, what they count, and where they are kept.
//!
//! The only place that names a metric. The other rooms say what happened; labels hold words from fixed lists (kinds, outcomes, names of
//! calls, programs of the settings), never text of people, so that the number of series stays small and nothing leaks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use convenor_core::plan::standing::Standing;
use convenor_core::thing::Thing;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;

use crate::store::QueueDepth;

/// Upper ends of the histograms' buckets in seconds: from a flush of the disk to a GitLab that is about to time out.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 60.0];

/// How often single measurements are added up.
const ADDED_UP: Duration = Duration::from_secs(1);

/// What a metric is, as Prometheus sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution of durations, in seconds.
    Histogram,
}

/// Every metric of Convenor's own: its name, what it is, and what it says.
#[rustfmt::skip]
pub const CATALOGUE: &[(&str, Kind, &str)] = &[
    ("convenor_deliveries_total", Kind::Counter, "Deliveries at the webhook, by outcome: new, repeat, refused, broken, not_stored"),
    ("convenor_delivery_seconds", Kind::Histogram, "From a delivery's head to its answer"),
    ("convenor_queue_things", Kind::Gauge, "Things in the work table, by state: ready, looking, failed, held"),
    ("convenor_queue_due", Kind::Gauge, "Things that are due and not yet looked at"),
    ("convenor_queue_oldest_due_age_seconds", Kind::Gauge, "How long the thing that waits longest has been due"),
    ("convenor_proposals", Kind::Gauge, "Proposals by program and how far they had come at the last look"),
    ("convenor_communities", Kind::Gauge, "Communities by program, state and line (of the handbook) at the last look"),
    ("convenor_database_up", Kind::Gauge, "1 when the database answered this request"),
    ("convenor_looks_total", Kind::Counter, "Looks at things, by program, kind and outcome: done, failed, held, unknown"),
    ("convenor_look_seconds", Kind::Histogram, "How long a look took, by kind"),
    ("convenor_plans_total", Kind::Counter, "Plans that were made, by kind of thing and whether something was due"),
    ("convenor_steps_total", Kind::Counter, "Steps that changed GitLab or were to, by step and outcome: done, failed, unknown"),
    ("convenor_gitlab_calls_total", Kind::Counter, "Calls of GitLab, by operation and status (none: no answer came)"),
    ("convenor_gitlab_call_seconds", Kind::Histogram, "How long GitLab took to answer"),
    ("convenor_gitlab_rate_limit", Kind::Gauge, "Calls a minute that GitLab allows, as it said last"),
    ("convenor_gitlab_rate_limit_remaining", Kind::Gauge, "Calls that GitLab allows until its window ends, as it said last"),
    ("convenor_build_info", Kind::Gauge, "1, with the version as a label"),
];

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// Stored.
    New,
    /// Stored before.
    Repeat,
    /// Not proven to come from GitLab.
    Refused,
    /// Its body broke off or took too long.
    Broken,
    /// Authentic, and the database did not take it.
    NotStored,
}

/// How a look or a step ended, or a call that got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Well.
    Done,
    /// Time may mend it.
    Failed,
    /// A person has to mend it.
    Held,
    /// Nobody knows, or somebody else took it over.
    Unknown,
}

impl Ending {
    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Held => "held",
            Self::Unknown => "unknown",
        }
    }
}

/// Renders what was counted. Clones share everything.
#[derive(Clone)]
pub struct Metrics {
    prometheus: PrometheusHandle,
    process: Collector,
    /// What was counted once stays a series: it goes to 0 when nothing stands so any more.
    counted: Arc<Mutex<BTreeSet<(String, Standing)>>>,
}

/// What the database says for the figures.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// How much work waits.
    pub depth: QueueDepth,
    /// How many proposals and communities of which program stand how.
    pub standings: BTreeMap<(String, Standing), u64>,
}

impl Metrics {
    /// Starts counting, once for the process; further calls give the same figures.
    ///
    /// # Errors
    /// When another recorder is in place.
    pub fn start() -> Result<Self, BuildError> {
        static STARTED: Mutex<Option<Metrics>> = Mutex::new(None);
        let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(metrics) = &*started {
            return Ok(metrics.clone());
        }
        let prometheus = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
            .install_recorder()?;
        describe();
        gauge!("convenor_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        let process = Collector::default();
        process.describe();
        let metrics = Self {
            prometheus,
            process,
            counted: Arc::default(),
        };
        *started = Some(metrics.clone());
        Ok(metrics)
    }

    /// The figures in Prometheus' text format; `kept` is what the database says now, or `None` when it says nothing.
    #[must_use]
    pub fn render(&self, kept: Option<&Kept>) -> String {
        gauge!("convenor_database_up").set(if kept.is_some() { 1.0 } else { 0.0 });
        if let Some(Kept { depth, standings }) = kept {
            self.count(standings);
            for (state, things) in [
                ("ready", depth.ready),
                ("looking", depth.looking),
                ("failed", depth.failed),
                ("held", depth.held),
            ] {
                gauge!("convenor_queue_things", "state" => state).set(count(things));
            }
            gauge!("convenor_queue_due").set(count(depth.due));
            gauge!("convenor_queue_oldest_due_age_seconds").set(depth.oldest_due_age.as_secs_f64());
        }
        self.process.collect();
        self.prometheus.run_upkeep();
        self.prometheus.render()
    }

    /// Adds up what was measured, again and again and for ever. Until then each measurement is kept by itself, and nobody has to ask
    /// for the figures.
    pub async fn keep_up(&self) {
        loop {
            tokio::time::sleep(ADDED_UP).await;
            self.prometheus.run_upkeep();
        }
    }

    fn count(&self, standings: &BTreeMap<(String, Standing), u64>) {
        // A panic while the lock was held leaves a set that lacks at most one series.
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.extend(standings.keys().cloned());
        for (program, standing) in counted.iter() {
            let number = standings.get(&(program.clone(), *standing)).copied().unwrap_or(0);
            let program = program.clone();
            match standing {
                Standing::Proposal(state) => gauge!("convenor_proposals", "program" => program, "state" => *state),
                Standing::Community(state, line) => {
                    gauge!("convenor_communities", "program" => program, "state" => *state, "line" => *line)
                }
            }
            .set(count(number));
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a float is exact up to 2^53 things")]
fn count(number: u64) -> f64 {
    number as f64
}

fn describe() {
    for (name, kind, text) in CATALOGUE {
        match kind {
            Kind::Counter => describe_counter!(*name, *text),
            Kind::Gauge => describe_gauge!(*name, *text),
            Kind::Histogram => describe_histogram!(*name, Unit::Seconds, *text),
        }
    }
}

/// A delivery was answered.
pub fn delivered(outcome: DeliveryOutcome, took: Duration) {
    let outcome = match outcome {
        DeliveryOutcome::New => "new",
        DeliveryOutcome::Repeat => "repeat",
        DeliveryOutcome::Refused => "refused",
        DeliveryOutcome::Broken => "broken",
        DeliveryOutcome::NotStored => "not_stored",
    };
    counter!("convenor_deliveries_total", "outcome" => outcome).increment(1);
    histogram!("convenor_delivery_seconds").record(took);
}

/// A look ended.
pub fn looked(thing: &Thing, ending: Ending, took: Duration) {
    let program = thing.program().to_string();
    counter!("convenor_looks_total", "program" => program, "kind" => thing.kind(), "outcome" => ending.as_str())
        .increment(1);
    histogram!("convenor_look_seconds", "kind" => thing.kind()).record(took);
}

/// A plan was made; `steps` of it are due.
pub fn planned(thing: &Thing, steps: usize) {
    let due = if steps == 0 { "nothing" } else { "steps" };
    counter!("convenor_plans_total", "kind" => thing.kind(), "due" => due).increment(1);
}

/// A step was carried out, or not.
pub fn stepped(step: &'static str, ending: Ending) {
    counter!("convenor_steps_total", "step" => step, "outcome" => ending.as_str()).increment(1);
}

/// GitLab was called; `status` is `None` when no answer came.
pub fn called(operation: &'static str, status: Option<u16>, took: Duration) {
    let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
    counter!("convenor_gitlab_calls_total", "operation" => operation, "status" => status).increment(1);
    histogram!("convenor_gitlab_call_seconds").record(took);
}

/// GitLab said how many calls it allows a minute, and how many are left.
pub fn rate_limit(limit: Option<u64>, remaining: Option<u64>) {
    if let Some(limit) = limit {
        gauge!("convenor_gitlab_rate_limit").set(count(limit));
    }
    if let Some(remaining) = remaining {
        gauge!("convenor_gitlab_rate_limit_remaining").set(count(remaining));
    }
}
