//! `convenor render`: the project files that a proposal would give, without asking GitLab anything.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use convenor_core::charter::Charter;
use convenor_core::proposal::{self, ChannelName, Proposal, Severity};
use convenor_core::render::{self, Addresses, Fault, ProjectData, RenderedFile, TemplateSet};
use convenor_core::untrusted::Untrusted;
use serde::Serialize;

use super::{Context, plain, print, print_json};
use crate::settings::{ProgramSettings, Settings};
use crate::templates;

/// Arguments of `convenor render`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The proposal's text, as it would stand in the issue
    proposal: PathBuf,
    /// Write the files into this folder instead of showing them; files that are there stay
    #[arg(long, value_name = "DIR", conflicts_with = "json")]
    out: Option<PathBuf>,
    /// Take this template folder instead of the program's
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// Render for this program of the settings [default: the first one]
    #[arg(long, value_name = "P")]
    program: Option<String>,
    /// Print JSON: a list of `{path, content}`
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    path: &'a str,
    content: &'a str,
}

pub(super) fn run(args: &Args, context: &Context) -> anyhow::Result<ExitCode> {
    let settings = context.settings()?;
    let program = chosen(&settings, args.program.as_deref())?;
    let set = template_set(args, program)?;
    let form = read_proposal(&args.proposal)?;
    let data = project_data(&form, &settings, program);
    let files = render::project_files(&set, &data).map_err(|faults| told(&faults))?;
    match &args.out {
        Some(folder) => write_files(&files, folder)?,
        None if args.json => print_json(&shown(&files)?)?,
        None => print(&in_words(&files)?),
    }
    Ok(ExitCode::SUCCESS)
}

/// The program of the settings; none where the settings have none.
pub(super) fn chosen<'a>(settings: &'a Settings, name: Option<&str>) -> anyhow::Result<Option<&'a ProgramSettings>> {
    let Some(name) = name else {
        return Ok(settings.programs.first());
    };
    let found = settings
        .programs
        .iter()
        .find(|program| program.program.name.as_str() == name);
    match found {
        Some(program) => Ok(Some(program)),
        None => bail!("the settings have no program {name:?}"),
    }
}

fn template_set(args: &Args, program: Option<&ProgramSettings>) -> anyhow::Result<TemplateSet> {
    match args.templates.as_ref().or_else(|| program?.templates.as_ref()) {
        Some(folder) => templates::from_dir(folder),
        None => templates::embedded(),
    }
}

fn read_proposal(path: &Path) -> anyhow::Result<Proposal> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read the proposal {}", path.display()))?;
    let title = path
        .file_stem()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let read = proposal::parse(&Untrusted::new(title), &Untrusted::new(text));
    let refusals: Vec<_> = read
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Refusal)
        .map(|finding| format!("\n  - {}", finding.sentence().as_str().trim()))
        .collect();
    let notes = read
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Note);
    for note in notes.filter(|_| read.form.is_some()) {
        // Standard output is for the files.
        let _ = writeln!(anstream::stderr().lock(), "note: {}", note.sentence().as_str().trim());
    }
    match read.form {
        Some(form) => Ok(form),
        None => bail!("{} is not a complete proposal:{}", path.display(), refusals.concat()),
    }
}

/// Without GitLab some addresses are not known: they are those that would follow from the settings.
fn project_data(form: &Proposal, settings: &Settings, program: Option<&ProgramSettings>) -> ProjectData {
    let group = program.map_or("group", |program| program.program.group.as_str());
    let prefix = program.map_or("cp_", |program| program.program.chat_prefix.as_str());
    let address = format!(
        "{}/{group}/{}",
        settings.gitlab.url.as_str().trim_end_matches('/'),
        form.slug.as_str()
    );
    let chat = form
        .chat_channel
        .clone()
        .unwrap_or_else(|| ChannelName::default_for(prefix, &form.slug));
    ProjectData {
        charter: Charter::of_proposal(form, &chat, None),
        slug: form.slug.clone(),
        purpose: form.purpose.clone(),
        members: form
            .members
            .iter()
            .filter(|member| !form.facilitators.contains(member))
            .cloned()
            .collect(),
        addresses: Addresses::of_project(&address, "main"),
    }
}

/// A proposal with every field, as people write it.
const SAMPLE: &str = "### Focus topic\n\nSample Community\n\n### Purpose and scope\n\nA community that is never made; it only \
     tries whether the templates render.\n\n### Facilitators\n\n@alice, @bob\n\n### Members\n\n@carol\n\n### Cadence\n\nMonthly, \
     first Tuesday, 16:00 UTC, 50 minutes\n\n### Links\n\n- [Example](https://example.com)\n";

/// Renders a program's templates for a proposal that was made up; gives how many files that makes.
///
/// # Errors
/// The templates' faults.
pub(super) fn try_templates(settings: &Settings, program: &ProgramSettings) -> anyhow::Result<usize> {
    let set = match &program.templates {
        Some(folder) => templates::from_dir(folder)?,
        None => templates::embedded()?,
    };
    let read = proposal::parse(&Untrusted::new("Sample Community"), &Untrusted::new(SAMPLE));
    let Some(form) = read.form else {
        bail!("the sample proposal is not understood; this is a fault of Convenor");
    };
    let data = project_data(&form, settings, Some(program));
    Ok(render::project_files(&set, &data)
        .map_err(|faults| told(&faults))?
        .len())
}

fn told(faults: &[Fault]) -> anyhow::Error {
    let lines: Vec<_> = faults.iter().map(|fault| format!("\n  - {fault}")).collect();
    anyhow::anyhow!("the template set has {} faults:{}", faults.len(), lines.concat())
}

fn shown(files: &[RenderedFile]) -> anyhow::Result<Vec<Shown<'_>>> {
    files
        .iter()
        .map(|file| {
            Ok(Shown {
                path: &file.path,
                content: std::str::from_utf8(&file.content)?,
            })
        })
        .collect()
}

fn in_words(files: &[RenderedFile]) -> anyhow::Result<String> {
    let blue = anstyle::AnsiColor::Blue.on_default().bold();
    let mut text = String::new();
    for file in shown(files)? {
        text.push_str(&format!("{blue}==> {} <=={blue:#}\n{}\n", file.path, file.content));
    }
    Ok(text)
}

fn write_files(files: &[RenderedFile], folder: &Path) -> anyhow::Result<()> {
    for file in files {
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make the folder {}", parent.display()))?;
        }
        // What is there may be somebody's work.
        let mut target = fs::File::create_new(&path).with_context(|| format!("cannot make {}", path.display()))?;
        target
            .write_all(&file.content)
            .with_context(|| format!("cannot write {}", path.display()))?;
        print(&format!("{}\n", plain(&path.display().to_string())));
    }
    Ok(())
}
