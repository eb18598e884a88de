//! How things look in REST answers: GitLab's entities, field by field, made from state.

mod code;
mod groups;
mod hooks;
mod issues;
mod merge_requests;
mod people;
mod projects;

pub(crate) use code::{blob_file, branch, commit, commit_with_stats, diff, protection, tree_item};
pub(crate) use groups::group;
pub(crate) use hooks::{hook, past_delivery};
pub(crate) use issues::{board, board_list, issue, label, label_event, note, state_event};
pub(crate) use merge_requests::merge_request;
pub(crate) use people::{current_user, member, token, user, user_page};
pub(crate) use projects::{project, simple_project};

use crate::state::State;
use crate::state::issues::Issue;
use crate::state::projects::Project;
use jiff::{Timestamp, tz::TimeZone};

/// `2026-03-05T09:10:11.123Z`
pub(crate) fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%dT%H:%M:%S.%3fZ")
        .to_string()
}

/// `2026-03-05T09:10:11.000+00:00`, as commits show it.
pub(crate) fn git_time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%dT%H:%M:%S.000+00:00")
        .to_string()
}

impl State {
    pub(crate) fn web_url(&self, project: &Project) -> String {
        format!("{}/{}", self.url, project.full_path)
    }

    pub(crate) fn http_url(&self, project: &Project) -> String {
        format!("{}/{}.git", self.url, project.full_path)
    }

    pub(crate) fn ssh_url(&self, project: &Project) -> String {
        let host = self.url.split("://").nth(1).unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default();
        format!("git@{host}:{}.git", project.full_path)
    }

    pub(crate) fn issue_url(&self, project: &Project, issue: &Issue) -> String {
        let word = if self.config.work_item_urls {
            "work_items"
        } else {
            "issues"
        };
        format!("{}/-/{word}/{}", self.web_url(project), issue.iid)
    }

    pub(crate) fn merge_request_url(&self, project: &Project, iid: u64) -> String {
        format!("{}/-/merge_requests/{iid}", self.web_url(project))
    }

    pub(crate) fn api_url(&self, path: &str) -> String {
        format!("{}/api/v4{path}", self.url)
    }
}
