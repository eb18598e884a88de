//! How fast calls are, over real HTTP with keep-alive connections and in process, on an instance with 10,000 projects.
//!
//!     cargo bench -p gitlab-sandbox --bench reads
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement prints and may give up"
)]

use bytes::Bytes;
use gitlab_sandbox::{Config, Role, Sandbox};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const PROJECTS: usize = 10_000;
const CONNECTIONS: usize = 4;
const MEASURE: Duration = Duration::from_secs(2);

fn main() {
    let started = Instant::now();
    let gitlab = Sandbox::start(Config::default()).unwrap();
    gitlab.add_group("small").unwrap();
    gitlab.add_group("g").unwrap();
    for group in ["small", "g"] {
        gitlab.add_member(group, "bot", Role::Owner).unwrap();
    }
    gitlab.add_project("small/one").unwrap();
    let token = gitlab.add_token("bot");
    println!("a small instance:");
    print_reads(&gitlab, &token, &["/user", "/projects/small%2Fone"]);
    for n in 0..PROJECTS {
        gitlab
            .add_project_with(&format!("g/project-{n}"), "private", &[("README.md", "# Hi\n")])
            .unwrap();
    }
    let first = gitlab
        .admin()
        .open_issue("g/project-7", "One", "text", &["a", "b"])
        .unwrap();
    println!(
        "{PROJECTS} projects with a commit each in {:.1} s:",
        started.elapsed().as_secs_f64()
    );
    let issue = format!("/projects/g%2Fproject-7/issues/{first}");
    let reads = [
        "/user",
        "/projects/g%2Fproject-7",
        issue.as_str(),
        "/projects/g%2Fproject-7/repository/files/README.md?ref=main",
        "/groups/g/projects?per_page=20",
        "/groups/g/projects?per_page=100&page=50&order_by=id&sort=asc&simple=true",
        "/groups/g/projects?per_page=100&page=100&archived=false&with_shared=false",
        "/groups/g/projects?search=project-777",
        "/projects?membership=true&pagination=keyset&order_by=id&per_page=100&simple=true",
    ];
    print_reads(&gitlab, &token, &reads);
    print_in_process(&gitlab, &token, &reads[..4]);
    print_creations(&gitlab, &token);
}

fn print_reads(gitlab: &Sandbox, token: &str, paths: &[&str]) {
    for path in paths {
        let reads = measure(gitlab.url(), token, &format!("/api/v4{path}"));
        println!("{reads:>9.0} reads/s  {path}");
    }
}

/// Time of one call without a socket.
fn print_in_process(gitlab: &Sandbox, token: &str, paths: &[&str]) {
    for path in paths {
        let (started, mut count) = (Instant::now(), 0_u32);
        while started.elapsed() < MEASURE / 4 {
            let request = http::Request::get(format!("/api/v4{path}"));
            let request = request.header("PRIVATE-TOKEN", token).body(Bytes::new()).unwrap();
            assert!(gitlab.exchange(request).received.whole().is_some());
            count += 1;
        }
        let each = started.elapsed().as_secs_f64() * 1e6 / f64::from(count);
        println!("{each:>9.1} µs a read in process  {path}");
    }
}

/// Time of making one more project among ten thousand.
fn print_creations(gitlab: &Sandbox, token: &str) {
    let group = gitlab.look("/groups/g").unwrap()["id"].clone();
    let count = 200;
    let started = Instant::now();
    for n in 0..count {
        let body = format!("{{\"path\": \"another-{n}\", \"namespace_id\": {group}}}");
        let request = http::Request::post("/api/v4/projects").header("Content-Type", "application/json");
        let request = request.header("PRIVATE-TOKEN", token).body(Bytes::from(body)).unwrap();
        assert_eq!(gitlab.exchange(request).received.whole().unwrap().status(), 201);
    }
    let each = started.elapsed().as_secs_f64() * 1e6 / f64::from(count);
    println!("{each:>9.1} µs to make project number {} and the next", PROJECTS + 2);
}

/// Reads a second over all connections.
fn measure(url: &str, token: &str, path: &str) -> f64 {
    let address = url.trim_start_matches("http://");
    let started = Instant::now();
    let counts: Vec<u64> = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..CONNECTIONS)
            .map(|_| scope.spawn(|| read_for_a_while(address, token, path)))
            .collect();
        readers.into_iter().map(|r| r.join().unwrap()).collect()
    });
    counts.iter().sum::<u64>() as f64 / started.elapsed().as_secs_f64()
}

fn read_for_a_while(address: &str, token: &str, path: &str) -> u64 {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nPRIVATE-TOKEN: {token}\r\n\r\n");
    let (end, mut count) = (Instant::now() + MEASURE, 0);
    while Instant::now() < end {
        stream.write_all(request.as_bytes()).unwrap();
        read_answer(&mut reader);
        count += 1;
    }
    count
}

fn read_answer(reader: &mut BufReader<TcpStream>) {
    let (mut length, mut line) = (0, String::new());
    reader.read_line(&mut line).unwrap();
    assert!(line.contains(" 200 "), "{line}");
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
}
