//! `convenor demo`: the whole story on a GitLab inside the process.
//!
//! The only room besides the tests that knows the sandbox. It drives the same service as `convenor serve`, over the same
//! HTTP; what it shows is read back from the sandbox.

mod story;
mod world;

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use anyhow::Context as _;
use tokio_util::sync::CancellationToken;

use super::print;

/// Arguments of `convenor demo`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// End after the story; the exit code is 0 only if all of it happened
    #[arg(long)]
    once: bool,
}

/// Tells the story. On a terminal it then keeps running for a look in the browser.
pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let stop = CancellationToken::new();
    let world = world::World::start(stop.clone())
        .await
        .context("the demo's own GitLab and service cannot be started")?;
    let result = story::tell(&world).await;
    // What is done from now on is no part of the story.
    world.hush();
    if result.is_ok() {
        say(
            AnsiColor::Green,
            &format!("All of it happened, in {:.1} s.", began.elapsed().as_secs_f64()),
        );
        if !args.once && std::io::stdout().is_terminal() {
            print(&format!("  Look around: {}\n", world.url()));
            print("  The demo keeps running; Ctrl-C ends it.\n");
            tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
        }
    }
    stop.cancel();
    world.end().await;
    result.map(|()| ExitCode::SUCCESS)
}

fn say(color: AnsiColor, text: &str) {
    let style = Style::new().bold().fg_color(Some(color.into()));
    print(&format!("\n{style}{text}{style:#}\n"));
}

/// Waits until something is true of the sandbox; the story ends when it does not come true.
async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> anyhow::Result<T> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if Instant::now() > deadline {
            anyhow::bail!("waited 30 s in vain for {what}");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
