//! Clients that hold on to what they can get: memory stays bounded and good deliveries are answered meanwhile.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine as _;

use super::poison::GZIP;
use super::served::{Installation, Served};

const TOKEN: &str = "the-secret-token-of-the-tests";
/// As many as an attacker gets from one ordinary machine without trying hard.
const SOCKETS: usize = 5_000;
/// What the process may have in memory, whatever happens, in MiB: 64 for bodies (the default of `server.body_memory`), 1,024 heads
/// of 32 KiB, and itself.
const MOST_MEMORY: u64 = 250;
/// GitLab waits ten seconds for an answer.
const IN_TIME: Duration = Duration::from_secs(10);

fn installation() -> Installation {
    let variables = [
        ("CONVENOR_WEBHOOK__SECRET_TOKEN", TOKEN),
        ("CONVENOR_LOG__FILTER", "warn"),
    ];
    Installation::new("", &variables)
}

/// One good delivery, answered in time.
fn delivers(installation: &Installation, key: &str) {
    let began = Instant::now();
    let mut stream = TcpStream::connect(&installation.address).unwrap();
    stream.set_read_timeout(Some(IN_TIME)).unwrap();
    let body = r#"{"object_kind":"wiki_page"}"#;
    let head = format!(
        "POST /webhooks/gitlab HTTP/1.1\r\nhost: x\r\nx-gitlab-token: {TOKEN}\r\nidempotency-key: {key}\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{key}: {answer}");
    assert!(began.elapsed() < IN_TIME, "{key}: {:?}", began.elapsed());
}

fn is_bounded(served: &Served, what: &str) {
    let memory = served.memory();
    assert!(memory < MOST_MEMORY, "{memory} MiB with {what}");
}

/// Raises this process's limit of open files as far as it may; gives how many sockets the test can have.
#[expect(clippy::print_stderr, reason = "a test that does less than its name says so loudly")]
fn sockets() -> usize {
    let pid = std::process::id().to_string();
    let wanted = (SOCKETS + 1_000).to_string();
    let _ = Command::new("prlimit")
        .args(["--pid", &pid, &format!("--nofile={wanted}:")])
        .status();
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let files: usize = line.split_whitespace().nth(3).unwrap().parse().unwrap_or(usize::MAX);
    let possible = SOCKETS.min(files.saturating_sub(500));
    if possible < SOCKETS {
        eprintln!("SCALED DOWN: {possible} instead of {SOCKETS} sockets; the system allows {files} open files");
    }
    possible
}

#[test]
fn thousands_of_idle_and_slow_clients_keep_no_good_delivery_out() {
    let installation = installation();
    let served = installation.serve();
    delivers(&installation, "before");
    let mut held = Vec::new();
    for number in 0..sockets() {
        // The listener's queue may be full for a moment.
        let Ok(mut stream) = TcpStream::connect(&installation.address) else {
            continue;
        };
        let begin: &[u8] = match number % 3 {
            0 => b"",
            1 => b"POST /webhooks/gitlab HTTP/1.1\r\nhost: x\r\nx-a: ",
            _ => b"POST /webhooks/gitlab HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n",
        };
        // Whom the server has sent away already cannot write any more.
        let _ = stream.write_all(begin);
        held.push(stream);
        if number % 500 == 0 {
            delivers(&installation, &format!("among {number}"));
        }
    }
    is_bounded(&served, "idle sockets");
    for (number, stream) in held.iter_mut().enumerate() {
        // The slow ones go on, byte by byte.
        let _ = stream.write_all(b"x");
        if number % 1_000 == 0 {
            delivers(&installation, &format!("with {number} slow ones"));
        }
    }
    delivers(&installation, "at the end");
    is_bounded(&served, "slow sockets");
    assert!(held.len() > 500, "only {} sockets could be opened", held.len());
}

#[test]
fn huge_heads_are_refused_before_they_take_memory() {
    let installation = installation();
    let served = installation.serve();
    let piece = "x".repeat(16 * 1024);
    let mut held = Vec::new();
    for number in 0..300 {
        let mut stream = TcpStream::connect(&installation.address).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
        stream.set_read_timeout(Some(IN_TIME)).unwrap();
        let begin = format!("POST /webhooks/gitlab HTTP/1.1\r\nhost: x\r\nx-gitlab-token: {TOKEN}\r\nx-long: ");
        // A megabyte of one header, until the server has had enough.
        let written = stream.write_all(begin.as_bytes());
        let written = written.and_then(|()| (0..64).try_for_each(|_| stream.write_all(piece.as_bytes())));
        if number == 0 {
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            let answer = String::from_utf8_lossy(&answer).into_owned();
            assert!(written.is_err() || answer.starts_with("HTTP/1.1 431"), "{answer}");
        }
        held.push(stream);
    }
    delivers(&installation, "beside huge heads");
    is_bounded(&served, "huge heads");
    let mut many = TcpStream::connect(&installation.address).unwrap();
    let heads = format!("GET /healthz HTTP/1.1\r\n{}\r\n", "x-a: b\r\n".repeat(2_000));
    let _ = many.write_all(heads.as_bytes());
    let mut answer = [0; 12];
    assert!(
        many.read_exact(&mut answer).is_err() || &answer == b"HTTP/1.1 431",
        "{answer:?}"
    );
}

#[test]
fn large_bodies_share_one_budget() {
    let installation = installation();
    let served = installation.serve();
    let length = 24 << 20;
    let piece = vec![b' '; 1 << 20];
    let mut held: Vec<TcpStream> = (0..8)
        .map(|number| {
            let mut stream = TcpStream::connect(&installation.address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            let head = format!(
                "POST /webhooks/gitlab HTTP/1.1\r\nhost: x\r\nx-gitlab-token: {TOKEN}\r\nidempotency-key: large-{number}\r\n\
                 connection: close\r\ncontent-length: {length}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    for _ in 0..length / piece.len() {
        for stream in &mut held {
            stream.write_all(&piece).unwrap();
        }
        is_bounded(&served, "192 MiB of bodies on the way");
    }
    for stream in &mut held {
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        // An authentic one is never refused, however large: it is noted, and everything is looked at.
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    delivers(&installation, "after large bodies");
    is_bounded(&served, "large bodies");
}

/// Nobody unpacks a body, and what is read of one is read without a tower of calls: to the process they are bytes like others.
#[test]
fn packed_and_deep_bodies_take_no_more_than_their_length() {
    let installation = installation();
    let served = installation.serve();
    // Members of a gzip file may follow one another: 20 MiB that would unpack to 12 GiB.
    let packed = base64::engine::general_purpose::STANDARD.decode(GZIP).unwrap();
    let bombs = [
        ("gzip", packed.repeat((20 << 20) / packed.len())),
        ("identity", b"[".repeat(20 << 20)),
        ("identity", br#"{"object_kind":"#.repeat((20 << 20) / 15)),
        ("deflate, gzip, br", vec![0x78; 20 << 20]),
    ];
    for (number, (encoding, body)) in bombs.iter().enumerate() {
        let mut stream = TcpStream::connect(&installation.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let head = format!(
            "POST /webhooks/gitlab HTTP/1.1\r\nhost: x\r\nx-gitlab-token: {TOKEN}\r\nidempotency-key: bomb-{number}\r\n\
             content-type: application/json\r\ncontent-encoding: {encoding}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.starts_with("HTTP/1.1 200"), "{number}: {answer}");
        is_bounded(&served, "packed and deep bodies");
    }
    delivers(&installation, "after packed and deep bodies");
    is_bounded(&served, "packed and deep bodies");
}
