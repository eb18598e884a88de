//! All that the plan for a community's row depends on.

use convenor_core::charter;
use convenor_core::ids::{ProjectId, UserId};
use convenor_core::plan::resync::{Charter, Marks};
use convenor_core::plan::seen::{CommunitySeen, IssueSeen, ListingSeen, People, PlaceSeen, ProjectSeen, Removals};
use convenor_core::plan::{FileVersion, Premise};
use convenor_core::program::{Handbook, PageKind};
use futures_util::future::try_join_all;

use super::handbook::OpenChanges;
use super::proposal::own_issues_seen;
use super::{ObserveError, Observer, file_version, project_seen};
use crate::gitlab::IssueFilter;

/// A charter with what it names.
struct CharteredBy {
    file: Option<FileVersion>,
    mark: Charter,
    people: People,
    proposal: Option<IssueSeen>,
}

/// Whom a merge request asks.
#[derive(Clone, Debug)]
pub struct Askees {
    /// To review it.
    pub reviewers: Vec<UserId>,
    /// To take care of it.
    pub assignees: Vec<UserId>,
}

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
        let own_issues = IssueFilter {
            author_id: Some(places.bot.id),
            ..IssueFilter::default()
        };
        let issues = async {
            let found = self.reader.issues(project.id, &own_issues).await?;
            own_issues_seen(found, places.bot.id)
        };
        let (chartered, issues, others, (open, listings)) = tokio::try_join!(
            self.chartered_by(&project),
            issues,
            self.neighbours(),
            self.listings(&project),
        )?;
        let others = others.into_iter().filter(|other| other.id != project.id);
        Ok(Some(CommunitySeen {
            bot: places.bot.clone(),
            others: others.map(|other| (other.name, other.web_url)).collect(),
            listings,
            project,
            charter: chartered.file,
            marks: Marks {
                charter: chartered.mark,
                active,
            },
            people: chartered.people,
            proposal: chartered.proposal,
            issues,
            removals: removals.with_open(open.removals(places.bot.id)),
        }))
    }

    /// The project's charter, and whom and what it names.
    async fn chartered_by(&self, project: &ProjectSeen) -> Result<CharteredBy, ObserveError> {
        let branch = project.default_branch.clone().unwrap_or_else(|| "main".to_owned());
        let file = match project.empty == Some(true) {
            true => None,
            false => self.reader.file(project.id, charter::PATH, &branch).await?,
        };
        let mark = match &file {
            Some(file) if file.blob_id.is_empty() => Charter::Untold,
            file => Charter::Blob(file.as_ref().map(|file| file.blob_id.clone())),
        };
        let file = file.map(file_version);
        let read = file.as_ref().and_then(|file| charter::read(&file.bytes).ok());
        let facilitators = read.as_ref().map(|charter| charter.facilitators.clone());
        let proposal = async {
            match read.as_ref().and_then(|charter| charter.proposal.as_ref()) {
                Some(reference) if reference.project.as_str().eq_ignore_ascii_case(&self.program.intake) => {
                    self.issue(reference.iid).await
                }
                _ => Ok(None),
            }
        };
        let (people, proposal) = tokio::try_join!(self.people(facilitators.unwrap_or_default()), proposal)?;
        Ok(CharteredBy {
            file,
            mark,
            people,
            proposal,
        })
    }

    /// The program's pages, each with the community's own branch and merge requests; and all that we have open.
    async fn listings(&self, project: &ProjectSeen) -> Result<(OpenChanges, Vec<ListingSeen>), ObserveError> {
        let handbooks = self.program.handbooks.iter().enumerate();
        let listings = try_join_all(handbooks.map(|(index, handbook)| self.listing(index, handbook, project)));
        let (open, mut listings) = tokio::try_join!(self.all_open_changes(), listings)?;
        let pages = self.program.handbooks.iter().zip(&mut listings).enumerate();
        for (index, (handbook, listing)) in pages.filter(|(_, (handbook, _))| handbook.kind == PageKind::Table) {
            let name = self.row_branch(index, project, &open).await?;
            // The project had another path when its merge request was opened.
            if name != listing.place.name {
                listing.place = self.place(handbook, &self.target(index).await?, name).await?;
            }
        }
        Ok((open, listings))
    }

    /// Reviewers and assignees for the row of a community that was just made, page by page; `None`: an earlier community at its path had
    /// merge requests, so it has to be looked at.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn askees_of_new(&self, branches: &[String]) -> Result<Option<Vec<Askees>>, ObserveError> {
        let pages = self.program.handbooks.iter().zip(branches).enumerate();
        let found = pages.map(|(index, (handbook, branch))| async move {
            let target = &self.target(index).await?;
            let (known, reviewers, assignees) = tokio::try_join!(
                self.merge_requests(target, branch),
                self.active_users(&handbook.reviewers),
                self.active_users(&handbook.manners.assignees),
            )?;
            Ok::<_, ObserveError>(known.is_empty().then_some(Askees { reviewers, assignees }))
        });
        Ok(try_join_all(found).await?.into_iter().collect())
    }

    async fn listing(
        &self,
        index: usize,
        handbook: &Handbook,
        project: &ProjectSeen,
    ) -> Result<ListingSeen, ObserveError> {
        let target = &self.target(index).await?;
        let place = async {
            match handbook.kind {
                PageKind::Table => self.place(handbook, target, self.new_row_branch(index, project)).await,
                // A directory is nobody's own.
                PageKind::Directory => Ok(PlaceSeen::default()),
            }
        };
        let (page, place, reviewers, assignees) = tokio::try_join!(
            self.page(index),
            place,
            self.active_users(&handbook.reviewers),
            self.active_users(&handbook.manners.assignees),
        )?;
        Ok(ListingSeen {
            page,
            place,
            reviewers,
            assignees,
            traffic: None,
        })
    }

    /// What a plan for a community takes for granted, read now.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn premise_of_community(&self, id: ProjectId) -> Result<Premise, ObserveError> {
        let project = async { self.reader.project(id).await?.map(project_seen).transpose() };
        let (project, pages) = tokio::try_join!(project, self.readers_of_pages())?;
        Ok(Premise::of_community(project.as_ref(), pages))
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
