//! The program's pages: their text, our branches and merge requests, and everybody who is listed on them.

use std::collections::{BTreeMap, BTreeSet};

use convenor_core::charter;
use convenor_core::ids::{MergeRequestIid, ProjectId, UserId, Username};
use convenor_core::plan::Premise;
use convenor_core::plan::change::{self, ChangeMarker, What, concern};
use convenor_core::plan::handbook::{BATCH, DIRECTORY, REPAIR};
use convenor_core::plan::seen::{
    BranchSeen, HandbookSeen, MemberSeen, MergeRequestSeen, MergeRequestState, PageLookSeen, PageSeen, PlaceSeen,
    ProjectSeen, Traffic,
};
use convenor_core::program::{Handbook, PageKind, Visibility};
use convenor_core::thing::Thing;
use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};

use super::proposal::own_issues_seen;
use super::{ObserveError, Observer, Places, address, file_version, is_between, merge_request_seen, target_branch};
use crate::gitlab::{IssueFilter, MergeRequestFilter, ProjectOverview};

/// How long after its last change a merge request that is merged or closed is still news to the handbook look. What is missed
/// while the service is down is found by the resync.
const NEWS: SignedDuration = SignedDuration::from_hours(1);

/// The time for which new merge requests are counted (`max_per_hour`).
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What an operator asked for with a command, beyond what is due by itself.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Propose removals beyond the limit.
    pub removals: bool,
    /// Mend malformed rows: on all pages, or on the one of this path.
    pub repair: Option<Repair>,
}

/// Which pages' malformed rows are to be mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repair {
    /// All of them.
    Every,
    /// The page of this path.
    Page(String),
}

impl Asked {
    fn repairs(&self, handbook: &Handbook) -> bool {
        match &self.repair {
            None => false,
            Some(Repair::Every) => true,
            Some(Repair::Page(page)) => *page == handbook.page,
        }
    }
}

/// Open merge requests of ours by project, with the branches that they come from; read once in a look.
#[derive(Debug, Default)]
pub(super) struct OpenChanges(BTreeMap<ProjectId, Vec<(String, MergeRequestSeen)>>);

impl OpenChanges {
    /// When those that remove a line were opened.
    pub(super) fn removals(&self, bot: UserId) -> impl Iterator<Item = Timestamp> {
        let open = self.0.values().flatten();
        let removals = open.filter(move |(_, mr)| change::is_removal(mr, bot));
        removals.map(|(_, mr)| mr.created_at)
    }
}

/// Where the changes of a page go.
#[derive(Clone, Debug)]
pub(super) struct Target {
    project: ProjectId,
    branch: String,
}

impl Target {
    fn of(page: &PageSeen) -> Self {
        Self {
            project: page.project,
            branch: page.branch.clone(),
        }
    }
}

impl Observer {
    /// Everything about the program's pages.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn handbook(&self, asked: &Asked) -> Result<HandbookSeen, ObserveError> {
        let places = self.places().await?;
        let own_issues = IssueFilter {
            author_id: Some(places.bot.id),
            ..IssueFilter::default()
        };
        let issues = own_issues_seen(self.reader.issues(places.intake.id, &own_issues).await?, places.bot.id)?;
        let mut pages = Vec::new();
        for (index, handbook) in self.program.handbooks.iter().enumerate() {
            pages.push(self.page_look(index, handbook, asked).await?);
        }
        let members = match self.program.has_joint_pages() {
            true => self.members(places).await?,
            false => Vec::new(),
        };
        let charters = members.iter().filter_map(|member| member.charter.as_ref());
        let mut names: Vec<Username> = charters
            .filter_map(|bytes| charter::read(bytes).ok())
            .flat_map(|charter| charter.facilitators)
            .collect();
        names.sort();
        names.dedup();
        Ok(HandbookSeen {
            bot: places.bot.clone(),
            group: places.group.clone(),
            intake: self.intake_now().await?,
            issues,
            pages,
            members,
            people: self.people(names).await?,
            allow_removals: asked.removals,
        })
    }

    /// What a plan for the program's pages takes for granted, read now.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn premise_of_handbook(&self) -> Result<Premise, ObserveError> {
        let places = self.places().await?;
        let intake = self.visibility_now(places.intake.id).await?;
        let members = match self.program.has_joint_pages() {
            true => self.members(places).await?,
            false => Vec::new(),
        };
        Ok(Premise::of_handbook(intake, self.readers_of_pages().await?, &members))
    }

    /// Who sees each page now, in the order of the settings.
    pub(super) async fn readers_of_pages(&self) -> Result<Vec<Visibility>, ObserveError> {
        let mut known: BTreeMap<ProjectId, Visibility> = BTreeMap::new();
        let mut all = Vec::new();
        for project in &self.places().await?.handbooks {
            let visibility = match known.get(&project.id) {
                Some(visibility) => *visibility,
                None => self.visibility_now(project.id).await?,
            };
            known.insert(project.id, visibility);
            all.push(visibility);
        }
        Ok(all)
    }

    async fn page_look(&self, index: usize, handbook: &Handbook, asked: &Asked) -> Result<PageLookSeen, ObserveError> {
        let page = self.page(index).await?;
        let is_table = handbook.kind == PageKind::Table;
        let (mut batch, mut repair, mut directory) = Default::default();
        if is_table {
            batch = self
                .place(handbook, &Target::of(&page), handbook.joint_branch(BATCH))
                .await?;
            repair = self
                .place(handbook, &Target::of(&page), handbook.joint_branch(REPAIR))
                .await?;
        } else {
            directory = self
                .place(handbook, &Target::of(&page), handbook.joint_branch(DIRECTORY))
                .await?;
        }
        let merge_requests = match handbook.manners.batch && is_table {
            true => self.everything_opened(&page).await?,
            false => Vec::new(),
        };
        Ok(PageLookSeen {
            page,
            batch,
            repair,
            directory,
            merge_requests,
            reviewers: self.active_users(&handbook.reviewers).await?,
            assignees: self.active_users(&handbook.manners.assignees).await?,
            repair_is_asked: asked.repairs(handbook),
        })
    }

    /// Where the changes of a page go.
    pub(super) async fn target(&self, index: usize) -> Result<Target, ObserveError> {
        let project = &self.places().await?.handbooks[index];
        Ok(Target {
            project: project.id,
            branch: target_branch(&self.program.handbooks[index], project),
        })
    }

    /// A page on its target branch, read now.
    pub(super) async fn page(&self, index: usize) -> Result<PageSeen, ObserveError> {
        let (handbook, target) = (&self.program.handbooks[index], self.target(index).await?);
        let file = async { Ok(self.reader.file(target.project, &handbook.page, &target.branch).await?) };
        let (file, visibility) = tokio::try_join!(file, self.visibility_now(target.project))?;
        Ok(PageSeen {
            project: target.project,
            branch: target.branch,
            visibility,
            file: file.map(file_version),
        })
    }

    /// All pages on their target branches, read now.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn pages(&self) -> Result<Vec<(&Handbook, PageSeen)>, ObserveError> {
        let mut pages = Vec::new();
        for (index, handbook) in self.program.handbooks.iter().enumerate() {
            pages.push((handbook, self.page(index).await?));
        }
        Ok(pages)
    }

    /// One of our branches with the merge requests from it into the page's branch.
    pub(super) async fn place(
        &self,
        handbook: &Handbook,
        target: &Target,
        name: String,
    ) -> Result<PlaceSeen, ObserveError> {
        let (branch, mut merge_requests) =
            tokio::try_join!(self.branch(handbook, target, &name), self.merge_requests(target, &name))?;
        for open in &mut merge_requests {
            // A list tells what GitLab found out some time ago; asked for one alone it looks again.
            if open.state == MergeRequestState::Opened
                && let Some(now) = self.reader.merge_request(target.project, open.iid).await?
            {
                *open = merge_request_seen(now)?;
            }
        }
        let is_behind = |mr: &MergeRequestSeen| mr.state == MergeRequestState::Opened && mr.needs_rebase;
        let target_head = match merge_requests.iter().any(is_behind) {
            true => self.reader.branch(target.project, &target.branch).await?,
            false => None,
        };
        Ok(PlaceSeen {
            name,
            branch,
            merge_requests,
            target_head: target_head.map(|branch| branch.commit.id),
        })
    }

    async fn branch(
        &self,
        handbook: &Handbook,
        target: &Target,
        name: &str,
    ) -> Result<Option<BranchSeen>, ObserveError> {
        let Some(branch) = self.reader.branch(target.project, name).await? else {
            return Ok(None);
        };
        let head = branch.commit.id.clone();
        let parent = branch.commit.parent_ids.first().cloned();
        let base_page = async {
            match &parent {
                Some(parent) => self.reader.file(target.project, &handbook.page, &parent.0).await,
                None => Ok(None),
            }
        };
        let at_head = self.reader.file(target.project, &handbook.page, &head.0);
        let (file, base_page) = tokio::try_join!(at_head, base_page)?;
        Ok(Some(BranchSeen {
            head,
            message: branch.commit.message,
            page: file.map(file_version),
            parent,
            base_page: base_page.map(|file| file.bytes),
        }))
    }

    /// Merge requests from one of our branches into the page's branch, newest first.
    pub(super) async fn merge_requests(
        &self,
        target: &Target,
        branch: &str,
    ) -> Result<Vec<MergeRequestSeen>, ObserveError> {
        let filter = MergeRequestFilter {
            source_branch: Some(branch.to_owned()),
            target_branch: Some(target.branch.clone()),
            ..Default::default()
        };
        let mut found = self.reader.merge_requests(target.project, &filter).await?;
        found.retain(|merge_request| is_between(merge_request, branch, &target.branch));
        found.sort_by_key(|merge_request| std::cmp::Reverse(merge_request.iid));
        found.into_iter().map(merge_request_seen).collect()
    }

    /// The branch of the community's open merge request on this page; else the one that a new merge request would have. They
    /// differ when the project's path was changed in between.
    pub(super) async fn row_branch(
        &self,
        index: usize,
        project: &ProjectSeen,
        known: &OpenChanges,
    ) -> Result<String, ObserveError> {
        let places = self.places().await?;
        let (handbook, home) = (&self.program.handbooks[index], places.handbooks[index].id);
        let mut open = known.0.get(&home).into_iter().flatten();
        let is_its =
            |(_, mr): &&(String, MergeRequestSeen)| change::is_row_of(mr, places.bot.id, &handbook.name, project.id);
        Ok(match open.find(is_its) {
            Some((branch, _)) => branch.clone(),
            None => self.new_row_branch(index, project),
        })
    }

    /// The branch that a new merge request for the community's line on this page would have.
    pub(super) fn new_row_branch(&self, index: usize, project: &ProjectSeen) -> String {
        self.program.handbooks[index].row_branch(self.place_in_group(project))
    }

    /// The merge requests that carry a community's line: those from its `own` branch, and in a page whose lines go together those that name it.
    pub(super) async fn line_requests(
        &self,
        index: usize,
        project: &ProjectSeen,
        own: &str,
    ) -> Result<Vec<MergeRequestSeen>, ObserveError> {
        let (handbook, bot) = (&self.program.handbooks[index], self.places().await?.bot.id);
        let batch = handbook.joint_branch(BATCH);
        let target = &self.target(index).await?;
        let joint = async {
            match handbook.manners.batch {
                true => self.merge_requests(target, &batch).await,
                false => Ok(Vec::new()),
            }
        };
        let (mut found, joint) = tokio::try_join!(self.merge_requests(target, own), joint)?;
        if handbook.manners.batch {
            let names_it = |mr: &MergeRequestSeen| {
                let marker = concern(mr, bot).filter(|marker| marker.page == handbook.name);
                marker.is_some_and(|marker| marker.items.iter().any(|item| item.community == project.id))
            };
            found.extend(joint.into_iter().filter(names_it));
            found.sort_by_key(|merge_request| std::cmp::Reverse(merge_request.iid));
        }
        Ok(found)
    }

    /// The project's path below the program's group.
    fn place_in_group<'p>(&self, project: &'p ProjectSeen) -> &'p str {
        let group = self.program.group.len();
        let is_inside = super::is_in_group(project, &self.program.group);
        let below = project.full_path.get(group + 1..).filter(|_| is_inside);
        below.unwrap_or(&project.path)
    }

    /// Open merge requests of ours in all projects with a page that has a table.
    pub(super) async fn all_open_changes(&self) -> Result<OpenChanges, ObserveError> {
        let homes = self.program.handbooks.iter().zip(&self.places().await?.handbooks);
        let tables = homes.filter(|(handbook, _)| handbook.kind == PageKind::Table);
        let projects: BTreeSet<ProjectId> = tables.map(|(_, home)| home.id).collect();
        let found = projects
            .into_iter()
            .map(|project| async move { Ok::<_, ObserveError>((project, self.open_changes(project).await?)) });
        Ok(OpenChanges(try_join_all(found).await?.into_iter().collect()))
    }

    async fn open_changes(&self, project: ProjectId) -> Result<Vec<(String, MergeRequestSeen)>, ObserveError> {
        let open = MergeRequestFilter {
            opened: true,
            author_id: Some(self.places().await?.bot.id),
            ..Default::default()
        };
        let found = self.reader.merge_requests(project, &open).await?;
        let with_branch = found
            .into_iter()
            .map(|mr| Ok((mr.source_branch.clone(), merge_request_seen(mr)?)));
        with_branch.collect()
    }

    /// Everything that we ever opened in the page's project, newest first.
    async fn everything_opened(&self, page: &PageSeen) -> Result<Vec<MergeRequestSeen>, ObserveError> {
        let ours = MergeRequestFilter {
            author_id: Some(self.places().await?.bot.id),
            ..Default::default()
        };
        let mut found = self.reader.merge_requests(page.project, &ours).await?;
        found.sort_by_key(|merge_request| std::cmp::Reverse(merge_request.iid));
        found.into_iter().map(merge_request_seen).collect()
    }

    /// How many merge requests for rows of a page are open, and how many were opened lately. `ahead` is for the caller to fill.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn traffic(&self, index: usize, now: Timestamp) -> Result<Traffic, ObserveError> {
        let places = self.places().await?;
        let (handbook, project) = (&self.program.handbooks[index], places.handbooks[index].id);
        let is_row = |mr: &MergeRequestSeen| {
            concern(mr, places.bot.id).is_some_and(|marker| marker.what == What::Row && marker.page == handbook.name)
        };
        let since = now.checked_sub(HOUR).unwrap_or(Timestamp::MIN);
        let lately = MergeRequestFilter {
            updated_after: Some(since),
            author_id: Some(places.bot.id),
            ..Default::default()
        };
        let lately = async { Ok(self.reader.merge_requests(project, &lately).await?) };
        let (open, lately) = tokio::try_join!(self.open_changes(project), lately)?;
        let mut opened_lately = 0;
        for found in lately {
            let found = merge_request_seen(found)?;
            opened_lately += usize::from(is_row(&found) && found.created_at >= since);
        }
        Ok(Traffic {
            open: open.iter().filter(|(_, mr)| is_row(mr)).count(),
            lately: opened_lately,
            ahead: 0,
        })
    }

    /// Accounts by name; who is not there, or blocked, cannot be asked.
    pub(super) async fn active_users(&self, names: &[Username]) -> Result<Vec<UserId>, ObserveError> {
        let users = try_join_all(names.iter().map(|name| self.reader.user_by_username(name))).await?;
        let active = users.into_iter().flatten().filter(|user| user.is_active());
        Ok(active.map(|user| user.id).collect())
    }

    /// All projects of the group that may be communities, with their charters.
    async fn members(&self, places: &Places) -> Result<Vec<MemberSeen>, ObserveError> {
        let paths = [charter::PATH];
        let found = self
            .reader
            .group_overview(places.group.id, &self.program.group, &paths)
            .await?;
        let members = found.into_iter().filter(|project| !places.are_apart(project.id));
        members.map(member_seen).collect()
    }

    /// Communities and proposals whose merge request is open or changed lately: what a change of a page concerns.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn concerned_by_page(&self, now: Timestamp) -> Result<Vec<Thing>, ObserveError> {
        let places = self.places().await?;
        let bot = places.bot.id;
        let since = now.checked_sub(NEWS).unwrap_or(now);
        let open = MergeRequestFilter {
            opened: true,
            author_id: Some(bot),
            ..Default::default()
        };
        let news = MergeRequestFilter {
            updated_after: Some(since),
            author_id: Some(bot),
            ..Default::default()
        };
        let mut projects: Vec<ProjectId> = places.handbooks.iter().map(|project| project.id).collect();
        projects.dedup();
        let mut things = Vec::new();
        let mut known: Vec<(ProjectId, MergeRequestIid)> = Vec::new();
        for project in projects {
            let mut found = self.reader.merge_requests(project, &open).await?;
            found.extend(self.reader.merge_requests(project, &news).await?);
            for merge_request in found {
                if known.contains(&(project, merge_request.iid)) {
                    continue;
                }
                known.push((project, merge_request.iid));
                let merge_request = merge_request_seen(merge_request)?;
                if let Some(marker) = concern(&merge_request, bot) {
                    things.extend(self.concerned(&marker, merge_request.state));
                }
            }
        }
        things.sort();
        things.dedup();
        Ok(things)
    }

    /// Whom a merge request of ours concerns.
    fn concerned(&self, marker: &ChangeMarker, state: MergeRequestState) -> Vec<Thing> {
        let is_of_program = self
            .program
            .handbooks
            .iter()
            .any(|handbook| handbook.name == marker.page);
        let name = &self.program.name;
        let items = marker.items.iter().filter(|_| is_of_program);
        let things = items.flat_map(|item| {
            let community = Thing::Community(name.clone(), item.community);
            // While it is open, the proposal has only to know what the community's own look does about it.
            let proposal = item.proposal.filter(|_| state != MergeRequestState::Opened);
            let proposal = proposal.map(|issue| Thing::Proposal(name.clone(), issue));
            [community].into_iter().chain(proposal)
        });
        things.collect()
    }
}

fn member_seen(project: ProjectOverview) -> Result<MemberSeen, ObserveError> {
    let charter = project.files.into_iter().find(|file| file.path == charter::PATH);
    Ok(MemberSeen {
        project: project.id,
        name: project.name,
        full_path: project.full_path,
        web_url: address(&project.web_url, "a project")?,
        visibility: project.visibility.unwrap_or_default(),
        archived: project.archived,
        default_branch: project.default_branch,
        charter: charter.map(|file| file.bytes),
    })
}
