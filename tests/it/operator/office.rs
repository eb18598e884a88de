//! A GitLab, a folder with settings, and the program that an operator runs there.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use gitlab_sandbox::{Config, Role, Sandbox};
use serde_json::Value;

pub(super) const GROUP: &str = "acme/cops";
pub(super) const INTAKE: &str = "acme/cops/intake";
pub(super) const HANDBOOK: &str = "acme/handbook";
pub(super) const PAGE: &str = "content/cop.md";
pub(super) const BOT: &str = "convenor-bot";
pub(super) const SECRET: &str = "a-secret-of-at-least-24-characters";

/// Everything that an operator has before them.
pub(super) struct Office {
    pub(super) gitlab: Sandbox,
    pub(super) folder: tempfile::TempDir,
    environment: BTreeMap<String, String>,
}

/// What a command said.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) err: String,
}

impl Ran {
    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(super) fn well(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }
}

impl Office {
    /// A public group with an intake project and a handbook whose page is `page`; the bot is Owner.
    pub(super) fn with_page(config: Config, page: &str) -> Self {
        let config = Config {
            send_hooks: false,
            ..config
        };
        let gitlab = Sandbox::start(config).unwrap();
        gitlab.add_group_with("acme", "public").unwrap();
        gitlab.add_group_with(GROUP, "public").unwrap();
        let readme = [("README.md", "# Intake\n")];
        gitlab.add_project_with(INTAKE, "public", &readme).unwrap();
        gitlab.add_project_with(HANDBOOK, "public", &[(PAGE, page)]).unwrap();
        gitlab.add_member("acme", "maintainer", Role::Maintainer).unwrap();
        gitlab.add_bot(BOT);
        gitlab.add_member("acme", BOT, Role::Owner).unwrap();
        let token = gitlab.add_token(BOT);
        let folder = tempfile::tempdir().unwrap();
        let office = Self {
            environment: [
                ("CONVENOR_GITLAB__TOKEN", token.as_str()),
                ("CONVENOR_WEBHOOK__SECRET_TOKEN", SECRET),
                ("CONVENOR_DATABASE__URL", "sqlite://convenor.db"),
                ("CONVENOR_LOG__FILTER", "error"),
            ]
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect(),
            gitlab,
            folder,
        };
        office.settings("");
        office.gitlab.forget_calls();
        office
    }

    /// Writes the settings anew, with `more` behind them.
    pub(super) fn settings(&self, more: &str) {
        let text = format!(
            "[server]\npublic_url = \"https://convenor.example.com\"\n[gitlab]\nurl = \"{}\"\nrate_share = \"100%\"\n\
             [[program]]\nname = \"cop\"\ngroup = \"{GROUP}\"\nintake = \"{INTAKE}\"\n\
             [program.handbook]\nproject = \"{HANDBOOK}\"\npage = \"{PAGE}\"\nheading = \"Current communities\"\n{more}",
            self.gitlab.url()
        );
        std::fs::write(self.folder.path().join("convenor.toml"), text).unwrap();
    }

    /// Sets a variable of the environment, or takes it away when the value is empty.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        match value {
            "" => drop(self.environment.remove(name)),
            value => drop(self.environment.insert(name.to_owned(), value.to_owned())),
        }
    }

    /// What the program finds in its environment.
    pub(super) fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// Runs the program; nobody sits at a terminal.
    pub(super) fn run(&self, arguments: &[&str]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_convenor"))
            .args(["--config", "convenor.toml"])
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// How many calls changed something, or tried to.
    pub(super) fn writes(&self) -> usize {
        let writes = self.gitlab.writes();
        // Questions in GraphQL are asked with POST too.
        writes.iter().filter(|call| !call.path.ends_with("/graphql")).count()
    }

    /// A project of the group with these files.
    pub(super) fn community(&self, path: &str, files: &[(&str, &str)]) -> u64 {
        let readme = ("README.md", "# A community\n");
        let files: Vec<_> = files.iter().copied().chain([readme]).collect();
        let id = self
            .gitlab
            .add_project_with(&format!("{GROUP}/{path}"), "public", &files);
        id.unwrap()
    }
}
