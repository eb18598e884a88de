//! One issue for each cause that a person has to mend: opened once, kept true, closed when it is mended.
//!
//! The issue is found again by its hidden marker, which names the cause, and by us as its author; so a lost answer makes no second
//! one, and whoever needs such an issue only has to give the cause a key of its own. A person's close is a "no" until something
//! else is found. An issue that was closed because its cause was mended is done with: should the cause come back, a new one
//! says so.

use serde::{Deserialize, Serialize};

use super::Step;
use super::seen::OwnIssueSeen;
use crate::digest::Digest;
use crate::escape::{Markdown, Marker, Title};
use crate::ids::{ProjectId, UserId};

/// Kind of the marker.
const MARKER: &str = "notice";

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The issue's title.
    pub title: Title,
    /// What was found, and what would mend it. That the issue closes by itself is said below it.
    pub text: Markdown,
    /// Whether only members may read it.
    pub confidential: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct NoticeMarker {
    cause: String,
    digest: Digest,
}

/// What is due for one cause. `issues` are our issues in that project, closed ones too; `found` is `None` once nothing is wrong.
#[must_use]
pub fn plan(
    bot: UserId,
    project: ProjectId,
    issues: &[OwnIssueSeen],
    cause: &str,
    found: Option<&Notice>,
) -> Vec<Step> {
    let known: Vec<(&OwnIssueSeen, NoticeMarker)> = about(issues, cause).collect();
    let first_open = known
        .iter()
        .filter(|(issue, _)| issue.open)
        .min_by_key(|(issue, _)| issue.iid);
    let newest = known.iter().max_by_key(|(issue, _)| issue.iid);
    let by_a_person = newest.filter(|(issue, _)| issue.closed_by != Some(bot));
    let mut steps = match (found, first_open.or(by_a_person)) {
        (None, Some((issue, _))) if issue.open => mended(project, issue),
        (None, _) => Vec::new(),
        // An issue that we closed is done with.
        (Some(notice), None) => vec![Step::CreateIssue {
            project,
            title: notice.title.clone(),
            description: description(cause, notice),
            confidential: notice.confidential,
        }],
        (Some(notice), Some((_, marker))) if marker.digest == digest(notice) => Vec::new(),
        (Some(notice), Some((issue, _))) => vec![Step::UpdateIssue {
            project,
            issue: issue.iid,
            title: Some(notice.title.clone()),
            description: description(cause, notice),
            open: (!issue.open).then_some(true),
        }],
    };
    let first = first_open.map(|(issue, _)| issue.iid);
    let doubled = known.iter().filter(|(issue, _)| issue.open && Some(issue.iid) != first);
    steps.extend(doubled.map(|(issue, _)| close(project, issue)));
    steps
}

/// Whether an open issue says that this cause stands.
#[must_use]
pub fn is_open(issues: &[OwnIssueSeen], cause: &str) -> bool {
    about(issues, cause).any(|(issue, _)| issue.open)
}

fn about<'i>(
    issues: &'i [OwnIssueSeen],
    cause: &'i str,
) -> impl Iterator<Item = (&'i OwnIssueSeen, NoticeMarker)> + use<'i> {
    issues.iter().filter_map(move |issue| {
        let value = Marker::find(issue.description.expose(), MARKER)?;
        let marker: NoticeMarker = serde_json::from_value(value).ok()?;
        (marker.cause == cause).then_some((issue, marker))
    })
}

fn mended(project: ProjectId, issue: &OwnIssueSeen) -> Vec<Step> {
    // The comment comes last and is never looked for again: a closed issue without it is better than one with two.
    let body = Markdown::new().words("Mended: what this issue is about is no longer found. Thank you!\n");
    vec![
        close(project, issue),
        Step::CreateNote {
            project,
            issue: issue.iid,
            body,
        },
    ]
}

fn close(project: ProjectId, issue: &OwnIssueSeen) -> Step {
    Step::SetIssueState {
        project,
        issue: issue.iid,
        add: None,
        remove: Vec::new(),
        close: true,
    }
}

fn digest(notice: &Notice) -> Digest {
    Digest::of_parts([notice.title.as_str(), notice.text.as_str()])
}

fn description(cause: &str, notice: &Notice) -> Markdown {
    let marker = NoticeMarker {
        cause: cause.to_owned(),
        digest: digest(notice),
    };
    let data = serde_json::to_value(marker).unwrap_or_default();
    let text = notice.text.clone().words(
        "\n<sub>Convenor keeps this issue up to date and closes it by itself once the cause is mended. Close it by hand, \
         and it stays closed until something else is found.</sub>\n",
    );
    Markdown::new().marker(&Marker { kind: MARKER, data }).append(&text)
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::ids::IssueIid;
    use crate::untrusted::Untrusted;

    const BOT: UserId = UserId(1);
    const PERSON: UserId = UserId(5);

    /// Issues of a project that do what the steps say.
    #[derive(Default)]
    struct Issues(Vec<OwnIssueSeen>);

    impl Issues {
        /// Plans and applies until nothing is due; gives the kinds of the steps.
        fn settle(&mut self, found: Option<&str>) -> Vec<&'static str> {
            let found = found.map(notice);
            let mut done = Vec::new();
            for _ in 0..5 {
                let steps = plan(BOT, ProjectId(2), &self.0, "page", found.as_ref());
                if steps.is_empty() {
                    return done;
                }
                for step in steps {
                    done.push(step.kind());
                    self.apply(step);
                }
            }
            panic!("does not settle: {done:?}");
        }

        fn apply(&mut self, step: Step) {
            match step {
                Step::CreateIssue { description, .. } => self.0.push(OwnIssueSeen {
                    iid: IssueIid(1 + self.0.len() as u64),
                    open: true,
                    closed_by: None,
                    description: Untrusted::new(description.as_str()),
                    web_url: Url::parse("https://gitlab.example.com/i").unwrap(),
                }),
                Step::UpdateIssue {
                    issue,
                    description,
                    open,
                    ..
                } => {
                    let known = self.known(issue);
                    known.description = Untrusted::new(description.as_str());
                    known.open = open.unwrap_or(known.open);
                }
                Step::SetIssueState { issue, .. } => self.close(issue, BOT),
                Step::CreateNote { .. } => {}
                other => panic!("nothing of this is due here: {other}"),
            }
        }

        fn known(&mut self, iid: IssueIid) -> &mut OwnIssueSeen {
            self.0.iter_mut().find(|issue| issue.iid == iid).unwrap()
        }

        fn close(&mut self, iid: IssueIid, by: UserId) {
            let known = self.known(iid);
            known.open = false;
            known.closed_by = Some(by);
        }
    }

    fn notice(text: &str) -> Notice {
        Notice {
            title: Title::new().words("Something is wrong"),
            text: Markdown::new().inline(&Untrusted::new(text)),
            confidential: false,
        }
    }

    #[test]
    fn one_issue_is_opened_kept_true_and_closed_when_the_cause_is_mended() {
        let mut issues = Issues::default();
        assert_eq!(issues.settle(Some("no heading")), ["create_issue"]);
        assert_eq!(issues.settle(Some("no heading")), Vec::<&str>::new());
        assert_eq!(issues.settle(Some("two headings")), ["update_issue"]);
        assert!(issues.0[0].description.expose().contains("two headings"));
        assert_eq!(issues.settle(None), ["set_issue_state", "create_note"]);
        assert_eq!(issues.settle(None), Vec::<&str>::new());
    }

    #[test]
    fn a_cause_that_comes_back_is_told_anew() {
        let mut issues = Issues::default();
        issues.settle(Some("no heading"));
        issues.settle(None);
        assert_eq!(issues.settle(Some("no heading")), ["create_issue"]);
        assert_eq!(issues.settle(Some("no heading")), Vec::<&str>::new());
        assert!(!issues.0[0].open && issues.0[1].open);
    }

    #[test]
    fn closed_by_a_person_stays_closed_until_something_else_is_found() {
        let mut issues = Issues::default();
        issues.settle(Some("no heading"));
        issues.close(IssueIid(1), PERSON);
        assert_eq!(issues.settle(Some("no heading")), Vec::<&str>::new());
        assert_eq!(issues.settle(Some("two headings")), ["update_issue"]);
        assert!(issues.0[0].open);
    }

    #[test]
    fn an_issue_that_a_lost_answer_doubled_is_closed() {
        let mut issues = Issues::default();
        issues.settle(Some("no heading"));
        let mut doubled = issues.0[0].clone();
        doubled.iid = IssueIid(2);
        issues.0.insert(0, doubled);
        assert_eq!(issues.settle(Some("no heading")), ["set_issue_state"]);
        assert!(issues.known(IssueIid(1)).open && !issues.known(IssueIid(2)).open);
    }

    #[test]
    fn issues_about_other_causes_are_left_alone() {
        let mut issues = Issues::default();
        issues.settle(Some("no heading"));
        assert_eq!(plan(BOT, ProjectId(2), &issues.0, "charter", None), Vec::new());
        assert!(is_open(&issues.0, "page") && !is_open(&issues.0, "charter"));
    }
}
