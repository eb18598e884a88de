//! What a run leaves behind, as lines that can be compared: a run with faults has to end as the run without.

use std::collections::BTreeMap;

use crate::sim::Sim;
use crate::stories::CHARTER;
use crate::town::{BOT, COMMUNITY, GROUP, HANDBOOK, INTAKE, PAGE_PATH};

/// The end, in lines.
pub(crate) fn of(sim: &Sim) -> Vec<String> {
    let world = &sim.world;
    let mut lines = Vec::new();
    // What was wrong for a while with webhooks or rights was told meanwhile, and is over.
    let mut told = BTreeMap::from([("issue", 0_u64), ("note", 0)]);
    for issue in world.issues(INTAKE).unwrap_or_default() {
        if issue.author.username == BOT && issue.state == "closed" {
            *told.entry("issue").or_default() += 1;
            let notes = world.notes(INTAKE, issue.iid).unwrap_or_default();
            *told.entry("note").or_default() += notes.iter().filter(|note| !note.system).count() as u64;
            continue;
        }
        lines.push(format!("proposal {}: {} {:?}", issue.iid, issue.state, issue.labels));
        let notes = world.notes(INTAKE, issue.iid).unwrap_or_default();
        for note in notes.iter().filter(|note| note.author.username == BOT) {
            lines.push(format!(
                "our comment: {}",
                note.body.split_once("-->").map_or("", |(_, text)| text)
            ));
        }
    }
    for project in world.projects(GROUP).unwrap_or_default() {
        lines.push(format!(
            "project {} {:?} {} {:?} {:?} archived={}",
            project.path_with_namespace,
            project.name,
            project.visibility,
            project.description,
            project.topics,
            project.archived
        ));
    }
    community(sim, &mut lines);
    for request in world.merge_requests(HANDBOOK).unwrap_or_default() {
        let (title, source) = (&request.title, &request.source_branch);
        lines.push(format!("merge request {title:?} {} {source}", request.state));
    }
    lines.push(format!(
        "page: {}",
        world.text(HANDBOOK, "main", PAGE_PATH).unwrap_or_default()
    ));
    for (kind, count) in &sim.locked().counts.created {
        let told = told.get(kind).copied().unwrap_or_default();
        lines.push(format!("created {kind}: {}", count.saturating_sub(told)));
    }
    lines
}

fn community(sim: &Sim, lines: &mut Vec<String>) {
    let world = &sim.world;
    let mut paths = world.paths(COMMUNITY, "main");
    paths.sort();
    for path in paths {
        let text = world.text(COMMUNITY, "main", &path).unwrap_or_default();
        lines.push(if path == CHARTER {
            format!("charter: {text}")
        } else {
            format!("file {path}: {} bytes", text.len())
        });
    }
    let labels = world.labels(COMMUNITY).unwrap_or_default();
    let mut labels: Vec<_> = labels.into_iter().map(|label| label.name).collect();
    labels.sort();
    lines.push(format!("labels: {labels:?}"));
    for board in world.boards(COMMUNITY).unwrap_or_default() {
        let mut lists: Vec<_> = board.lists.iter().map(|list| list.label.name.clone()).collect();
        lists.sort();
        lines.push(format!("board {:?}: {lists:?}", board.name));
    }
    let members = world.members(COMMUNITY).unwrap_or_default();
    let mut members: Vec<_> = members
        .into_iter()
        .map(|member| format!("{}={}", member.username, member.access_level))
        .collect();
    members.sort();
    lines.push(format!("members: {members:?}"));
    let issues = world.issues(COMMUNITY).unwrap_or_default();
    let mut issues: Vec<_> = issues
        .into_iter()
        .map(|issue| format!("{:?} {}", issue.title, issue.state))
        .collect();
    issues.sort();
    lines.push(format!("issues: {issues:?}"));
}

/// Where two ends differ.
pub(crate) fn difference(expected: &[String], found: &[String]) -> Vec<String> {
    let missing = expected.iter().filter(|line| !found.contains(line));
    let more = found.iter().filter(|line| !expected.contains(line));
    missing
        .map(|line| format!("without faults: {line}"))
        .chain(more.map(|line| format!("here: {line}")))
        .collect()
}
