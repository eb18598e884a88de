//! The client against a GitLab with a memory: what was written is what is read.

use convenor::gitlab::{
    Client, CreatedNote, FileAction, GitLabError, HookOwner, IssueChange, IssueFilter, MergeRequestChange,
    MergeRequestFilter, NewCommit, NewHook, NewIssue, NewLabel, NewMergeRequest, NewProject, Start, wire,
};
use convenor_core::escape::{CommitMessage, Markdown, PlainLine, ProjectName, Title};
use convenor_core::ids::{AccessLevel, CommitSha, GroupId, IssueIid, ProjectId, UserId, Username};
use convenor_core::program::Visibility;
use convenor_core::slug::Slug;
use convenor_core::untrusted::Untrusted;
use gitlab_sandbox::{Config, Effect, Fault, Role, Sandbox};

use super::settings;

/// A GitLab with a group, an intake project with one issue, the bot as owner, and people.
struct Stage {
    gitlab: Sandbox,
    client: Client,
    group: GroupId,
    intake: ProjectId,
    issue: IssueIid,
}

impl Stage {
    fn new(config: Config) -> Self {
        let gitlab = Sandbox::start(config).unwrap();
        let group = GroupId(gitlab.add_group("cop").unwrap());
        let intake = ProjectId(
            gitlab
                .add_project_with("cop/intake", "private", &[("README.md", "hello\n")])
                .unwrap(),
        );
        for (name, role) in [
            ("bot", Role::Owner),
            ("alice", Role::Reporter),
            ("bob", Role::Maintainer),
        ] {
            gitlab.add_member("cop", name, role).unwrap();
        }
        gitlab.add_user("mallory");
        let alice = gitlab.person("alice").unwrap();
        let issue = alice
            .open_issue("cop/intake", "New community: Rust", "We like Rust.", &["cop::proposed"])
            .unwrap();
        let mut settings = settings(gitlab.url());
        settings.token = gitlab.add_token("bot").into();
        let client = Client::new(&settings).unwrap();
        Self {
            gitlab,
            client,
            group,
            intake,
            issue: IssueIid(issue),
        }
    }

    async fn new_project(&self) -> wire::Project {
        let project = NewProject {
            name: ProjectName::new(&Untrusted::new("Rust at Work")).unwrap(),
            path: Slug::new("rust-at-work").unwrap(),
            group: self.group,
            description: PlainLine::new(&Untrusted::new("One sentence."), 200),
            visibility: Visibility::Private,
            topics: vec!["community-of-practice".to_owned()],
        };
        self.client.writer().create_project(&project).await.unwrap()
    }

    async fn first_commit(&self, project: ProjectId) -> CommitSha {
        let create = |path: &str, bytes: &[u8]| FileAction::Create {
            path: path.to_owned(),
            bytes: bytes.to_vec(),
        };
        let commit = NewCommit {
            branch: "main".to_owned(),
            start: None,
            force: false,
            message: CommitMessage::new().words("Add the first files"),
            actions: vec![
                create("docs/a b.md", b"\xef\xbb\xbfone\r\ntwo"),
                create("logo.bin", b"\xff\x00\xfe"),
            ],
        };
        self.client.writer().commit(project, &commit).await.unwrap().id
    }

    /// GitLab found nothing to complain about.
    fn is_content(&self) {
        assert_eq!(self.gitlab.violations(), Vec::<String>::new());
    }
}

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
async fn people_and_places_are_read() {
    let stage = Stage::new(Config::default());
    let reader = stage.client.reader();
    let me = reader.current_user().await.unwrap();
    assert_eq!(me.username.as_str(), "bot");
    assert!(
        reader
            .token_self()
            .await
            .unwrap()
            .unwrap()
            .scopes
            .contains(&"api".to_owned())
    );
    assert!(reader.version().await.unwrap().server_date.is_some());
    assert_eq!(reader.group("cop").await.unwrap().id, stage.group);
    assert_eq!(reader.project("cop/intake").await.unwrap().unwrap().id, stage.intake);
    assert_eq!(reader.project("cop/none").await.unwrap(), None);
    assert_eq!(reader.group_projects(stage.group).await.unwrap().len(), 1);
    let alice = reader
        .user_by_username(&Username::new("ALICE").unwrap())
        .await
        .unwrap()
        .unwrap();
    assert!(alice.is_active());
    assert_eq!(reader.user(alice.id).await.unwrap().unwrap().username, alice.username);
    let role = reader.group_member(stage.group, alice.id).await.unwrap().unwrap();
    assert_eq!(role.access_level, AccessLevel::REPORTER);
    let mallory = reader
        .user_by_username(&Username::new("mallory").unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(reader.group_member(stage.group, mallory.id).await.unwrap(), None);
    let members = reader.project_members_all(stage.intake).await.unwrap();
    assert!(members.iter().any(|member| member.username.as_str() == "bob"));
    stage.is_content();
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
async fn what_is_there_already_is_told_apart() {
    let stage = Stage::new(Config::default());
    let writer = stage.client.writer();
    let project = stage.new_project().await;
    let label = NewLabel {
        name: "cop::ready".to_owned(),
        color: "#112233".to_owned(),
        description: String::new(),
    };
    writer.create_group_label(stage.group, &label).await.unwrap();
    let wanted = NewProject {
        name: ProjectName::new(&Untrusted::new("Rust at work")).unwrap(),
        path: Slug::new("rust-at-work").unwrap(),
        group: stage.group,
        description: PlainLine::new(&Untrusted::new("One sentence."), 200),
        visibility: Visibility::Private,
        topics: vec![],
    };
    let again = writer.create_project(&wanted).await.unwrap_err();
    assert!(again.is_already_there(), "{again:?}");
    let again = writer.create_project_label(project.id, &label).await.unwrap_err();
    assert!(again.is_already_there(), "{again:?}");
    let alice = stage.gitlab.person("alice").unwrap().id();
    writer
        .add_member(project.id, UserId(alice), AccessLevel::MAINTAINER)
        .await
        .unwrap();
    let again = writer
        .add_member(project.id, UserId(alice), AccessLevel::MAINTAINER)
        .await
        .unwrap_err();
    assert!(again.is_already_there(), "{again:?}");
    stage.is_content();
}

#[tokio::test]
async fn labels_boards_and_members_are_made_and_found() {
    let stage = Stage::new(Config::default());
    let (reader, writer) = (stage.client.reader(), stage.client.writer());
    let project = stage.new_project().await;
    let label = |name: &str| NewLabel {
        name: name.to_owned(),
        color: "#112233".to_owned(),
        description: "what for".to_owned(),
    };
    let of_group = writer
        .create_group_label(stage.group, &label("cop::active"))
        .await
        .unwrap();
    let todo = writer.create_project_label(project.id, &label("todo")).await.unwrap();
    let doing = writer.create_project_label(project.id, &label("doing")).await.unwrap();
    let labels = reader.project_labels(project.id).await.unwrap();
    assert!(
        labels.iter().any(|found| found.id == of_group.id) && labels.len() >= 3,
        "{labels:?}"
    );
    assert_eq!(reader.group_labels(stage.group).await.unwrap().len(), 1);
    assert_eq!(reader.boards(project.id).await.unwrap(), []);
    let board = writer.create_board(project.id, "Community board").await.unwrap();
    let first = writer.create_board_list(project.id, board.id, todo.id).await.unwrap();
    writer.create_board_list(project.id, board.id, doing.id).await.unwrap();
    let twice = writer
        .create_board_list(project.id, board.id, doing.id)
        .await
        .unwrap_err();
    assert!(twice.is_already_there(), "{twice:?}");
    writer
        .update_board_list(project.id, board.id, first.id, 1)
        .await
        .unwrap();
    let lists = reader.boards(project.id).await.unwrap().remove(0).lists;
    let names: Vec<_> = lists
        .iter()
        .filter_map(|list| Some(list.label.as_ref()?.name.as_str()))
        .collect();
    assert_eq!(names, ["doing", "todo"]);
    assert_eq!(reader.board_lists(project.id, board.id).await.unwrap().len(), 2);
    let ids: Vec<UserId> = ["alice", "bob"]
        .iter()
        .map(|name| UserId(stage.gitlab.add_user(name)))
        .collect();
    let mallory = UserId(stage.gitlab.add_user("mallory"));
    writer
        .add_members(project.id, &[mallory], AccessLevel::DEVELOPER)
        .await
        .unwrap();
    writer
        .add_members(project.id, &ids[..1], AccessLevel::MAINTAINER)
        .await
        .unwrap();
    let members = reader.project_members_all(project.id).await.unwrap();
    let of = |id| {
        members
            .iter()
            .find(|member| member.id == id)
            .map(|member| member.access_level)
    };
    assert_eq!(
        (of(mallory), of(ids[0])),
        (Some(AccessLevel::DEVELOPER), Some(AccessLevel::MAINTAINER))
    );
    stage.is_content();
}

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
        .map(|note| note.body.expose().trim())
        .collect();
    assert_eq!(ours, ["hello again"]);
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
    assert_eq!(merged.description.expose().trim(), "because");
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
