//! The town of every run: a public group with an intake and a handbook, people, a bot, `convenor init` done. It is set up
//! once and copied for each run.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use convenor::apply::Applier;
use convenor::assemble;
use convenor::cli::init;
use convenor::hooks::{HookSecrets, OwnHooks};
use convenor::observe::Observer;
use convenor::settings::Settings;
use convenor::store::{Memory, Store};
use convenor_core::plan::init::Wishes;
use convenor_core::plan::wanted::Blueprint;
use convenor_core::program::Program;
use gitlab_sandbox::{Config, Role, World};
use jiff::Timestamp;

use crate::faults::Faults;
use crate::people::Interference;
use crate::replica::keep;
use crate::run;
use crate::sim::{Sim, Who};
use crate::stories::Story;
use crate::wire::Wire;

pub(crate) const GROUP: &str = "acme/cops";
pub(crate) const INTAKE: &str = "acme/cops/intake";
pub(crate) const HANDBOOK: &str = "acme/handbook";
pub(crate) const PAGE_PATH: &str = "content/cop.md";
/// The community of the stories.
pub(crate) const COMMUNITY: &str = "acme/cops/rust-at-work";
pub(crate) const BOT: &str = "convenor-bot";
const SECRET: &str = "a-secret-of-at-least-24-characters";
const URL: &str = "https://gitlab.example.com";

const PAGE: &str = "\
---
title: Communities of Practice
---

## Current communities

| Subject | Facilitator |
| ------- | ----------- |
| [Agile](https://gitlab.example.com/acme/agile) | Lead: [Bart Zhang (@bzhang7)](https://gitlab.example.com/bzhang7), Co-Leads: @brian |
| Defending against GitHub]| @darwinjs |
| Kubernetes | TBD |
| Security | @sam (inactive) |
| Value Streams | [Vera](https://gitlab.example.com/vera) |

## Past communities

Nothing yet — and “mojibake” like Ã© stays.
";

/// Set up once.
pub(crate) struct Town {
    pub(crate) settings: Settings,
    pub(crate) programs: Vec<(Program, Blueprint)>,
    empty: Base,
    founded: OnceLock<Base>,
    gathered: OnceLock<Base>,
}

/// Where runs begin.
pub(crate) struct Base {
    world: World,
    memory: Memory,
    at: Timestamp,
}

impl Base {
    pub(crate) fn copy(&self) -> (World, Memory, Timestamp) {
        (self.world.copy(), self.memory.copy(), self.at)
    }
}

impl Town {
    /// The one town of this process.
    ///
    /// # Errors
    /// When it cannot be set up: a fault of the simulation or of `convenor init`.
    pub(crate) fn get() -> anyhow::Result<Arc<Self>> {
        static TOWN: OnceLock<Arc<Town>> = OnceLock::new();
        if let Some(town) = TOWN.get() {
            return Ok(town.clone());
        }
        let town = Arc::new(run::in_virtual_time(1, set_up())??);
        Ok(TOWN.get_or_init(|| town).clone())
    }

    /// Where a story begins.
    ///
    /// # Errors
    /// When the story before it does not end well without faults.
    pub(crate) fn base(self: &Arc<Self>, story: Story) -> anyhow::Result<(World, Memory, Timestamp)> {
        let (before, base) = match story {
            Story::Found | Story::Gather => return Ok(self.empty.copy()),
            Story::Change | Story::Retire => (Story::Found, &self.founded),
            Story::Purge => (Story::Gather, &self.gathered),
        };
        if base.get().is_none() {
            let (world, memory, at) = run::undisturbed(self, before)?;
            let _ = base.set(Base { world, memory, at });
        }
        Ok(base.get().context("set just now")?.copy())
    }
}

async fn set_up() -> anyhow::Result<Town> {
    let base: Timestamp = "2026-03-02T09:00:00Z".parse()?;
    let world = World::in_process(Config::still(base), URL);
    let token = people(&world).map_err(|refused| anyhow::anyhow!("{refused:?}"))?;
    let settings = settings(&token)?;
    let mut programs = Vec::new();
    for program in &settings.programs {
        programs.push((program.program.clone(), assemble::blueprint(program)?));
    }
    let sim = Sim::new(
        (world, Memory::default(), base),
        1,
        fastrand::Rng::with_seed(1),
        Faults::None,
        Interference::default(),
        false,
    );
    let who = Who { replica: 0, life: 1 };
    sim.locked().replicas[0].life = 1;
    sim.locked().replicas[0].alive = true;
    let wire = Wire { sim: sim.clone(), who };
    let client = assemble::client_over(Arc::new(wire), &settings)?;
    let store = Store::in_memory(&sim.memory);
    let secrets = HookSecrets::new(&settings.webhook);
    let applier = Applier::new(client.writer(), store, sim.clock(), secrets);
    let own = OwnHooks::new(&settings);
    for (program, _) in &programs {
        let observer = Observer::new(client.reader(), program.clone());
        init::set_up(&observer, &own, Some(&applier), Wishes::default(), &mut |_| {}).await?;
    }
    sim.sync();
    let empty = Base {
        world: sim.world.copy(),
        memory: Memory::default(),
        at: sim.now(),
    };
    Ok(Town {
        settings,
        programs,
        empty,
        founded: OnceLock::new(),
        gathered: OnceLock::new(),
    })
}

fn people(gitlab: &World) -> Result<String, gitlab_sandbox::Refused> {
    gitlab.add_group_with("acme", "public")?;
    gitlab.add_group_with(GROUP, "public")?;
    gitlab.add_project_with(INTAKE, "public", &[("README.md", "# Intake\n")])?;
    gitlab.add_project_with(HANDBOOK, "public", &[(PAGE_PATH, PAGE)])?;
    for name in ["darwinjs", "brianwald", "alice", "bob", "outsider"] {
        gitlab.add_user(name);
    }
    gitlab.add_member(GROUP, "proposer", Role::Reporter)?;
    gitlab.add_member("acme", "maintainer", Role::Maintainer)?;
    gitlab.add_member("acme", "owner", Role::Owner)?;
    gitlab.add_bot(BOT);
    gitlab.add_member("acme", BOT, Role::Owner)?;
    Ok(gitlab.add_token(BOT))
}

fn settings(token: &str) -> anyhow::Result<Settings> {
    let text = format!(
        "[server]\npublic_url = \"https://convenor.example.com\"\n[gitlab]\nurl = \"{URL}\"\nrate_share = \"100%\"\n\
         [worker]\nwrites_per_hour = 100\n[[program]]\nname = \"cop\"\ngroup = \"{GROUP}\"\nintake = \"{INTAKE}\"\napproval = \"always\"\n\
         [program.handbook]\nproject = \"{HANDBOOK}\"\npage = \"{PAGE_PATH}\"\nheading = \"Current communities\"\n",
    );
    let environment: BTreeMap<String, String> = [
        ("CONVENOR_GITLAB__TOKEN", token),
        ("CONVENOR_WEBHOOK__SECRET_TOKEN", SECRET),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect();
    Settings::parse(&text, &environment).map_err(|faults| anyhow::anyhow!("{faults}"))
}

/// Starts the replicas; they run until the runtime ends.
pub(crate) fn start(sim: &Arc<Sim>, town: &Arc<Town>, replicas: usize) {
    for replica in 0..replicas {
        tokio::spawn(keep(sim.clone(), town.clone(), replica));
    }
}
