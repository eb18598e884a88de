//! What `docs/security.md` and the list of mutants claim exists: every test that they name, every line that they change.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[derive(Deserialize)]
struct Mutants {
    mutant: Vec<Mutant>,
}

#[derive(Deserialize)]
struct Mutant {
    name: String,
    file: String,
    find: String,
    replace: String,
    #[serde(rename = "in")]
    place: String,
    test: String,
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The names of all test functions below these folders, and of properties, which stand in macros.
fn tests() -> BTreeSet<String> {
    let mut files = Vec::new();
    for folder in ["src", "tests", "crates/core", "crates/sandbox", "fuzz"] {
        sources(&root().join(folder), &mut files);
    }
    let mut names = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let functions = text.lines().filter_map(|line| {
            let line = line.trim_start();
            let rest = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn "))?;
            rest.split(['(', '<']).next()
        });
        names.extend(functions.map(str::to_owned));
        // `on_both_databases! { name, name }`
        names.extend(text.split("on_both_databases! {").skip(1).flat_map(|rest| {
            let inside = rest.split('}').next().unwrap_or_default();
            inside
                .split([',', ' ', '\n'])
                .map(|name| name.trim().to_owned())
                .collect::<Vec<_>>()
        }));
    }
    names
}

/// What stands in backticks and reads like a test: words with at least three `_`.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let codes = text.split('`').skip(1).step_by(2);
    codes.filter(|code| {
        let last = code.rsplit("::").next().unwrap_or_default();
        last.matches('_').count() >= 3
            && last
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    })
}

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let text = fs::read_to_string(root().join("docs/security.md")).unwrap();
    let tests = tests();
    let mut count = 0;
    for name in named(&text) {
        let function = name.rsplit("::").next().unwrap();
        assert!(
            tests.contains(function),
            "docs/security.md names the test `{name}`, which does not exist"
        );
        count += 1;
    }
    assert!(count > 40, "only {count} tests are named");
}

#[test]
fn every_defence_mutant_can_be_applied_and_has_its_test() {
    let text = fs::read_to_string(root().join("tests/mutants/mutants.toml")).unwrap();
    let Mutants { mutant: mutants } = toml::from_str(&text).unwrap();
    let tests = tests();
    let mut names = BTreeSet::new();
    for mutant in &mutants {
        let source = fs::read_to_string(root().join(&mutant.file)).unwrap();
        let found = source.matches(&mutant.find).count();
        assert_eq!(
            found, 1,
            "{}: `find` stands {found} times in {}",
            mutant.name, mutant.file
        );
        assert_ne!(mutant.find, mutant.replace, "{}", mutant.name);
        let is_known =
            matches!(mutant.place.as_str(), "core" | "core-doc" | "lib" | "it") || mutant.place.starts_with("core:");
        assert!(is_known, "{}: in = {}", mutant.name, mutant.place);
        let function = mutant.test.rsplit("::").next().unwrap();
        assert!(
            mutant.place == "core-doc" || tests.contains(function),
            "{}: no test {}",
            mutant.name,
            mutant.test
        );
        assert!(names.insert(&mutant.name), "{} stands twice", mutant.name);
    }
    assert!(mutants.len() >= 30, "only {} mutants", mutants.len());
}

/// A static that is filled while the program runs lives for ever, so its text would pass for words of our own.
#[test]
fn no_static_of_the_core_can_hold_peoples_text() {
    let mut files = Vec::new();
    sources(&root().join("crates/core/src"), &mut files);
    let filled = [
        "LazyLock",
        "OnceLock",
        "OnceCell",
        "LazyCell",
        "thread_local!",
        "static mut",
    ];
    let mut with_statics = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        if filled.iter().any(|kind| text.contains(kind)) {
            let path = file.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            assert!(
                !text.contains("Untrusted"),
                "{path} fills a static and knows people's text"
            );
            with_statics.push(path);
        }
    }
    with_statics.sort();
    let known = [
        "crates/core/src/cadence/zone.rs",
        "crates/core/src/similarity/thesaurus.rs",
        "crates/core/src/similarity/words.rs",
    ];
    assert_eq!(
        with_statics, known,
        "tables of our own words; what is the new one filled with?"
    );
}

/// Who sees the raw text: parsers and renderers. Everybody else hands it on unread.
#[test]
fn only_these_rooms_look_into_peoples_text() {
    let rooms = [
        "adopt",
        "cadence",
        "charter",
        "command",
        "escape",
        "plan",
        "proposal",
        "render/values",
        "similarity",
        "slug",
        "table",
        "untrusted",
    ];
    let core = root().join("crates/core/src");
    let mut files = Vec::new();
    sources(&core, &mut files);
    let mut found = 0;
    for file in files {
        let path = file.strip_prefix(&core).unwrap().to_string_lossy().replace('\\', "/");
        let text = fs::read_to_string(&file).unwrap();
        if text.contains(".expose()") {
            found += 1;
            let at_home = rooms
                .iter()
                .any(|room| path.strip_prefix(room).is_some_and(|rest| rest.starts_with(['/', '.'])));
            assert!(
                at_home,
                "{path} looks into people's text; let a parser or a renderer do it"
            );
        }
    }
    assert!(found > 10, "only {found} files");
}

#[derive(Deserialize)]
struct Locked {
    package: Vec<LockedPackage>,
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct LockedPackage {
    name: String,
    version: String,
}

/// What is fuzzed is what is built. To mend it: copy `Cargo.lock` to `fuzz/`, and let `cargo metadata` there add its own few.
#[test]
fn the_fuzz_targets_are_built_of_the_programs_own_versions() {
    let locked = |path: &str| -> BTreeSet<LockedPackage> {
        let lock: Locked = toml::from_str(&fs::read_to_string(root().join(path)).unwrap()).unwrap();
        lock.package.into_iter().collect()
    };
    let (ours, fuzzed) = (locked("Cargo.lock"), locked("fuzz/Cargo.lock"));
    let others: Vec<_> = fuzzed
        .iter()
        .filter(|package| !ours.contains(package))
        .map(|package| package.name.as_str())
        .collect();
    assert_eq!(others, ["arbitrary", "convenor-fuzz", "libfuzzer-sys"]);
}
