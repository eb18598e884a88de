//! The fuzz targets with some hundred inputs each; `FUZZ_CASES` makes it as many as one likes.

use std::collections::BTreeSet;

use fastrand::Rng;

#[path = "../../../fuzz/src/core.rs"]
#[allow(unreachable_pub, reason = "public for libFuzzer")]
mod core;
#[path = "../../../crates/core/src/escape/gitlab.rs"]
#[allow(dead_code, unreachable_pub, reason = "its other half is for the core's own tests")]
mod gitlab;
#[path = "../../../fuzz/src/shell.rs"]
#[allow(unreachable_pub, reason = "public for libFuzzer")]
mod shell;

/// Inputs that do something somewhere; mutations of them are better attackers than random bytes. `fuzz/run` begins with them, too.
fn seeds() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    // The same inputs everywhere: folders have no order.
    let files: BTreeSet<_> = files.collect();
    files.into_iter().map(|file| std::fs::read(file).unwrap()).collect()
}

fn input(random: &mut Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..random.usize(0..4) {
        match random.u8(0..6) {
            0 => bytes.extend((0..random.usize(0..40)).map(|_| random.u8(..))),
            1 => bytes.extend((0..random.usize(0..40)).map(|_| random.u8(32..127))),
            2 => bytes.push(0xff),
            _ => bytes.extend_from_slice(&seeds[random.usize(..seeds.len())]),
        }
    }
    for _ in 0..random.usize(0..6) {
        if bytes.is_empty() {
            break;
        }
        let at = random.usize(..bytes.len());
        match random.u8(0..5) {
            0 => bytes[at] = random.u8(..),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, *random.choice(b"\n\r\t|`*_[]<>{}/@#!~&$%^:\\\"' -\xff").unwrap()),
            3 => bytes.truncate(at),
            _ => {
                let piece = bytes[at..(at + 9).min(bytes.len())].to_vec();
                let to = random.usize(..bytes.len());
                bytes.splice(to..to, piece);
            }
        }
    }
    bytes
}

#[test]
fn the_fuzz_targets_hold_for_hostile_inputs() {
    let cases: u64 = option_env_now("FUZZ_CASES")
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(150);
    let seeds = seeds();
    assert!(seeds.len() > 20, "only {} seeds", seeds.len());
    for (name, target) in core::TARGETS.into_iter().chain(shell::TARGETS) {
        // A long run draws other inputs each time; the suite always the same.
        let seed = if cases > 150 { fastrand::u64(..) } else { 7 };
        let mut random = Rng::with_seed(seed);
        seeds.iter().for_each(|seed| target(seed));
        for case in 0..cases {
            let bytes = input(&mut random, &seeds);
            let ran = std::panic::catch_unwind(|| target(&bytes));
            assert!(
                ran.is_ok(),
                "{name}, seed {seed}, case {case}: {:?} {}",
                bytes,
                String::from_utf8_lossy(&bytes)
            );
        }
        if cases > 150 {
            eprintln!("{name}: {cases} inputs");
        }
    }
}

/// Seeds that are refused would leave out what comes after.
#[test]
fn the_verifiers_seeds_are_believed_and_no_change_of_the_signed_one() {
    let read = |name: &str| std::fs::read(format!("{}/fuzz/seeds/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    assert!(shell::judged(&read("delivery-with-token")).0);
    let mut signed = read("signed-delivery");
    assert!(shell::judged(&signed).0);
    // Without its token: a header that can be none is left out, and then the token would decide.
    signed[0] &= !1;
    assert!(shell::judged(&signed).0);
    let parts: Vec<&[u8]> = signed.split(|byte| *byte == 0xff).collect();
    let length = |parts: &[&[u8]]| parts.iter().map(|part| part.len() + 1).sum::<usize>();
    // Id, time and signature, and the body; token and event are not covered.
    let covered = (length(&parts[..2])..length(&parts[..5]) - 1).chain(length(&parts[..6])..signed.len());
    for at in covered {
        for bit in 0..8 {
            let mut changed = signed.clone();
            changed[at] ^= 1 << bit;
            assert!(!shell::judged(&changed).0, "byte {at}, bit {bit}");
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test may be asked for more by its environment"
)]
fn option_env_now(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
