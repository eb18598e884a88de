//! The house keeps its order: what no compiler sees of `ARCHITECTURE.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file has one room's worth of text; beyond this it is two.
const LONGEST_FILE: usize = 600;

/// Rooms, what they never name, and what they would do if they did.
const NEVER: [(&str, &[&str], &str); 10] = [
    (
        "src/intake",
        &["crate::gitlab", "crate::look", "crate::worker", "convenor_core::plan"],
        "interpret a delivery",
    ),
    (
        "src/store",
        &[
            "crate::gitlab",
            "crate::worker",
            "convenor_core::proposal",
            "convenor_core::table",
        ],
        "decide",
    ),
    (
        "src/gitlab",
        &[
            "convenor_core::plan",
            "convenor_core::proposal",
            "convenor_core::charter",
            "convenor_core::table",
        ],
        "know what a community is",
    ),
    ("src/observe", &["crate::store", "crate::apply"], "remember or write"),
    (
        "src/apply",
        &["crate::observe", "convenor_core::proposal", "convenor_core::table"],
        "choose",
    ),
    (
        "src/worker",
        &["crate::gitlab", "convenor_core::plan", "convenor_core::proposal"],
        "know a rule",
    ),
    (
        "src/look",
        &[
            "convenor_core::proposal",
            "convenor_core::table",
            "convenor_core::approval",
        ],
        "hold a rule",
    ),
    (
        "src/redact",
        &["crate::gitlab", "crate::store", "crate::settings"],
        "know where secrets come from",
    ),
    (
        "src/settings",
        &["crate::store", "crate::gitlab", "crate::cli"],
        "use what it is asked about",
    ),
    ("crates/sandbox", &["convenor"], "share our misunderstandings"),
];

/// Names that belong to some rooms only.
const ONLY: [(&str, &[&str]); 6] = [
    ("gitlab_sandbox", &["src/cli/demo"]),
    ("sqlx", &["src/store", "src/settings/sections"]),
    ("reqwest", &["src/gitlab"]),
    ("hyper", &["src/server"]),
    // Whoever holds a writer may change GitLab: `apply` holds it, the others make it or hand it out. (The store and the log
    // have some of their own.)
    ("Writer", &["src/gitlab", "src/apply", "src/store", "src/telemetry"]),
    (
        "client.writer()",
        &["src/gitlab", "src/assemble", "src/cli/init", "src/cli/demo"],
    ),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the project: its path from the root, with `/`, and its text.
struct File {
    path: String,
    text: String,
}

impl File {
    fn is_in(&self, room: &str) -> bool {
        self.path
            .strip_prefix(room)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '.']))
    }

    /// What the program is made of: without comments, and without tests, which may use whatever they test against.
    fn code(&self) -> String {
        let is_test = self.path.contains("/tests") || self.path.contains("_tests.rs");
        let code = if is_test { "" } else { &self.text };
        let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        code.lines()
            .map(|line| line.split("//").next().unwrap_or_default())
            .fold(String::new(), |text, line| text + line + "\n")
    }
}

/// Every text file of the project, without what was built or made by running it.
fn files() -> Vec<File> {
    let mut folders = vec![root().to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !["target", "data", ".git", ".cargo-home", "node_modules", "__pycache__"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if let (Ok(text), false) = (fs::read_to_string(&path), name == ".git") {
                files.push(File {
                    path: from_root(&path),
                    text,
                });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.len() > 100, "the project was found");
    files
}

fn from_root(path: &Path) -> String {
    let parts: Vec<_> = path
        .strip_prefix(root())
        .unwrap()
        .iter()
        .map(|part| part.to_string_lossy())
        .collect();
    parts.join("/")
}

/// Rust sources below a folder.
fn sources(folder: &str) -> Vec<File> {
    let sources: Vec<_> = files()
        .into_iter()
        .filter(|file| file.is_in(folder) && file.path.ends_with(".rs"))
        .collect();
    assert!(!sources.is_empty(), "{folder} has sources");
    sources
}

/// Whether a name stands in code as a whole word.
fn names(code: &str, name: &str) -> bool {
    let of_a_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name)
        .any(|(at, _)| !code[..at].ends_with(of_a_word) && !code[at + name.len()..].starts_with(of_a_word))
}

#[test]
fn no_room_names_what_it_must_not_know() {
    for (room, never, what) in NEVER {
        for file in sources(room) {
            let code = file.code();
            let named = never.iter().find(|name| names(&code, name));
            assert_eq!(named, None, "{}: {room} would {what}, see ARCHITECTURE.md", file.path);
        }
    }
}

#[test]
fn what_belongs_to_one_room_is_named_there_only() {
    for file in sources("src") {
        let code = file.code();
        for (name, rooms) in ONLY {
            let at_home = rooms.iter().any(|room| file.is_in(room));
            assert!(
                at_home || !names(&code, name),
                "{} names {name}, which belongs to {rooms:?}",
                file.path
            );
        }
    }
}

#[test]
fn rooms_do_not_use_each_other_in_circles() {
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources("src") {
        let room = file.path.split('/').nth(1).unwrap().trim_end_matches(".rs").to_owned();
        let code = file.code();
        let used = code
            .split("crate::")
            .skip(1)
            .filter_map(|rest| rest.split(|c: char| !c.is_lowercase()).next());
        let used = used.filter(|used| !used.is_empty() && *used != room).map(str::to_owned);
        uses.entry(room.clone()).or_default().extend(used);
    }
    assert!(uses["look"].contains("apply"), "the uses were found: {uses:?}");
    // A room that uses none that is left, or is used by none, is in no circle.
    let outside = |uses: &BTreeMap<String, BTreeSet<String>>| {
        let used_by_none = |room| !uses.values().any(|used| used.contains(room));
        let uses_none = |used: &BTreeSet<String>| used.iter().all(|room| !uses.contains_key(room));
        uses.iter()
            .find(|(room, used)| used_by_none(*room) || uses_none(used))
            .map(|(room, _)| room.clone())
    };
    while let Some(room) = outside(&uses) {
        uses.remove(&room);
    }
    assert!(uses.is_empty(), "these rooms use each other in a circle: {uses:?}");
}

#[test]
fn the_core_is_built_without_anything_that_touches_the_world() {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--package",
            "convenor-core",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    let crates: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains("pulldown-cmark"), "{tree}");
    for banned in [
        "tokio",
        "mio",
        "socket2",
        "hyper",
        "warp",
        "reqwest",
        "sqlx",
        "getrandom",
        "rand",
        "fastrand",
        "gitlab",
    ] {
        assert!(
            !crates.contains(banned),
            "crates/core must not depend on {banned}, not even through others"
        );
    }
}

#[test]
fn the_sandbox_does_not_depend_on_us() {
    let manifest = fs::read_to_string(root().join("crates/sandbox/Cargo.toml")).unwrap();
    assert!(!manifest.contains("convenor"), "it would share our misunderstandings");
}

#[test]
fn no_file_is_too_long_to_be_read() {
    let is_code = |file: &File| file.path.ends_with(".rs") || file.path.ends_with(".py");
    let too_long = files()
        .into_iter()
        .filter(|file| is_code(file) && file.text.lines().count() > LONGEST_FILE);
    let too_long: Vec<_> = too_long.map(|file| file.path).collect();
    assert_eq!(
        too_long,
        Vec::<String>::new(),
        "files with more than {LONGEST_FILE} lines: which two rooms are they?"
    );
}

#[test]
fn nothing_unfinished_is_left() {
    // Written so that this file does not find itself.
    let unfinished = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("dbg", "!("),
        concat!("#[", "ignore"),
    ];
    for file in files() {
        let is_source = file.path.ends_with(".rs");
        let mark = unfinished.iter().find(|mark| is_source && file.text.contains(**mark));
        assert_eq!(mark, None, "{}", file.path);
        assert!(!file.path.ends_with(".snap.new"), "{} was not reviewed", file.path);
    }
}

/// Whatever was written on one machine has to mean something on every other.
#[test]
fn no_path_of_somebodys_machine_is_left() {
    let homes = [
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
        concat!("C:\\Us", "ers"),
    ];
    let here = PathBuf::from(root()).display().to_string();
    for file in files().iter().filter(|file| file.path != "Cargo.lock") {
        for path in homes.iter().copied().chain([here.as_str()]) {
            assert!(!file.text.contains(path), "{} holds {path}", file.path);
        }
    }
}
