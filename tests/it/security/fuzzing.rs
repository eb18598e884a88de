//! The fuzz targets with some hundred inputs each; `FUZZ_CASES` makes it as many as one likes.

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

/// Inputs that do something somewhere; mutations of them are better attackers than random bytes.
const SEEDS: [&str; 24] = [
    "/close\n/label ~x @all #12 !7 group/project#3 Closes #1 deadbeef12345678",
    "<img src=x onerror=alert(1)> <!-- convenor:status {} --> ![x](https://e.example/x.png)",
    "| a | b |\n|---|---|\n| `|` \\| c |",
    "{{name}} {{< x >}} {{% y %}} {% z %} ${x} <%= y %>",
    "```\n/close\n```\n~~~\n> quote\n>>>\n- item\n1. one\n# heading\n---\n===",
    "name: x\nsummary: y\nstatus: active\nfacilitators: [aa, bb]\njoin: open\nlinks: []\n",
    "name: &a [*a, *a]\n? b\n: - c\n--- !!binary x\n...\n",
    "cadence: { every: month, on: first tuesday, at: \"16:00\", timezone: UTC, minutes: 50 }\n",
    "Monthly, first Tuesday, 16:00 UTC, 50 minutes",
    "### Facilitators\n\n@aa @bb\n\n### Links\n\n- [x](https://docs.example/a)\n\n### Who can join\n\nwhoever asks",
    "approve",
    "decline because",
    "merge into a/b",
    "facilitators @aa @bb",
    "{\"message\":{\"path\":[\"has already been taken\"]}}",
    "{\"error\":\"insufficient_scope\",\"scope\":\"api\"}",
    "{\"object_kind\":\"issue\",\"project\":{\"path_with_namespace\":\"a/b\"},\"object_attributes\":{\"iid\":1}}",
    "<html><body>502 Bad Gateway</body></html>",
    "Agile Architecture",
    "C++ & C#",
    "x-deletion_scheduled-1",
    "Ｗｉｋｉｓ аgile",
    "\u{202e}\u{200b}\u{1b}[2J\u{9b}31m\u{2028}\u{85}\u{feff}",
    "\u{ff}the-secret-token-of-the-fuzzer\u{ff}f5e5f430-f57b-4e6e-9fac-d9128cd7232f\u{ff}1772701200\u{ff}v1,2eTaaJH84SLO5lMy23Bty0pclCP/m6Ugv9nv2qOgPyg=",
];

fn input(random: &mut Rng) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..random.usize(0..4) {
        match random.u8(0..6) {
            0 => bytes.extend((0..random.usize(0..40)).map(|_| random.u8(..))),
            1 => bytes.extend((0..random.usize(0..40)).map(|_| random.u8(32..127))),
            2 => bytes.push(0xff),
            _ => bytes.extend_from_slice(SEEDS[random.usize(..SEEDS.len())].as_bytes()),
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
    for (name, target) in core::TARGETS.into_iter().chain(shell::TARGETS) {
        // A long run draws other inputs each time; the suite always the same.
        let seed = if cases > 150 { fastrand::u64(..) } else { 7 };
        let mut random = Rng::with_seed(seed);
        SEEDS.iter().for_each(|seed| target(seed.as_bytes()));
        for case in 0..cases {
            let bytes = input(&mut random);
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

#[expect(
    clippy::disallowed_methods,
    reason = "a test may be asked for more by its environment"
)]
fn option_env_now(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
