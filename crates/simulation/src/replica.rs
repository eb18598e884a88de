//! One replica of the service, as `convenor serve` runs it, but for the sockets: intake, workers, schedule; and its end and
//! beginning again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use convenor::apply::Applier;
use convenor::assemble;
use convenor::hooks::{HookSecrets, OwnHooks};
use convenor::intake::{self, Budget, Intake, Secrets};
use convenor::look::{GitLabLooker, Planner};
use convenor::observe::Observer;
use convenor::store::{Store, StoreError};
use convenor::worker::{Retention, Schedule, Worker};
use convenor_core::thing::Thing;
use http_body_util::Full;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use jiff::SignedDuration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use warp::Filter;

use crate::gate::CommitGate;
use crate::sim::{Sim, Who};
use crate::town::Town;
use crate::wire::Wire;

/// A started process looks for due work this often, as the real one does, only not every second.
const POLL: Duration = Duration::from_secs(10);
/// Looks at a time in each replica.
const WORKERS: usize = 2;
/// A process that ended is started again after so long.
const RESTART: Duration = Duration::from_secs(3);

type Answer = std::pin::Pin<Box<dyn Future<Output = Option<u16>> + Send>>;

/// The webhook door of a life.
#[derive(Clone)]
pub(crate) struct Door(Arc<dyn Fn(http::Request<Full<Bytes>>) -> Answer + Send + Sync>);

impl Door {
    /// One delivery; the status of the answer, if there is one.
    pub(crate) async fn knock(&self, headers: &[(String, String)], body: &str) -> Option<u16> {
        let mut request = http::Request::post("/webhooks/gitlab");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
        (self.0)(request.body(body).ok()?).await
    }
}

/// Keeps a replica running: whenever it crashes, it is started again.
pub(crate) async fn keep(sim: Arc<Sim>, town: Arc<Town>, replica: usize) {
    for life in 1.. {
        let who = Who { replica, life };
        {
            let mut inner = sim.locked();
            inner.replicas[replica].life = life;
            inner.replicas[replica].alive = true;
        }
        sim.tell(Some(who), || "starts".to_owned(), life);
        let process = tokio::spawn(live(sim.clone(), town.clone(), who));
        sim.crashed(replica).await;
        process.abort();
        sim.tell(Some(who), || "crashes".to_owned(), life);
        sleep(RESTART).await;
    }
}

async fn live(sim: Arc<Sim>, town: Arc<Town>, who: Who) {
    let gate = CommitGate {
        sim: sim.clone(),
        who,
        then: std::sync::Mutex::default(),
    };
    let store = Store::in_memory(&sim.memory.behind(Arc::new(gate)));
    let wire = Wire { sim: sim.clone(), who };
    let client = match assemble::client_over(Arc::new(wire), &town.settings) {
        Ok(client) => client,
        Err(error) => return sim.violated(format!("no client: {error}")),
    };
    let clock = sim.clock();
    let programs = town
        .programs
        .iter()
        .map(|(program, blueprint)| (Observer::new(client.reader(), program.clone()), blueprint.clone()))
        .collect();
    let planner = Planner::new(programs, store.clone(), clock.clone()).with_webhooks(OwnHooks::new(&town.settings));
    let secrets = HookSecrets::new(&town.settings.webhook);
    let applier = Applier::new(client.writer(), store.clone(), clock.clone(), secrets);
    let looker = GitLabLooker::new(planner, applier, town.settings.schedule.resync)
        .with_anyway(town.settings.schedule.look_anyway)
        .with_lifeline(town.settings.schedule.lifeline)
        .with_budget(town.settings.worker.writes_per_hour);
    let worker = Worker::new(store.clone(), Arc::new(looker), clock.clone(), town.settings.worker);
    let schedule = Schedule {
        store: store.clone(),
        clock,
        programs: town
            .programs
            .iter()
            .map(|(program, _)| Thing::Program(program.name.clone()))
            .collect(),
        // A new project knocks on it; by the clock it is not looked at here.
        lifelines: Vec::new(),
        resync: town.settings.schedule.resync,
        retention: Retention {
            deliveries: town.settings.database.keep_deliveries,
            delivery_bytes: town.settings.database.most_deliveries as u64,
            journal: town.settings.database.keep_journal,
        },
    };
    sim.locked().replicas[who.replica].door = door(&sim, &town, &store);
    let stop = CancellationToken::new();
    let workers = (0..WORKERS).map(|_| work(&sim, &store, &worker));
    let workers: Vec<_> = workers.map(Box::pin).collect();
    let mut workers = workers.into_iter();
    match (workers.next(), workers.next()) {
        (Some(one), Some(two)) => {
            tokio::join!(schedule.run(stop), one, two);
        }
        _ => schedule.run(stop).await,
    }
}

/// As a worker's task: looks at whatever is due, else waits.
async fn work(sim: &Arc<Sim>, store: &Store, worker: &Worker<GitLabLooker>) {
    loop {
        match worker.run_due_once().await {
            Ok(Some(looked)) => {
                sim.tell(None, || format!("looked at {}: {:?}", looked.thing, looked.look), 2_u8);
                continue;
            }
            Ok(None) => {}
            Err(StoreError::Closed) => return,
            Err(_) => sleep(Duration::from_secs(1)).await,
        }
        let due = store.next_due().await.ok().flatten();
        let wait = due.map_or(POLL, |due| {
            let wait = due.duration_since(sim.now()).max(SignedDuration::from_millis(1));
            Duration::try_from(wait).unwrap_or(POLL).min(POLL)
        });
        tokio::select! {
            biased;
            () = store.knocked() => {}
            () = sleep(wait) => {}
        }
    }
}

fn door(sim: &Arc<Sim>, town: &Town, store: &Store) -> Option<Door> {
    let routes = intake::routes(Arc::new(Intake {
        secrets: Secrets::new(&town.settings.webhook)?,
        store: store.clone(),
        clock: sim.clock(),
        programs: town.programs.iter().map(|(program, _)| program.clone()).collect(),
        budget: Budget::new(town.settings.server.body_memory),
        body_timeout: town.settings.server.body_timeout,
        keep_all_bodies: town.settings.database.keep_bodies == convenor::settings::KeepBodies::All,
    }));
    let service = TowerToHyperService::new(warp::service(routes.map(|answer: warp::reply::Response| answer)));
    Some(Door(Arc::new(move |request| {
        let answer = service.call(request);
        Box::pin(async move { answer.await.ok().map(|answer| answer.status().as_u16()) })
    })))
}
