//! What the writer sends, to the letter: GitLab ignores what it does not know without a word.

use convenor::gitlab::{
    CreatedNote, FileAction, GitLabError, HookOwner, IssueChange, MergeRequestChange, NewCommit, NewHook, NewIssue,
    NewLabel, NewMergeRequest, NewProject, Start,
};
use convenor_core::escape::{CommitMessage, Markdown, PlainLine, ProjectName, Title};
use convenor_core::ids::{
    AccessLevel, BoardId, BoardListId, CommitSha, GroupId, HookId, IssueIid, LabelId, MergeRequestIid, NoteId,
    ProjectId, UserId,
};
use convenor_core::program::Visibility;
use convenor_core::slug::Slug;
use convenor_core::untrusted::Untrusted;
use serde_json::{Value, json};
use wiremock::{MockServer, ResponseTemplate};

use super::{answer, answer_json, issue, merge_request, note, project, received, writer};

const PROJECT: ProjectId = ProjectId(7);
const ISSUE: IssueIid = IssueIid(12);

/// The one request that came in.
async fn only_request(server: &MockServer) -> String {
    let mut requests = received(server).await;
    assert_eq!(requests.len(), 1, "{requests:?}");
    requests.remove(0)
}

fn new_project() -> NewProject {
    NewProject {
        name: ProjectName::new(&Untrusted::new("Rust at Work")).unwrap(),
        path: Slug::new("rust-at-work").unwrap(),
        group: GroupId(3),
        description: PlainLine::new(&Untrusted::new("One sentence."), 200),
        visibility: Visibility::Private,
        topics: vec!["community-of-practice".to_owned()],
    }
}

#[tokio::test]
async fn a_project_is_made_in_its_group() {
    let server = MockServer::start().await;
    answer_json(&server, "POST", "projects", 201, project(42, "rust-at-work")).await;
    let made = writer(&server).create_project(&new_project()).await.unwrap();
    assert_eq!(made.id, ProjectId(42));
    assert_eq!(
        only_request(&server).await,
        "POST /api/v4/projects name=Rust+at+Work&path=rust-at-work&namespace_id=3&description=One+sentence.\
         &visibility=private&topics%5B%5D=community-of-practice"
    );
}

#[tokio::test]
async fn a_taken_path_names_the_fields() {
    let server = MockServer::start().await;
    let taken = json!({ "message": {
        "project_namespace.name": ["has already been taken"], "name": ["has already been taken"],
        "path": ["has already been taken"],
    } });
    answer_json(&server, "POST", "projects", 400, taken).await;
    let error = writer(&server).create_project(&new_project()).await.unwrap_err();
    assert!(error.is_already_there());
    let GitLabError::Taken { fields, .. } = error else {
        panic!("{error:?}")
    };
    assert!(fields.iter().any(|field| field.field.text().is("path")));
}

#[tokio::test]
async fn a_commit_is_one_json_document() {
    let server = MockServer::start().await;
    answer_json(
        &server,
        "POST",
        "projects/7/repository/commits",
        201,
        json!({ "id": "c1", "message": "m" }),
    )
    .await;
    let commit = NewCommit {
        branch: "convenor/rust".to_owned(),
        start: Some(Start::Branch("main".to_owned())),
        force: true,
        message: CommitMessage::new().words("Add one row"),
        actions: vec![
            FileAction::Create {
                path: "a.md".to_owned(),
                bytes: b"\xef\xbb\xbfa\r\n".to_vec(),
            },
            FileAction::Update {
                path: "b.bin".to_owned(),
                bytes: vec![0xff, 0x00],
                last_commit_id: Some(CommitSha("l".to_owned())),
            },
            FileAction::Delete {
                path: "c.md".to_owned(),
                last_commit_id: None,
            },
        ],
    };
    assert_eq!(
        writer(&server).commit(PROJECT, &commit).await.unwrap().id,
        CommitSha("c1".to_owned())
    );
    let line = only_request(&server).await;
    let (place, body) = line.split_at(line.find('{').unwrap());
    assert_eq!(place.trim(), "POST /api/v4/projects/7/repository/commits");
    assert_eq!(
        serde_json::from_str::<Value>(body).unwrap(),
        json!({
            "branch": "convenor/rust", "start_branch": "main", "force": true, "commit_message": "Add one row",
            "stats": false,
            "actions": [
                { "action": "create", "file_path": "a.md", "content": "\u{feff}a\r\n", "encoding": "text" },
                { "action": "update", "file_path": "b.bin", "content": "/wA=", "encoding": "base64",
                  "last_commit_id": "l" },
                { "action": "delete", "file_path": "c.md" },
            ],
        })
    );
}

#[tokio::test]
async fn a_note_of_nothing_but_commands_is_no_note() {
    let server = MockServer::start().await;
    let only_commands = json!({ "commands_changes": {}, "summary": ["Closed this issue."] });
    answer_json(&server, "POST", "projects/7/issues/12/notes", 202, only_commands).await;
    let made = writer(&server)
        .create_note(PROJECT, ISSUE, &Markdown::new().words("x"))
        .await
        .unwrap();
    assert_eq!(made, CreatedNote::OnlyCommands);
}

#[tokio::test]
async fn notes_are_made_changed_and_removed() {
    let server = MockServer::start().await;
    answer_json(&server, "POST", "projects/7/issues/12/notes", 201, note(1, "a & b")).await;
    answer_json(&server, "PUT", "projects/7/issues/12/notes/1", 200, note(1, "c")).await;
    answer(
        &server,
        "DELETE",
        "projects/7/issues/12/notes/1",
        ResponseTemplate::new(204),
    )
    .await;
    let writer = writer(&server);
    let made = writer
        .create_note(PROJECT, ISSUE, &Markdown::new().words("a & b\n"))
        .await
        .unwrap();
    assert!(matches!(made, CreatedNote::Note(note) if note.id == NoteId(1)));
    writer
        .update_note(PROJECT, ISSUE, NoteId(1), &Markdown::new().words("c"))
        .await
        .unwrap();
    writer.delete_note(PROJECT, ISSUE, NoteId(1)).await.unwrap();
    assert_eq!(
        received(&server).await,
        [
            "POST /api/v4/projects/7/issues/12/notes body=a+%26+b%0A",
            "PUT /api/v4/projects/7/issues/12/notes/1 body=c",
            "DELETE /api/v4/projects/7/issues/12/notes/1",
        ]
    );
}

#[tokio::test]
async fn issues_are_opened_and_changed_in_one_call() {
    let server = MockServer::start().await;
    answer_json(&server, "POST", "projects/7/issues", 201, issue(12)).await;
    answer_json(&server, "PUT", "projects/7/issues/12", 200, issue(12)).await;
    let writer = writer(&server);
    let new = NewIssue {
        title: Title::new().words("Kick-off"),
        description: Markdown::new().words("- [ ] one"),
        labels: vec!["a".to_owned(), "b c".to_owned()],
        confidential: false,
    };
    writer.create_issue(PROJECT, &new).await.unwrap();
    let change = IssueChange {
        add_labels: vec!["cop::ready".to_owned()],
        remove_labels: vec!["cop::proposed".to_owned(), "cop::needs-info".to_owned()],
        open: Some(false),
        ..IssueChange::default()
    };
    writer.update_issue(PROJECT, ISSUE, &change).await.unwrap();
    assert_eq!(
        received(&server).await,
        [
            "POST /api/v4/projects/7/issues title=Kick-off&description=-+%5B+%5D+one&labels=a%2Cb+c",
            "PUT /api/v4/projects/7/issues/12 add_labels=cop%3A%3Aready\
             &remove_labels=cop%3A%3Aproposed%2Ccop%3A%3Aneeds-info&state_event=close",
        ]
    );
}

#[tokio::test]
async fn a_second_merge_request_is_a_conflict_with_the_others_number() {
    let server = MockServer::start().await;
    let conflict = json!({ "message": ["Another open merge request already exists for this source branch: !7"] });
    answer_json(&server, "POST", "projects/7/merge_requests", 409, conflict).await;
    let wanted = NewMergeRequest {
        source_branch: "convenor/rust".to_owned(),
        target_branch: "main".to_owned(),
        title: Title::new().words("Add Rust"),
        description: Markdown::new().words("why"),
        labels: vec!["communities-of-practice".to_owned()],
        reviewers: vec![UserId(4)],
        assignees: vec![],
        remove_source_branch: Some(true),
        squash: None,
    };
    let error = writer(&server)
        .create_merge_request(PROJECT, &wanted)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            GitLabError::Conflict {
                iid: Some(MergeRequestIid(7)),
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(
        only_request(&server).await,
        "POST /api/v4/projects/7/merge_requests source_branch=convenor%2Frust&target_branch=main&title=Add+Rust\
         &description=why&labels=communities-of-practice&remove_source_branch=true&reviewer_ids%5B%5D=4"
    );
}

#[tokio::test]
async fn a_merge_request_is_changed_in_one_call() {
    let server = MockServer::start().await;
    answer_json(&server, "PUT", "projects/7/merge_requests/3", 200, merge_request(3)).await;
    let change = MergeRequestChange {
        description: Some(Markdown::new().words("new")),
        open: Some(false),
        ..MergeRequestChange::default()
    };
    writer(&server)
        .update_merge_request(PROJECT, MergeRequestIid(3), &change)
        .await
        .unwrap();
    assert_eq!(
        only_request(&server).await,
        "PUT /api/v4/projects/7/merge_requests/3 description=new&state_event=close"
    );
}

#[tokio::test]
async fn branches_with_slashes_are_removed() {
    let server = MockServer::start().await;
    answer(
        &server,
        "DELETE",
        "projects/7/repository/branches/convenor%2Frust",
        ResponseTemplate::new(204),
    )
    .await;
    writer(&server).delete_branch(PROJECT, "convenor/rust").await.unwrap();
}

#[tokio::test]
async fn labels_boards_lists_and_members_are_made() {
    let server = MockServer::start().await;
    let label = json!({ "id": 1, "name": "cop::ready", "color": "#00ff00", "description": null });
    answer_json(&server, "POST", "groups/3/labels", 201, label.clone()).await;
    answer_json(&server, "POST", "projects/7/labels", 201, label.clone()).await;
    answer_json(
        &server,
        "POST",
        "projects/7/boards",
        201,
        json!({ "id": 2, "name": "b", "lists": [] }),
    )
    .await;
    let list = json!({ "id": 3, "label": label, "position": 0 });
    answer_json(&server, "POST", "projects/7/boards/2/lists", 201, list.clone()).await;
    answer_json(&server, "PUT", "projects/7/boards/2/lists/3", 200, list).await;
    let member = json!({ "id": 5, "username": "alice", "state": "active", "access_level": 40 });
    answer_json(&server, "POST", "projects/7/members", 201, member).await;
    let writer = writer(&server);
    let label = NewLabel {
        name: "cop::ready".to_owned(),
        color: "#00ff00".to_owned(),
        description: "Ready".to_owned(),
    };
    writer.create_group_label(GroupId(3), &label).await.unwrap();
    writer.create_project_label(PROJECT, &label).await.unwrap();
    let board = writer.create_board(PROJECT, "Community board").await.unwrap();
    writer.create_board_list(PROJECT, board.id, LabelId(1)).await.unwrap();
    writer
        .update_board_list(PROJECT, BoardId(2), BoardListId(3), 1)
        .await
        .unwrap();
    writer
        .add_member(PROJECT, UserId(5), AccessLevel::MAINTAINER)
        .await
        .unwrap();
    assert_eq!(
        received(&server).await,
        [
            r##"POST /api/v4/groups/3/labels {"color":"#00ff00","description":"Ready","name":"cop::ready"}"##,
            "POST /api/v4/projects/7/labels name=cop%3A%3Aready&color=%2300ff00&description=Ready",
            r#"POST /api/v4/projects/7/boards {"name":"Community board"}"#,
            r#"POST /api/v4/projects/7/boards/2/lists {"label_id":1}"#,
            r#"PUT /api/v4/projects/7/boards/2/lists/3 {"position":1}"#,
            r#"POST /api/v4/projects/7/members {"access_level":40,"user_id":5}"#,
        ]
    );
}

#[tokio::test]
async fn hooks_are_made_with_their_signing_token() {
    let server = MockServer::start().await;
    let made = json!({ "id": 8, "url": "https://c.example/webhooks/gitlab", "issues_events": true,
                       "signing_token_present": true });
    answer_json(&server, "POST", "groups/3/hooks", 201, made).await;
    answer(&server, "DELETE", "groups/3/hooks/8", ResponseTemplate::new(204)).await;
    answer_json(
        &server,
        "POST",
        "groups/3/hooks/8/test/push_events",
        201,
        json!({ "message": "201 Created" }),
    )
    .await;
    let writer = writer(&server);
    let owner = HookOwner::Group(GroupId(3));
    let hook = NewHook {
        url: "https://c.example/webhooks/gitlab".parse().unwrap(),
        token: None,
        signing_token: Some("whsec_x".into()),
        enable_ssl_verification: true,
        name: "Convenor",
        description: "made by a test",
        triggers: vec![("push_events", false), ("issues_events", true)],
    };
    let made = writer.create_hook(owner, &hook).await.unwrap();
    assert!(made.sends("issues_events") && !made.sends("push_events"));
    assert_eq!(made.signing_token_present, Some(true));
    writer.test_hook(owner, HookId(8), "push_events").await.unwrap();
    writer.delete_hook(owner, HookId(8)).await.unwrap();
    assert!(!format!("{hook:?}").contains("whsec_x"));
    assert_eq!(
        received(&server).await[0],
        r#"POST /api/v4/groups/3/hooks {"enable_ssl_verification":true,"issues_events":true,"push_events":false,"signing_token":"whsec_x","url":"https://c.example/webhooks/gitlab"}"#
    );
}

#[tokio::test]
async fn several_members_are_one_call_and_its_success_is_not_believed() {
    let check = async |answer: Value, users: &[UserId], done: bool| {
        let server = MockServer::start().await;
        answer_json(&server, "POST", "projects/7/members", 201, answer).await;
        let added = writer(&server)
            .add_members(PROJECT, users, AccessLevel::DEVELOPER)
            .await;
        assert_eq!(added.is_ok(), done, "{added:?}");
        only_request(&server).await
    };
    let line = check(json!({ "status": "success" }), &[UserId(5), UserId(6)], true).await;
    assert_eq!(
        line,
        r#"POST /api/v4/projects/7/members {"access_level":30,"user_id":"5,6"}"#
    );
    check(
        json!({ "status": "error", "message": { "bob": "Not allowed" } }),
        &[UserId(5), UserId(6)],
        false,
    )
    .await;
    let member = json!({ "id": 5, "username": "alice", "state": "active", "access_level": 30 });
    let line = check(member, &[UserId(5)], true).await;
    assert_eq!(
        line,
        r#"POST /api/v4/projects/7/members {"access_level":30,"user_id":5}"#
    );
}
