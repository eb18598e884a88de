//! `convenor health`: whether the service on this machine can take in deliveries, for containers and scripts that have no other
//! client at hand.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Context, print};

/// A service that takes longer is not well.
const PATIENCE: Duration = Duration::from_secs(5);
/// The answer is a line; whatever else listens there may say what it likes.
const LONGEST_ANSWER: u64 = 4096;

/// Arguments of `convenor health`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Asks `/readyz` at `server.listen`; an error, so exit code 1, when it is not ready or does not answer.
pub(super) async fn run(_: Args, context: &Context) -> anyhow::Result<ExitCode> {
    let address = reachable(context.settings()?.server.listen);
    let answer = tokio::time::timeout(PATIENCE, ask(address))
        .await
        .with_context(|| format!("{address} (server.listen) does not answer"))?
        .with_context(|| format!("{address} (server.listen) cannot be asked; is the service running?"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status != "200" {
        bail!("{address} is not ready ({status}): {}", one_line(body));
    }
    print(&format!("{}\n", one_line(body)));
    Ok(ExitCode::SUCCESS)
}

/// One answer over a connection of its own (HTTP/1.0, RFC 1945: the answer ends where the connection does).
async fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /readyz HTTP/1.0\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// Where a service that listens on every address is found.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// Another program may listen there: nothing of its answer controls the terminal.
fn one_line(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(500).collect()
}
