//! All that the plan for a community's row depends on.

use convenor_core::charter;
use convenor_core::ids::{MergeRequestIid, ProjectId};
use convenor_core::plan::Premise;
use convenor_core::plan::row;
use convenor_core::plan::seen::{BranchSeen, CommunitySeen, PageSeen, ProjectSeen, Removals};
use convenor_core::thing::Thing;
use jiff::{SignedDuration, Timestamp};

use super::proposal::own_issues_seen;
use super::{ObserveError, Observer, file_version, merge_request_seen, project_seen, row_branch};
use crate::gitlab::wire::MergeRequestState;
use crate::gitlab::{IssueFilter, MergeRequestFilter};

/// How long after its last change a merge request that is merged or closed is still news to the handbook look. What is missed
/// while the service is down is found by the resync.
const NEWS: SignedDuration = SignedDuration::from_hours(1);

impl Observer {
    /// Everything about a community; `None` when there is no such project (any more), or it is no project of the group.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn community(&self, id: ProjectId, removals: Removals) -> Result<Option<CommunitySeen>, ObserveError> {
        let places = self.places().await?;
        let Some(project) = self.reader.project(id).await?.map(project_seen).transpose()? else {
            return Ok(None);
        };
        let apart =
            project.id == places.intake.id || places.handbook.as_ref().is_some_and(|page| page.id == project.id);
        if apart || !super::is_in_group(&project, &self.program.group) {
            return Ok(None);
        }
        let branch = project.default_branch.clone().unwrap_or_else(|| "main".to_owned());
        let charter = match project.empty == Some(true) {
            true => None,
            false => self
                .reader
                .file(project.id, charter::PATH, &branch)
                .await?
                .map(file_version),
        };
        let facilitators = match &charter {
            Some(file) => charter::read(&file.bytes)
                .map(|charter| charter.facilitators)
                .unwrap_or_default(),
            None => Vec::new(),
        };
        let people = self.people(facilitators).await?;
        let own_issues = IssueFilter {
            author_id: Some(places.bot.id),
            opened: true,
            ..IssueFilter::default()
        };
        let issues = own_issues_seen(self.reader.issues(project.id, &own_issues).await?, places.bot.id)?;
        let page = self.page().await?;
        let branch_name = self.branch_in_use(&project).await?;
        let (branch, merge_requests) = match &page {
            Some(page) => (
                self.branch(page, &branch_name).await?,
                self.merge_requests(&branch_name).await?,
            ),
            None => (None, Vec::new()),
        };
        let others = self
            .group_projects()
            .await?
            .into_iter()
            .filter(|other| other.id != project.id);
        Ok(Some(CommunitySeen {
            bot: places.bot.clone(),
            others: others.map(|other| (other.name, other.web_url)).collect(),
            project,
            charter,
            people,
            issues,
            page,
            branch_name,
            branch,
            merge_requests,
            removals,
            reviewers: self.reviewers().await?,
        }))
    }

    /// What a plan for a community takes for granted, read now.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn premise_of_community(&self, id: ProjectId) -> Result<Premise, ObserveError> {
        let handbook = self.places().await?.handbook.as_ref().map(|project| project.id);
        let project = self.reader.project(id).await?.map(project_seen).transpose()?;
        let page = match handbook {
            Some(handbook) => Some(self.visibility_now(handbook).await?),
            None => None,
        };
        Ok(Premise::of_community(project.as_ref(), page))
    }

    async fn branch(&self, page: &PageSeen, name: &str) -> Result<Option<BranchSeen>, ObserveError> {
        let Some(handbook) = &self.program.handbook else {
            return Ok(None);
        };
        let Some(branch) = self.reader.branch(page.project, name).await? else {
            return Ok(None);
        };
        let head = branch.commit.id.clone();
        let file = self
            .reader
            .file(page.project, &handbook.page, &head.0)
            .await?
            .map(file_version);
        let base_page = match branch.commit.parent_ids.first() {
            Some(parent) => self
                .reader
                .file(page.project, &handbook.page, &parent.0)
                .await?
                .map(|file| file.bytes),
            None => None,
        };
        Ok(Some(BranchSeen {
            head,
            message: branch.commit.message,
            page: file,
            base_page,
        }))
    }

    /// The branch of the community's open merge request; else the one that a new merge request would have. They differ when
    /// the project's path was changed in between.
    pub(super) async fn branch_in_use(&self, project: &ProjectSeen) -> Result<String, ObserveError> {
        let places = self.places().await?;
        let Some(handbook) = &places.handbook else {
            return Ok(row_branch(&project.path));
        };
        let open = MergeRequestFilter {
            opened: true,
            author_id: Some(places.bot.id),
            ..Default::default()
        };
        for found in self.reader.merge_requests(handbook.id, &open).await? {
            let source = found.source_branch.clone();
            let concern = row::concern(&merge_request_seen(found)?, places.bot.id);
            if concern.is_some_and(|concern| concern.community == project.id) {
                return Ok(source);
            }
        }
        Ok(row_branch(&project.path))
    }

    async fn reviewers(&self) -> Result<Vec<convenor_core::ids::UserId>, ObserveError> {
        let names = self
            .program
            .handbook
            .as_ref()
            .map(|handbook| handbook.reviewers.clone())
            .unwrap_or_default();
        let mut ids = Vec::new();
        for name in names {
            ids.extend(
                self.reader
                    .user_by_username(&name)
                    .await?
                    .filter(|user| user.is_active())
                    .map(|user| user.id),
            );
        }
        Ok(ids)
    }

    /// Ids of the group's projects that may be communities, for the resync.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn community_ids(&self) -> Result<Vec<ProjectId>, ObserveError> {
        let places = self.places().await?;
        let handbook = places.handbook.as_ref().map(|page| page.id);
        let projects = self.group_projects().await?.into_iter();
        Ok(projects
            .map(|project| project.id)
            .filter(|id| *id != places.intake.id && Some(*id) != handbook)
            .collect())
    }

    /// Communities and proposals whose merge request is open or changed lately: what a change of the page concerns.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn concerned_by_page(&self, now: Timestamp) -> Result<Vec<Thing>, ObserveError> {
        let places = self.places().await?;
        let Some(page) = &places.handbook else {
            return Ok(Vec::new());
        };
        let since = now.checked_sub(NEWS).unwrap_or(now);
        let open = MergeRequestFilter {
            opened: true,
            author_id: Some(places.bot.id),
            ..Default::default()
        };
        let news = MergeRequestFilter {
            updated_after: Some(since),
            author_id: Some(places.bot.id),
            ..Default::default()
        };
        let mut found = self.reader.merge_requests(page.id, &open).await?;
        found.extend(self.reader.merge_requests(page.id, &news).await?);
        let mut things = Vec::new();
        let mut known: Vec<MergeRequestIid> = Vec::new();
        for merge_request in found {
            if known.contains(&merge_request.iid) {
                continue;
            }
            known.push(merge_request.iid);
            let is_open = merge_request.state == MergeRequestState::Opened;
            let merge_request = merge_request_seen(merge_request)?;
            let Some(concern) = row::concern(&merge_request, places.bot.id) else {
                continue;
            };
            let name = self.program.name.clone();
            things.push(Thing::Community(name.clone(), concern.community));
            // While it is open, the proposal has only to know what the community's own look does about it.
            let proposal = concern.proposal.filter(|_| !is_open);
            things.extend(proposal.map(|issue| Thing::Proposal(name, issue)));
        }
        Ok(things)
    }
}
