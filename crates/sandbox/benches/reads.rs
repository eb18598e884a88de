//! How fast simple reads are, over real HTTP with keep-alive connections, on an instance with 10,000 projects.
//!
//!     cargo bench -p gitlab-sandbox --bench reads
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement prints and may give up"
)]

use gitlab_sandbox::{Config, Role, Sandbox};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const PROJECTS: usize = 10_000;
const CONNECTIONS: usize = 4;
const MEASURE: Duration = Duration::from_secs(3);

fn main() {
    let started = Instant::now();
    let gitlab = Sandbox::start(Config::default()).unwrap();
    gitlab.add_group("g").unwrap();
    gitlab.add_member("g", "bot", Role::Owner).unwrap();
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
        "{PROJECTS} projects with a commit each in {:.1} s",
        started.elapsed().as_secs_f64()
    );
    let token = gitlab.add_token("bot");
    let issue = format!("/api/v4/projects/g%2Fproject-7/issues/{first}");
    for path in [
        "/api/v4/user",
        "/api/v4/projects/g%2Fproject-7",
        issue.as_str(),
        "/api/v4/projects/g%2Fproject-7/repository/files/README.md?ref=main",
        "/api/v4/groups/g/projects?per_page=100&page=50&order_by=id&sort=asc&simple=true",
    ] {
        println!("{:>9.0} reads/s  {path}", measure(gitlab.url(), &token, path));
    }
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
