//! What goes wrong on the way, seen from both ends.

use convenor_core::escape::Markdown;
use gitlab_sandbox::{Config, Effect, Fault};

use super::Stage;

#[tokio::test]
async fn a_lost_answer_of_a_creation_is_an_unknown_outcome_and_never_a_second_one() {
    for effect in [
        Effect::LoseAnswer,
        Effect::CutAnswer,
        Effect::LoseAnswerWith(502),
        Effect::Html,
        Effect::SlowAfter(1500),
    ] {
        let stage = Stage::new(Config::default());
        stage.gitlab.add_fault(Fault::new(effect.clone()).method("POST").once());
        let body = Markdown::new().words("hello");
        let error = stage
            .client
            .writer()
            .create_note(stage.intake, stage.issue, &body)
            .await
            .unwrap_err();
        assert!(error.is_outcome_unknown(), "{effect:?}: {error:?}");
        let made = stage.gitlab.notes("cop/intake", stage.issue.0).unwrap().len();
        let expected = usize::from(effect != Effect::Html);
        assert_eq!(made, expected, "{effect:?}");
    }
}

#[tokio::test]
async fn reads_live_through_passing_faults() {
    for effect in [
        Effect::Status(502),
        Effect::Disconnect,
        Effect::CutAnswer,
        Effect::RetryLater(1),
    ] {
        let stage = Stage::new(Config::default());
        stage.gitlab.add_fault(Fault::new(effect.clone()).method("GET").once());
        let issue = stage.client.reader().issue(stage.intake, stage.issue).await;
        assert!(matches!(issue, Ok(Some(_))), "{effect:?}: {issue:?}");
    }
}

#[tokio::test]
async fn a_short_page_and_lost_rights_are_errors_and_no_empty_lists() {
    for effect in [
        Effect::ShortPage(0),
        Effect::NotFound,
        Effect::Forbidden,
        Effect::RevokedToken,
        Effect::Html,
    ] {
        let stage = Stage::new(Config::default());
        stage
            .gitlab
            .add_fault(Fault::new(effect.clone()).method("GET").times(9));
        let projects = stage.client.reader().group_projects(stage.group).await;
        assert!(projects.is_err(), "{effect:?}: {projects:?}");
    }
}
