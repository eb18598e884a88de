//! Files, branches, commits and merge requests.

use convenor::gitlab::{
    FileAction, GitLabError, MergeRequestChange, MergeRequestFilter, NewCommit, NewMergeRequest, Start, wire,
};
use convenor_core::escape::{CommitMessage, Markdown, StoredText, Title};
use convenor_core::ids::{CommitSha, UserId};
use gitlab_sandbox::Config;

use super::Stage;

fn branch_commit(branch: &str, force: bool, last_commit_id: Option<CommitSha>, bytes: &[u8]) -> NewCommit {
    NewCommit {
        branch: branch.to_owned(),
        start: Some(Start::Branch("main".to_owned())),
        force,
        message: CommitMessage::new().words("Change a file"),
        actions: vec![FileAction::Update {
            path: "docs/a b.md".to_owned(),
            bytes: bytes.to_vec(),
            last_commit_id,
        }],
    }
}

#[tokio::test]
async fn a_project_its_files_and_branches_come_back_as_they_were_made() {
    let stage = Stage::new(Config::default());
    let (reader, writer) = (stage.client.reader(), stage.client.writer());
    let project = stage.new_project().await;
    assert_eq!(project.empty_repo, Some(true));
    assert_eq!(project.creator_id, Some(reader.current_user().await.unwrap().id));
    assert_eq!(reader.file(project.id, "docs/a b.md", "main").await.unwrap(), None);
    let first = stage.first_commit(project.id).await;
    let file = reader.file(project.id, "docs/a b.md", "main").await.unwrap().unwrap();
    assert_eq!(
        (file.bytes.as_slice(), &file.last_commit_id),
        (&b"\xef\xbb\xbfone\r\ntwo"[..], &first)
    );
    let binary = reader.file(project.id, "logo.bin", "main").await.unwrap().unwrap();
    assert_eq!(binary.bytes, b"\xff\x00\xfe");

    let stale = branch_commit("convenor/a", false, Some(CommitSha("0".repeat(40))), b"x");
    let error = writer.commit(project.id, &stale).await.unwrap_err();
    assert!(
        matches!(&error, GitLabError::Invalid { message, .. } if message.contain("has changed")),
        "{error:?}"
    );
    let change = branch_commit("convenor/a", false, Some(first.clone()), b"new\n");
    let second = writer.commit(project.id, &change).await.unwrap().id;
    let again = branch_commit("convenor/a", true, Some(first.clone()), b"newer\n");
    let third = writer.commit(project.id, &again).await.unwrap().id;
    assert_ne!(second, third);
    let branch = reader.branch(project.id, "convenor/a").await.unwrap().unwrap();
    assert_eq!(
        (branch.commit.id.clone(), branch.commit.parent_ids.as_slice()),
        (third.clone(), &[first][..])
    );
    let compared = reader.compare(project.id, "main", "convenor/a").await.unwrap();
    assert_eq!(
        (compared.commits.len(), compared.diffs[0].new_path.as_str()),
        (1, "docs/a b.md")
    );
    assert_eq!(reader.commit(project.id, &third).await.unwrap().unwrap().id, third);
    writer.delete_branch(project.id, "convenor/a").await.unwrap();
    assert_eq!(reader.branch(project.id, "convenor/a").await.unwrap(), None);
    writer.create_branch(project.id, "convenor/b", "main").await.unwrap();
    assert!(
        writer
            .create_branch(project.id, "convenor/b", "main")
            .await
            .unwrap_err()
            .is_already_there()
    );
    stage.is_content();
}

#[tokio::test]
async fn merge_requests_are_opened_once_changed_and_found() {
    let stage = Stage::new(Config::default());
    let (reader, writer) = (stage.client.reader(), stage.client.writer());
    let project = stage.new_project().await.id;
    stage.first_commit(project).await;
    writer
        .commit(project, &branch_commit("convenor/a", false, None, b"new\n"))
        .await
        .unwrap();
    let bob = UserId(stage.gitlab.person("bob").unwrap().id());
    let wanted = NewMergeRequest {
        source_branch: "convenor/a".to_owned(),
        target_branch: "main".to_owned(),
        title: Title::new().words("Add Rust"),
        description: Markdown::new().words("why"),
        labels: vec!["communities-of-practice".to_owned()],
        reviewers: vec![bob],
        assignees: vec![],
        remove_source_branch: Some(true),
        squash: None,
    };
    let made = writer.create_merge_request(project, &wanted).await.unwrap();
    let again = writer.create_merge_request(project, &wanted).await.unwrap_err();
    assert!(
        matches!(again, GitLabError::Conflict { iid: Some(iid), .. } if iid == made.iid),
        "{again:?}"
    );
    let change = MergeRequestChange {
        description: Some(Markdown::new().words("because")),
        add_labels: vec!["more".to_owned()],
        ..MergeRequestChange::default()
    };
    writer.update_merge_request(project, made.iid, &change).await.unwrap();
    writer
        .create_merge_request_note(project, made.iid, &Markdown::new().words("hello"))
        .await
        .unwrap();
    let notes = reader.merge_request_notes(project, made.iid).await.unwrap();
    assert_eq!(notes.iter().filter(|note| !note.system).count(), 1);
    let filter = MergeRequestFilter {
        source_branch: Some("convenor/a".to_owned()),
        opened: true,
        ..Default::default()
    };
    let found = reader.merge_requests(project, &filter).await.unwrap();
    assert_eq!((found.len(), found[0].reviewers[0].id), (1, bob));
    stage
        .gitlab
        .person("bob")
        .unwrap()
        .merge("cop/rust-at-work", made.iid.0)
        .unwrap();
    let merged = reader.merge_request(project, made.iid).await.unwrap().unwrap();
    assert_eq!(
        (merged.state, merged.merge_user.map(|user| user.id)),
        (wire::MergeRequestState::Merged, Some(bob))
    );
    assert_eq!(StoredText::new(&merged.description).as_str().trim(), "because");
    stage.is_content();
}
