//! Issues, notes, label events and webhooks.

use convenor::gitlab::{CreatedNote, GitLabError, HookOwner, IssueChange, IssueFilter, NewHook, NewIssue, wire};
use convenor_core::escape::{Markdown, StoredText, Title};
use convenor_core::ids::IssueIid;
use gitlab_sandbox::Config;

use super::Stage;

#[tokio::test]
async fn issues_notes_and_label_events_are_written_and_read() {
    let stage = Stage::new(Config::default());
    let (reader, writer) = (stage.client.reader(), stage.client.writer());
    let (intake, issue) = (stage.intake, stage.issue);
    let seen = reader.issue(intake, issue).await.unwrap().unwrap();
    assert_eq!(
        (seen.author.username.as_str(), seen.state),
        ("alice", wire::IssueState::Opened)
    );
    assert_eq!(reader.issue(intake, IssueIid(99)).await.unwrap(), None);
    let CreatedNote::Note(note) = writer
        .create_note(intake, issue, &Markdown::new().words("hello"))
        .await
        .unwrap()
    else {
        panic!("a note was taken for commands")
    };
    writer
        .update_note(intake, issue, note.id, &Markdown::new().words("hello again"))
        .await
        .unwrap();
    let change = IssueChange {
        add_labels: vec!["cop::ready".to_owned()],
        remove_labels: vec!["cop::proposed".to_owned()],
        open: Some(false),
        ..IssueChange::default()
    };
    let changed = writer.update_issue(intake, issue, &change).await.unwrap();
    assert_eq!(
        (changed.labels.as_slice(), changed.state),
        (&["cop::ready".to_owned()][..], wire::IssueState::Closed)
    );
    let notes = reader.notes(intake, issue).await.unwrap();
    let ours: Vec<_> = notes
        .iter()
        .filter(|note| !note.system)
        .map(|note| StoredText::new(&note.body))
        .collect();
    assert_eq!(
        ours.iter().map(|text| text.as_str().trim()).collect::<Vec<_>>(),
        ["hello again"]
    );
    let events = reader.label_events(intake, issue).await.unwrap();
    assert!(
        events
            .iter()
            .any(|event| event.label.as_ref().is_some_and(|label| label.name == "cop::ready"))
    );
    writer.delete_note(intake, issue, note.id).await.unwrap();
    let gone = writer.delete_note(intake, issue, note.id).await.unwrap_err();
    assert!(matches!(gone, GitLabError::NotFound { .. }), "{gone:?}");

    let new = NewIssue {
        title: Title::new().words("Kick-off"),
        description: Markdown::new().words("- one"),
        labels: vec![],
        confidential: false,
    };
    let kick_off = writer.create_issue(intake, &new).await.unwrap();
    let bot = reader.current_user().await.unwrap().id;
    let filter = IssueFilter {
        author_id: Some(bot),
        opened: true,
        ..IssueFilter::default()
    };
    let found = reader.issues(intake, &filter).await.unwrap();
    assert_eq!(found.iter().map(|issue| issue.iid).collect::<Vec<_>>(), [kick_off.iid]);
    stage.is_content();
}

#[tokio::test]
async fn hooks_of_projects_and_groups_are_made_found_and_removed() {
    let stage = Stage::new(Config::default());
    let (reader, writer) = (stage.client.reader(), stage.client.writer());
    let hook = |triggers| NewHook {
        url: "http://127.0.0.1:9/webhooks/gitlab".parse().unwrap(),
        token: Some("secret".into()),
        signing_token: Some("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".into()),
        enable_ssl_verification: true,
        name: "Convenor",
        description: "made by a test",
        triggers,
    };
    for owner in [HookOwner::Project(stage.intake), HookOwner::Group(stage.group)] {
        let made = writer
            .create_hook(owner, &hook(vec![("push_events", false), ("note_events", true)]))
            .await
            .unwrap();
        writer
            .update_hook(owner, made.id, &hook(vec![("issues_events", true)]))
            .await
            .unwrap();
        let found = match owner {
            HookOwner::Project(project) => reader.project_hooks(project).await.unwrap(),
            HookOwner::Group(group) => reader.group_hooks(group).await.unwrap(),
        };
        assert!(found[0].sends("issues_events") && found[0].sends("note_events") && !found[0].sends("push_events"));
        assert_eq!(found[0].signing_token_present, Some(true), "{owner:?}");
        let _ = reader.hook_events(owner, made.id).await.unwrap();
        writer.delete_hook(owner, made.id).await.unwrap();
    }
    stage.is_content();
    let free = Stage::new(Config::free());
    let refused = free.client.reader().group_hooks(free.group).await.unwrap_err();
    assert!(
        matches!(refused, GitLabError::NotFound { .. } | GitLabError::Forbidden { .. }),
        "{refused:?}"
    );
}
