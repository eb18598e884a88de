//! `convenor adopt`: the first look at an organisation that already has communities.
//!
//! Reports, and writes only what it is told to: a charter by a merge request in the community's project, a row by the
//! community's own look. Each is asked for; without a terminal that takes `--yes`.

use std::io::{BufRead, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use convenor_core::adopt::{self, Action, Finding, Report};
use convenor_core::ids::ProjectId;
use convenor_core::program::Handbook;
use convenor_core::thing::Thing;
use serde::Serialize;

use super::{Context, open_store, print, print_json};
use crate::apply::{Applier, ApplyError, Errand};
use crate::assemble;
use crate::clock::Clock;
use crate::gitlab::Client;
use crate::look::GitLabLooker;
use crate::observe::Observer;
use crate::settings::Settings;
use crate::store::Store;
use crate::worker::{Look, Worker};

/// What the journal names as the cause.
const CAUSE: &str = "convenor adopt";

/// A charter is proposed in two steps; what is still due after so many rounds changes under our hands.
const MOST_ROUNDS: usize = 5;

/// Arguments of `convenor adopt`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Propose what is missing by merge requests, asking for each
    #[arg(long)]
    write: bool,
    /// Do not ask: yes to all
    #[arg(long, requires = "write")]
    yes: bool,
    /// Only this program
    #[arg(long, value_name = "P")]
    program: Option<String>,
    /// Only this project, by its full path or its last part; may be repeated
    #[arg(long, value_name = "PATH")]
    community: Vec<String>,
    /// Print JSON: one report for each program
    #[arg(long)]
    json: bool,
}

/// A report and what was done about it.
#[derive(Serialize)]
struct Adopted {
    #[serde(flatten)]
    report: Report,
    /// What was written, in words.
    done: Vec<String>,
    /// What could not be written, and why.
    failed: Vec<String>,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<ExitCode> {
    let settings = context.settings()?;
    let by_hand = args.write && !args.yes;
    if by_hand && (!std::io::stdin().is_terminal() || args.json) {
        bail!(
            "`adopt --write` asks for each item, which takes a terminal; run it there, or say `--yes` for all of them"
        );
    }
    let client = assemble::client(&settings)?;
    let chosen: Vec<_> = settings
        .programs
        .iter()
        .filter(|program| {
            args.program
                .as_deref()
                .is_none_or(|name| program.program.name.as_str() == name)
        })
        .collect();
    if chosen.is_empty() {
        match &args.program {
            Some(name) => bail!("the settings have no program {name:?}"),
            None => bail!("no [[program]] is configured; add one to the settings"),
        }
    }
    let hands = match args.write {
        true => Some(Hands::new(&settings, &client).await?),
        false => None,
    };
    let mut adopted = Vec::new();
    for program in chosen {
        let observer = Observer::new(client.reader(), program.program.clone());
        let done = of_program(&observer, &args, hands.as_ref()).await;
        adopted.push(done.with_context(|| format!("program {} could not be looked at", program.program.name))?);
    }
    let failed = adopted.iter().any(|adopted| !adopted.failed.is_empty());
    if args.json {
        print_json(&adopted)?;
    }
    if let Some(hands) = hands {
        hands.store.close().await;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn of_program(observer: &Observer, args: &Args, hands: Option<&Hands>) -> anyhow::Result<Adopted> {
    let seen = observer.adoption().await?;
    let mut report = adopt::report(observer.program(), &seen);
    if !args.community.is_empty() {
        report.findings.retain(|finding| is_wanted(finding, &args.community));
    }
    if !args.json {
        print(&in_words(&report));
    }
    let mut adopted = Adopted {
        report,
        done: Vec::new(),
        failed: Vec::new(),
    };
    let Some(hands) = hands else { return Ok(adopted) };
    let mut answers = Answers {
        all: args.yes,
        ..Answers::default()
    };
    let actions: Vec<(Finding, Action)> = adopted
        .report
        .actions()
        .map(|(finding, action)| (finding.clone(), action))
        .collect();
    for (finding, action) in actions {
        let Some(project) = finding.project_id else { continue };
        let what = question(&finding, action);
        if !answers.ask(&what, &mut std::io::stdin().lock())? {
            continue;
        }
        let written = match action {
            Action::Charter => hands.propose_charter(observer, project).await,
            Action::Row => hands.look_at(observer, project).await,
        };
        let (line, list) = match written {
            Ok(()) => (format!("done: {what}"), &mut adopted.done),
            Err(error) => (format!("not done: {what}: {error:#}"), &mut adopted.failed),
        };
        if !args.json {
            print(&format!("{line}\n"));
        }
        list.push(line);
    }
    Ok(adopted)
}

fn is_wanted(finding: &Finding, wanted: &[String]) -> bool {
    let Some(path) = &finding.project else { return false };
    let matches = |wanted: &String| {
        path.eq_ignore_ascii_case(wanted)
            || path
                .rsplit('/')
                .next()
                .is_some_and(|last| last.eq_ignore_ascii_case(wanted))
    };
    wanted.iter().any(matches)
}

fn question(finding: &Finding, action: Action) -> String {
    let path = finding.project.as_deref().unwrap_or_default();
    match action {
        Action::Charter => format!("propose a charter in {path}"),
        Action::Row => format!("open the merge request for the row of {path}"),
    }
}

/// What writes.
struct Hands {
    store: Store,
    applier: Applier,
    worker: Worker<GitLabLooker>,
}

impl Hands {
    async fn new(settings: &Settings, client: &Client) -> anyhow::Result<Self> {
        let (store, clock) = (open_store(settings).await?, Clock::system());
        let planner = assemble::planner(settings, client, store.clone(), clock.clone())?;
        let looker = assemble::looker(settings, client, planner, store.clone(), clock.clone());
        Ok(Self {
            applier: assemble::applier(settings, client, store.clone(), clock.clone()),
            worker: Worker::new(store.clone(), Arc::new(looker), clock, settings.worker),
            store,
        })
    }

    /// Looks again before each round: a charter, a branch or a merge request may have come meanwhile.
    async fn propose_charter(&self, observer: &Observer, project: ProjectId) -> anyhow::Result<()> {
        let thing = Thing::Community(observer.program().name.clone(), project);
        let mut withheld = None;
        for _ in 0..MOST_ROUNDS {
            let seen = observer.adoption().await?;
            let candidate = seen.projects.iter().find(|candidate| candidate.project.id == project);
            let candidate = candidate.context("the project is gone")?;
            let steps = adopt::charter::steps(&seen, candidate);
            if steps.is_empty() {
                return withheld.map_or(Ok(()), |error: ApplyError| Err(error.into()));
            }
            match self
                .applier
                .apply(Errand::of_command(&thing, CAUSE), &steps)
                .await
                .failed
            {
                None => return Ok(()),
                Some(error) if error.is_worth_another_look() => withheld = Some(error).filter(ApplyError::is_withheld),
                Some(error) => return Err(error.into()),
            }
        }
        bail!("after {MOST_ROUNDS} attempts it is still not there; see `convenor journal`")
    }

    async fn look_at(&self, observer: &Observer, project: ProjectId) -> anyhow::Result<()> {
        let thing = Thing::Community(observer.program().name.clone(), project);
        let looked = self.worker.look_now(&thing, CAUSE).await?;
        if observer.program().handbooks.iter().any(Handbook::is_joint) {
            // There the page's own look opens the merge request, for all communities together.
            let page = Thing::Handbook(observer.program().name.clone());
            self.worker.look_now(&page, CAUSE).await?;
        }
        match looked.and_then(|looked| looked.look) {
            Some(Look::Done { .. }) => Ok(()),
            Some(Look::Retry { error, .. } | Look::Hold { reason: error }) => bail!("{error}"),
            None => bail!("somebody else looks at it now, or it is held; see `convenor queue`"),
        }
    }
}

/// Answers of the person at the terminal.
#[derive(Default)]
struct Answers {
    all: bool,
    none: bool,
}

impl Answers {
    /// Whether to do it. The end of the input is a no to everything.
    fn ask(&mut self, what: &str, input: &mut dyn BufRead) -> anyhow::Result<bool> {
        while !self.all && !self.none {
            print(&format!("{what}? [y]es, [n]o, [a]ll, [q]uit: "));
            std::io::stdout()
                .flush()
                .context("standard output could not be written")?;
            let mut line = String::new();
            if input.read_line(&mut line).context("the answer could not be read")? == 0 {
                self.none = true;
            }
            match line.trim().to_ascii_lowercase().as_str() {
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                "a" | "all" => self.all = true,
                "q" | "quit" => self.none = true,
                _ => {}
            }
        }
        Ok(self.all)
    }
}

fn in_words(report: &Report) -> String {
    let rows = match report.rows {
        Some(1) => "1 row".to_owned(),
        Some(rows) => format!("{rows} rows"),
        None => "no page to compare with".to_owned(),
    };
    let bold = anstyle::Style::new().bold();
    let mut text = format!(
        "{bold}program {}{bold:#}: {} projects, {rows}, {} agree\n",
        report.program,
        report.projects,
        report.agree.len()
    );
    for finding in &report.findings {
        let line = finding.line.map(|line| match &finding.page {
            Some(page) => format!("{page}, line {line}"),
            None => format!("line {line}"),
        });
        let place = match (&finding.project, line) {
            (Some(path), Some(line)) => format!(" ({path}; {line})"),
            (Some(path), None) => format!(" ({path})"),
            (None, Some(line)) => format!(" ({line})"),
            (None, None) => String::new(),
        };
        text.push_str(&format!(
            "{:<20} {}{place}: {}\n",
            finding.kind.as_str(),
            finding.name,
            finding.evidence
        ));
        for line in finding.diff.iter().flat_map(|diff| diff.lines()) {
            text.push_str(&format!("{:<20} {line}\n", ""));
        }
        text.push_str(&format!("{:<20} mend: {}\n", "", finding.mend));
    }
    let actions = report.actions().count();
    text.push_str(&match actions {
        0 if report.findings.is_empty() => "Everything fits together.\n".to_owned(),
        0 => "Nothing of this is Convenor's to write.\n".to_owned(),
        1 => "`convenor adopt --write` would propose 1 of these changes.\n".to_owned(),
        many => format!("`convenor adopt --write` would propose {many} of these changes, asking for each.\n"),
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_is_asked_for_until_somebody_says_all_or_quit() {
        let mut answers = Answers::default();
        let mut input: &[u8] = b"what?\ny\nno\na\n";
        let mut asked = Vec::new();
        for _ in 0..4 {
            asked.push(answers.ask("x", &mut input).unwrap());
        }
        assert_eq!(asked, [true, false, true, true]);
        let mut answers = Answers::default();
        let mut input: &[u8] = b"q\ny\n";
        assert!(!answers.ask("x", &mut input).unwrap());
        assert!(!answers.ask("x", &mut input).unwrap());
    }

    #[test]
    fn the_end_of_the_input_is_a_no() {
        let mut answers = Answers::default();
        assert!(!answers.ask("x", &mut std::io::empty()).unwrap());
    }
}
