//! `convenor serve`: webhook intake, workers, schedule.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use convenor_core::thing::Thing;
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;
use tokio::runtime::{Handle, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use warp::Filter as _;

use super::{Context, open_store};
use crate::assemble;
use crate::clock::Clock;
use crate::gitlab::Client;
use crate::intake::{self, Budget, Intake, Secrets};
use crate::server::{self, Limits};
use crate::settings::{self, KeepBodies, Settings};
use crate::status::{self, Status};
use crate::store::{Claim, Store};
use crate::telemetry::metrics::Metrics;
use crate::worker::{Look, Looker, Retention, Schedule, Worker};

/// Arguments of `convenor serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) async fn run(_: Args, context: &Context) -> anyhow::Result<ExitCode> {
    let settings = context.settings_of_the_service()?;
    if Secrets::new(&settings.webhook).is_none() {
        bail!(NO_SECRET);
    }
    let clock = Clock::system();
    let store = open_store(&settings)
        .await
        .context("the database cannot be opened (database.url)")?;
    if settings.programs.is_empty() {
        tracing::warn!("no [[program]] is configured: deliveries are stored and nothing is looked at");
        return serve(&settings, store, clock, NoPrograms).await;
    }
    let client = assemble::client(&settings)?.patient();
    let planner = assemble::planner(&settings, &client, store.clone(), clock.clone())?;
    let looker = assemble::looker(&settings, &client, planner, store.clone(), clock.clone());
    if let Some(file) = settings.gitlab.token_file.clone() {
        tokio::spawn(follow_token(file, client.clone()));
    }
    serve(&settings, store, clock, looker).await
}

/// How often it is looked whether the token was rotated. The old one has ended by then; looks that failed are tried again.
const TOKEN_READ: Duration = Duration::from_secs(5);

/// Takes a new token from its file as soon as it is there.
async fn follow_token(file: PathBuf, client: Client) {
    let mut known = settings::token_of(&file).ok().flatten();
    loop {
        tokio::time::sleep(TOKEN_READ).await;
        let read = file.clone();
        // Beside who answers webhooks: a file may lie where reading takes long.
        let token = match tokio::task::spawn_blocking(move || settings::token_of(&read)).await {
            Ok(Ok(Some(token))) => token,
            // A file that is being replaced by hand may be away or empty for a moment.
            Ok(Ok(None) | Err(_)) | Err(_) => continue,
        };
        if known
            .as_ref()
            .is_some_and(|known| known.expose_secret() == token.expose_secret())
        {
            continue;
        }
        match client.use_token(&token) {
            Ok(()) => tracing::info!(file = %file.display(), "the token was rotated; the new one is used from now on"),
            Err(error) => tracing::error!(%error, file = %file.display(), "the new token cannot be used"),
        }
        known = Some(token);
    }
}

async fn serve(settings: &Settings, store: Store, clock: Clock, looker: impl Looker) -> anyhow::Result<ExitCode> {
    let service = Service::start(settings, store, clock, Arc::new(looker)).await?;
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone())?;
    service.run(stop).await;
    Ok(ExitCode::SUCCESS)
}

const NO_SECRET: &str = "no webhook secret is configured, so no delivery could be believed; \
                         set CONVENOR_WEBHOOK__SECRET_TOKEN or CONVENOR_WEBHOOK__SIGNING_TOKEN (or their `_file` keys)";

/// Looks at nothing: there is no program.
struct NoPrograms;

impl Looker for NoPrograms {
    async fn look(&self, claim: &Claim) -> Look {
        Look::Hold {
            reason: format!("{}: the settings have no program (any more)", claim.thing),
        }
    }
}

/// All that serves, ready to run: the address is bound.
pub struct Service<L> {
    listener: TcpListener,
    intake: Arc<Intake>,
    store: Store,
    status: Status,
    worker: Worker<L>,
    schedule: Schedule,
    looks: Looks,
    limits: Limits,
    stop_timeout: Duration,
}

/// Threads of their own for looks: however long they think, deliveries are answered.
struct Looks {
    handle: Handle,
    /// Until it is dropped.
    runtime: Option<Runtime>,
}

impl Looks {
    /// For so many looks at a time.
    fn start(looks: usize) -> std::io::Result<Self> {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        // One more: while all of them think, somebody has to take back the database from whoever holds it, for which deliveries wait.
        let runtime = runtime
            .worker_threads(looks.saturating_add(1))
            .thread_name("looks")
            .enable_all();
        let runtime = runtime.build()?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }
}

impl Drop for Looks {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting for it is not allowed where others are waited for.
            runtime.shutdown_background();
        }
    }
}

impl<L: Looker> Service<L> {
    /// Binds the address.
    ///
    /// # Errors
    /// When no webhook secret is configured, or the address cannot be bound.
    pub async fn start(settings: &Settings, store: Store, clock: Clock, looker: Arc<L>) -> anyhow::Result<Self> {
        let Some(secrets) = Secrets::new(&settings.webhook) else {
            bail!(NO_SECRET);
        };
        let listen = settings.server.listen;
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("cannot listen on {listen} (server.listen)"))?;
        let everything: Vec<Thing> = settings
            .programs
            .iter()
            .map(|program| Thing::Program(program.program.name.clone()))
            .collect();
        let intake = Arc::new(Intake {
            secrets,
            store: store.clone(),
            clock: clock.clone(),
            programs: settings
                .programs
                .iter()
                .map(|program| program.program.clone())
                .collect(),
            keep_all_bodies: settings.database.keep_bodies == KeepBodies::All,
            budget: Budget::new(settings.server.body_memory),
            body_timeout: settings.server.body_timeout,
        });
        let metrics = Metrics::start().context("no figures can be kept for /metrics")?;
        let status = Status {
            store: store.clone(),
            clock: clock.clone(),
            metrics,
        };
        let worker = Worker::new(store.clone(), looker, clock.clone(), settings.worker);
        let schedule = Schedule {
            store: store.clone(),
            clock,
            programs: everything,
            lifelines: settings
                .programs
                .iter()
                .map(|program| Thing::Lifeline(program.program.name.clone()))
                .collect(),
            resync: settings.schedule.resync,
            retention: Retention {
                deliveries: settings.database.keep_deliveries,
                delivery_bytes: settings.database.most_deliveries as u64,
                journal: settings.database.keep_journal,
            },
        };
        let limits = Limits {
            connections: settings.server.max_connections,
            header_timeout: settings.server.header_timeout,
            // The other half is for the work in hand.
            drain: settings.server.stop_timeout / 2,
        };
        Ok(Self {
            listener,
            intake,
            store,
            status,
            worker,
            schedule,
            looks: Looks::start(settings.worker.workers).context("no threads can be had for the looks")?,
            limits,
            stop_timeout: settings.server.stop_timeout,
        })
    }

    /// The address that is listened on.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop`: then the intake ends first, then the work in hand, then the store is closed.
    pub async fn run(self, stop: CancellationToken) {
        if let Ok(address) = self.address() {
            tracing::info!(%address, programs = self.schedule.programs.len(), "serving");
        }
        let intake_is_closed = CancellationToken::new();
        let metrics = self.status.metrics.clone();
        let routes = intake::routes(self.intake).or(status::routes(self.status)).unify();
        let http = async {
            server::serve(self.listener, routes, self.limits, stop.clone()).await;
            intake_is_closed.cancel();
        };
        let time_is_up = async {
            stop.cancelled().await;
            tokio::time::sleep(self.stop_timeout).await;
        };
        let (worker, schedule, closed) = (self.worker, self.schedule, intake_is_closed.clone());
        let work = async move {
            tokio::join!(worker.run(closed.clone()), schedule.run(closed));
        };
        let mut work = self.looks.handle.spawn(work);
        let watched = async {
            // Without looks the service is none: as anywhere else, a panic ends it, and whoever watches it starts it anew.
            if let Err(Ok(panic)) = (&mut work).await.map_err(JoinError::try_into_panic) {
                std::panic::resume_unwind(panic);
            }
        };
        let all = async { tokio::join!(http, watched) };
        tokio::select! {
            _ = all => {}
            () = metrics.keep_up() => {}
            () = time_is_up => tracing::warn!("stopped before the work in hand was done; its leases will end"),
        }
        work.abort();
        // Connections that looks opened live as long as their threads.
        self.store.close().await;
        drop(self.looks);
        tracing::info!("stopped");
    }
}

/// Cancels `stop` on SIGTERM or SIGINT.
fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: no new deliveries, then the work in hand");
        stop.cancel();
    });
    Ok(())
}
