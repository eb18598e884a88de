//! What a hostile proposal may cost: long texts of unknown words, of subjects, of acronyms, beside a hundred communities of the same kind.
//!
//! `cargo bench -p convenor-core --bench similarity`

#![expect(clippy::print_stdout, reason = "a benchmark")]

use std::hint::black_box;
use std::time::Instant;

use convenor_core::similarity::{Candidate, rank};
use convenor_core::untrusted::Untrusted;

const COMMUNITIES: usize = 100;

fn main() {
    let ordinary =
        |_: usize| "Share what we learn while we use Rust in production, and help each other with reviews.".to_owned();
    let unknown = |number: usize| words(|word| format!("wq{word}x{number}"));
    let subjects = |_: usize| {
        let known = [
            "rust",
            "kubernetes",
            "security",
            "design",
            "data",
            "testing",
            "cloud",
            "agile",
            "research",
            "writing",
        ];
        words(|word| format!("{} {}", known[word % known.len()], known[(word / 10) % known.len()]))
    };
    let acronyms = |number: usize| words(|word| format!("ABC{}", (word + number) % 10));
    let signs = |_: usize| "/close ".repeat(400);
    report("ordinary", ordinary);
    report("unknown words", unknown);
    report("subjects", subjects);
    report("acronyms", acronyms);
    report("one word", signs);
}

fn words(word: impl Fn(usize) -> String) -> String {
    (0..400).map(word).collect::<Vec<_>>().join(" ")
}

fn report(name: &str, purpose: impl Fn(usize) -> String) {
    let candidate = |number: usize| Candidate {
        name: Untrusted::new(format!("The Guild {number}")),
        purpose: Untrusted::new(purpose(number)),
    };
    let existing: Vec<Candidate> = (1..=COMMUNITIES).map(candidate).collect();
    let proposed = candidate(0);
    let begun = Instant::now();
    black_box(rank(&proposed, &existing));
    println!(
        "{name:<14} {:>9.3} ms beside {COMMUNITIES} communities",
        begun.elapsed().as_secs_f64() * 1000.0
    );
}
