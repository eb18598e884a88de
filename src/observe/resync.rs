//! What many communities are like, read at once: by known ids where GitLab serves that, else by the list of the group.

use std::collections::{BTreeMap, BTreeSet};

use convenor_core::charter;
use convenor_core::ids::ProjectId;
use convenor_core::plan::resync::{self, Charter, Known, Overview, PageFacts, ProjectGlance};
use convenor_core::program::PageKind;
use convenor_core::proposal::PersonState;
use url::Url;

use super::{ObserveError, Observer, Places};
use crate::gitlab::{Glance, GlanceOf, Glances};

impl Observer {
    /// What the known communities are like, as far as their plans depend on it. What could not be read is missing.
    ///
    /// # Errors
    /// When GitLab does not answer as it should.
    pub async fn overview(&self, known: &[Known]) -> Result<Overview, ObserveError> {
        let places = self.places().await?;
        let read = self.glances(places, known).await?;
        let mut pages = Vec::new();
        for (index, handbook) in self.program.handbooks.iter().enumerate() {
            if handbook.kind == PageKind::Table {
                pages.push(PageFacts::read(handbook, &self.page(index).await?));
            }
        }
        let overview = Overview {
            rules: resync::rules(&self.program, places.bot.id),
            group: self.program.group.clone(),
            apart: places.apart().collect(),
            projects: BTreeMap::new(),
            people: None,
            pages,
            count: None,
        };
        match read {
            Some(read) => Ok(Overview {
                count: read.count,
                people: Some(people_told(&read)),
                projects: by_id(read.projects.into_iter().map(glance)),
                ..overview
            }),
            None => {
                let projects = self.listed().await?;
                Ok(Overview {
                    count: Some(projects.len()),
                    projects,
                    ..overview
                })
            }
        }
    }

    async fn glances(&self, places: &Places, known: &[Known]) -> Result<Option<Glances>, ObserveError> {
        // The program's own projects may lie in the group too, and are counted there.
        let known_ids = known.iter().map(|known| known.project);
        let ids: BTreeSet<ProjectId> = known_ids.chain(places.apart()).collect();
        let mut asked = BTreeSet::new();
        // In the order of the communities, so that a page that cannot be read concerns few.
        let names = known.iter().flat_map(Known::people).filter(|name| asked.insert(*name));
        let wanted = GlanceOf {
            projects: ids.into_iter().collect(),
            usernames: names.map(str::to_owned).collect(),
            file: charter::PATH,
            group: &self.program.group,
        };
        Ok(self.reader.glances(&wanted).await?)
    }

    async fn listed(&self) -> Result<BTreeMap<ProjectId, ProjectGlance>, ObserveError> {
        let projects = self.reader.group_projects(self.places().await?.group.id).await?;
        self.believe(projects.len())?;
        Ok(by_id(projects.into_iter().map(|project| ProjectGlance {
            id: project.id,
            name: project.name,
            full_path: project.path_with_namespace,
            web_url: Url::parse(&project.web_url).ok(),
            visibility: project.visibility.unwrap_or_default(),
            archived: project.archived,
            charter: Charter::Untold,
            active: project.last_activity_at,
        })))
    }
}

fn by_id(projects: impl Iterator<Item = ProjectGlance>) -> BTreeMap<ProjectId, ProjectGlance> {
    projects.map(|project| (project.id, project)).collect()
}

fn glance(found: Glance) -> ProjectGlance {
    ProjectGlance {
        id: found.id,
        name: found.name,
        full_path: found.full_path,
        web_url: found.web_url.as_deref().and_then(|url| Url::parse(url).ok()),
        visibility: found.visibility.unwrap_or_default(),
        archived: found.archived,
        charter: found.blob.map_or(Charter::Untold, Charter::Blob),
        active: None,
    }
}

/// Whoever was asked for and did not come is as somebody without an account.
fn people_told(read: &Glances) -> BTreeMap<String, convenor_core::digest::Digest> {
    let nobody = || resync::person(&PersonState::Missing);
    let asked = read.asked_for.iter().map(|name| (name.to_ascii_lowercase(), nobody()));
    let mut people: BTreeMap<_, _> = asked.collect();
    for user in read.people.iter().filter(|user| user.active) {
        let state = PersonState::Active {
            id: user.id,
            name: user.name.clone(),
        };
        people.insert(user.username.to_ascii_lowercase(), resync::person(&state));
    }
    people
}
