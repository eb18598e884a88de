//! Who looks at what, and when again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use convenor::settings::WorkerSettings;
use convenor::store::{Claim, Store, WorkState};
use convenor::worker::{Look, Looker, Retention, Schedule, Worker};
use convenor_core::thing::Thing;
use tokio_util::sync::CancellationToken;

use super::database::{Database, on_both_databases};
use super::house::{Eyes, Hands, program, proposal, until};

const SETTINGS: WorkerSettings = WorkerSettings {
    workers: 4,
    attempts: 3,
    lease: Duration::from_secs(30),
    writes_per_hour: 600,
};

struct Bench {
    _database: Database,
    store: Store,
    hands: Hands,
}

impl Bench {
    async fn new() -> Self {
        Self::on(Database::sqlite()).await
    }

    async fn on(database: Database) -> Self {
        let store = database.open().await;
        Self {
            _database: database,
            store,
            hands: Hands::new(),
        }
    }

    fn worker<L: Looker>(&self, looker: Arc<L>, settings: WorkerSettings) -> Worker<L> {
        Worker::new(self.store.clone(), looker, self.hands.clock(), settings)
    }

    async fn knock(&self, thing: Thing) {
        self.store.knock(&[thing], "test", self.hands.now()).await.unwrap();
    }

    async fn state(&self) -> (WorkState, i64, Option<String>) {
        let work = self.store.list_work().await.unwrap();
        (work[0].state, work[0].attempts, work[0].last_error.clone())
    }
}

#[tokio::test]
async fn many_knocks_make_one_look_and_the_look_names_the_next() {
    let bench = Bench::new().await;
    let eyes = Eyes::new(Duration::ZERO, |_| Look::Done {
        next: Duration::from_secs(600),
        rest: None,
    });
    let worker = bench.worker(eyes.clone(), SETTINGS);
    for _ in 0..10 {
        bench.knock(proposal(1)).await;
    }
    assert!(worker.run_due_once().await.unwrap().is_some());
    assert_eq!(worker.run_due_once().await.unwrap(), None);
    bench.hands.forward(Duration::from_secs(599));
    assert_eq!(worker.run_due_once().await.unwrap(), None);
    bench.hands.forward(Duration::from_secs(1));
    assert!(worker.run_due_once().await.unwrap().is_some());
    assert_eq!(eyes.seen().len(), 2);
}

#[tokio::test]
async fn a_failed_look_is_tried_again_later_and_given_up_after_the_last_attempt() {
    let bench = Bench::new().await;
    let eyes = Eyes::new(Duration::ZERO, |_| Look::Retry {
        after: None,
        error: "502 from GitLab".to_owned(),
    });
    let worker = bench.worker(eyes.clone(), SETTINGS);
    bench.knock(proposal(1)).await;
    for (attempts, state) in [(1, WorkState::Ready), (2, WorkState::Ready), (3, WorkState::Failed)] {
        worker.run_due_once().await.unwrap().unwrap();
        assert_eq!(
            bench.state().await,
            (state, attempts, Some("502 from GitLab".to_owned()))
        );
        assert_eq!(
            worker.run_due_once().await.unwrap(),
            None,
            "it is not tried again at once"
        );
        bench.hands.forward(Duration::from_secs(3600));
    }
    assert_eq!(worker.run_due_once().await.unwrap(), None);
    // News of the thing is a reason to try once more.
    bench.knock(proposal(1)).await;
    assert!(worker.run_due_once().await.unwrap().is_some());
    assert_eq!(bench.state().await.0, WorkState::Failed);
}

#[tokio::test]
async fn by_turns_a_worker_looks_at_who_waits_longest_and_at_who_came_last() {
    let bench = Bench::new().await;
    let eyes = Eyes::content();
    let worker = bench.worker(eyes.clone(), SETTINGS);
    for number in 0..10 {
        bench.knock(proposal(number)).await;
        bench.hands.forward(Duration::from_secs(1));
    }
    bench.hands.forward(Duration::from_secs(60));
    for number in [100, 101] {
        bench.knock(proposal(number)).await;
        bench.hands.forward(Duration::from_secs(1));
    }
    for _ in 0..6 {
        assert!(worker.run_due_once().await.unwrap().is_some());
    }
    let expected = [0, 101, 1, 100, 2, 9].map(|number| proposal(number).to_string());
    assert_eq!(eyes.seen(), expected);
}

#[tokio::test]
async fn retry_after_is_respected_and_does_not_count_as_giving_up() {
    let bench = Bench::new().await;
    let after = Some(Duration::from_secs(300));
    let eyes = Eyes::new(Duration::ZERO, move |_| Look::Retry {
        after,
        error: "429".to_owned(),
    });
    let worker = bench.worker(eyes.clone(), SETTINGS);
    bench.knock(proposal(1)).await;
    for look in 1..=6 {
        assert!(worker.run_due_once().await.unwrap().is_some(), "look {look}");
        bench.hands.forward(Duration::from_secs(299));
        assert_eq!(worker.run_due_once().await.unwrap(), None, "look {look}");
        bench.hands.forward(Duration::from_secs(60));
    }
    assert_eq!(bench.state().await.0, WorkState::Ready);
}

#[tokio::test]
async fn what_is_held_waits_for_an_operator() {
    let bench = Bench::new().await;
    let eyes = Eyes::new(Duration::ZERO, |_| Look::Hold {
        reason: "two boards; delete one".to_owned(),
    });
    let worker = bench.worker(eyes.clone(), SETTINGS);
    bench.knock(proposal(1)).await;
    worker.run_due_once().await.unwrap().unwrap();
    let work = bench.store.list_work().await.unwrap();
    assert_eq!(
        (work[0].state, work[0].reason.as_deref()),
        (WorkState::Held, Some("two boards; delete one"))
    );
    bench.knock(proposal(1)).await;
    bench.hands.forward(Duration::from_secs(1_000_000));
    assert_eq!(worker.run_due_once().await.unwrap(), None);
    bench.store.release(&proposal(1), bench.hands.now()).await.unwrap();
    assert!(worker.run_due_once().await.unwrap().is_some());
}

#[tokio::test]
async fn a_panic_is_that_looks_failure_and_nobody_elses() {
    let bench = Bench::new().await;
    let eyes = Eyes::new(Duration::ZERO, |thing| {
        assert_ne!(*thing, proposal(1), "a fault of ours");
        Look::Done {
            next: Duration::from_secs(60),
            rest: None,
        }
    });
    let worker = bench.worker(eyes.clone(), SETTINGS);
    bench.knock(proposal(1)).await;
    bench.knock(proposal(2)).await;
    while worker.run_due_once().await.unwrap().is_some() {}
    let work = bench.store.list_work().await.unwrap();
    let failed: Vec<_> = work
        .iter()
        .filter(|row| row.attempts > 0)
        .map(|row| row.thing.as_str())
        .collect();
    assert_eq!((failed, eyes.seen().len()), (vec!["proposal cop#1"], 2));
}

/// Counts how many look at one thing at a time.
struct Crowd {
    at_a_time: [AtomicUsize; 3],
    most: AtomicUsize,
    looks: AtomicUsize,
}

impl Looker for Crowd {
    async fn look(&self, claim: &Claim) -> Look {
        let Thing::Proposal(_, iid) = &claim.thing else {
            panic!("{}", claim.thing)
        };
        let counter = &self.at_a_time[usize::try_from(iid.0).unwrap()];
        let now = counter.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(3)).await;
        counter.fetch_sub(1, Ordering::SeqCst);
        self.looks.fetch_add(1, Ordering::SeqCst);
        Look::Done {
            next: Duration::from_secs(3600),
            rest: None,
        }
    }
}

on_both_databases! { two_workers_never_look_at_one_thing }

async fn two_workers_never_look_at_one_thing(database: Database) {
    let bench = Bench::on(database).await;
    let crowd = Arc::new(Crowd {
        at_a_time: Default::default(),
        most: AtomicUsize::new(0),
        looks: AtomicUsize::new(0),
    });
    let stop = CancellationToken::new();
    // Two services on one database.
    let workers: Vec<_> = (0..2)
        .map(|_| {
            let (worker, stop) = (bench.worker(crowd.clone(), SETTINGS), stop.clone());
            tokio::spawn(async move { worker.run(stop).await })
        })
        .collect();
    for number in 0..150 {
        bench.knock(proposal(number % 3)).await;
    }
    until("an empty queue", async || {
        bench
            .store
            .next_due()
            .await
            .unwrap()
            .filter(|due| *due > bench.hands.now())
    })
    .await;
    stop.cancel();
    for worker in workers {
        worker.await.unwrap();
    }
    assert_eq!(crowd.most.load(Ordering::SeqCst), 1);
    assert!(crowd.looks.load(Ordering::SeqCst) >= 3);
}

#[tokio::test]
async fn a_long_look_keeps_its_lease_and_one_that_lost_it_is_stopped() {
    let bench = Bench::new().await;
    let settings = WorkerSettings {
        lease: Duration::from_millis(300),
        writes_per_hour: 600,
        ..SETTINGS
    };
    let eyes = Eyes::new(Duration::from_millis(700), |_| Look::Done {
        next: Duration::from_secs(60),
        rest: None,
    });
    let worker = bench.worker(eyes.clone(), settings);
    bench.knock(proposal(1)).await;
    assert!(worker.run_due_once().await.unwrap().unwrap().look.is_some());

    bench.knock(proposal(1)).await;
    let look = tokio::spawn({
        let worker = worker.clone();
        async move { worker.run_due_once().await.unwrap().unwrap() }
    });
    until("the look to begin", async || (eyes.seen().len() == 2).then_some(())).await;
    // The clock jumps past the lease and another worker takes the thing.
    bench.hands.forward(Duration::from_secs(10));
    let other = bench
        .store
        .claim(bench.hands.now(), Duration::from_secs(60))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(look.await.unwrap().look, None);
    assert!(
        bench
            .store
            .finish(&other, bench.hands.now(), bench.hands.now())
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_knock_wakes_a_waiting_worker_before_the_next_poll() {
    let bench = Bench::new().await;
    let eyes = Eyes::content();
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let (worker, stop) = (bench.worker(eyes.clone(), SETTINGS), stop.clone());
        async move { worker.run(stop).await }
    });
    // Let the workers find nothing and fall asleep.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let began = std::time::Instant::now();
    bench.knock(proposal(1)).await;
    until("the look", async || (eyes.seen().len() == 1).then_some(())).await;
    assert!(began.elapsed() < Duration::from_millis(700), "{:?}", began.elapsed());
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn every_program_is_looked_at_at_the_start_and_then_by_one_instance_at_a_time() {
    let bench = Bench::new().await;
    let resync = Duration::from_millis(40);
    let stop = CancellationToken::new();
    let instances: Vec<_> = (0..3)
        .map(|_| {
            let schedule = Schedule {
                store: bench.store.clone(),
                clock: bench.hands.clock(),
                programs: vec![program("cop"), program("guilds")],
                lifelines: Vec::new(),
                resync,
                retention: Retention {
                    deliveries: Duration::from_secs(3600),
                    delivery_bytes: u64::MAX,
                    journal: Duration::from_secs(3600),
                },
            };
            let stop = stop.clone();
            tokio::spawn(async move { schedule.run(stop).await })
        })
        .collect();
    let knocks = async || {
        let work = bench.store.list_work().await.unwrap();
        work.iter().map(|row| row.knocks).collect::<Vec<_>>()
    };
    until("the looks at the start", async || {
        (knocks().await == [3, 3]).then_some(())
    })
    .await;
    // The clock stands still: nobody's turn has come, however often the timers ring.
    tokio::time::sleep(resync * 4).await;
    assert_eq!(knocks().await, [3, 3]);
    for round in 1..=3 {
        bench.hands.forward(resync);
        until("the next turn", async || {
            (knocks().await == [3 + round, 3 + round]).then_some(())
        })
        .await;
    }
    stop.cancel();
    for instance in instances {
        instance.await.unwrap();
    }
}
