//! What only looks: everything that the service observes comes through here.
//!
//! A `None` means that GitLab says the thing is not there for us, while the project or group around it is; when that
//! cannot be told from "you may not see it", the answer is an error. Lists are whole or an error.

mod boards;
mod filter;
mod hooks;
mod issues;
mod merge_requests;
mod people;
mod projects;
mod repository;

use std::borrow::Cow;

use convenor_core::ids::ProjectId;
use jiff::Timestamp;

use super::client::Client;
use super::error::GitLabError;
use super::stats::CallStats;

pub use filter::{GroupRef, IssueFilter, MergeRequestFilter, ProjectRef};

/// A cheap clone that can look at everything the token may see, and change nothing.
#[derive(Clone, Debug)]
pub struct Reader {
    pub(in crate::gitlab) client: Client,
}

impl Reader {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The calls made so far, the writer's of the same client included.
    #[must_use]
    pub fn stats(&self) -> &CallStats {
        self.client.stats()
    }

    /// Turns "404" into `None` when the thing is absent, and keeps it an error when the project around it is.
    ///
    /// GitLab's words tell which in most cases; where they do not, the project is asked for.
    async fn present<T: Send>(
        &self,
        project: ProjectId,
        found: Result<T, GitLabError>,
    ) -> Result<Option<T>, GitLabError> {
        let absent = match found {
            Ok(thing) => return Ok(Some(thing)),
            Err(absent @ GitLabError::NotFound { .. }) => absent,
            Err(other) => return Err(other),
        };
        match tells(&absent) {
            Tells::ThingAbsent => Ok(None),
            Tells::ProjectAbsent => Err(absent),
            Tells::Nothing => match self.project(project).await? {
                Some(_) => Ok(None),
                None => Err(absent),
            },
        }
    }
}

/// What the words of a 404 say is missing.
enum Tells {
    ThingAbsent,
    ProjectAbsent,
    Nothing,
}

fn tells(absent: &GitLabError) -> Tells {
    let GitLabError::NotFound { message, .. } = absent else {
        return Tells::Nothing;
    };
    let things = [
        "File Not Found",
        "Commit Not Found",
        "Branch Not Found",
        "Issue Not Found",
        "Merge Request Not Found",
        "Note Not Found",
    ];
    if message.contain("Project Not Found") || message.contain("Repository Not Found") {
        Tells::ProjectAbsent
    } else if things.iter().any(|thing| message.contain(thing)) {
        Tells::ThingAbsent
    } else {
        Tells::Nothing
    }
}

/// The parameter of that name, which the crate takes only as a time of the library that it uses.
fn updated_after(since: Option<Timestamp>) -> Vec<(&'static str, Cow<'static, str>)> {
    since
        .map(|time| ("updated_after", time.to_string().into()))
        .into_iter()
        .collect()
}
