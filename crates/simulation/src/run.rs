//! One run: from the schedule to the report.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use convenor::store::{Memory, Store, Work, WorkState};
use convenor_core::plan::Remark;
use convenor_core::thing::Thing;
use gitlab_sandbox::World;
use jiff::Timestamp;
use tokio::time::sleep;

use crate::faults::{Faults, Point, Weather};
use crate::people::Interference;
use crate::sim::Sim;
use crate::stories::{self, Patience, Story};
use crate::town::{self, Town};
use crate::{outcome, rules};

/// After so many faults it is enough.
const MOST_FAULTS: u64 = 40;

/// All that a run depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Drives everything that is drawn.
    pub seed: u64,
    /// What people do.
    pub story: Story,
    /// How many replicas look after it.
    pub replicas: usize,
    /// What goes wrong.
    pub faults: Faults,
    /// What people do in between.
    pub(crate) interference: Interference,
}

impl Schedule {
    /// The schedule of a seed.
    #[must_use]
    pub fn draw(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let stories = [
            Story::Found,
            Story::Found,
            Story::Found,
            Story::Change,
            Story::Retire,
            Story::Purge,
        ];
        // It takes ten times as long as the others: one schedule in thirty-six is enough of it.
        let story = match stories[rng.usize(0..stories.len())] {
            Story::Purge if rng.u8(0..6) > 0 => Story::Found,
            story => story,
        };
        Self {
            seed,
            story,
            replicas: rng.usize(1..=3),
            faults: Faults::Weather(Weather::draw(&mut rng)),
            interference: Interference::draw(&mut rng, if story == Story::Found { 500 } else { 150 }),
        }
    }

    /// A story with one fault. When a process only stands still, there is another that takes over.
    #[must_use]
    pub fn struck(story: Story, point: Point) -> Self {
        Self::calm(story).and(point)
    }

    /// The same with one more fault.
    #[must_use]
    pub(crate) fn and(self, point: Point) -> Self {
        let mut points = match self.faults {
            Faults::At(points) => points,
            Faults::None | Faults::Weather(_) => Vec::new(),
        };
        points.push(point);
        let usual = if point.needs_another() { 2 } else { 1 };
        Self {
            faults: Faults::At(points),
            replicas: self.replicas.max(usual),
            ..self
        }
    }

    /// How many replicas a schedule has that says nothing about them.
    pub(crate) fn usual_replicas(&self) -> usize {
        match &self.faults {
            Faults::At(points) if points.iter().any(|point| point.needs_another()) => 2,
            Faults::None | Faults::At(_) | Faults::Weather(_) => 1,
        }
    }

    /// A story without any fault, with one replica.
    #[must_use]
    pub fn calm(story: Story) -> Self {
        Self {
            seed: 0,
            story,
            replicas: 1,
            faults: Faults::None,
            interference: Interference::default(),
        }
    }
}

/// How far a run had come when its story was told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    /// Calls of GitLab's API.
    pub calls: u64,
    /// Commits of the store.
    pub commits: u64,
    /// Webhooks.
    pub deliveries: u64,
}

/// How a run went.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What was wrong; empty when all is well.
    pub violations: Vec<String>,
    /// Calls of GitLab's API.
    pub calls: u64,
    /// The calls that were to write, by number.
    pub write_calls: Vec<u64>,
    /// Commits of the store.
    pub commits: u64,
    /// Webhooks.
    pub deliveries: u64,
    /// Faults that struck.
    pub faults: u64,
    /// Processes that ended.
    pub crashes: u64,
    /// Calls, commits and webhooks up to the end of the story: later ones meet no fault.
    pub told: Told,
    /// What an operator had to release.
    pub released: u64,
    /// Time that passed in the run.
    pub time: Duration,
    /// The same for the same run.
    pub fingerprint: u64,
    /// Every call, fault and act, when it was asked for.
    pub transcript: Vec<String>,
    end: Vec<String>,
}

/// Runs a schedule.
///
/// # Errors
/// When the simulation itself cannot be set up.
pub fn run(schedule: &Schedule, transcript: bool) -> anyhow::Result<Report> {
    let town = Town::get()?;
    let expected = expected(&town, schedule.story)?;
    let base = town.base(schedule.story)?;
    let (_, mut report) = in_virtual_time(schedule.seed, go(&town, base, schedule, transcript))?;
    let undisturbed = schedule.interference.is_empty();
    if undisturbed && Story::CORE.contains(&schedule.story) && report.violations.is_empty() {
        report.violations = outcome::difference(&expected, &report.end);
    }
    Ok(report)
}

/// Runs a future where time moves when everybody waits, and where the program's lots are drawn from the seed.
pub(crate) fn in_virtual_time<T>(seed: u64, future: impl Future<Output = T>) -> anyhow::Result<T> {
    fastrand::seed(seed);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime
        .enable_time()
        .start_paused(true)
        .build()
        .context("the simulation's runtime cannot be made")?;
    Ok(runtime.block_on(future))
}

/// The end of a story without faults.
fn expected(town: &Arc<Town>, story: Story) -> anyhow::Result<Vec<String>> {
    static ENDS: Mutex<Option<HashMap<Story, Vec<String>>>> = Mutex::new(None);
    if let Some(end) = ENDS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get_or_insert_default()
        .get(&story)
    {
        return Ok(end.clone());
    }
    let base = town.base(story)?;
    let (_, report) = in_virtual_time(0, go(town, base, &Schedule::calm(story), true))?;
    if !report.violations.is_empty() {
        anyhow::bail!(
            "{story:?} fails without any fault: {:?}\n{}",
            report.violations,
            report.transcript.join("\n")
        );
    }
    let mut ends = ENDS.lock().unwrap_or_else(PoisonError::into_inner);
    ends.get_or_insert_default().insert(story, report.end.clone());
    Ok(report.end)
}

/// The world after a story without faults.
pub(crate) fn undisturbed(town: &Arc<Town>, story: Story) -> anyhow::Result<(World, Memory, Timestamp)> {
    let base = town.base(story)?;
    let (sim, report) = in_virtual_time(0, go(town, base, &Schedule::calm(story), true))?;
    if !report.violations.is_empty() {
        anyhow::bail!(
            "{story:?} fails without any fault: {:?}\n{}",
            report.violations,
            report.transcript.join("\n")
        );
    }
    Ok((sim.world.copy(), sim.memory.copy(), sim.world.now()))
}

async fn go(
    town: &Arc<Town>,
    base: (World, Memory, Timestamp),
    schedule: &Schedule,
    transcript: bool,
) -> (Arc<Sim>, Report) {
    let began = tokio::time::Instant::now();
    let sim = Sim::new(
        base,
        schedule.replicas,
        fastrand::Rng::with_seed(schedule.seed ^ 0x5eed),
        schedule.faults.clone(),
        schedule.interference.clone(),
        transcript,
    );
    town::start(&sim, town, schedule.replicas);
    let undisturbed = schedule.interference.is_empty();
    let patience = Patience(Duration::from_secs(if undisturbed { 12 * 3600 } else { 3600 }));
    let enough = enough(&sim);
    let released = AtomicU64::new(0);
    let told = tokio::select! {
        biased;
        told = stories::tell(&sim, schedule.story, patience) => told,
        () = enough => Ok(()),
        () = operator(&sim, &released) => Ok(()),
    };
    if let Err(why) = told
        && undisturbed
    {
        sim.violated(why);
    }
    let told = {
        let counts = &sim.locked().counts;
        Told {
            calls: counts.calls,
            commits: counts.commits,
            deliveries: counts.deliveries,
        }
    };
    sim.calm_down();
    converge(&sim, town, &released).await;
    rules::at_the_end(&sim);
    let end = outcome::of(&sim);
    let inner = sim.locked();
    let report = Report {
        violations: inner.violations.clone(),
        calls: inner.counts.calls,
        write_calls: inner.counts.write_calls.clone(),
        commits: inner.counts.commits,
        deliveries: inner.counts.deliveries,
        faults: inner.counts.faults,
        crashes: inner.counts.crashes,
        told,
        released: released.into_inner(),
        time: began.elapsed(),
        fingerprint: 0,
        transcript: inner.transcript.clone().unwrap_or_default(),
        end,
    };
    drop(inner);
    let fingerprint = sim.fingerprint();
    sim.close_doors();
    (sim, Report { fingerprint, ..report })
}

/// Never ends; calms the run down when there were enough faults.
async fn enough(sim: &Sim) {
    while sim.locked().counts.faults < MOST_FAULTS {
        sleep(Duration::from_secs(20)).await;
    }
    sim.calm_down();
    std::future::pending::<()>().await;
}

/// Never ends; releases what is held, every hour. What cannot be determined waits for that, however often everything ends.
async fn operator(sim: &Arc<Sim>, released: &AtomicU64) {
    let store = Store::in_memory(&sim.memory);
    loop {
        sleep(Duration::from_secs(3600)).await;
        if let Ok(work) = store.list_work().await {
            let _ = release(sim, &store, &work, released).await;
        }
    }
}

/// An operator has looked at GitLab, as the reasons ask.
async fn release(sim: &Arc<Sim>, store: &Store, work: &[Work], released: &AtomicU64) -> Result<(), String> {
    for held in work.iter().filter(|row| row.state == WorkState::Held) {
        released.fetch_add(1, Ordering::Relaxed);
        let reason = held.reason.clone().unwrap_or_default();
        sim.tell(None, || format!("an operator releases {}: {reason}", held.thing), 3_u8);
        // They were asked to find out who works against us.
        sim.locked().memories.fights_left = 0;
        if let Ok(thing) = held.thing.parse::<Thing>() {
            let done = store.release(&thing, sim.now()).await;
            done.map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// The faults have stopped: all comes to rest, and then nothing is written any more.
async fn converge(sim: &Arc<Sim>, town: &Town, released: &AtomicU64) {
    let store = Store::in_memory(&sim.memory);
    let programs: Vec<Thing> = town
        .programs
        .iter()
        .map(|(program, _)| Thing::Program(program.name.clone()))
        .collect();
    // What the lifeline remembers of people it remembers when it first sees them, which may be any time.
    let lifelines = town
        .programs
        .iter()
        .map(|(program, _)| Thing::Lifeline(program.name.clone()));
    let lifelines: Vec<Thing> = lifelines.collect();
    for also in [&lifelines[..], &[]] {
        if let Err(why) = rest(sim, &store, released).await {
            return sim.violated(why);
        }
        let _ = store.knock(&[&programs, also].concat(), "resync", sim.now()).await;
    }
    if let Err(why) = rest(sim, &store, released).await {
        return sim.violated(why);
    }
    let before = (sim.locked().counts.writes, sim.memory.steps());
    let _ = store.knock(&programs, "resync", sim.now()).await;
    if let Err(why) = rest(sim, &store, released).await {
        return sim.violated(why);
    }
    let after = (sim.locked().counts.writes, sim.memory.steps());
    if before != after {
        sim.violated(format!(
            "a look at what is as it should be wrote something: {before:?} writes and steps, then {after:?}"
        ));
    }
}

/// Waits until nothing is due, in flight or failed. What is held, an operator releases.
async fn rest(sim: &Arc<Sim>, store: &Store, released: &AtomicU64) -> Result<(), String> {
    // Late calls and webhooks end within this.
    let mut pause = Duration::from_secs(1);
    for _ in 0..300 {
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(60));
        let work = store.list_work().await.map_err(|error| error.to_string())?;
        let now = sim.now();
        release(sim, store, &work, released).await?;
        // The brake on removals lets go after a day.
        let is_capped = |row: &Work| {
            let capped = Remark::RemovalsCapped.to_string();
            row.last_error.as_deref() == Some(capped.as_str())
        };
        let busy = work.iter().filter(|row| row.looking || !is_capped(row)).any(|row| {
            row.looking
                || row.state == WorkState::Held
                || row.state == WorkState::Ready
                    && (row.last_error.is_some() || row.due_at.is_some_and(|due| due <= now))
        });
        let busy = busy || sim.stands_still();
        if !busy && pause >= Duration::from_secs(4) {
            return Ok(());
        }
    }
    let work = store.list_work().await.map_err(|error| error.to_string())?;
    Err(format!("does not come to rest: {work:?}"))
}
