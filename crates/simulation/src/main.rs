//! `convenor-simulation`: many schedules, and whether the rules held in all of them.

#![expect(clippy::print_stdout, reason = "a command's output")]

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use convenor_simulation::{Report, Schedule, Story, run, singles};

/// Runs Convenor against faults, in one thread, driven by seeds.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// How many seeds
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Only this seed
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// With --seed: print every call, fault and act
    #[arg(long)]
    trace: bool,
    /// Every single fault at every step point of the core stories, instead of seeds
    #[arg(long)]
    exhaustive: bool,
    /// With --exhaustive: of the reads, strike each so-many-th only
    #[arg(long, default_value_t = 1)]
    every: usize,
    /// Go on after a failure, up to so many
    #[arg(long, default_value_t = 1)]
    failures: usize,
}

#[derive(Default)]
struct Totals {
    schedules: u64,
    calls: u64,
    commits: u64,
    deliveries: u64,
    faults: u64,
    crashes: u64,
    released: u64,
    time: Duration,
    failed: Vec<String>,
}

impl Totals {
    fn add(&mut self, report: &Report) {
        self.schedules += 1;
        self.calls += report.calls;
        self.commits += report.commits;
        self.deliveries += report.deliveries;
        self.faults += report.faults;
        self.crashes += report.crashes;
        self.released += report.released;
        self.time += report.time;
    }

    fn print(&self, began: Instant) {
        let wall = began.elapsed();
        println!(
            "{} schedules, {} calls, {} commits, {} deliveries, {} faults, {} crashes, {} releases by an operator; {:.1} days in {:.1} s \
             ({:.2} ms each); {} failed",
            self.schedules,
            self.calls,
            self.commits,
            self.deliveries,
            self.faults,
            self.crashes,
            self.released,
            self.time.as_secs_f64() / 86_400.0,
            wall.as_secs_f64(),
            wall.as_secs_f64() * 1000.0 / self.schedules.max(1) as f64,
            self.failed.len()
        );
    }
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let began = clock();
    let mut totals = Totals::default();
    let mut try_one = |name: String, schedule: &Schedule| -> anyhow::Result<bool> {
        let report = run(schedule, args.trace)?;
        totals.add(&report);
        if args.trace {
            println!("{}", report.transcript.join("\n"));
        }
        if !report.violations.is_empty() {
            let again = run(schedule, true)?;
            println!("FAILED {name}: {schedule:?}");
            if again.fingerprint != report.fingerprint {
                println!("  the same schedule gave another run: something is left to chance");
            }
            if !args.trace && totals.failed.is_empty() {
                println!("{}", again.transcript.join("\n"));
            }
            for violation in &report.violations {
                println!("  {name}: {violation}");
            }
            totals.failed.push(name);
        }
        Ok(totals.failed.len() < args.failures)
    };
    if args.exhaustive {
        'all: for story in Story::CORE {
            let calm = run(&Schedule::calm(story), false)?;
            for single in singles(story, &calm, args.every) {
                if !try_one(single.words.clone(), &single.schedule)? {
                    break 'all;
                }
            }
        }
    } else {
        let seeds = args
            .seed
            .map_or(args.from..args.from.saturating_add(args.seeds), |seed| seed..seed + 1);
        for seed in seeds {
            if !try_one(format!("seed {seed}"), &Schedule::draw(seed))? {
                break;
            }
        }
    }
    totals.print(began);
    Ok(if totals.failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// How long it took is told, and decides nothing.
fn clock() -> Instant {
    Instant::now()
}
