//! What everybody in a run shares: the world, the time, the faults, what was seen and what was wrong.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use convenor::clock::Clock;
use convenor::store::Memory;
use gitlab_sandbox::{Person, Refused, World};
use http::Response;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use crate::faults::{CallFault, CommitFault, Faults};
use crate::people::{Act, Interference};
use crate::replica::Door;
use crate::rules::Memories;

/// A process stands still for so long: longer than a lease.
const FREEZE: Duration = Duration::from_secs(50);

/// One life of one replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) replica: usize,
    pub(crate) life: u32,
}

/// Everything of one run.
pub(crate) struct Sim {
    pub(crate) world: World,
    pub(crate) memory: Memory,
    began: Instant,
    base: Timestamp,
    crashes: Vec<Arc<Notify>>,
    inner: Mutex<Inner>,
}

/// What changes during a run.
pub(crate) struct Inner {
    pub(crate) rng: fastrand::Rng,
    pub(crate) faults: Faults,
    pub(crate) interference: Interference,
    pub(crate) counts: Counts,
    pub(crate) replicas: Vec<Replica>,
    /// The last answers to reads, for stale ones, and when they were given.
    pub(crate) answers: HashMap<String, (Instant, Response<Bytes>)>,
    pub(crate) memories: Memories,
    pub(crate) violations: Vec<String>,
    pub(crate) transcript: Option<Vec<String>>,
    hash: DefaultHasher,
    /// Whether time between a call and its effect is drawn; else it is always the same.
    pub(crate) jitter: bool,
}

/// What a run came to in numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) calls: u64,
    pub(crate) writes: u64,
    pub(crate) commits: u64,
    pub(crate) deliveries: u64,
    pub(crate) faults: u64,
    pub(crate) crashes: u64,
    /// Things made at GitLab, by kind.
    pub(crate) created: BTreeMap<&'static str, u64>,
    /// Calls that wrote, by number: the step points.
    pub(crate) write_calls: Vec<u64>,
}

/// A replica as its surroundings know it.
#[derive(Clone, Default)]
pub(crate) struct Replica {
    pub(crate) life: u32,
    pub(crate) alive: bool,
    frozen_until: Option<Instant>,
    pub(crate) door: Option<Door>,
}

impl Sim {
    pub(crate) fn new(
        (world, memory, base): (World, Memory, Timestamp),
        replicas: usize,
        rng: fastrand::Rng,
        faults: Faults,
        interference: Interference,
        transcript: bool,
    ) -> Arc<Self> {
        let jitter = !matches!(faults, Faults::None | Faults::At(_));
        let inner = Inner {
            rng,
            faults,
            interference,
            counts: Counts::default(),
            replicas: vec![Replica::default(); replicas],
            answers: HashMap::new(),
            memories: Memories::new(&world),
            violations: Vec::new(),
            transcript: transcript.then(Vec::new),
            hash: DefaultHasher::new(),
            jitter,
        };
        Arc::new(Self {
            world,
            memory,
            began: Instant::now(),
            base,
            crashes: (0..replicas).map(|_| Arc::new(Notify::new())).collect(),
            inner: Mutex::new(inner),
        })
    }

    pub(crate) fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time in the run.
    pub(crate) fn now(&self) -> Timestamp {
        self.base
            .saturating_add(SignedDuration::try_from(self.began.elapsed()).unwrap_or(SignedDuration::MAX))
            .unwrap_or(self.base)
    }

    /// The time as a clock for the program.
    pub(crate) fn clock(self: &Arc<Self>) -> Clock {
        let sim = self.clone();
        Clock::from_fn(move || sim.now())
    }

    /// Brings GitLab's clock up to date.
    pub(crate) fn sync(&self) {
        let behind = self.now().duration_since(self.world.now());
        if behind.is_positive() {
            self.world.advance(behind);
        }
    }

    /// One line of the transcript; it always counts for the run's fingerprint.
    pub(crate) fn tell(&self, who: Option<Who>, line: impl FnOnce() -> String, fingerprint: impl Hash) {
        let at = self.began.elapsed();
        let mut inner = self.locked();
        (at.as_millis(), who.map(|who| (who.replica, who.life))).hash(&mut inner.hash);
        fingerprint.hash(&mut inner.hash);
        if let Some(transcript) = &mut inner.transcript {
            let who = who.map_or("      ".to_owned(), |who| format!("r{}.{:<3}", who.replica, who.life));
            transcript.push(format!("{:>10.3}  {who} {}", at.as_secs_f64(), line()));
        }
    }

    /// What must not be, was.
    pub(crate) fn violated(&self, what: String) {
        self.tell(None, || format!("VIOLATION {what}"), 0_u8);
        let mut inner = self.locked();
        if inner.violations.len() < 20 {
            inner.violations.push(what);
        }
    }

    /// The fingerprint so far.
    pub(crate) fn fingerprint(&self) -> u64 {
        self.locked().hash.finish()
    }

    /// Goes on only while this life lasts and its process does not stand still; else never.
    pub(crate) async fn awake(&self, who: Who) {
        loop {
            let until = {
                let inner = self.locked();
                let replica = &inner.replicas[who.replica];
                if replica.life != who.life || !replica.alive {
                    None
                } else {
                    Some(replica.frozen_until.filter(|until| *until > Instant::now()))
                }
            };
            match until {
                None => std::future::pending::<()>().await,
                Some(None) => return,
                Some(Some(until)) => sleep_until(until).await,
            }
        }
    }

    /// Ends this life; never returns to it.
    pub(crate) async fn crash(&self, who: Who) {
        {
            let mut inner = self.locked();
            inner.replicas[who.replica].alive = false;
            inner.replicas[who.replica].door = None;
            inner.counts.crashes += 1;
        }
        self.crashes[who.replica].notify_one();
        std::future::pending::<()>().await;
    }

    /// Waits for the end of a replica's life.
    pub(crate) async fn crashed(&self, replica: usize) {
        self.crashes[replica].notified().await;
    }

    /// A process stands still for a while. What was under way when it last did has stood still already: that one call or commit takes
    /// longer than any defence waits is not asked.
    pub(crate) fn freeze(&self, who: Who, began: Instant) {
        if !self.stood_still(who, began) {
            self.locked().replicas[who.replica].frozen_until = Some(Instant::now() + FREEZE);
        }
    }

    /// Whether the process stood still since then.
    pub(crate) fn stood_still(&self, who: Who, since: Instant) -> bool {
        let until = self.locked().replicas[who.replica].frozen_until;
        until.is_some_and(|until| until > since)
    }

    /// Whether a process stands still, perhaps with a call half sent.
    pub(crate) fn stands_still(&self) -> bool {
        let replicas = &self.locked().replicas;
        let mut until = replicas.iter().filter_map(|replica| replica.frozen_until);
        until.any(|until| until > Instant::now())
    }

    /// The number of this call, and what goes wrong with it.
    pub(crate) fn next_call(&self, is_write: bool) -> (u64, Option<CallFault>) {
        let mut guard = self.locked();
        let inner = &mut *guard;
        let number = inner.counts.calls;
        inner.counts.calls += 1;
        if is_write {
            inner.counts.write_calls.push(number);
        }
        let fault = inner.faults.call(number, is_write, &mut inner.rng);
        inner.counts.faults += u64::from(fault.is_some());
        (number, fault)
    }

    /// The number of this commit, and what goes wrong with it.
    pub(crate) fn next_commit(&self) -> (u64, Option<CommitFault>) {
        let mut guard = self.locked();
        let inner = &mut *guard;
        let number = inner.counts.commits;
        inner.counts.commits += 1;
        let fault = inner.faults.commit(number, &mut inner.rng);
        inner.counts.faults += u64::from(fault.is_some());
        (number, fault)
    }

    /// Up to `most` milliseconds pass.
    pub(crate) async fn some_time(&self, most: u64) {
        let milliseconds = {
            let mut inner = self.locked();
            if inner.jitter {
                inner.rng.u64(0..=most)
            } else {
                most / 4
            }
        };
        sleep(Duration::from_millis(milliseconds)).await;
    }

    /// What people wanted to do at this call.
    pub(crate) fn acts_at(&self, call: u64) -> Vec<Act> {
        self.locked().interference.take(call)
    }

    /// No faults and no surprises from now on.
    pub(crate) fn calm_down(&self) {
        let mut inner = self.locked();
        inner.faults = Faults::None;
        inner.interference = Interference::default();
        inner.memories.fights_left = 0;
    }

    /// The run is over. A door holds the clock, which holds all of this: left open, the run's world would never be freed.
    pub(crate) fn close_doors(&self) {
        for replica in &mut self.locked().replicas {
            replica.door = None;
        }
    }

    /// A person.
    pub(crate) fn person(&self, name: &str) -> Result<Person, Refused> {
        self.sync();
        self.world.person(name)
    }
}
