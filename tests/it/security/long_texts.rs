//! Very long texts: answered in bounded time with a word that helps, and what comes later does not fail on them.

use std::time::{Duration, Instant};

use super::town::{FORM, INTAKE, Town};

/// GitLab takes descriptions of up to 1,048,576 characters.
const MOST: usize = 1_048_576;
/// A debug build on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);

/// What was said, and how long it took.
async fn answered(town: &Town, description: &str) -> (u64, String) {
    let began = Instant::now();
    let iid = town.opens("proposer", description);
    town.settle().await;
    let took = began.elapsed();
    assert!(took < LONGEST, "{took:?} for {} bytes", description.len());
    (iid, town.comment(iid))
}

#[tokio::test]
async fn a_very_long_text_is_answered() {
    let town = Town::new().await;
    let filled = |piece: &str, bytes: usize| format!("{FORM}\n### Else\n\n{}", piece.repeat(bytes / piece.len()));
    let (iid, comment) = answered(&town, &filled("word ", MOST - FORM.len() - 100)).await;
    assert!(
        comment.contains("longer than 256 KiB") && comment.contains("shorten it"),
        "{comment}"
    );
    assert_eq!(town.state(iid), ["cop::needs-info"]);
    // Shortened, it goes on.
    let proposer = town.gitlab.person("proposer").unwrap();
    proposer.describe_issue(INTAKE, iid, FORM).unwrap();
    town.settle().await;
    town.has_exactly_one_of_everything("rust-at-work");
}

#[tokio::test]
async fn thousands_of_headings_mentions_and_links_are_answered_in_one_comment() {
    let town = Town::new().await;
    let many = 80 * 1024;
    let pieces = [
        ("Else", "### Heading\n\nx\n\n"),
        ("Members", "@alice @bob @someone-of-no-name "),
        ("Links", "- [a](https://docs.example/a)\n"),
        ("Who can join", "whoever asks "),
        ("Purpose and scope", "Share what we learn, again and again, "),
        ("Similar communities", "- [x](https://docs.example/x) @alice\n"),
    ];
    for (number, (heading, piece)) in pieces.into_iter().enumerate() {
        let name = format!("Many {}", char::from(b'A' + u8::try_from(number).unwrap()));
        let form = FORM.replace("Rust at Work", &name);
        let section = format!("### {heading}\n\n");
        let form = if form.contains(&section) {
            form.replace(
                &section,
                &format!("{section}{}\n\n", piece.repeat(many / piece.len() - 20)),
            )
        } else {
            format!("{form}\n{section}{}", piece.repeat(many / piece.len() - 20))
        };
        let (iid, comment) = answered(&town, &form).await;
        assert!(comment.len() < 100_000, "{heading}: {} bytes", comment.len());
        let state = town.state(iid);
        if state == ["cop::approved"] {
            continue;
        }
        assert_eq!(state, ["cop::needs-info"], "{heading}: {comment}");
        assert!(comment.contains("#### To mend"), "{heading}: {comment}");
    }
    // Whatever was made of them is whole, and nothing is due again.
    town.resync().await;
    town.gitlab.forget_calls();
    town.resync().await;
    assert!(town.gitlab.writes().is_empty(), "{:?}", town.gitlab.writes());
    let kept: Vec<_> = town.store.list_work().await.unwrap();
    assert!(kept.iter().all(|work| work.last_error.is_none()), "{kept:?}");
}
