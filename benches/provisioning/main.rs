//! Which calls a community takes from its approval to its merge request, and how many of them one after the other.
//!
//! `cargo bench --bench provisioning -- --help`. The real looker, planner and applier work against the sandbox in this process; each
//! call takes so long. Once in virtual time, where the clock moves only while a call is awaited: that is the depth of the calls,
//! exactly; and, with `--wall`, in real time with an SQLite file.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark ends where it fails, and prints its figures"
)]

mod founding;

use std::time::Duration;

use clap::Parser;
use convenor::store::{Memory, Store};
use founding::{Founding, found};

#[derive(Parser)]
struct Args {
    /// Milliseconds that each call takes
    #[arg(long, default_value_t = 100)]
    latency: u64,
    /// Real time too, so often, with an SQLite file
    #[arg(long, default_value_t = 0)]
    wall: usize,
    /// Every call
    #[arg(long)]
    calls: bool,
    /// Cargo says this
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let args = Args::parse();
    let latency = Duration::from_millis(args.latency);
    println!(
        "way              | until done: reads  writes  depth | from the project on: reads  writes  depth | until it is filled: depth | calls after"
    );
    for graphql in [true, false] {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let founding =
            runtime.block_on(async { found(latency, graphql, Store::in_memory(&Memory::default()), None).await });
        show(if graphql { "GraphQL" } else { "REST" }, &founding);
        if args.calls {
            for call in &founding.calls {
                println!(
                    "{:>7.2} {:>7.2}  {} {:<6} {} {}",
                    call.began,
                    call.ended,
                    if call.writes { "W" } else { "r" },
                    call.method,
                    call.status,
                    call.what
                );
            }
        }
        let mut walls: Vec<f64> = (0..args.wall).map(|_| in_real_time(latency, graphql)).collect();
        walls.sort_by(f64::total_cmp);
        if let Some(median) = walls.get(walls.len() / 2) {
            println!(
                "{:<16} | {median:.2} latencies of {} ms, median of {}",
                "  in real time",
                args.latency,
                walls.len()
            );
        }
    }
}

fn in_real_time(latency: Duration, graphql: bool) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let file = convenor::settings::DatabaseUrl::Sqlite(folder.path().join("convenor.db"));
        let store = Store::open(&file).await.unwrap();
        let founding = found(latency, graphql, store, None).await;
        founding.done - founding.project_began()
    })
}

fn show(way: &str, founding: &Founding) {
    assert_eq!(founding.violations, Vec::<String>::new());
    let (reads, writes) = founding.until_done();
    let (made_reads, made_writes) = founding.since_project();
    let (depth, made_depth) = founding.depth();
    println!(
        "{way:<7} | {reads:>24} {writes:>6} {depth:>5} | {made_reads:>26} {made_writes:>6} {made_depth:>5} | {:>21.0} | {:>12}",
        founding.filled() - founding.project_began(),
        founding.afterwards(),
    );
}
