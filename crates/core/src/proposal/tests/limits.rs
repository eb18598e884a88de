//! However much is written, what goes into files and templates stays small enough for them.

use super::*;
use crate::charter;
use crate::plan::wanted::charter_of;

/// The longest form that is accepted, with the most costly characters where they pass.
fn fullest() -> String {
    let people = |begin: char| -> String {
        let name = |at: usize| format!("@{begin}{at:03}{} ", "x".repeat(240));
        (0..100).map(name).collect()
    };
    let link = |at: usize| {
        format!(
            "- [r{}](https://example.com/{at}/{})\n",
            "\u{1f980}".repeat(40),
            "y".repeat(100)
        )
    };
    let links: String = (0..50).map(link).collect();
    format!(
        "## Focus topic\n\n{}\n\n## Purpose and scope\n\n{}\n\n## Facilitators\n\n{}\n\n## Members\n\n{}\n\n\
         ## Who can join\n\n{}\n\n## Links\n\n{links}",
        "Rust and more ".repeat(4),
        "\u{e0041}\u{202e}\u{1f980}x ".repeat(3_000),
        people('f'),
        people('m'),
        "\u{202e}\u{1f980}\u{e0041}".repeat(160),
    )
}

#[test]
fn the_fullest_form_gives_a_charter_that_can_be_read() {
    let read = read(&fullest());
    let form = read.form.unwrap_or_else(|| panic!("{:?}", read.findings));
    assert_eq!((form.facilitators.len(), form.links.len()), (100, 50));
    let charter = charter_of("cp_", &form, None);
    let file = charter::render_new(&charter);
    assert!(
        file.len() > 30_000 && file.len() <= charter::MOST_BYTES,
        "{}",
        file.len()
    );
    assert_eq!(charter::read(file.as_bytes()), Ok(charter));
}

#[test]
fn a_long_first_sentence_is_cut_for_the_summary() {
    let form = with("Purpose and scope", &"word ".repeat(1_000)).form.unwrap();
    let summary = form.summary.expose();
    assert!(summary.chars().count() <= 500 && summary.ends_with('…'), "{summary}");
    assert!(form.purpose.expose().len() > 4_900);
}

#[test]
fn what_is_too_long_for_a_field_is_said() {
    let check = |heading, text: &str, expected: &str| assert_eq!(findings(&with(heading, text)), [expected]);
    check(
        "Who can join",
        &"word ".repeat(101),
        "Refusal Who can join: it has 504 characters",
    );
    check(
        "Links",
        &format!("- https://example.com/{}\n", "x".repeat(17_000)),
        "Refusal Links: they are too long",
    );
    let form = with("Links", &format!("- [r{}](https://example.com)", "x".repeat(300)))
        .form
        .unwrap();
    assert_eq!(form.links[0].text.expose().chars().count(), 200);
}
