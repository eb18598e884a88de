//! `convenor similar`: existing communities that look like a name and a purpose.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use convenor_core::escape::{JsonText, TerminalText};
use convenor_core::similarity::{self, Candidate, Match, Verdict};
use convenor_core::untrusted::Untrusted;
use serde::{Deserialize, Serialize};

use super::render::chosen;
use super::{Context, print, print_json};
use crate::assemble;

/// Arguments of `convenor similar`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The proposed community's name
    name: String,
    /// What it would be for
    #[arg(long, value_name = "TEXT", default_value = "")]
    purpose: String,
    /// A JSON list of `{name, description}` to look through [default: the program's own communities]
    #[arg(long, value_name = "FILE.json")]
    among: Option<PathBuf>,
    /// Look through the communities of this program of the settings [default: the first one]
    #[arg(long, value_name = "P", conflicts_with = "among")]
    program: Option<String>,
    /// Print JSON: a list of `{name, score, verdict}`, best first
    #[arg(long)]
    json: bool,
}

/// One entry of `--among`. Other keys are of no interest here.
#[derive(Deserialize)]
struct Listed {
    name: Untrusted,
    #[serde(default)]
    description: Option<Untrusted>,
}

#[derive(Serialize)]
struct Shown {
    name: JsonText,
    score: f64,
    verdict: Verdict,
}

pub(super) async fn run(args: &Args, context: &Context) -> anyhow::Result<ExitCode> {
    let existing = match &args.among {
        Some(file) => from_file(file)?,
        None => own_communities(args.program.as_deref(), context).await?,
    };
    let proposed = Candidate {
        name: Untrusted::new(args.name.as_str()),
        purpose: Untrusted::new(args.purpose.as_str()),
    };
    let matches = similarity::rank(&proposed, &existing);
    if args.json {
        print_json(&shown(&matches))?;
    } else {
        print(&in_words(&matches));
    }
    Ok(ExitCode::SUCCESS)
}

fn from_file(path: &Path) -> anyhow::Result<Vec<Candidate>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let listed: Vec<Listed> = serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is no JSON list of objects with `name` and `description`",
            path.display()
        )
    })?;
    let candidate = |listed: Listed| Candidate {
        name: listed.name,
        purpose: listed.description.unwrap_or_default(),
    };
    Ok(listed.into_iter().map(candidate).collect())
}

async fn own_communities(program: Option<&str>, context: &Context) -> anyhow::Result<Vec<Candidate>> {
    let settings = context.settings()?;
    let Some(program) = chosen(&settings, program)? else {
        bail!("the settings have no program; name a list of communities with --among FILE.json");
    };
    let reader = assemble::client(&settings)?.reader();
    let group = reader.group(&program.program.group).await?;
    let projects = reader.group_projects(group.id).await?;
    let is_community = |path: &str| path != program.program.intake;
    Ok(projects
        .into_iter()
        .filter(|project| is_community(&project.path_with_namespace))
        .map(|project| Candidate {
            name: project.name,
            purpose: project.description,
        })
        .collect())
}

fn shown(matches: &[Match]) -> Vec<Shown> {
    matches
        .iter()
        .map(|found| Shown {
            name: JsonText::new(&found.name),
            score: found.score,
            verdict: found.verdict,
        })
        .collect()
}

fn in_words(matches: &[Match]) -> String {
    let alike: Vec<_> = matches
        .iter()
        .filter(|found| found.verdict != Verdict::Distinct)
        .collect();
    let mut text = String::new();
    for found in &alike {
        let name = TerminalText::line(&found.name);
        text.push_str(&format!(
            "{:9}  {:.2}  {name}  ({})\n",
            found.verdict.as_str(),
            found.score,
            found.why
        ));
    }
    let others = matches.len() - alike.len();
    match (alike.len(), others) {
        (0, 0) => text.push_str("There are no communities yet.\n"),
        (0, _) => text.push_str(&format!("None of the {others} communities looks alike.\n")),
        (_, 0) => {}
        (_, 1) => text.push_str("1 other is distinct.\n"),
        _ => text.push_str(&format!("{others} others are distinct.\n")),
    }
    text
}
