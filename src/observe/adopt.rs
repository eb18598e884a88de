//! All that the first look at an organisation depends on.

use convenor_core::adopt::{self, AdoptSeen, CandidateSeen, CharterBranchSeen};
use convenor_core::charter;
use convenor_core::ids::{AccessLevel, ProjectId, Username};
use convenor_core::plan::seen::{MergeRequestSeen, PageSeen, ProjectSeen};
use convenor_core::program::{Handbook, PageKind};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{ObserveError, Observer, file_version, is_between, merge_request_seen};
use crate::gitlab::MergeRequestFilter;

/// Projects that are asked about at a time; the limits may allow fewer.
const AT_ONCE: usize = 8;

impl Observer {
    /// Every project of the group with its charter, or with what was proposed for one; the page; everybody whom they name.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn adoption(&self) -> Result<AdoptSeen, ObserveError> {
        let places = self.places().await?;
        let pages = self.pages().await?.into_iter();
        let tables = pages.filter(|(handbook, _)| handbook.kind == PageKind::Table);
        let pages: Vec<_> = tables.map(|(handbook, page)| (handbook.clone(), page)).collect();
        let projects = self.group_projects().await?.into_iter();
        let projects = stream::iter(projects.filter(|project| !places.are_apart(project.id)))
            .map(|project| self.candidate(project, &pages))
            .buffered(AT_ONCE);
        let projects: Vec<Option<CandidateSeen>> = projects.try_collect().await?;
        let projects: Vec<CandidateSeen> = projects.into_iter().flatten().collect();
        let named = adopt::named(&pages, &projects);
        Ok(AdoptSeen {
            bot: places.bot.clone(),
            people: self.people(named).await?,
            pages,
            projects,
        })
    }

    /// `None`: it cannot be a community.
    async fn candidate(
        &self,
        project: ProjectSeen,
        pages: &[(Handbook, PageSeen)],
    ) -> Result<Option<CandidateSeen>, ObserveError> {
        let mut candidate = CandidateSeen {
            charter: None,
            maintainers: Vec::new(),
            branch: None,
            merge_requests: Vec::new(),
            project,
        };
        let project = &candidate.project;
        let branch = project.default_branch.clone().filter(|_| project.empty != Some(true));
        if let Some(branch) = &branch {
            let file = self.reader.file(project.id, charter::PATH, branch).await?;
            candidate.charter = file.map(|file| file.bytes);
        }
        let has_charter = candidate.charter.is_some();
        if !adopt::may_be_a_community(&self.program, pages, &candidate.project, has_charter) {
            return Ok(None);
        }
        let Some(branch) = branch else {
            return Ok(Some(candidate));
        };
        if candidate.charter.is_none() && !candidate.project.archived {
            candidate.maintainers = self.maintainers(candidate.project.id).await?;
            candidate.branch = self.charter_branch(candidate.project.id).await?;
            candidate.merge_requests = self.charter_merge_requests(candidate.project.id, &branch).await?;
        }
        Ok(Some(candidate))
    }

    async fn maintainers(&self, project: ProjectId) -> Result<Vec<Username>, ObserveError> {
        let mut names = Vec::new();
        for member in self.reader.project_members_direct(project).await? {
            if member.access_level < AccessLevel::MAINTAINER || !member.is_active() {
                continue;
            }
            let user = self.reader.user(member.id).await?;
            names.extend(user.filter(|user| !user.bot).map(|_| member.username));
        }
        Ok(names)
    }

    async fn charter_branch(&self, project: ProjectId) -> Result<Option<CharterBranchSeen>, ObserveError> {
        let Some(branch) = self.reader.branch(project, adopt::charter::BRANCH).await? else {
            return Ok(None);
        };
        let charter = self.reader.file(project, charter::PATH, &branch.commit.id.0).await?;
        Ok(Some(CharterBranchSeen {
            head: branch.commit.id,
            message: branch.commit.message,
            charter: charter.map(file_version),
        }))
    }

    async fn charter_merge_requests(
        &self,
        project: ProjectId,
        target: &str,
    ) -> Result<Vec<MergeRequestSeen>, ObserveError> {
        let filter = MergeRequestFilter {
            source_branch: Some(adopt::charter::BRANCH.to_owned()),
            target_branch: Some(target.to_owned()),
            ..MergeRequestFilter::default()
        };
        let mut found = self.reader.merge_requests(project, &filter).await?;
        found.retain(|merge_request| is_between(merge_request, adopt::charter::BRANCH, target));
        found.sort_by_key(|merge_request| std::cmp::Reverse(merge_request.iid));
        found.into_iter().map(merge_request_seen).collect()
    }
}
