//! `convenor-simulation`: many schedules, and whether the rules held in all of them.

#![expect(clippy::print_stdout, reason = "a command's output")]

use std::num::NonZero;
use std::ops::Range;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Parser;
use convenor_simulation::{Report, Schedule, Single, Story, Strides, run, singles};

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
    /// Only this schedule, such as `Found, call 33: Short, call 50: DeleteBoard, 2 replicas`; several may be given
    #[arg(long, conflicts_with_all = ["seeds", "from", "seed", "exhaustive"])]
    schedule: Vec<Schedule>,
    /// With --seed or --schedule: print every call, fault and act
    #[arg(long)]
    trace: bool,
    /// Every single fault at every step point of the core stories, instead of seeds
    #[arg(long)]
    exhaustive: bool,
    /// With --exhaustive: one more fault in this schedule, instead of one in each core story
    #[arg(long)]
    around: Option<Schedule>,
    /// With --exhaustive: of the reads, strike each so-many-th only
    #[arg(long, default_value_t = 1)]
    every: u64,
    /// With --exhaustive: what people do in between as well, at each so-many-th call (at each, where no number is given)
    #[arg(long, default_value_t = 0, num_args = 0..=1, default_missing_value = "1")]
    people: u64,
    /// With --people: the first call at which they do
    #[arg(long, default_value_t = 0)]
    people_from: u64,
    /// With --exhaustive: only those whose words (story, call, fault or act) hold this
    #[arg(long, default_value = "")]
    only: String,
    /// Runs at a time (as many as there are processors)
    #[arg(long)]
    jobs: Option<NonZero<usize>>,
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

/// What is to be run.
enum Work {
    Seeds(Range<u64>),
    Singles(Vec<Single>),
    These(Vec<Schedule>),
}

impl Work {
    /// The schedule of a number from 0, with its name.
    fn get(&self, number: u64) -> Option<(String, Schedule)> {
        match self {
            Self::Seeds(seeds) => {
                let seed = seeds.start.checked_add(number).filter(|seed| seeds.contains(seed))?;
                Some((format!("seed {seed}"), Schedule::draw(seed)))
            }
            Self::Singles(all) => {
                let single = all.get(usize::try_from(number).ok()?)?;
                Some((single.words.clone(), single.schedule.clone()))
            }
            Self::These(all) => {
                let schedule = all.get(usize::try_from(number).ok()?)?;
                Some((schedule.to_string(), schedule.clone()))
            }
        }
    }
}

/// Every single fault of every story that is asked for. A story that fails without any is told at once.
fn singles_of(args: &Args) -> anyhow::Result<Vec<Single>> {
    let mut all = Vec::new();
    let bases = match &args.around {
        Some(base) => vec![base.clone()],
        None => Story::CORE.map(Schedule::calm).to_vec(),
    };
    for base in bases {
        let calm = run(&base, false)?;
        let strides = Strides {
            reads: args.every,
            acts: args.people,
            first_act: args.people_from,
        };
        let asked = singles(&base, &calm, strides).into_iter();
        all.extend(asked.filter(|single| single.words.contains(&args.only)));
    }
    Ok(all)
}

/// Runs one, and tells when it fails. Whoever holds the totals prints.
fn try_one(args: &Args, name: &str, schedule: &Schedule, totals: &Mutex<Totals>) -> anyhow::Result<()> {
    let report = run(schedule, args.trace)?;
    let again = match report.violations.is_empty() {
        true => None,
        false => Some(run(schedule, true)?),
    };
    let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
    totals.add(&report);
    if args.trace {
        println!("{}", report.transcript.join("\n"));
    }
    let Some(again) = again else { return Ok(()) };
    println!("FAILED {name}");
    if again.fingerprint != report.fingerprint {
        println!("  the same schedule gave another run: something is left to chance");
    }
    if !args.trace && totals.failed.is_empty() {
        println!("{}", again.transcript.join("\n"));
    }
    for violation in &report.violations {
        println!("  {name}: {violation}");
    }
    totals.failed.push(name.to_owned());
    Ok(())
}

/// Takes one after the other until there is no more, or too many failed.
fn work_off(args: &Args, work: &Work, next: &AtomicU64, totals: &Mutex<Totals>) -> anyhow::Result<()> {
    while let Some((name, schedule)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
        if let Err(error) = try_one(args, &name, &schedule, totals) {
            next.store(u64::MAX / 2, Ordering::Relaxed);
            return Err(error);
        }
        let failed = totals.lock().unwrap_or_else(PoisonError::into_inner).failed.len();
        if failed >= args.failures {
            next.store(u64::MAX / 2, Ordering::Relaxed);
        }
    }
    Ok(())
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let began = clock();
    let work = if args.exhaustive {
        Work::Singles(singles_of(&args)?)
    } else if !args.schedule.is_empty() {
        Work::These(args.schedule.clone())
    } else {
        let seeds = args.from..args.from.saturating_add(args.seeds);
        Work::Seeds(args.seed.map_or(seeds, |seed| seed..seed + 1))
    };
    let (next, totals) = (AtomicU64::new(0), Mutex::new(Totals::default()));
    let jobs = args
        .jobs
        .or_else(|| std::thread::available_parallelism().ok())
        .map_or(1, NonZero::get);
    // Each run has a thread, a clock and lots of its own, so several at a time are the same as one after the other.
    let ended: Vec<anyhow::Result<()>> = std::thread::scope(|threads| {
        let all: Vec<_> = (0..jobs)
            .map(|_| threads.spawn(|| work_off(&args, &work, &next, &totals)))
            .collect();
        let ended = all.into_iter().map(|thread| thread.join());
        ended
            .map(|end| end.unwrap_or_else(|_| Err(anyhow::anyhow!("a run panicked"))))
            .collect()
    });
    let totals = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
    totals.print(began);
    for end in ended {
        if let Err(error) = end {
            println!("  {error:#}");
            return Ok(ExitCode::FAILURE);
        }
    }
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
