//! What was written down to be done, and waits for its turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use convenor::apply::{Applied, Applier, Errand, MayTell, Packing};
use convenor::gitlab::{Client, ClientSettings, LimitSettings, Words};
use convenor::hooks::HookSecrets;
use convenor::settings::WebhookSettings;
use convenor::store::{Claim, StepState, Store};
use convenor_core::escape::{CommitMessage, Markdown, Title};
use convenor_core::ids::{CommitSha, IssueIid, ProjectId, UserId};
use convenor_core::plan::Step;
use jiff::Timestamp;
use serde_json::json;
use wiremock::matchers::{method, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::database::Database;
use super::house::{self, Hands, proposal, until};

const LEASE: Duration = Duration::from_secs(30);

struct Desk {
    _database: Database,
    server: MockServer,
    client: Client,
    store: Store,
    hands: Hands,
    claim: Claim,
    webhook: WebhookSettings,
    /// When the work's turn is over.
    until: Option<Timestamp>,
    /// What is written: a comment, if nothing else is said.
    step: Step,
    /// Asked whether it may still be told.
    may_tell: Option<Arc<dyn MayTell>>,
}

/// Says yes each time, and counts.
#[derive(Default)]
struct Asked(AtomicUsize);

#[async_trait]
impl MayTell for Asked {
    async fn may_tell(&self) -> Result<bool, Words> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(true)
    }
}

impl Desk {
    /// A GitLab that lets us have one call at a time, and takes its time over reads.
    async fn new() -> Self {
        let server = MockServer::start().await;
        let slow = ResponseTemplate::new(200).set_delay(Duration::from_millis(700));
        Mock::given(method("GET"))
            .respond_with(slow.set_body_json(json!({})))
            .mount(&server)
            .await;
        let note = json!({ "id": 9, "body": "x", "author": { "id": 1, "username": "bot", "name": "Bot", "state": "active" },
            "created_at": "2026-03-02T09:00:00Z", "updated_at": "2026-03-02T09:00:00Z", "system": false });
        Mock::given(method("POST"))
            .respond_with(ResponseTemplate::new(201).set_body_json(note))
            .mount(&server)
            .await;
        let mut settings = ClientSettings::new(server.uri().parse().unwrap(), "glpat-x".into());
        settings.limits = LimitSettings {
            concurrency: 1,
            ..LimitSettings::unlimited()
        };
        let folder = tempfile::tempdir().unwrap();
        let webhook = house::settings(folder.path(), &[]).webhook;
        let database = Database::sqlite();
        let (store, hands) = (database.open().await, Hands::new());
        store.knock(&[proposal(1)], "test", hands.now()).await.unwrap();
        let claim = store.claim(hands.now(), LEASE).await.unwrap().unwrap();
        Self {
            _database: database,
            client: Client::new(&settings).unwrap(),
            server,
            store,
            hands,
            claim,
            webhook,
            until: None,
            step: Step::CreateNote {
                project: ProjectId(1),
                issue: IssueIid(1),
                body: Markdown::new().words("text"),
            },
            may_tell: None,
        }
    }

    /// The same for what tells people's text.
    async fn telling() -> (Self, Arc<Asked>) {
        let asked = Arc::new(Asked::default());
        let desk = Self {
            step: Step::CreateIssue {
                project: ProjectId(1),
                title: Title::new().words("title"),
                description: Markdown::new().words("text"),
                confidential: false,
            },
            may_tell: Some(asked.clone()),
            ..Self::new().await
        };
        (desk, asked)
    }

    /// Comments while another call is under way; `meanwhile` happens when the intent is written down and nothing is sent yet.
    async fn comments(&self, meanwhile: impl AsyncFnOnce()) -> Applied {
        let secrets = HookSecrets::new(&self.webhook);
        let applier = Applier::new(self.client.writer(), self.store.clone(), self.hands.clock(), secrets);
        let steps = std::slice::from_ref(&self.step);
        let errand = Errand {
            thing: &self.claim.thing,
            cause: "test",
            lease: Some(&self.claim.lease),
            until: self.until,
            may_tell: self.may_tell.as_ref(),
        };
        let reader = self.client.reader();
        let other = reader.user(UserId(1));
        let ours = async {
            until("the other call", async || {
                let requests = self.server.received_requests().await.unwrap();
                (!requests.is_empty()).then_some(())
            })
            .await;
            applier.apply_together(errand, steps, Packing::Shared).await
        };
        let meanwhile = async {
            until("the intent", async || {
                let open = self.store.journal_open(&proposal(1)).await.unwrap();
                (!open.is_empty()).then_some(())
            })
            .await;
            assert_eq!(self.notes_sent().await, 0);
            meanwhile().await;
        };
        let (_, applied, ()) = tokio::join!(other, ours, meanwhile);
        applied
    }

    async fn notes_sent(&self) -> usize {
        let requests = self.server.received_requests().await.unwrap();
        requests
            .iter()
            .filter(|request| request.method.as_str() == "POST")
            .count()
    }
}

#[tokio::test]
async fn what_waited_long_for_its_turn_is_written_down_anew_before_it_is_sent() {
    let desk = Desk::new().await;
    let begun = desk.hands.now();
    let applied = desk
        .comments(async || desk.hands.forward(Duration::from_secs(20)))
        .await;
    assert_eq!((applied.done, desk.notes_sent().await), (1, 1), "{:?}", applied.failed);
    let entry = desk.store.journal_of(&proposal(1), 1).await.unwrap().remove(0);
    assert_eq!(entry.at.duration_since(begun).as_secs(), 20);
}

#[tokio::test]
async fn what_waited_until_it_was_somebody_elses_work_is_not_sent() {
    let desk = Desk::new().await;
    let applied = desk
        .comments(async || {
            desk.hands.forward(Duration::from_secs(31));
            assert!(desk.store.claim(desk.hands.now(), LEASE).await.unwrap().is_some());
        })
        .await;
    assert_eq!((applied.done, desk.notes_sent().await), (0, 0));
    let why = std::error::Error::source(&applied.failed.unwrap()).unwrap().to_string();
    assert!(why.contains("somebody else's work"), "{why}");
}

#[tokio::test]
async fn whatever_is_answered_that_the_token_does_not_count_nothing_that_waits_is_sent() {
    let desk = Desk::new().await;
    desk.server.reset().await;
    let refuses = ResponseTemplate::new(401).set_delay(Duration::from_millis(700));
    Mock::given(method("GET"))
        .respond_with(refuses)
        .mount(&desk.server)
        .await;
    // It is long until the answer comes, so that the comment is written down before.
    let applied = desk.comments(async || ()).await;
    assert_eq!((applied.done, desk.notes_sent().await), (0, 0));
    let why = std::error::Error::source(&applied.failed.unwrap()).unwrap().to_string();
    assert!(why.contains("does not accept the token"), "{why}");
}

#[tokio::test]
async fn what_waited_until_its_turn_was_over_is_not_sent() {
    let mut desk = Desk::new().await;
    desk.until = desk.hands.now().checked_add(Duration::from_secs(10)).ok();
    let applied = desk
        .comments(async || desk.hands.forward(Duration::from_secs(11)))
        .await;
    assert_eq!((applied.done, desk.notes_sent().await), (0, 0));
    let entry = desk.store.journal_of(&proposal(1), 1).await.unwrap().remove(0);
    assert_eq!(entry.state, StepState::Failed, "{:?}", entry.result);
}

/// A connection was long in coming: what was read before it is too old, and with one in hand nothing is read.
#[tokio::test]
async fn what_tells_and_waited_long_for_a_connection_is_not_sent() {
    for (seconds, sent) in [(5, true), (11, false)] {
        let (desk, asked) = Desk::telling().await;
        let applied = desk
            .comments(async || desk.hands.forward(Duration::from_secs(seconds)))
            .await;
        let tried = desk.notes_sent().await == 1;
        assert_eq!(tried, sent, "after {seconds} s: {:?}", applied.failed);
        assert_eq!(
            asked.0.load(Ordering::SeqCst),
            0,
            "it was read a moment before it waited"
        );
    }
}

/// GitLab takes no condition with a commit that makes a branch anew: what was seen of the branch has to be new.
#[tokio::test]
async fn what_makes_a_branch_anew_and_waited_after_the_look_at_it_is_not_sent() {
    let head = "b".repeat(40);
    for (seconds, sent) in [(2, true), (4, false)] {
        let mut desk = Desk::new().await;
        let at = "2026-03-02T09:00:00Z";
        let commit = json!({ "id": head, "short_id": "b", "title": "x", "message": "x", "parent_ids": [], "web_url": "http://x/",
            "author_name": "Bot", "author_email": "b@x", "committer_name": "Bot", "committer_email": "b@x", "created_at": at,
            "authored_date": at, "committed_date": at });
        let branch = json!({ "name": "convenor/rust", "commit": commit, "merged": false, "protected": false, "default": false,
            "developers_can_push": true, "developers_can_merge": true, "can_push": true, "web_url": "http://x/" });
        let answer = ResponseTemplate::new(200).set_delay(Duration::from_millis(300));
        Mock::given(method("GET"))
            .and(path_regex("/repository/branches/"))
            .respond_with(answer.set_body_json(branch))
            .with_priority(1)
            .mount(&desk.server)
            .await;
        desk.step = Step::Commit {
            project: ProjectId(1),
            branch: "convenor/rust".to_owned(),
            start: Some("main".to_owned()),
            replaces: Some(CommitSha(head.clone())),
            message: CommitMessage::new().words("words"),
            files: Vec::new(),
        };
        let applied = desk
            .comments(async || {
                // In line behind the look at the branch, and before the commit.
                tokio::time::sleep(Duration::from_millis(100)).await;
                let reader = desk.client.reader();
                let third = reader.user(UserId(2));
                let later = async {
                    until("the third call", async || {
                        let requests = desk.server.received_requests().await.unwrap();
                        (requests.len() == 3).then_some(())
                    })
                    .await;
                    desk.hands.forward(Duration::from_secs(seconds));
                };
                let _ = tokio::join!(third, later);
            })
            .await;
        let tried = desk.notes_sent().await == 1;
        assert_eq!(tried, sent, "after {seconds} s: {:?}", applied.failed);
    }
}
