//! From GitLab to what the plans need to know. Reads, never judges.
//!
//! Payloads of webhooks are not consulted: they are old, repeated, or somebody's invention. Read on in
//! [`convenor_core::plan::seen`] for what is filled here, and in [`crate::gitlab::Reader`] for how it is read.

mod adopt;
mod community;
mod handbook;
mod lifeline;
mod proposal;
mod recent;
mod resync;
mod setup;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use convenor_core::ids::{ProjectId, UserId, Username};
use convenor_core::plan::seen::{GroupSeen, MergeRequestSeen, MergeRequestState, People, ProjectSeen, Role, UserSeen};
use convenor_core::plan::{FileVersion, brakes};
use convenor_core::program::{Handbook, Program, Visibility};
use convenor_core::proposal::PersonState;
use futures_util::future::try_join_all;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use url::Url;

use crate::gitlab::{GitLabError, Reader, wire};

pub use community::Askees;
pub use handbook::{Asked, Repair};
pub use lifeline::Chartered;
pub use proposal::Remembered;

/// Looks at GitLab for one program.
#[derive(Debug)]
pub struct Observer {
    reader: Reader,
    program: Program,
    /// What does not change while the service runs: ids of the bot, the group and the projects.
    places: OnceCell<Places>,
    projects_seen: Mutex<Believed>,
    open_proposals: recent::OpenProposals,
    neighbours: recent::Neighbours,
}

/// How many projects the group had when it was last believed, and since when another number is doubted.
#[derive(Debug, Default)]
struct Believed {
    count: usize,
    doubted: Option<Instant>,
}

/// A list that stays implausible for so long is the truth.
const DOUBTED_FOR: Duration = Duration::from_secs(600);

/// The program's fixed points in GitLab.
#[derive(Clone, Debug)]
pub struct Places {
    /// Who we are.
    pub bot: UserSeen,
    /// The program's group.
    pub group: GroupSeen,
    /// The intake project.
    pub intake: ProjectSeen,
    /// The projects of the handbook pages, in the order of the settings.
    pub handbooks: Vec<ProjectSeen>,
}

impl Places {
    /// The program's own projects.
    pub(crate) fn apart(&self) -> impl Iterator<Item = ProjectId> {
        let own = [&self.intake].into_iter().chain(&self.handbooks);
        own.map(|project| project.id)
    }

    /// Whether a project is one of the program's own and so no community.
    #[must_use]
    pub fn are_apart(&self, project: ProjectId) -> bool {
        self.apart().any(|id| id == project)
    }
}

/// What an observation cannot go without.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// GitLab did not answer as it should.
    #[error(transparent)]
    GitLab(#[from] GitLabError),
    /// A project that the settings name is not there, or not visible to the bot.
    #[error("{setting} = \"{path}\": GitLab shows no such project to the bot; check the path and the bot's membership")]
    NoProject {
        /// The key in the settings.
        setting: &'static str,
        /// Its value.
        path: String,
    },
    /// The token has become somebody else's: what we made would not be found again, and made twice.
    #[error(
        "the token is user {now}'s now and was user {before}'s; put the bot's own token back, or start Convenor again if the bot has changed"
    )]
    AnotherUser {
        /// Whose it was.
        before: UserId,
        /// Whose it is.
        now: UserId,
    },
    /// A list is suddenly much shorter.
    #[error(
        "GitLab shows {now} projects of the group, and {before} shortly before; that is not believed for ten minutes"
    )]
    Implausible {
        /// How many there were.
        before: usize,
        /// How many there are said to be.
        now: usize,
    },
    /// Two answers of one look exclude each other, so neither is believed.
    #[error("GitLab lists the project {path} and says at once that it is not there")]
    Contradiction {
        /// Full path of the project.
        path: String,
    },
    /// The group that the settings name is not there, or not visible to the bot.
    #[error(
        "program.group = \"{path}\": GitLab shows no such group to the bot; check the path and the bot's membership"
    )]
    NoGroup {
        /// Its path.
        path: String,
    },
    /// GitLab gave an address that is none.
    #[error("GitLab gave an address that cannot be read for {what}")]
    Address {
        /// Of what.
        what: &'static str,
    },
}

impl Observer {
    /// An observer of this program.
    #[must_use]
    pub fn new(reader: Reader, program: Program) -> Self {
        Self {
            reader,
            program,
            places: OnceCell::new(),
            projects_seen: Mutex::default(),
            open_proposals: recent::OpenProposals::default(),
            neighbours: recent::Neighbours::default(),
        }
    }

    /// Whether the token works, and is still the bot's that we were at the first look.
    ///
    /// # Errors
    /// When it is another user's, or GitLab does not answer as it should.
    pub async fn confirm_who_we_are(&self) -> Result<(), ObserveError> {
        let bot = self.places().await?.bot.id;
        let user = self.reader.current_user().await?.id;
        if user != bot {
            return Err(ObserveError::AnotherUser { before: bot, now: user });
        }
        Ok(())
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// What it reads with.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The fixed points, read once.
    ///
    /// # Errors
    /// When GitLab does not answer, or a configured place is not there.
    pub async fn places(&self) -> Result<&Places, ObserveError> {
        self.places.get_or_try_init(|| self.read_places()).await
    }

    async fn read_places(&self) -> Result<Places, ObserveError> {
        let user = self.reader.current_user().await?;
        let group = match self.reader.group(self.program.group.as_str()).await {
            Err(GitLabError::NotFound { .. }) => {
                return Err(ObserveError::NoGroup {
                    path: self.program.group.clone(),
                });
            }
            other => other?,
        };
        let intake = self.named_project("program.intake", &self.program.intake).await?;
        let mut handbooks: Vec<ProjectSeen> = Vec::new();
        for handbook in &self.program.handbooks {
            let known = self.program.handbooks.iter().zip(&handbooks);
            let known = known.filter(|(other, _)| other.project == handbook.project);
            let known = known.map(|(_, project)| project.clone()).next();
            handbooks.push(match known {
                Some(project) => project,
                None => {
                    self.named_project("program.handbook.project", &handbook.project)
                        .await?
                }
            });
        }
        Ok(Places {
            bot: UserSeen {
                id: user.id,
                username: user.username,
            },
            group: GroupSeen {
                id: group.id,
                web_url: address(&group.web_url, "the group")?,
                visibility: group.visibility,
            },
            intake,
            handbooks,
        })
    }

    /// Does not believe a list that has suddenly become much shorter, unless it stays so.
    fn believe(&self, count: usize) -> Result<(), ObserveError> {
        let mut believed = lock(&self.projects_seen);
        if brakes::is_plausible(believed.count, count) {
            *believed = Believed { count, doubted: None };
            return Ok(());
        }
        let since = *believed.doubted.get_or_insert_with(Instant::now);
        if since.elapsed() < DOUBTED_FOR {
            return Err(ObserveError::Implausible {
                before: believed.count,
                now: count,
            });
        }
        *believed = Believed { count, doubted: None };
        Ok(())
    }

    async fn named_project(&self, setting: &'static str, path: &str) -> Result<ProjectSeen, ObserveError> {
        let found = self.reader.project(path).await?;
        let project = found.ok_or_else(|| ObserveError::NoProject {
            setting,
            path: path.to_owned(),
        })?;
        project_seen(project)
    }

    /// The intake project, with who sees it now.
    async fn intake_now(&self) -> Result<ProjectSeen, ObserveError> {
        let intake = self.places().await?.intake.clone();
        Ok(ProjectSeen {
            visibility: self.visibility_now(intake.id).await?,
            ..intake
        })
    }

    /// The intake project, with who sees it now; the group's projects, read now, tell that where it is one of them.
    async fn intake_among(&self, projects: &[ProjectSeen]) -> Result<ProjectSeen, ObserveError> {
        let intake = &self.places().await?.intake;
        match projects.iter().find(|project| project.id == intake.id) {
            Some(found) => Ok(ProjectSeen {
                visibility: found.visibility,
                ..intake.clone()
            }),
            None => self.intake_now().await,
        }
    }

    /// Who sees a project now. Never remembered: people open and close projects, and what was fit for a few would be told to
    /// all. A project that cannot be read is taken for the widest, so that nothing narrower is told there.
    async fn visibility_now(&self, project: ProjectId) -> Result<Visibility, ObserveError> {
        let found = self.reader.project(project).await?;
        Ok(found
            .and_then(|project| project.visibility)
            .unwrap_or(Visibility::Public))
    }

    /// Accounts of the named people; who is not found is missing.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn people(&self, names: impl IntoIterator<Item = Username>) -> Result<People, ObserveError> {
        let known = try_join_all(names.into_iter().map(|name| async move {
            let state = match self.reader.user_by_username(&name).await? {
                None => PersonState::Missing,
                Some(user) if user.bot => PersonState::Bot,
                Some(user) if user.is_active() => PersonState::Active {
                    id: user.id,
                    name: user.name,
                },
                Some(_) => PersonState::Blocked,
            };
            Ok::<_, ObserveError>((name, state))
        }));
        Ok(known.await?.into_iter().collect())
    }

    /// Roles in the program's group now, inherited ones included. Who is not a member, or blocked, is left out.
    async fn roles(&self, users: impl IntoIterator<Item = UserId>) -> Result<BTreeMap<UserId, Role>, ObserveError> {
        let group = self.places().await?.group.id;
        let known = try_join_all(users.into_iter().map(|user| async move {
            let member = self.reader.group_member(group, user).await?;
            let role = member.filter(wire::Member::is_active).map(|member| Role {
                level: member.access_level,
                until: member.expires_at,
            });
            Ok::<_, ObserveError>(role.map(|role| (user, role)))
        }));
        Ok(known.await?.into_iter().flatten().collect())
    }

    /// The projects of the group and its subgroups, archived ones included.
    async fn group_projects(&self) -> Result<Vec<ProjectSeen>, ObserveError> {
        let projects = self.reader.group_projects(self.places().await?.group.id).await?;
        self.believe(projects.len())?;
        projects.into_iter().map(project_seen).collect()
    }
}

/// The values behind these locks are replaced as a whole: right even after a panic elsewhere.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The branch that the page's merge requests go to.
fn target_branch(handbook: &Handbook, project: &ProjectSeen) -> String {
    let configured = handbook.branch.clone().or_else(|| project.default_branch.clone());
    configured.unwrap_or_else(|| "main".to_owned())
}

fn file_version(file: wire::RepositoryFile) -> FileVersion {
    FileVersion {
        bytes: file.bytes,
        last_commit: Some(file.last_commit_id),
    }
}

fn project_seen(project: wire::Project) -> Result<ProjectSeen, ObserveError> {
    Ok(ProjectSeen {
        id: project.id,
        web_url: address(&project.web_url, "a project")?,
        marked_for_deletion: project.is_marked_for_deletion(),
        path: project.path,
        full_path: project.path_with_namespace,
        name: project.name,
        description: project.description,
        archived: project.archived,
        creator: project.creator_id,
        created_at: Some(project.created_at),
        empty: project.empty_repo,
        default_branch: project.default_branch,
        // Not told: assume the narrowest, which is never shown too widely.
        visibility: project.visibility.unwrap_or(Visibility::Private),
        topics: project.topics,
    })
}

/// Whether a merge request is from this branch of the project itself: anybody's fork may have a branch of the same name.
fn is_between(merge_request: &wire::MergeRequest, source: &str, target: &str) -> bool {
    merge_request.source_project_id == Some(merge_request.project_id)
        && merge_request.source_branch == source
        && merge_request.target_branch == target
}

fn merge_request_seen(found: wire::MergeRequest) -> Result<MergeRequestSeen, ObserveError> {
    let state = match found.state {
        wire::MergeRequestState::Opened => MergeRequestState::Opened,
        wire::MergeRequestState::Merged => MergeRequestState::Merged,
        wire::MergeRequestState::Closed => MergeRequestState::Closed,
        wire::MergeRequestState::Locked | wire::MergeRequestState::Other => MergeRequestState::Locked,
    };
    Ok(MergeRequestSeen {
        iid: found.iid,
        state,
        author: found.author.id,
        closed_by: found.closed_by.map(|user| user.id),
        web_url: address(&found.web_url, "a merge request")?,
        needs_rebase: found.detailed_merge_status == "need_rebase",
        head: found.sha,
        created_at: found.created_at,
        // While GitLab has not checked, the field says `false`; only `true` is news.
        conflicts: found.has_conflicts.then_some(true),
        title: found.title,
        description: found.description,
    })
}

fn address(text: &str, what: &'static str) -> Result<Url, ObserveError> {
    Url::parse(text).map_err(|_| ObserveError::Address { what })
}

/// Whether a project at this path lies in this group, directly or deeper.
fn is_in_group(project: &ProjectSeen, group: &str) -> bool {
    let (path, group) = (project.full_path.to_ascii_lowercase(), group.to_ascii_lowercase());
    path.strip_prefix(&group).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn merge_request(changes: &Value) -> wire::MergeRequest {
        let person = json!({ "id": 1, "username": "alice", "name": "Alice", "state": "active" });
        let mut fields = json!({
            "id": 70, "iid": 7, "project_id": 3, "source_project_id": 3, "title": "t", "description": "", "state": "opened",
            "source_branch": "convenor/rust", "target_branch": "main", "author": person,
            "web_url": "https://gitlab.example.com/a/-/merge_requests/7",
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"
        });
        for (key, value) in changes.as_object().unwrap() {
            fields[key] = value.clone();
        }
        serde_json::from_value(fields).unwrap()
    }

    #[test]
    fn a_forks_branch_of_the_same_name_is_not_ours() {
        let check = |changes: Value, expected| {
            assert_eq!(is_between(&merge_request(&changes), "convenor/rust", "main"), expected);
        };
        check(json!({}), true);
        check(json!({ "source_project_id": 4 }), false);
        check(json!({ "source_project_id": null }), false);
        check(json!({ "target_branch": "stable" }), false);
        check(json!({ "source_branch": "convenor/Rust" }), false);
    }
}
