//! Chromium without a window: pages as people get them, with scripts, links and policies.
//!
//! It is driven over its debugging protocol (<https://chromedevtools.github.io/devtools-protocol/>) on a pipe: messages are JSON, each
//! ended by a zero byte. It knows no page; the stories say what they look for.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::{Value, json};

use crate::skip::skip;

/// How long Chromium may take for one answer, on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// Hands Chromium its pipe where it wants it: it reads file descriptor 3 and writes 4.
const LAUNCH: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>"$LOG""#;

const ARGUMENTS: [&str; 10] = [
    "--headless",
    "--remote-debugging-pipe",
    // Tests often run as root in a container, where Chromium's own sandbox cannot work. Only loopback is visited.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/// One tab of a browser of its own. It ends with the value.
pub(crate) struct Browser {
    process: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    number: u64,
    session: String,
    status: Option<u64>,
    loaded: bool,
    dialogs: Vec<String>,
    requests: BTreeMap<String, String>,
    folder: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Browser {
    /// `None`, said loudly, where there is no Chromium.
    pub(crate) fn start(test: &str) -> Option<Self> {
        let Some(program) = program() else {
            skip(test, "there is no Chromium on this machine");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new("/bin/sh")
            .args(["-c", LAUNCH])
            .arg(program)
            .args(ARGUMENTS)
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .env("LOG", folder.path().join("log"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = process.stdin.take().unwrap();
        let from = listen(process.stdout.take().unwrap());
        let mut browser = Self {
            process,
            to,
            from,
            number: 0,
            session: String::new(),
            status: None,
            loaded: false,
            dialogs: Vec::new(),
            requests: BTreeMap::new(),
            folder,
        };
        browser.open_tab();
        Some(browser)
    }

    fn open_tab(&mut self) {
        let target = self.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.call("Target.attachToTarget", &attach);
        session["sessionId"].as_str().unwrap().clone_into(&mut self.session);
        for domain in ["Page", "Network", "Runtime"] {
            self.call(&format!("{domain}.enable"), &json!({}));
        }
    }

    /// Goes to a page and waits until it is there, pictures and scripts included; gives the HTTP status.
    pub(crate) fn open(&mut self, url: &str) -> u64 {
        self.loaded = false;
        let went = self.call("Page.navigate", &json!({ "url": url }));
        assert_eq!(went["errorText"], Value::Null, "{url}: {went}");
        self.wait_for_page()
    }

    /// Follows the first link that has this text; gives the HTTP status of the page behind it.
    pub(crate) fn follow(&mut self, text: &str) -> u64 {
        let find = format!(
            "[...document.links].find(link => link.innerText.trim() === {})",
            json!(text)
        );
        assert_eq!(
            self.evaluate(&format!("{find} !== undefined")),
            true,
            "no link {text:?} on {}",
            self.evaluate("location.href")
        );
        self.loaded = false;
        self.evaluate(&format!("{find}.click()"));
        self.wait_for_page()
    }

    /// Lets pages run scripts that their content security policy forbids: what keeps them harmless has to be their text.
    pub(crate) fn ignore_content_security_policies(&mut self) {
        self.call("Page.setBypassCSP", &json!({ "enabled": true }));
    }

    /// The value of a JavaScript expression on the page.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let ask = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.call("Runtime.evaluate", &ask);
        assert_eq!(answer["exceptionDetails"], Value::Null, "{expression}");
        answer["result"]["value"].take()
    }

    /// A list of texts that a JavaScript expression on the page gives.
    pub(crate) fn texts(&mut self, expression: &str) -> Vec<String> {
        let values = self.evaluate(expression);
        let texts = values.as_array().expect("a list").iter();
        texts.map(|text| text.as_str().expect("a text").to_owned()).collect()
    }

    /// What a person can read on the page.
    pub(crate) fn text(&mut self) -> String {
        self.evaluate("document.body.innerText").as_str().unwrap().to_owned()
    }

    /// The texts of the dialogs that pages opened.
    pub(crate) fn dialogs(&self) -> &[String] {
        &self.dialogs
    }

    /// The addresses that were asked for, without those that a content security policy kept from being asked.
    pub(crate) fn requests(&self) -> impl Iterator<Item = &str> {
        self.requests.values().map(String::as_str)
    }

    fn wait_for_page(&mut self) -> u64 {
        while !self.loaded {
            let event = self.hear();
            self.note(&event);
        }
        // Lets timers and late events of the page have their turn.
        self.evaluate("new Promise(done => setTimeout(done, 20))");
        self.status.unwrap_or_default()
    }

    /// Asks and waits for the answer, noting what happens meanwhile.
    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        let number = self.tell(method, parameters);
        loop {
            let mut heard = self.hear();
            if heard["id"] == number {
                assert_eq!(heard["error"], Value::Null, "{method}");
                return heard["result"].take();
            }
            self.note(&heard);
        }
    }

    fn tell(&mut self, method: &str, parameters: &Value) -> u64 {
        self.number += 1;
        let mut message = json!({ "id": self.number, "method": method, "params": parameters });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).expect("Chromium listens");
        self.number
    }

    fn hear(&self) -> Value {
        self.from.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            panic!("Chromium does not answer:\n{log}")
        })
    }

    fn note(&mut self, event: &Value) {
        let what = &event["params"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match event["method"].as_str() {
            Some("Page.loadEventFired") => self.loaded = true,
            Some("Page.javascriptDialogOpening") => {
                self.dialogs.push(text(&what["message"]));
                self.tell("Page.handleJavaScriptDialog", &json!({ "accept": false }));
            }
            Some("Network.requestWillBeSent") => {
                let url = text(&what["request"]["url"]);
                self.requests.insert(text(&what["requestId"]), url);
            }
            Some("Network.loadingFailed") if what["blockedReason"] == "csp" => {
                self.requests.remove(&text(&what["requestId"]));
            }
            Some("Network.responseReceived") if what["type"] == "Document" => {
                self.status = what["response"]["status"].as_u64();
            }
            _ => {}
        }
    }
}

fn program() -> Option<PathBuf> {
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"]
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|path| path.is_file())
}

/// Reads messages on a thread of its own, so that waiting for one can end.
fn listen(from: ChildStdout) -> Receiver<Value> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for message in BufReader::new(from).split(0).map_while(Result::ok) {
            let message = serde_json::from_slice(&message).expect("Chromium speaks JSON");
            if sender.send(message).is_err() {
                break;
            }
        }
    });
    receiver
}
