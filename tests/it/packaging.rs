//! What is packed finds all that it is made of: the container's context, the Debian package's files, the book's links.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files below a folder with this ending.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|known| known == ending) {
            found.push(path);
        }
    }
    found
}

/// The path below the root, without `..`.
fn below_root(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.strip_prefix(root()).unwrap().components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

/// What `.dockerignore` lets into the build: it leaves out everything that it does not name.
fn context() -> Vec<PathBuf> {
    let text = read(".dockerignore");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("*"));
    lines
        .filter_map(|line| line.strip_prefix('!'))
        .map(PathBuf::from)
        .collect()
}

#[test]
fn what_the_program_is_built_from_reaches_the_container() {
    let context = context();
    let reaches = |path: &Path| context.iter().any(|known| path.starts_with(known));
    for known in &context {
        assert!(root().join(known).exists(), "there is no {}", known.display());
    }
    let mut included = 0;
    for folder in ["src", "crates/core/src", "crates/sandbox/src"] {
        for file in files(&root().join(folder), "rs") {
            let text = fs::read_to_string(&file).unwrap();
            let parts = text.split("include_").skip(1);
            for part in parts.filter(|part| part.starts_with("str!(") || part.starts_with("bytes!(")) {
                let Some(name) = part.split('"').nth(1).filter(|_| part.contains("!(\"")) else {
                    continue;
                };
                let path = below_root(&file.parent().unwrap().join(name));
                assert!(root().join(&path).exists() && reaches(&path), "{}", path.display());
                included += 1;
            }
        }
    }
    assert!(included >= 8, "{included}");
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    for member in manifest["workspace"]["members"].as_array().unwrap() {
        let member = member.as_str().unwrap();
        assert!(member == "." || reaches(Path::new(member)), "{member}");
    }
    // Cargo reads the places of all targets, whatever it builds.
    for kind in ["bench", "bin", "example"] {
        for target in manifest.get(kind).and_then(|all| all.as_array()).into_iter().flatten() {
            let path = target.get("path").and_then(|path| path.as_str());
            let folder = if kind == "bench" { "benches" } else { "src" };
            assert!(reaches(Path::new(path.unwrap_or(folder))), "{target}");
        }
    }
}

#[test]
fn what_the_dockerfile_copies_and_calls_is_there() {
    let text = read("Dockerfile");
    let mut stages = BTreeSet::new();
    let mut copies = 0;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["FROM", image, "AS", stage] => {
                assert!(image.contains(':') && !image.ends_with(":latest"), "{line}");
                stages.insert(*stage);
            }
            ["COPY", from, ..] if from.starts_with("--from=") => {
                assert!(stages.contains(&from["--from=".len()..]), "{line}");
                copies += 1;
            }
            ["COPY", source, _] => {
                assert!(root().join(source).exists(), "{line}");
                copies += 1;
            }
            _ => {}
        }
        for word in words.iter().filter(|word| word.starts_with("deploy/")) {
            let path = Path::new(word);
            assert!(root().join(path).exists(), "{line}");
            assert!(context().iter().any(|known| path.starts_with(known)), "{line}");
        }
    }
    assert_eq!(copies, 2);
    // The one profile that is released, by one name everywhere.
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    assert!(manifest["profile"].get("dist").is_some());
    for built in ["Dockerfile", ".ci/package"] {
        assert!(
            read(built).contains("--profile dist --locked --bin convenor"),
            "{built}"
        );
    }
    let last_user = text.lines().rfind(|line| line.starts_with("USER ")).unwrap();
    assert_eq!(last_user, "USER 65532:65532", "never root");
}

#[test]
fn what_the_debian_package_holds_is_there_or_made_before() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let package = &manifest["package"]["metadata"]["deb"];
    let making = read(".ci/package");
    for asset in package["assets"].as_array().unwrap() {
        let source = asset[0].as_str().unwrap();
        let made = match source.strip_prefix("target/packaging/") {
            Some("man/*.1") => making.contains("man --dir \"$out/man\""),
            Some(name) => making.contains(&format!(">\"$out/{name}\"")),
            None => source == "target/dist/convenor" || root().join(source).exists(),
        };
        assert!(made, "{source}");
    }
    let unit = read("deploy/systemd/convenor.service");
    assert!(unit.contains("ExecStart=/usr/bin/convenor serve"));
    // Without these the package has no scripts at all, and an upgrade leaves the old program running.
    let scripts = package["maintainer-scripts"].as_str().unwrap();
    for script in ["postinst", "prerm", "postrm"] {
        assert!(
            read(&format!("{scripts}/{script}")).contains("\n#DEBHELPER#\n"),
            "{script}"
        );
    }
}

#[test]
fn seeds_that_the_papers_name_are_there() {
    let mut named = 0;
    for paper in [
        "crates/sandbox/README.md",
        "docs/development.md",
        "crates/sandbox/seeds/example.yml",
    ] {
        for seed in read(paper).split("--seed ").skip(1) {
            let path = seed.split_whitespace().next().unwrap();
            assert!(root().join(path).exists(), "{paper}: {path}");
            named += 1;
        }
    }
    assert!(named >= 3);
}

#[test]
fn pages_of_the_book_lead_out_of_it_by_addresses_that_are_there() {
    const REPOSITORY: &str = "https://gitlab.com/convenor/convenor/-/blob/main/";
    let mut leading_out = 0;
    for page in files(&root().join("docs"), "md") {
        let text = fs::read_to_string(&page).unwrap();
        assert!(
            !text.contains("```mermaid"),
            "{}: the book draws no diagrams",
            page.display()
        );
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(!link.starts_with("../"), "{}: {link}", page.display());
            if let Some(path) = link.strip_prefix(REPOSITORY) {
                let path = path.split('#').next().unwrap();
                assert!(root().join(path).exists(), "{}: {link}", page.display());
                leading_out += 1;
            }
        }
    }
    assert!(leading_out > 3);
}
