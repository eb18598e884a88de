//! A group of its own on some GitLab, with an intake project and a handbook, made by a run and removed by it. Whatever else is
//! on that GitLab is not looked at and not touched: every address below begins with the group or a project in it.

use std::time::Duration;

use convenor::clock::Clock;
use jiff::{SignedDuration, tz::TimeZone};
use serde_json::{Value, json};

use super::super::town::{PAGE, PAGE_PATH};

const PREFIX: &str = "convenor-test-";

/// Where to, and as whom.
pub(super) struct Target {
    /// `https://gitlab.example.com`
    pub(super) url: String,
    /// Of the person in the story: may make groups, or owns the parent.
    pub(super) token: String,
    /// Usernames of two more accounts: a community has three people. They become members of its project.
    pub(super) people: [String; 2],
    /// Number of a group to make the throw-away group in; none makes it at the top.
    pub(super) parent: Option<u64>,
    /// Of a second account, for Convenor. Without it the throw-away group gets an access token.
    pub(super) bot_token: Option<String>,
    /// Time between two looks at something that GitLab does later.
    pub(super) pause: Duration,
}

/// The group.
pub(super) struct Place {
    pub(super) target: Target,
    http: reqwest::Client,
    id: u64,
    /// `parent/convenor-test-1a2b`
    pub(super) path: String,
    /// The person's username.
    pub(super) me: String,
    pub(super) bot_token: String,
    pub(super) bot_id: u64,
}

impl Place {
    /// Makes the group with everything in it. What was made is removed again when something fails on the way.
    pub(super) async fn make(target: Target) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(60))
            .build()
            .unwrap();
        let name = format!("{PREFIX}{:08x}", fastrand::u32(..));
        let mut place = Self {
            target,
            http,
            id: 0,
            path: String::new(),
            me: String::new(),
            bot_token: String::new(),
            bot_id: 0,
        };
        let me = place.get("/user").await;
        place.me = text(&me["username"]);
        let mut new = json!({ "name": name, "path": name, "visibility": "private" });
        if let Some(parent) = place.target.parent {
            new["parent_id"] = json!(parent);
        }
        let group = place.call("POST", "/groups", new).await.unwrap_or_else(|why| {
            panic!("the group {name} cannot be made ({why}); name a parent with GITLAB_TEST_PARENT")
        });
        place.id = group["id"].as_u64().unwrap();
        place.path = text(&group["full_path"]);
        if let Err(why) = place.furnish().await {
            place.remove().await;
            panic!("{why}");
        }
        place
    }

    async fn furnish(&mut self) -> Result<(), String> {
        self.admit_bot().await?;
        for project in ["intake", "handbook"] {
            let new =
                json!({ "name": project, "path": project, "namespace_id": self.id, "initialize_with_readme": true });
            self.call("POST", "/projects", new).await?;
        }
        let page = json!({
            "branch": "main",
            "commit_message": "Add the page",
            "actions": [{ "action": "create", "file_path": PAGE_PATH, "content": PAGE }],
        });
        // Which name the first branch gets is a setting of the instance.
        let handbook = self.call("GET", &self.project("handbook", ""), Value::Null).await?;
        let mut page = page;
        page["branch"] = handbook["default_branch"].clone();
        let commits = self.project("handbook", "/repository/commits");
        self.call("POST", &commits, page).await.map(|_| ())
    }

    /// Convenor's account: the second one that was named, or a bot that comes with an access token of the group.
    async fn admit_bot(&mut self) -> Result<(), String> {
        let group = format!("/groups/{}", self.id);
        if let Some(token) = self.target.bot_token.clone() {
            let bot = self.call_as(&token, "GET", "/user", Value::Null).await?;
            self.bot_id = bot["id"].as_u64().unwrap();
            self.bot_token = token;
            let member = json!({ "user_id": self.bot_id, "access_level": 50 });
            return self.call("POST", &format!("{group}/members"), member).await.map(|_| ());
        }
        let end = Clock::system().now() + SignedDuration::from_hours(48);
        let end = end.to_zoned(TimeZone::UTC).date().to_string();
        let new = json!({ "name": "convenor", "scopes": ["api"], "access_level": 50, "expires_at": end });
        let made = self.call("POST", &format!("{group}/access_tokens"), new).await;
        let made = made.map_err(|why| {
            format!("the group gets no access token ({why}); name a second account with GITLAB_TEST_BOT_TOKEN")
        })?;
        self.bot_token = text(&made["token"]);
        self.bot_id = made["user_id"].as_u64().unwrap();
        Ok(())
    }

    /// Removes the group, and nothing else. GitLab may only mark it and remove it days later.
    pub(super) async fn remove(&self) {
        let last = self.path.rsplit('/').next().unwrap_or_default();
        assert!(
            self.id > 0 && last.starts_with(PREFIX),
            "only what this run made is removed: {}",
            self.path
        );
        let removed = self.call("DELETE", &format!("/groups/{}", self.id), Value::Null).await;
        if let Err(why) = removed {
            eprintln!("the group {} is left over, remove it by hand: {why}", self.path);
        }
    }

    /// The API's path of something in a project of the group.
    pub(super) fn project(&self, name: &str, rest: &str) -> String {
        format!(
            "/projects/{}{rest}",
            format!("{}/{name}", self.path).replace('/', "%2F")
        )
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        self.call("GET", path, Value::Null).await.unwrap()
    }

    /// One call of the person; the error says what GitLab said.
    pub(super) async fn call(&self, method: &str, path: &str, body: Value) -> Result<Value, String> {
        self.call_as(&self.target.token, method, path, body).await
    }

    async fn call_as(&self, token: &str, method: &str, path: &str, body: Value) -> Result<Value, String> {
        let url = format!("{}/api/v4{path}", self.target.url.trim_end_matches('/'));
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.http.request(method.clone(), url).header("PRIVATE-TOKEN", token);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.map_err(|why| why.without_url().to_string())?;
        let status = answer.status();
        let said = answer.text().await.unwrap_or_default();
        if status.is_success() {
            Ok(serde_json::from_str(&said).unwrap_or_default())
        } else {
            Err(format!("{method} {path}: {status} {said}"))
        }
    }

    /// Asks until the answer is as wanted; some of GitLab's work is done later.
    pub(super) async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..60 {
            let found = self.get(path).await;
            if wanted(&found) {
                return found;
            }
            tokio::time::sleep(self.target.pause).await;
        }
        panic!("{path} does not become what it should: {}", self.get(path).await);
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
