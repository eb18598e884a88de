//! What must hold after every write of ours, whatever went wrong. Read from GitLab as its administrator sees it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use gitlab_sandbox::World;
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use crate::branches::{self, Branches};
use crate::people::{self, Act};
use crate::sim::{Sim, Who};
use crate::stories::{self, CHARTER, MOST_REMOVALS};
use crate::town::{BOT, COMMUNITY, GROUP, HANDBOOK, INTAKE, PAGE_PATH};

/// More writes than this in one story is a program that chases its own tail.
const MOST_WRITES: u64 = 250;
/// The same write so often within an hour is a war that nobody wins.
const MOST_REPEATS: usize = 20;
/// Writes that may be under way when GitLab says 401 for the first time: one a worker.
const UNDER_WAY: u32 = 2;

/// What the simulation remembers in order to judge.
pub(crate) struct Memories {
    bot: u64,
    intake: u64,
    pub(crate) handbook: u64,
    /// Projects that we made.
    made: BTreeSet<u64>,
    /// Projects that others made where ours was to be.
    pub(crate) foreign: BTreeSet<u64>,
    /// Texts that an approver approved.
    pub(crate) approved: Vec<String>,
    /// When the proposal became confidential.
    pub(crate) confidential_since: Option<Timestamp>,
    /// Copies of our comment by others: issue, note, text.
    pub(crate) forged: Vec<(u64, u64, String)>,
    /// A merge request that a person closed.
    pub(crate) closed: Option<Closed>,
    /// Merged by a person.
    pub(crate) merged: u64,
    /// When people took away what was made, after everything was.
    pub(crate) board_gone: Option<Instant>,
    pub(crate) member_gone: Option<Instant>,
    /// What people did in between.
    pub(crate) happened: Vec<Act>,
    /// When each replica last read the proposal, and the list of merge requests.
    read_issue: BTreeMap<usize, Timestamp>,
    read_requests: BTreeMap<usize, Timestamp>,
    /// How often the other program still strikes back.
    pub(crate) fights_left: u32,
    /// Each write by what it says, and when it was done.
    same_writes: HashMap<u64, Vec<Timestamp>>,
    /// Lives that were told 401, and how many writes they began since.
    unauthorised: HashMap<(usize, u32), u32>,
    pub(crate) branches: Branches,
    /// Whether what is about to be changed was written by us.
    is_our_own: bool,
    /// What the community had of each kind before the write in hand.
    inventory: BTreeMap<&'static str, u64>,
}

impl Memories {
    pub(crate) fn new(world: &World) -> Self {
        let id = |path: &str| world.project(path).map_or(0, |project| project.id);
        let bot = world.person(BOT).map_or(0, |bot| bot.id());
        let projects = world.projects(GROUP).unwrap_or_default();
        Self {
            bot,
            intake: id(INTAKE),
            handbook: id(HANDBOOK),
            made: projects
                .iter()
                .filter(|project| project.creator_id == bot)
                .map(|project| project.id)
                .collect(),
            foreign: BTreeSet::new(),
            approved: Vec::new(),
            confidential_since: None,
            forged: Vec::new(),
            closed: None,
            merged: 0,
            board_gone: None,
            member_gone: None,
            happened: Vec::new(),
            read_issue: BTreeMap::new(),
            read_requests: BTreeMap::new(),
            fights_left: 0,
            same_writes: HashMap::new(),
            unauthorised: HashMap::new(),
            branches: Branches::default(),
            is_our_own: true,
            inventory: BTreeMap::new(),
        }
    }
}

/// What the community has of the kinds that one call can make several of.
fn inventory(world: &World) -> BTreeMap<&'static str, u64> {
    let boards = world.boards(COMMUNITY).unwrap_or_default();
    let count = |many: usize| many as u64;
    BTreeMap::from([
        ("label", count(world.labels(COMMUNITY).unwrap_or_default().len())),
        ("list", count(boards.iter().map(|board| board.lists.len()).sum())),
        ("board", count(boards.len())),
        ("member", count(world.members(COMMUNITY).unwrap_or_default().len())),
    ])
}

/// A write, taken apart.
pub(crate) struct Write {
    method: String,
    path: String,
    /// The path's parts below `/api/v4`.
    parts: Vec<String>,
    body: Value,
}

impl Write {
    pub(crate) fn of(request: &Request<Bytes>) -> Self {
        let path = request.uri().path().trim_start_matches("/api/v4").to_owned();
        let body = serde_json::from_slice(request.body()).unwrap_or_else(|_| {
            let fields = url::form_urlencoded::parse(request.body());
            Value::Object(
                fields
                    .map(|(key, value)| (key.into_owned(), value.into_owned().into()))
                    .collect(),
            )
        });
        Self {
            method: request.method().as_str().to_owned(),
            parts: path
                .split('/')
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect(),
            path,
            body,
        }
    }

    fn parts(&self) -> Vec<&str> {
        self.parts.iter().map(String::as_str).collect()
    }

    pub(crate) fn field(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }

    /// The project that it is about, where it names one.
    pub(crate) fn project(&self) -> Option<u64> {
        match self.parts().as_slice() {
            ["projects", id, ..] => id.parse().ok(),
            _ => None,
        }
    }

    /// Whether it makes a branch anew.
    pub(crate) fn is_forced(&self) -> bool {
        self.body["force"] == true
    }

    /// Whether it may make things of which one call can make several.
    fn makes_many(&self) -> bool {
        match self.parts().as_slice() {
            [.., "graphql"] => true,
            ["projects", _, kind, ..] => self.method == "POST" && matches!(*kind, "labels" | "boards" | "members"),
            _ => false,
        }
    }

    /// Whether a GraphQL document names what it writes to by a path, which may be somebody else's by now.
    fn names_a_path(&self) -> bool {
        fn has(value: &Value) -> bool {
            match value {
                Value::Object(fields) => fields
                    .iter()
                    .any(|(name, value)| matches!(name.as_str(), "projectPath" | "groupPath") || has(value)),
                Value::Array(values) => values.iter().any(has),
                _ => false,
            }
        }
        self.path.ends_with("/graphql") && has(&self.body["variables"])
    }
}

/// A read of ours was answered.
pub(crate) fn was_read(sim: &Sim, who: Option<Who>, url: &str, answer: &Response<Bytes>) {
    let (Some(who), true) = (who, answer.status().is_success()) else {
        return;
    };
    let path = url.split('?').next().unwrap_or_default();
    let is_issue = path
        .rsplit_once("/issues/")
        .is_some_and(|(_, rest)| rest.chars().all(|c| c.is_ascii_digit()));
    branches::was_seen(sim, who, path);
    let now = sim.now();
    let memories = &mut sim.locked().memories;
    if is_issue {
        memories.read_issue.insert(who.replica, now);
    } else if path.ends_with("/merge_requests") {
        memories.read_requests.insert(who.replica, now);
    }
}

/// A life was answered: 401 stops its writing until GitLab has told it again who it is.
pub(crate) fn was_answered(sim: &Sim, who: Who, method: &str, path: &str, status: u16) {
    let life = (who.replica, who.life);
    if method == "GET" && (status == 200 || status == 404) {
        branches::was_told(sim, who, path);
    }
    let memories = &mut sim.locked().memories;
    if status == 401 {
        memories.unauthorised.entry(life).or_default();
    } else if method == "GET" && path.ends_with("/user") && status == 200 {
        memories.unauthorised.remove(&life);
    }
}

/// A life begins to write.
pub(crate) fn begins(sim: &Sim, who: Who) {
    let begun = sim
        .locked()
        .memories
        .unauthorised
        .get_mut(&(who.replica, who.life))
        .map(|begun| {
            *begun += 1;
            *begun
        });
    if let Some(begun) = begun.filter(|begun| *begun > UNDER_WAY) {
        sim.violated(format!(
            "{begun} writes were begun with a token that GitLab does not accept"
        ));
    }
}

/// A write is repeated.
fn repeated(sim: &Sim, write: &Write) {
    let mut hash = DefaultHasher::new();
    (&write.method, &write.path, write.body.to_string()).hash(&mut hash);
    let now = sim.now();
    let times = {
        let mut inner = sim.locked();
        let times = inner.memories.same_writes.entry(hash.finish()).or_default();
        times.retain(|at| now.duration_since(*at) < jiff::SignedDuration::from_hours(1));
        times.push(now);
        times.len()
    };
    if times > MOST_REPEATS {
        sim.violated(format!("{} {}: {times} times within an hour", write.method, write.path));
        sim.calm_down();
    }
}

/// Before a write has its effect: what it is about to change.
pub(crate) fn before(sim: &Sim, write: &Write) {
    let world = &sim.world;
    let is_our_own = match (write.method.as_str(), write.parts().as_slice()) {
        ("PUT" | "DELETE", ["projects", _, "issues", _, "notes", _] | ["projects", _, "merge_requests", _]) => {
            let found = world.look(&write.path).unwrap_or_default();
            found["author"]["username"] == BOT
        }
        _ => true,
    };
    let inventory = if write.makes_many() {
        inventory(world)
    } else {
        BTreeMap::new()
    };
    let memories = &mut sim.locked().memories;
    memories.inventory = inventory;
    memories.is_our_own = is_our_own;
}

/// After a write had its effect.
pub(crate) fn after(sim: &Arc<Sim>, who: Option<Who>, write: &Write, answer: &Response<Bytes>) {
    let made: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let parts = write.parts();
    let kind = match (write.method.as_str(), parts.as_slice()) {
        ("POST", ["projects"]) => project(sim, who, &made),
        ("POST", ["projects", _, "issues", iid, "notes"]) => note(sim, iid),
        ("POST", ["projects", _, "issues"]) => issue(sim, &made),
        ("POST", ["projects", _, "merge_requests"]) => merge_request(sim, who, write),
        ("POST", ["projects", id, "repository", "commits"]) => commit(sim, id, write),
        ("PUT", ["projects", _, "issues", _]) => state(sim, &made),
        _ => None,
    };
    if let Some(kind) = kind {
        *sim.locked().counts.created.entry(kind).or_default() += 1;
    }
    if write.makes_many() {
        many(sim);
    }
    whose(sim, write);
    repeated(sim, write);
    let fights = sim.locked().memories.fights_left;
    if let ("PUT", ["projects", _, "issues", iid], true) = (write.method.as_str(), parts.as_slice(), fights > 0) {
        sim.locked().memories.fights_left = fights - 1;
        people::strike_back(sim, iid.parse().unwrap_or_default());
    }
    let writes = sim.locked().counts.writes;
    if writes > MOST_WRITES {
        sim.violated(format!("{writes} writes in one story: it chases its own tail"));
        sim.calm_down();
    }
}

/// Only what is ours is written.
fn whose(sim: &Sim, write: &Write) {
    let parts = write.parts();
    let (in_ours, own) = {
        let memories = &sim.locked().memories;
        let project = match parts.as_slice() {
            ["projects", id, ..] => id.parse().ok(),
            _ => None,
        };
        let ours = |id: u64| id == memories.intake || id == memories.handbook || memories.made.contains(&id);
        (project.is_none_or(ours), memories.is_our_own)
    };
    if !in_ours {
        sim.violated(format!(
            "{} {}: a foreign project was written to",
            write.method, write.path
        ));
    }
    if write.names_a_path() {
        sim.violated(format!("{}: a project is named by its path", write.path));
    }
    if !own {
        sim.violated(format!(
            "{} {}: somebody else's words were changed",
            write.method, write.path
        ));
    }
}

fn project(sim: &Sim, who: Option<Who>, made: &Value) -> Option<&'static str> {
    let id = made["id"].as_u64().unwrap_or_default();
    let approved = {
        let memories = &mut sim.locked().memories;
        memories.made.insert(id);
        memories.approved.clone()
    };
    let count = sim.locked().memories.made.len();
    // One that a person deleted before anybody could write down that it was made was never there, as far as anybody can know.
    let unknown = sim.locked().memories.happened.contains(&Act::Delete) && !sim.memory.knows_a_project();
    if count > 1 && !unknown {
        sim.violated(format!("{count} projects were made for one proposal"));
    }
    if approved.is_empty() {
        sim.violated("a project was made although nobody approved".to_owned());
    }
    unapproved(sim, made["description"].as_str().unwrap_or_default());
    let (since, read) = {
        let memories = &sim.locked().memories;
        (
            memories.confidential_since,
            who.and_then(|who| memories.read_issue.get(&who.replica).copied()),
        )
    };
    if let (Some(since), Some(read)) = (since, read)
        && read > since
    {
        sim.violated("a project was made of a proposal that was seen to be confidential".to_owned());
    }
    Some("project")
}

/// Words that nobody approved, or that are secret.
fn unapproved(sim: &Sim, text: &str) {
    let approved = sim
        .locked()
        .memories
        .approved
        .iter()
        .any(|text| text.contains("UNAPPROVED"));
    if text.contains("UNAPPROVED") && !approved {
        sim.violated("words were published that nobody approved".to_owned());
    }
    let confided = sim
        .locked()
        .memories
        .approved
        .iter()
        .any(|text| text.contains("CANARY"));
    if text.contains("CANARY") && !confided {
        sim.violated("confidential words were published".to_owned());
    }
}

fn note(sim: &Sim, iid: &str) -> Option<&'static str> {
    let iid = iid.parse().unwrap_or_default();
    let notes = sim.world.notes(INTAKE, iid).unwrap_or_default();
    let ours = notes.iter().filter(|note| note.author.username == BOT).count();
    if ours > 1 {
        sim.violated(format!("{ours} comments of ours on proposal {iid}"));
    }
    Some("note")
}

fn issue(sim: &Sim, made: &Value) -> Option<&'static str> {
    let title = made["title"].as_str().unwrap_or_default();
    let issues = sim.world.issues(COMMUNITY).unwrap_or_default();
    let same = issues
        .iter()
        .filter(|issue| issue.author.username == BOT && issue.title == title && issue.state == "opened")
        .count();
    if same > 1 {
        sim.violated(format!("{same} issues \"{title}\" of ours"));
    }
    unapproved(sim, made["description"].as_str().unwrap_or_default());
    Some("issue")
}

/// Counts what one call made several of.
fn many(sim: &Sim) {
    let now = inventory(&sim.world);
    let before = std::mem::take(&mut sim.locked().memories.inventory);
    for (kind, count) in now {
        let more = count.saturating_sub(before.get(kind).copied().unwrap_or_default());
        if more > 0 {
            *sim.locked().counts.created.entry(kind).or_default() += more;
            if kind == "board" {
                board(sim);
            }
        }
    }
}

fn board(sim: &Sim) {
    let boards = sim.world.boards(COMMUNITY).unwrap_or_default().len();
    if boards > 1 {
        sim.violated(format!("{boards} boards"));
    }
    if sim.locked().memories.board_gone.is_some() {
        sim.violated("a board that a person took away was made again".to_owned());
    }
}

/// A merge request that a person said no to.
#[derive(Clone, Debug)]
pub(crate) struct Closed {
    pub(crate) at: Timestamp,
    pub(crate) branch: String,
    /// What it proposed. The charter may have said something else by then.
    pub(crate) said: String,
    pub(crate) facts: String,
}

/// The change of the line that a merge request's description shows.
pub(crate) fn line(description: &str) -> &str {
    let fenced = description.split_once("```diff").map_or("", |(_, after)| after);
    fenced.split_once("```").map_or(fenced, |(line, _)| line)
}

/// What a merge request is about.
pub(crate) fn facts(sim: &Sim) -> String {
    let charter = sim.world.text(COMMUNITY, "main", CHARTER);
    let archived = sim.world.project(COMMUNITY).map(|project| project.archived);
    format!("{charter:?} {archived:?}")
}

fn merge_request(sim: &Sim, who: Option<Who>, write: &Write) -> Option<&'static str> {
    let source = write.field("source_branch");
    let requests = sim.world.merge_requests(HANDBOOK).unwrap_or_default();
    let open = requests
        .iter()
        .filter(|request| request.state == "opened" && request.source_branch == source)
        .count();
    if open > 1 {
        sim.violated(format!("{open} open merge requests from {source}"));
    }
    let (closed, read) = {
        let memories = &sim.locked().memories;
        let read = who.and_then(|who| memories.read_requests.get(&who.replica).copied());
        (memories.closed.clone(), read)
    };
    if let (Some(closed), Some(read)) = (closed, read)
        && closed.branch == source
        && read > closed.at
        && closed.facts == facts(sim)
        && closed.said == line(write.field("description"))
    {
        sim.violated("a merge request that a person closed was opened again".to_owned());
    }
    let removals = stories::removals(&sim.world);
    if removals > MOST_REMOVALS {
        sim.violated(format!("{removals} rows were proposed for removal within a day"));
    }
    Some("merge request")
}

fn commit(sim: &Sim, project: &str, write: &Write) -> Option<&'static str> {
    let branch = write.field("branch");
    if *project != sim.locked().memories.handbook.to_string() {
        let commits = sim.world.commits(COMMUNITY, branch).unwrap_or_default();
        let ours = commits.iter().filter(|commit| is_ours(&commit.author_name)).count();
        if ours > 1 {
            sim.violated(format!("{ours} first commits"));
        }
        for path in sim.world.paths(COMMUNITY, branch) {
            unapproved(sim, &sim.world.text(COMMUNITY, branch, &path).unwrap_or_default());
        }
        return Some("first commit");
    }
    if branch == "main" {
        sim.violated("the page's own branch was written to".to_owned());
    }
    let commits = sim.world.commits(HANDBOOK, branch).unwrap_or_default();
    let base = commits
        .first()
        .and_then(|head| head.parent_ids.first().cloned())
        .unwrap_or_default();
    let before = sim.world.text(HANDBOOK, &base, PAGE_PATH).unwrap_or_default();
    let after = sim.world.text(HANDBOOK, branch, PAGE_PATH).unwrap_or_default();
    let changed = changed_lines(&before, &after);
    if changed > 1 {
        sim.violated(format!("{changed} lines of the page differ on {branch}"));
    }
    None
}

fn is_ours(author: &str) -> bool {
    author.eq_ignore_ascii_case("convenor bot")
}

/// Lines between the first and the last that differ, on the side that has more of them.
fn changed_lines(before: &str, after: &str) -> usize {
    let (before, after): (Vec<_>, Vec<_>) = (before.split('\n').collect(), after.split('\n').collect());
    let head = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let rest = before.len().min(after.len()) - head;
    let tail = before.iter().rev().zip(after.iter().rev()).take(rest);
    let tail = tail.take_while(|(a, b)| a == b).count();
    before.len().max(after.len()) - head - tail
}

fn state(sim: &Sim, made: &Value) -> Option<&'static str> {
    let labels = made["labels"].as_array().into_iter().flatten();
    let states: Vec<_> = labels
        .filter_map(Value::as_str)
        .filter(|label| label.starts_with("cop::"))
        .collect();
    if states.len() > 1 {
        sim.violated(format!("a proposal in {} states: {states:?}", states.len()));
    }
    None
}

/// At the end of a run.
pub(crate) fn at_the_end(sim: &Arc<Sim>) {
    let world = &sim.world;
    for violation in world.violations() {
        sim.violated(format!("GitLab would have swallowed it: {violation}"));
    }
    for command in world.commands() {
        if command.by == BOT {
            sim.violated(format!(
                "a command ran from our text: /{} in {}",
                command.name, command.thing
            ));
        }
    }
    let (forged, board, member, foreign) = {
        let memories = &sim.locked().memories;
        (
            memories.forged.clone(),
            memories.board_gone.is_some(),
            memories.member_gone.is_some(),
            memories.foreign.clone(),
        )
    };
    for (iid, note, text) in forged {
        let notes = world.notes(INTAKE, iid).unwrap_or_default();
        if !notes.iter().any(|found| found.id == note && found.body == text) {
            sim.violated("a comment of somebody else was changed or deleted".to_owned());
        }
    }
    if board && !world.boards(COMMUNITY).unwrap_or_default().is_empty() {
        sim.violated("a board that a person took away is there again".to_owned());
    }
    let members = world.members(COMMUNITY).unwrap_or_default();
    if member && members.iter().any(|member| member.username == "bob") {
        sim.violated("a member whom a person removed is there again".to_owned());
    }
    for id in foreign {
        let members = world.look(&format!("/projects/{id}/members")).unwrap_or_default();
        let added = members.as_array().into_iter().flatten();
        if added.into_iter().any(|member| member["username"] == "darwinjs") {
            sim.violated("people were added to a project that is not ours".to_owned());
        }
    }
    let page = world.text(HANDBOOK, "main", PAGE_PATH).unwrap_or_default();
    unapproved(sim, &page);
    let _ = sim.locked().memories.bot;
}
