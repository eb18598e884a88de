//! `convenor rotate`: the bot's token is replaced, and the new one is never lost.

use std::os::unix::fs::PermissionsExt as _;

use gitlab_sandbox::{Config, Effect, Fault};

use super::office::{BOT, Office};

fn office() -> (Office, String) {
    let mut office = Office::with_page(Config::default(), "");
    let token = office.gitlab.add_token(BOT);
    std::fs::write(office.folder.path().join("token"), format!("{token}\n")).unwrap();
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(office.folder.path().join("token"), private).unwrap();
    office.set("CONVENOR_GITLAB__TOKEN", "");
    office.set("CONVENOR_GITLAB__TOKEN_FILE", "token");
    (office, token)
}

fn kept(office: &Office) -> String {
    std::fs::read_to_string(office.folder.path().join("token"))
        .unwrap()
        .trim()
        .to_owned()
}

fn works(office: &Office) -> bool {
    let checks = office.run(&["doctor", "--json"]).json();
    checks
        .as_array()
        .unwrap()
        .iter()
        .any(|check| check["name"] == "gitlab" && check["level"] == "ok")
}

#[test]
fn the_new_token_takes_the_old_ones_place_and_is_not_printed() {
    let (office, old) = office();
    let rotated = office.run(&["rotate", "--days", "30"]).well();
    let new = kept(&office);
    assert_ne!(new, old);
    assert!(
        !rotated.out.contains(&new) && !rotated.err.contains(&new),
        "{rotated:?}"
    );
    assert!(
        rotated.err.contains(BOT) && rotated.err.contains("ends on"),
        "{rotated:?}"
    );
    assert!(works(&office));
    let mode = std::fs::metadata(office.folder.path().join("token"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!office.folder.path().join("token.new").exists());
    let journal = office.run(&["journal", "--json"]).well();
    assert!(
        journal.out.contains("rotate_token") && !journal.out.contains(&new),
        "{journal:?}"
    );
    let told = office.run(&["journal"]).well();
    assert!(told.out.contains("rotate the bot's token"), "{told:?}");
    std::fs::write(office.folder.path().join("token"), old).unwrap();
    assert!(!works(&office), "the old one has ended");
}

#[test]
fn a_token_from_the_environment_is_printed_when_told_and_else_left_alone() {
    let (mut office, old) = office();
    office.set("CONVENOR_GITLAB__TOKEN_FILE", "");
    office.set("CONVENOR_GITLAB__TOKEN", &old);
    let refused = office.run(&["rotate"]);
    assert!(
        refused.code == Some(1) && refused.err.contains("--print"),
        "{refused:?}"
    );
    assert!(works(&office));
    let printed = office.run(&["rotate", "--print"]).well();
    office.set("CONVENOR_GITLAB__TOKEN", printed.out.trim());
    assert!(works(&office), "standard output is the token and nothing else");
}

#[test]
fn printed_it_goes_nowhere_else() {
    let (mut office, old) = office();
    // As in a container: the file is there, and nothing can be put beside it.
    std::fs::write(office.folder.path().join("token.new"), "").unwrap();
    let printed = office.run(&["rotate", "--print"]).well();
    assert_eq!(kept(&office), old);
    office.set("CONVENOR_GITLAB__TOKEN_FILE", "");
    office.set("CONVENOR_GITLAB__TOKEN", printed.out.trim());
    assert!(works(&office));
}

#[test]
fn what_cannot_be_written_is_found_before_anything_is_rotated() {
    let (office, old) = office();
    std::fs::write(office.folder.path().join("token.new"), "").unwrap();
    let refused = office.run(&["rotate"]);
    assert!(
        refused.code == Some(1) && refused.err.contains("token was not touched"),
        "{refused:?}"
    );
    assert_eq!((office.writes(), kept(&office)), (0, old));
    assert!(works(&office));
}

#[test]
fn a_refusal_leaves_everything_as_it_was() {
    let (office, old) = office();
    office
        .gitlab
        .add_fault(Fault::new(Effect::Status(400)).writes().path("/rotate$").unwrap());
    let refused = office.run(&["rotate"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    office.gitlab.clear_faults();
    assert_eq!(kept(&office), old);
    assert!(works(&office));
    assert!(!office.folder.path().join("token.new").exists());
}
