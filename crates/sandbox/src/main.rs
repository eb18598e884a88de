//! The sandbox as a program of its own: `gitlab-sandbox --seed crates/sandbox/seeds/example.yml --port 8929`.

use anyhow::{Context as _, Result};
use clap::Parser;
use gitlab_sandbox::{Clock, Config, Sandbox, Seed};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A fake GitLab on this machine: API, webhooks, pages to look at. Nothing is kept when it ends.
///
/// It answers only this machine. The control door below /sandbox/ lets tests in any language act as anybody, add faults and move
/// the clock; the crate's README lists its calls.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// YAML file that describes the world to begin with
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,
    /// TCP port on 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Free instead of Premium: no group hooks, no scoped-label exclusivity
    #[arg(long)]
    free: bool,
    /// Switch GitLab's rate limits on
    #[arg(long)]
    rate_limits: bool,
    /// Milliseconds that every answer takes longer
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
    /// A clock that starts at this time (2026-03-05T09:00:00Z) and moves only by `POST /sandbox/clock`
    #[arg(long, value_name = "TIME")]
    clock: Option<jiff::Timestamp>,
    /// Number that all chance is drawn from: the same number and calls give the same run
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    chance: u64,
    /// Keep webhooks until `POST /sandbox/hooks/deliver`
    #[arg(long)]
    hold_hooks: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut config = if arguments.free {
        Config::free()
    } else {
        Config::default()
    };
    config.port = arguments.port;
    config.rate_limits = arguments.rate_limits;
    config.send_hooks = !arguments.hold_hooks;
    config.latency = Duration::from_millis(arguments.latency);
    config.seed = arguments.chance;
    if let Some(start) = arguments.clock {
        config.clock = Clock::Virtual(start);
    }
    let gitlab = Sandbox::start(config).context("the sandbox cannot start")?;
    if let Some(path) = &arguments.seed {
        let text = read_seed(path)?;
        let seed = Seed::from_yaml(&text).with_context(|| path.display().to_string())?;
        gitlab.sow(&seed).with_context(|| path.display().to_string())?;
    }
    let admin = gitlab.add_token("root");
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "GitLab sandbox at {0}\n  pages    {0}/\n  API      {0}/api/v4\n  control  {0}/sandbox/\n  token of root: {admin}",
        gitlab.url()
    )?;
    out.flush()?;
    drop(out);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::signal::ctrl_c())?;
    Ok(())
}

/// The file as named, or the crate's own example of that name.
fn read_seed(path: &Path) -> Result<String> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let chosen = if path.exists() { path } else { own.as_path() };
    std::fs::read_to_string(chosen).with_context(|| format!("{} cannot be read", path.display()))
}
