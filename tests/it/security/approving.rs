//! Role × way: whose approval counts, and by which way. A table, because what is not in it is a hole.

use std::collections::BTreeMap;

use gitlab_sandbox::{Config, Role};
use jiff::SignedDuration;
use serde_json::json;

use super::town::{FORM, GROUP, INTAKE, SECRET, Town};

/// Everybody who might try, each with a proposal that they try to get approved.
const WHO: [&str; 11] = [
    "stranger",
    "guestling",
    "reporting",
    "developing",
    "intakelead",
    "expiredlead",
    "blockedlead",
    "formerlead",
    "named",
    "inherited",
    "directowner",
];

/// Those with the most rights: where they get nothing, the others do not either.
const STRONGEST: [&str; 4] = ["intakelead", "named", "inherited", "directowner"];

/// Those who may approve: Maintainers and Owners of the group, inherited or not, and whom the settings name.
const MAY: [&str; 3] = ["named", "inherited", "directowner"];

struct Table {
    town: Town,
    proposals: BTreeMap<&'static str, u64>,
}

/// A town with everybody in it and a proposal by somebody else for each of these.
async fn table(who: &[&'static str]) -> Table {
    let program = [("approval", "\"always\""), ("approvers", "[\"named\"]")];
    let town = Town::with(Config::default(), &program).await;
    let gitlab = &town.gitlab;
    for who in WHO {
        gitlab.add_user(who);
    }
    for (place, who, role) in [
        (GROUP, "guestling", Role::Guest),
        (GROUP, "reporting", Role::Reporter),
        (GROUP, "developing", Role::Developer),
        (INTAKE, "intakelead", Role::Maintainer),
        (GROUP, "blockedlead", Role::Maintainer),
        (GROUP, "formerlead", Role::Owner),
        ("acme", "inherited", Role::Maintainer),
        (GROUP, "directowner", Role::Owner),
    ] {
        gitlab.add_member(place, who, role).unwrap();
    }
    let tomorrow = gitlab.now().checked_add(SignedDuration::from_hours(24)).unwrap();
    let ends = tomorrow.to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let member = json!({ "username": "expiredlead", "access_level": Role::Maintainer.level(), "expires_at": ends });
    gitlab
        .admin()
        .api("POST", "/groups/acme%2Fcops/members", member)
        .unwrap();
    let mut proposals = BTreeMap::new();
    for &who in who {
        proposals.insert(who, town.opens("proposer", &form(who)));
    }
    town.settle().await;
    Table { town, proposals }
}

fn form(who: &str) -> String {
    FORM.replace("Rust at Work", &format!("Topic of {who}"))
}

impl Table {
    /// What happens between somebody's word and our look at it.
    fn fates(&self) {
        let gitlab = &self.town.gitlab;
        gitlab.advance(SignedDuration::from_hours(49));
        gitlab.set_user_state("blockedlead", "blocked");
        gitlab.admin().remove_member(GROUP, "formerlead").unwrap();
    }

    /// Asserts that exactly these got their proposal approved.
    async fn approved(&self, way: &str, expected: &[&str]) {
        self.town.settle().await;
        let is_approved = |who: &&&str| {
            // Without a label, because GitLab took none of this person's, it is no proposal at all.
            let state = self.town.state(self.proposals[**who]);
            let known = [vec!["cop::approved"], vec!["cop::ready"], vec![]];
            assert!(known.iter().any(|known| *known == state), "{way}: {who}: {state:?}");
            state == ["cop::approved"]
        };
        let approved: Vec<_> = WHO
            .iter()
            .filter(|who| self.proposals.contains_key(**who))
            .filter(is_approved)
            .copied()
            .collect();
        assert_eq!(approved, expected, "by {way}");
        assert_eq!(
            self.town.gitlab.projects(GROUP).unwrap().len(),
            1 + expected.len(),
            "by {way}"
        );
    }

    /// Everybody tries; GitLab may refuse.
    fn try_all(&self, act: impl Fn(&gitlab_sandbox::Person, u64)) {
        for (who, iid) in &self.proposals {
            act(&self.town.gitlab.person(who).unwrap(), *iid);
        }
    }
}

#[tokio::test]
async fn by_comment_whoever_may_and_nobody_else() {
    let table = table(&WHO).await;
    table.try_all(|person, iid| drop(person.comment(INTAKE, iid, "@convenor-bot approve")));
    table.fates();
    table.approved("comment", &MAY).await;
}

#[tokio::test]
async fn by_label_whoever_may_and_can_and_nobody_else() {
    let table = table(&WHO).await;
    table.try_all(|person, iid| drop(person.add_labels(INTAKE, iid, &["cop::approved"])));
    table.fates();
    // `named` has no role, so GitLab lets them set no label.
    table.approved("label", &["inherited", "directowner"]).await;
}

#[tokio::test]
async fn by_quick_action_whoever_may_and_can_and_nobody_else() {
    let table = table(&WHO).await;
    table.try_all(|person, iid| drop(person.comment(INTAKE, iid, "/label ~cop::approved")));
    table.fates();
    table.approved("quick action", &["inherited", "directowner"]).await;
}

#[tokio::test]
async fn nobody_by_a_label_that_the_issue_was_opened_with() {
    let mut table = table(&STRONGEST).await;
    for who in STRONGEST {
        let person = table.town.gitlab.person(who).unwrap();
        let text = form(who).replace("Topic of", "Own topic of");
        let opened = person.open_issue(INTAKE, "New community", &text, &["cop::proposed", "cop::approved"]);
        table.proposals.insert(who, opened.unwrap());
    }
    table.fates();
    table.approved("label at creation", &[]).await;
}

#[tokio::test]
async fn nobody_for_their_own_proposal() {
    let mut table = table(&STRONGEST).await;
    for who in STRONGEST {
        let person = table.town.gitlab.person(who).unwrap();
        let text = form(who).replace("Topic of", "Own topic of");
        let iid = person.open_issue(INTAKE, "New community", &text, &[]).unwrap();
        table
            .town
            .gitlab
            .admin()
            .add_labels(INTAKE, iid, &["cop::proposed"])
            .unwrap();
        table.proposals.insert(who, iid);
    }
    table.town.settle().await;
    table.try_all(|person, iid| {
        let _ = person.comment(INTAKE, iid, "@convenor-bot approve");
        let _ = person.add_labels(INTAKE, iid, &["cop::approved"]);
    });
    table.fates();
    table.approved("their own word", &[]).await;
}

#[tokio::test]
async fn nobody_once_the_text_was_edited_afterwards() {
    let table = table(&STRONGEST).await;
    table.try_all(|person, iid| {
        let _ = person.comment(INTAKE, iid, "@convenor-bot approve");
        let _ = person.add_labels(INTAKE, iid, &["cop::approved"]);
    });
    table.fates();
    let proposer = table.town.gitlab.person("proposer").unwrap();
    for (who, iid) in &table.proposals {
        let text = form(who).replace("Share what", "Hide what");
        proposer.describe_issue(INTAKE, *iid, &text).unwrap();
    }
    table.approved("a word on another text", &[]).await;
}

#[tokio::test]
async fn nobody_by_words_that_were_put_into_an_approvers_mouth() {
    let table = table(&STRONGEST).await;
    let owner = table.town.gitlab.person("directowner").unwrap();
    let notes: Vec<_> = table
        .proposals
        .values()
        .map(|iid| {
            (
                *iid,
                owner
                    .comment(INTAKE, *iid, "I am not sure about this.")
                    .unwrap()
                    .unwrap(),
            )
        })
        .collect();
    table.town.gitlab.advance(SignedDuration::from_secs(5));
    // A Maintainer of the intake project may edit everybody's comments there.
    let editor = table.town.gitlab.person("intakelead").unwrap();
    for (iid, note) in notes {
        editor.edit_comment(INTAKE, iid, note, "@convenor-bot approve").unwrap();
    }
    table.fates();
    table.approved("an edited comment", &[]).await;
}

#[tokio::test]
async fn nobody_by_a_payload_that_says_so() {
    let table = table(&STRONGEST).await;
    table.fates();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for iid in table.proposals.values() {
        let user = json!({ "id": 1, "username": "directowner", "name": "Owner" });
        let labels = json!([{ "title": "cop::approved" }]);
        let project = json!({ "path_with_namespace": INTAKE, "id": 1 });
        let issue = json!({
            "object_kind": "issue", "user": user, "project": project, "labels": labels,
            "object_attributes": { "iid": iid, "action": "update", "labels": labels, "confidential": false },
            "changes": { "labels": { "previous": [], "current": labels } }
        });
        let note = json!({
            "object_kind": "note", "user": user, "project": project, "issue": { "iid": iid },
            "object_attributes": { "note": "@convenor-bot approve", "noteable_type": "Issue", "system": false }
        });
        for (event, body) in [("Issue Hook", issue), ("Note Hook", note)] {
            let request = http.post(format!("{}/webhooks/gitlab", table.town.door));
            let request = request.header("x-gitlab-token", SECRET).header("x-gitlab-event", event);
            assert_eq!(request.body(body.to_string()).send().await.unwrap().status(), 200);
        }
    }
    table.approved("payload", &[]).await;
}

#[tokio::test]
async fn nobody_while_the_proposal_is_confidential() {
    let table = table(&STRONGEST).await;
    let proposer = table.town.gitlab.person("proposer").unwrap();
    for iid in table.proposals.values() {
        proposer
            .edit_issue(INTAKE, *iid, json!({ "confidential": true }))
            .unwrap();
    }
    table.try_all(|person, iid| drop(person.comment(INTAKE, iid, "@convenor-bot approve")));
    let owner = table.town.gitlab.person("directowner").unwrap();
    for iid in table.proposals.values() {
        owner.comment(INTAKE, *iid, "@convenor-bot approve").unwrap();
    }
    table.fates();
    table.approved("a word on a confidential proposal", &[]).await;
}

/// Where members' proposals are accepted at once: what no member wrote, or whose account was blocked, waits for an approver.
#[tokio::test]
async fn a_members_proposal_with_a_strangers_text_or_a_blocked_author_waits() {
    let town = Town::new().await;
    town.gitlab.add_user("intakehelp");
    town.gitlab.add_member(INTAKE, "intakehelp", Role::Reporter).unwrap();
    town.gitlab.add_user("leaver");
    town.gitlab.add_member(GROUP, "leaver", Role::Reporter).unwrap();
    let edited = town.opens("proposer", "Later");
    town.settle().await;
    let helper = town.gitlab.person("intakehelp").unwrap();
    helper.describe_issue(INTAKE, edited, FORM).unwrap();
    let left = town.opens("leaver", &form("leavers"));
    town.gitlab.set_user_state("leaver", "blocked");
    town.settle().await;
    assert_eq!(town.state(edited), ["cop::ready"], "{}", town.comment(edited));
    assert_eq!(town.state(left), ["cop::ready"], "{}", town.comment(left));
    // A member stands by the text.
    let proposer = town.gitlab.person("proposer").unwrap();
    proposer.describe_issue(INTAKE, edited, &format!("{FORM}\n")).unwrap();
    proposer.describe_issue(INTAKE, edited, FORM).unwrap();
    town.settle().await;
    assert_eq!(town.state(edited), ["cop::approved"], "{}", town.comment(edited));
}
