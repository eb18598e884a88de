//! The client against a GitLab with a memory: what was written is what is read.

mod code;
mod faults;
mod talk;

use convenor::gitlab::{Client, FileAction, NewCommit, NewLabel, NewProject, wire};
use convenor_core::escape::{CommitMessage, PlainLine, ProjectName};
use convenor_core::ids::{AccessLevel, CommitSha, GroupId, IssueIid, ProjectId, UserId, Username};
use convenor_core::program::Visibility;
use convenor_core::slug::Slug;
use convenor_core::untrusted::Untrusted;
use gitlab_sandbox::{Config, Role, Sandbox};

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
