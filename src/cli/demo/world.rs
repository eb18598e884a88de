//! The demo's GitLab with its people, and the service that looks after it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use convenor_core::plan::init::Wishes;
use gitlab_sandbox::{Config, Role, Sandbox};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::super::serve::Service;
use crate::apply::{Applier, Outcome, Progress};
use crate::assemble;
use crate::cli::{init, print};
use crate::clock::Clock;
use crate::hooks::{HookSecrets, OwnHooks};
use crate::observe::Observer;
use crate::settings::Settings;
use crate::store::Store;

/// The group of the communities.
pub(super) const GROUP: &str = "acme/communities-of-practice";
/// The project whose issues are proposals.
pub(super) const INTAKE: &str = "acme/communities-of-practice/intake";
/// The handbook's project.
pub(super) const HANDBOOK: &str = "acme/handbook";
/// The page with the table.
pub(super) const PAGE: &str = "content/handbook/communities-of-practice.md";

/// Sorted rows, a malformed one, an inactive facilitator, a `TBD` and a cell in prose, as real pages have them.
const PAGE_TEXT: &str = include_str!("page.md");

/// Everything that runs during the demo.
pub(super) struct World {
    /// The GitLab.
    pub(super) gitlab: Sandbox,
    service: JoinHandle<()>,
    quiet: Arc<AtomicBool>,
    _folder: Folder,
}

/// A folder for the database that goes with the demo.
struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed stays in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl World {
    /// Starts the GitLab and the service, and runs `init`.
    pub(super) async fn start(stop: CancellationToken) -> anyhow::Result<Self> {
        let gitlab = Sandbox::start(Config::default()).context("the sandbox cannot listen on 127.0.0.1")?;
        let token = people(&gitlab).context("the sandbox refuses its own seed")?;
        let folder = Folder(std::env::temp_dir().join(format!("convenor-demo-{}", uuid::Uuid::new_v4())));
        std::fs::create_dir_all(&folder.0).context("the folder for temporary files cannot be written")?;
        let settings = settings(&gitlab, &folder, &token)?;
        let (store, clock) = (Store::open(&settings.database.url).await?, Clock::system());
        let client = assemble::client(&settings)?;
        let planner = assemble::planner(&settings, &client, store.clone(), clock.clone())?;
        let looker = assemble::looker(&settings, &client, planner, store.clone(), clock.clone());
        let quiet = Arc::new(AtomicBool::new(false));
        let looker = looker.with_progress(show_steps(quiet.clone()));
        let service = Service::start(&settings, store.clone(), clock.clone(), Arc::new(looker)).await?;
        print("convenor init\n");
        let applier = Applier::new(client.writer(), store, clock, HookSecrets::new(&settings.webhook));
        let own = OwnHooks::new(&settings);
        for program in &settings.programs {
            let observer = Observer::new(client.reader(), program.program.clone());
            init::set_up(&observer, &own, Some(&applier), Wishes::default(), &mut |line| {
                print(&format!("  {line}"));
            })
            .await?;
        }
        let service = tokio::spawn(service.run(stop));
        Ok(Self {
            gitlab,
            service,
            quiet,
            _folder: folder,
        })
    }

    /// No more steps are shown.
    pub(super) fn hush(&self) {
        self.quiet.store(true, Ordering::Relaxed);
    }

    /// Where to look at it.
    pub(super) fn url(&self) -> String {
        format!("{}/{GROUP}", self.gitlab.url())
    }

    /// Waits until the service has ended.
    pub(super) async fn end(self) {
        // A service that panicked has nothing left to end.
        let _ = self.service.await;
    }
}

/// Each step as it is done, in its own words.
fn show_steps(quiet: Arc<AtomicBool>) -> Progress {
    Arc::new(move |_, step, outcome| {
        if quiet.load(Ordering::Relaxed) {
            return;
        }
        let sign = match outcome {
            Outcome::Done => "+",
            Outcome::Failed(_) => "!",
        };
        print(&format!("    {sign} {step}\n"));
    })
}

fn people(gitlab: &Sandbox) -> Result<String, gitlab_sandbox::Refused> {
    gitlab.add_group_with("acme", "public")?;
    gitlab.add_group_with(GROUP, "public")?;
    gitlab.add_project_with(
        INTAKE,
        "public",
        &[("README.md", "# Proposals\n\nOpen an issue to propose a community.\n")],
    )?;
    gitlab.add_project_with(HANDBOOK, "public", &[(PAGE, PAGE_TEXT)])?;
    for (name, about) in [
        ("agile", "How teams plan and deliver."),
        ("kubernetes", "Running containers in production."),
        ("value-stream-management", "From idea to value, measured."),
    ] {
        let readme = format!("# {name}\n\n{about}\n");
        gitlab.add_project_with(&format!("{GROUP}/{name}"), "public", &[("README.md", &readme)])?;
    }
    for name in ["darwinjs", "brianwald", "bzhang7"] {
        gitlab.add_user(name);
    }
    gitlab.add_member(GROUP, "alice", Role::Reporter)?;
    gitlab.add_member("acme", "maintainer", Role::Maintainer)?;
    gitlab.add_bot("convenor-bot");
    gitlab.add_member("acme", "convenor-bot", Role::Owner)?;
    Ok(gitlab.add_token("convenor-bot"))
}

/// An address that is known before anybody listens there: the service renews webhooks that lead elsewhere, so its settings have to say from the
/// first look on where it is.
fn free_address() -> std::io::Result<std::net::SocketAddr> {
    std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

fn settings(gitlab: &Sandbox, folder: &Folder, token: &str) -> anyhow::Result<Settings> {
    let text = format!(
        "[server]\nlisten = \"{}\"\n[gitlab]\nurl = \"{}\"\nrate_share = \"100%\"\n\
         [log]\nfilter = \"error\"\n\
         [[program]]\nname = \"cop\"\ngroup = \"{GROUP}\"\nintake = \"{INTAKE}\"\n\
         [program.handbook]\nproject = \"{HANDBOOK}\"\npage = \"{PAGE}\"\nheading = \"Current communities\"\n",
        free_address().context("nothing can listen on 127.0.0.1")?,
        gitlab.url()
    );
    let database = format!("sqlite://{}", folder.0.join("convenor.db").display());
    let secret = uuid::Uuid::new_v4().to_string();
    let environment = [
        ("CONVENOR_GITLAB__TOKEN", token),
        ("CONVENOR_WEBHOOK__SECRET_TOKEN", secret.as_str()),
        ("CONVENOR_DATABASE__URL", database.as_str()),
    ];
    let environment: BTreeMap<String, String> = environment
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    Ok(Settings::parse(&text, &environment)?)
}
