//! Reading a world back, as the administrator sees it.

use super::{Outcome, ROOT, World, refused};
use crate::http::encode;
use crate::locked;
use crate::people::Refused;
use crate::state::Place;
use crate::views::{
    BoardView, CommitView, DiffView, IssueView, LabelEventView, LabelView, MemberView, MergeRequestView, NoteView,
    ProjectView, view,
};
use serde_json::{Value, json};

impl World {
    /// Any `GET` as the administrator; the path is below `/api/v4`.
    ///
    /// # Errors
    /// GitLab's refusal, for this and the other reads.
    pub fn look(&self, path: &str) -> Outcome<Value> {
        self.call_as(Some(ROOT), "GET", path, Value::Null)
    }

    /// A project by full path.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn project(&self, project: &str) -> Outcome<ProjectView> {
        self.one(&format!("/projects/{}", encode(project)))
    }

    /// The projects of a group, those of its subgroups too, oldest first.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn projects(&self, group: &str) -> Outcome<Vec<ProjectView>> {
        self.list(&format!(
            "/groups/{}/projects?include_subgroups=true&with_shared=false&sort=asc",
            encode(group)
        ))
    }

    /// An issue.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn issue(&self, project: &str, iid: u64) -> Outcome<IssueView> {
        self.one(&format!("/projects/{}/issues/{iid}", encode(project)))
    }

    /// All issues of a project, oldest first.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn issues(&self, project: &str) -> Outcome<Vec<IssueView>> {
        self.list(&format!("/projects/{}/issues?sort=asc", encode(project)))
    }

    /// The comments on an issue, oldest first, without the system's.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn notes(&self, project: &str, iid: u64) -> Outcome<Vec<NoteView>> {
        self.list(&format!(
            "/projects/{}/issues/{iid}/notes?sort=asc&activity_filter=only_comments",
            encode(project)
        ))
    }

    /// The system's notes on an issue, oldest first.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn system_notes(&self, project: &str, iid: u64) -> Outcome<Vec<NoteView>> {
        self.list(&format!(
            "/projects/{}/issues/{iid}/notes?sort=asc&activity_filter=only_activity",
            encode(project)
        ))
    }

    /// The comments on a merge request, oldest first, without the system's.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn merge_request_notes(&self, project: &str, iid: u64) -> Outcome<Vec<NoteView>> {
        let path = format!("/projects/{}/merge_requests/{iid}/notes", encode(project));
        self.list(&format!("{path}?sort=asc&activity_filter=only_comments"))
    }

    /// The label events of an issue, oldest first.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn label_events(&self, project: &str, iid: u64) -> Outcome<Vec<LabelEventView>> {
        self.list(&format!(
            "/projects/{}/issues/{iid}/resource_label_events",
            encode(project)
        ))
    }

    /// The labels that a project's things may carry, its groups' too.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn labels(&self, project: &str) -> Outcome<Vec<LabelView>> {
        self.list(&format!("/projects/{}/labels", encode(project)))
    }

    /// The boards of a project.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn boards(&self, project: &str) -> Outcome<Vec<BoardView>> {
        self.list(&format!("/projects/{}/boards", encode(project)))
    }

    /// The direct members of a group or project.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn members(&self, place: &str) -> Outcome<Vec<MemberView>> {
        self.list(&self.members_path(place)?)
    }

    /// A merge request.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn merge_request(&self, project: &str, iid: u64) -> Outcome<MergeRequestView> {
        // Not by the single route: that would move the check of its mergeability.
        let found: Vec<MergeRequestView> =
            self.list(&format!("/projects/{}/merge_requests?iids[]={iid}", encode(project)))?;
        found.into_iter().next().ok_or_else(|| Refused {
            status: 404,
            body: json!({ "message": "404 Not found" }),
        })
    }

    /// All merge requests of a project, oldest first.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn merge_requests(&self, project: &str) -> Outcome<Vec<MergeRequestView>> {
        self.list(&format!("/projects/{}/merge_requests?sort=asc", encode(project)))
    }

    /// What a merge request changes, file by file.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn merge_request_diff(&self, project: &str, iid: u64) -> Outcome<Vec<DiffView>> {
        let state = locked(&self.shared.state);
        let Some(Place::Project(id)) = state.place(project) else {
            return Err(refused(crate::http::Refusal::not_found("Project")));
        };
        let request = state.find_merge_request(Some(ROOT), id, iid).map_err(refused)?;
        state
            .merge_request_diff(request)
            .iter()
            .map(|d| view(crate::show::diff(d)))
            .collect()
    }

    /// The bytes of a file on a branch, if it is there.
    #[must_use]
    pub fn file(&self, project: &str, branch: &str, path: &str) -> Option<Vec<u8>> {
        let state = locked(&self.shared.state);
        let Some(Place::Project(id)) = state.place(project) else {
            return None;
        };
        let commit = state.projects.get(&id)?.repo.resolve(branch)?;
        commit.tree.get(path).map(|entry| entry.blob.bytes.clone())
    }

    /// The text of a file on a branch, if it is there and is UTF-8.
    #[must_use]
    pub fn text(&self, project: &str, branch: &str, path: &str) -> Option<String> {
        self.file(project, branch, path)
            .and_then(|bytes| String::from_utf8(bytes).ok())
    }

    /// All paths on a branch, sorted.
    #[must_use]
    pub fn paths(&self, project: &str, branch: &str) -> Vec<String> {
        let state = locked(&self.shared.state);
        let Some(Place::Project(id)) = state.place(project) else {
            return Vec::new();
        };
        let commit = state.projects.get(&id).and_then(|p| p.repo.resolve(branch));
        commit
            .map(|c| c.tree.iter().map(|(path, _)| path.clone()).collect())
            .unwrap_or_default()
    }

    /// The branches of a project, sorted.
    #[must_use]
    pub fn branches(&self, project: &str) -> Vec<String> {
        let state = locked(&self.shared.state);
        let Some(Place::Project(id)) = state.place(project) else {
            return Vec::new();
        };
        state
            .projects
            .get(&id)
            .map(|p| p.repo.branches().keys().cloned().collect())
            .unwrap_or_default()
    }

    /// The commits of a branch, newest first.
    ///
    /// # Errors
    /// See [`World::look`].
    pub fn commits(&self, project: &str, branch: &str) -> Outcome<Vec<CommitView>> {
        self.list(&format!(
            "/projects/{}/repository/commits?ref_name={}",
            encode(project),
            encode(branch)
        ))
    }
}
