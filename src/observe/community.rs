//! All that the plan for a community's row depends on.

use convenor_core::charter;
use convenor_core::ids::ProjectId;
use convenor_core::plan::Premise;
use convenor_core::plan::resync::{Charter, Marks};
use convenor_core::plan::seen::{CommunitySeen, ListingSeen, PlaceSeen, ProjectSeen, Removals};
use convenor_core::program::PageKind;

use super::handbook::OpenChanges;
use super::proposal::own_issues_seen;
use super::{ObserveError, Observer, file_version, project_seen};
use crate::gitlab::IssueFilter;

impl Observer {
    /// Everything about a community; `None` when there is no such project (any more), or it is no project of the group.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn community(&self, id: ProjectId, removals: Removals) -> Result<Option<CommunitySeen>, ObserveError> {
        let places = self.places().await?;
        let Some(project) = self.reader.project(id).await? else {
            return Ok(None);
        };
        let active = project.last_activity_at;
        let project = project_seen(project)?;
        if places.are_apart(project.id) || !super::is_in_group(&project, &self.program.group) {
            return Ok(None);
        }
        let branch = project.default_branch.clone().unwrap_or_else(|| "main".to_owned());
        let charter = match project.empty == Some(true) {
            true => None,
            false => self.reader.file(project.id, charter::PATH, &branch).await?,
        };
        let marks = Marks {
            charter: match &charter {
                Some(file) if file.blob_id.is_empty() => Charter::Untold,
                file => Charter::Blob(file.as_ref().map(|file| file.blob_id.clone())),
            },
            active,
        };
        let charter = charter.map(file_version);
        let read = charter.as_ref().and_then(|file| charter::read(&file.bytes).ok());
        let facilitators = read.as_ref().map(|charter| charter.facilitators.clone());
        let people = self.people(facilitators.unwrap_or_default()).await?;
        let proposal = match read.as_ref().and_then(|charter| charter.proposal.as_ref()) {
            Some(reference) if reference.project.as_str().eq_ignore_ascii_case(&self.program.intake) => {
                self.issue(reference.iid).await?
            }
            _ => None,
        };
        let own_issues = IssueFilter {
            author_id: Some(places.bot.id),
            ..IssueFilter::default()
        };
        let issues = own_issues_seen(self.reader.issues(project.id, &own_issues).await?, places.bot.id)?;
        let others = self.group_projects().await?;
        let others = others.into_iter().filter(|other| other.id != project.id);
        Ok(Some(CommunitySeen {
            bot: places.bot.clone(),
            others: others.map(|other| (other.name, other.web_url)).collect(),
            listings: self.listings(&project).await?,
            project,
            charter,
            marks,
            people,
            proposal,
            issues,
            removals,
        }))
    }

    /// The program's pages, each with the community's own branch and merge requests.
    async fn listings(&self, project: &ProjectSeen) -> Result<Vec<ListingSeen>, ObserveError> {
        let mut listings = Vec::new();
        let mut open = OpenChanges::default();
        for (index, handbook) in self.program.handbooks.iter().enumerate() {
            let page = self.page(index).await?;
            let place = match handbook.kind {
                PageKind::Table => {
                    let name = self.row_branch(index, project, &mut open).await?;
                    self.place(handbook, &page, name).await?
                }
                // A directory is nobody's own.
                PageKind::Directory => PlaceSeen::default(),
            };
            listings.push(ListingSeen {
                page,
                place,
                reviewers: self.active_users(&handbook.reviewers).await?,
                assignees: self.active_users(&handbook.manners.assignees).await?,
                traffic: None,
            });
        }
        Ok(listings)
    }

    /// What a plan for a community takes for granted, read now.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn premise_of_community(&self, id: ProjectId) -> Result<Premise, ObserveError> {
        let project = self.reader.project(id).await?.map(project_seen).transpose()?;
        Ok(Premise::of_community(project.as_ref(), self.readers_of_pages().await?))
    }

    /// Ids of the group's projects that may be communities, for the resync.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn community_ids(&self) -> Result<Vec<ProjectId>, ObserveError> {
        let places = self.places().await?;
        let projects = self.group_projects().await?.into_iter();
        Ok(projects
            .map(|project| project.id)
            .filter(|id| !places.are_apart(*id))
            .collect())
    }
}
