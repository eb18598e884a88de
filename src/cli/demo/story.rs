//! The story: a proposal with a fault, mended, made, merged, closed.

use anstyle::{AnsiColor, Style};
use anyhow::{Context as _, ensure};
use gitlab_sandbox::{MergeRequestView, NoteView, Person};

use super::world::{GROUP, HANDBOOK, INTAKE, World};
use super::{say, until};
use crate::cli::print;

const FAULTY: &str = "\
### Focus topic

Rust at Work

### Purpose and scope

Learn Rust.

### Facilitators

@darwinjs, @brianwlad

### Members

@alice @bzhang7

### Cadence

Monthly, first Tuesday, 16:00 UTC, 50 minutes
";

/// Tells it from the first word to the last.
pub(super) async fn tell(world: &World) -> anyhow::Result<()> {
    let alice = world.gitlab.person("alice").map_err(refused)?;
    let issue = open_with_a_fault(world, &alice).await?;
    mend(&alice, issue)?;
    let merge_request = made(world, issue).await?;
    show_diff(world, &merge_request)?;
    merge(world, &merge_request, issue).await
}

async fn open_with_a_fault(world: &World, alice: &Person) -> anyhow::Result<u64> {
    say(
        AnsiColor::Cyan,
        "alice opens an issue with the template \u{201c}New community\u{201d}, in a hurry",
    );
    let issue = alice
        .open_issue(INTAKE, "New community: Rust at Work", FAULTY, &["cop::proposed"])
        .map_err(refused)?;
    print(&format!(
        "  {}\n",
        world.gitlab.issue(INTAKE, issue).map_err(refused)?.web_url
    ));
    until("the comment that says what is missing", || {
        // Label and comment are written side by side.
        state(world, issue, "cop::needs-info").and_then(|()| comment(world, issue).ok())
    })
    .await?;
    show_comment(world, issue)?;
    Ok(issue)
}

fn mend(alice: &Person, issue: u64) -> anyhow::Result<()> {
    say(AnsiColor::Cyan, "alice mends the description; the same comment follows");
    let purpose =
        "Share what we learn while we use Rust in production. Everybody who writes Rust, or would like to, is welcome.";
    let mended = FAULTY
        .replace("Learn Rust.", purpose)
        .replace("@brianwlad", "@brianwald");
    alice.describe_issue(INTAKE, issue, &mended).map_err(refused)
}

async fn made(world: &World, issue: u64) -> anyhow::Result<MergeRequestView> {
    let merge_request = until("the merge request", || {
        let all = world.gitlab.merge_requests(HANDBOOK).ok()?;
        all.into_iter().find(|merge_request| merge_request.state == "opened")
    })
    .await?;
    until("the comment to show everything done but the merge", || {
        let body = comment(world, issue).ok()?.body;
        let open = body.matches("- [ ]").count();
        (open == 1 && body.contains("[merge request]")).then_some(())
    })
    .await?;
    let project = world
        .gitlab
        .project(&format!("{GROUP}/rust-at-work"))
        .map_err(refused)?;
    say(AnsiColor::Cyan, "everything is there");
    print(&format!("  project        {}\n", project.web_url));
    print(&format!("  board          {}/-/boards\n", project.web_url));
    print(&format!("  merge request  {}\n", merge_request.web_url));
    show_comment(world, issue)?;
    Ok(merge_request)
}

async fn merge(world: &World, merge_request: &MergeRequestView, issue: u64) -> anyhow::Result<()> {
    say(AnsiColor::Cyan, "a maintainer of the handbook likes it and merges");
    let maintainer = world.gitlab.person("maintainer").map_err(refused)?;
    maintainer.merge(HANDBOOK, merge_request.iid).map_err(refused)?;
    until("the proposal to be closed", || {
        let closed = world.gitlab.issue(INTAKE, issue).ok()?.state == "closed";
        let active = closed.then(|| state(world, issue, "cop::active")).flatten();
        active.filter(|()| comment(world, issue).is_ok_and(|last| last.body.contains("Welcome")))
    })
    .await?;
    let last = comment(world, issue)?.body;
    ensure!(last.contains("Welcome"), "the last word of welcome is missing");
    print("  the proposal is closed, with a last word of welcome and the label cop::active\n");
    let odd = world.gitlab.violations();
    ensure!(
        odd.is_empty(),
        "the sandbox found requests that GitLab would not understand: {odd:?}"
    );
    Ok(())
}

fn state(world: &World, issue: u64, label: &str) -> Option<()> {
    let labels = world.gitlab.issue(INTAKE, issue).ok()?.labels;
    labels.iter().any(|known| known == label).then_some(())
}

fn comment(world: &World, issue: u64) -> anyhow::Result<NoteView> {
    let notes = world.gitlab.notes(INTAKE, issue).map_err(refused)?;
    let mut ours: Vec<NoteView> = notes
        .into_iter()
        .filter(|note| note.author.username == "convenor-bot")
        .collect();
    ensure!(ours.len() == 1, "there should be one comment, there are {}", ours.len());
    ours.pop().context("the comment is missing")
}

fn show_comment(world: &World, issue: u64) -> anyhow::Result<()> {
    let body = comment(world, issue)?.body;
    let style = Style::new().dimmed();
    let visible = body.lines().skip_while(|line| line.starts_with("<!--"));
    for line in visible {
        print(&format!("  {style}\u{2502}{style:#} {line}\n"));
    }
    Ok(())
}

fn show_diff(world: &World, merge_request: &MergeRequestView) -> anyhow::Result<()> {
    say(AnsiColor::Cyan, "the merge request's diff");
    let diffs = world
        .gitlab
        .merge_request_diff(HANDBOOK, merge_request.iid)
        .map_err(refused)?;
    ensure!(
        diffs.len() == 1,
        "the merge request should change one file, it changes {}",
        diffs.len()
    );
    let changed = |sign: char| diffs[0].diff.lines().filter(|line| line.starts_with(sign)).count();
    ensure!(
        (changed('+'), changed('-')) == (1, 0),
        "the merge request should add one line"
    );
    for line in diffs[0].diff.lines() {
        let style = match line.chars().next() {
            Some('+') => Style::new().fg_color(Some(AnsiColor::Green.into())),
            Some('-') => Style::new().fg_color(Some(AnsiColor::Red.into())),
            _ => Style::new().dimmed(),
        };
        print(&format!("  {style}{line}{style:#}\n"));
    }
    Ok(())
}

fn refused(refused: gitlab_sandbox::Refused) -> anyhow::Error {
    anyhow::Error::new(refused)
}
