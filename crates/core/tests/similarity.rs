//! How often the verdict on look-alike communities is the one that people gave.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may fail, and says how near it came"
)]

use std::path::Path;

use convenor_core::escape::StoredText;
use convenor_core::similarity::{Candidate, Verdict, rank};
use convenor_core::untrusted::Untrusted;
use serde_json::Value;

struct Labelled {
    id: String,
    proposed: Candidate,
    existing: Candidate,
    label: String,
}

fn candidate(value: &Value, purpose: &str) -> Candidate {
    let text = |key: &str| Untrusted::new(value[key].as_str().unwrap_or_default());
    Candidate {
        name: text("name"),
        purpose: text(purpose),
    }
}

fn pairs(path: &Path) -> Vec<Labelled> {
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let pairs = file["pairs"].as_array().unwrap();
    pairs
        .iter()
        .map(|pair| Labelled {
            id: pair["id"].as_str().unwrap_or_default().to_owned(),
            proposed: candidate(&pair["proposal"], "purpose"),
            existing: candidate(&pair["existing"], "description"),
            label: pair["label"].as_str().unwrap().to_owned(),
        })
        .collect()
}

/// Prints the confusion and gives the share of right verdicts.
fn accuracy(pairs: &[Labelled]) -> f64 {
    let mut right = 0;
    let labels = [Verdict::Duplicate, Verdict::Related, Verdict::Distinct].map(Verdict::as_str);
    let mut confusion = [[0; 3]; 3];
    for pair in pairs {
        let best = rank(&pair.proposed, std::slice::from_ref(&pair.existing)).remove(0);
        let place = |label: &str| labels.iter().position(|other| *other == label).unwrap();
        confusion[place(&pair.label)][place(best.verdict.as_str())] += 1;
        if best.verdict.as_str() == pair.label {
            right += 1;
        } else {
            let names = (
                StoredText::new(&pair.proposed.name),
                StoredText::new(&pair.existing.name),
            );
            println!(
                "{} {} taken for {} {:.2} {names:?}: {}",
                pair.id,
                pair.label,
                best.verdict.as_str(),
                best.score,
                best.why
            );
        }
    }
    println!(
        "{labels:?} given, by column judged: {confusion:?}; {right} of {}",
        pairs.len()
    );
    f64::from(right) / pairs.len() as f64
}

#[test]
fn the_labelled_sample_is_judged_as_people_did() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/similarity.json");
    if !path.exists() {
        eprintln!("SKIPPED: {} is not there", path.display());
        return;
    }
    let accuracy = accuracy(&pairs(&path));
    assert!(accuracy >= 0.9, "{accuracy}");
}

/// Lines of `verdict | name | purpose | name | purpose`.
fn own_pairs() -> Vec<Labelled> {
    let lines = include_str!("similarity/pairs.txt").lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|(number, line)| {
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            let candidate = |name: usize| Candidate {
                name: Untrusted::new(cells[name]),
                purpose: Untrusted::new(cells[name + 1]),
            };
            Labelled {
                id: format!("line {}", number + 1),
                proposed: candidate(1),
                existing: candidate(3),
                label: cells[0].to_owned(),
            }
        })
        .collect()
}

#[test]
fn communities_of_many_organisations_are_judged_as_people_would() {
    let accuracy = accuracy(&own_pairs());
    assert!(accuracy >= 0.9, "{accuracy}");
}
