//! `convenor` as processes of their own, with all that they print kept.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the processes of one test share: a folder and an environment.
pub(super) struct Installation {
    pub(super) folder: tempfile::TempDir,
    pub(super) address: String,
    environment: BTreeMap<String, String>,
}

impl Installation {
    /// One with a free port, a database, the log at its most talkative, and these variables and settings.
    pub(super) fn new(settings: &str, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("convenor.toml"), settings).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        let public = format!("http://{address}");
        let database = format!("sqlite://{}", folder.path().join("convenor.db").display());
        let fixed = [
            ("CONVENOR_DATABASE__URL", database.as_str()),
            ("CONVENOR_SERVER__LISTEN", &address),
            ("CONVENOR_SERVER__PUBLIC_URL", &public),
            ("CONVENOR_LOG__FILTER", "trace"),
        ];
        let environment = fixed.into_iter().chain(variables.iter().copied());
        let environment = environment
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        Self {
            folder,
            address,
            environment,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_convenor"));
        command.args(["--config", "convenor.toml"]).args(arguments);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .envs(&self.environment);
        command
    }

    /// Runs a command to its end; gives all that it printed.
    pub(super) fn run(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        format!(
            "{:?}\n{}\n{}",
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr)
        )
    }

    /// Starts `serve` and waits until it does.
    pub(super) fn serve(&self) -> Served {
        let mut process = self.command(&["serve", "-vv"]).stderr(Stdio::piped()).spawn().unwrap();
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let kept = log.clone();
        std::thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .for_each(|line| kept.lock().unwrap().push(line));
        });
        let served = Served { process, log };
        served.until("it serves", |served| served.log().contains("serving address="));
        served
    }

    /// The bytes of all files that it keeps.
    pub(super) fn kept(&self) -> Vec<u8> {
        fn read(folder: &Path, bytes: &mut Vec<u8>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    read(&path, bytes);
                } else {
                    bytes.extend(std::fs::read(path).unwrap());
                }
            }
        }
        let mut bytes = Vec::new();
        read(self.folder.path(), &mut bytes);
        bytes
    }
}

/// A running `convenor serve`; killed when it is dropped.
pub(super) struct Served {
    process: Child,
    log: Arc<Mutex<Vec<String>>>,
}

impl Served {
    pub(super) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// Its memory now, in MiB, as the system counts it.
    pub(super) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
    }

    /// Waits until something is so.
    #[expect(
        clippy::disallowed_methods,
        reason = "it waits for another process, on a thread of its own"
    )]
    pub(super) fn until(&self, what: &str, is: impl Fn(&Self) -> bool) {
        for _ in 0..12_000 {
            if is(self) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("waited in vain until {what}:\n{}", self.log());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
