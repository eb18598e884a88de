//! What was accepted, as it was accepted, and the project that was made from it.

use std::collections::BTreeSet;

use convenor_core::approval::Acceptance;
use convenor_core::escape::StoredText;
use convenor_core::ids::ProjectId;
use convenor_core::thing::Thing;
use convenor_core::untrusted::Untrusted;
use jiff::Timestamp;
use sqlx::Row;

use super::pools::on;
use super::{Store, StoreError, from_ms, to_ms};

impl Store {
    /// Keeps the accepted text of a proposal, in place of one that was accepted before.
    ///
    /// # Errors
    /// What the database said; the proposal then counts as not accepted.
    pub async fn record_acceptance(&self, proposal: &Thing, acceptance: &Acceptance) -> Result<(), StoreError> {
        const SQL: &str = "insert into acceptance (proposal, text_hash, title, description, approved_by, at) \
             values ($1, $2, $3, $4, $5, $6) on conflict (proposal) do update set text_hash = excluded.text_hash, \
             title = excluded.title, description = excluded.description, approved_by = excluded.approved_by, \
             at = excluded.at";
        let by = serde_json::to_string(&acceptance.by).map_err(|_| unreadable("approved_by"))?;
        let result = on!(
            self.pools(),
            write,
            |connection| {
                let query = sqlx::query(SQL)
                    .bind(proposal.to_string())
                    .bind(&acceptance.text_hash)
                    .bind(StoredText::new(&acceptance.title).as_str())
                    .bind(StoredText::new(&acceptance.description).as_str())
                    .bind(by)
                    .bind(to_ms(acceptance.at));
                query.execute(connection).await.map(drop)
            },
            |tables| {
                tables.acceptances.insert(proposal.to_string(), acceptance.clone());
                Ok(())
            }
        );
        self.noted(result.map_err(StoreError::from))
    }

    /// The accepted text of a proposal.
    ///
    /// # Errors
    /// What the database said.
    pub async fn acceptance(&self, proposal: &Thing) -> Result<Option<Acceptance>, StoreError> {
        const SQL: &str = "select text_hash, title, description, approved_by, at from acceptance where proposal = $1";
        on!(
            self.pools(),
            read,
            |connection| {
                let Some(row) = sqlx::query(SQL)
                    .bind(proposal.to_string())
                    .fetch_optional(connection)
                    .await?
                else {
                    return Ok(None);
                };
                let by: String = row.try_get("approved_by")?;
                Ok(Some(Acceptance {
                    text_hash: row.try_get("text_hash")?,
                    title: Untrusted::new(row.try_get::<String, _>("title")?),
                    description: Untrusted::new(row.try_get::<String, _>("description")?),
                    by: serde_json::from_str(&by).map_err(|_| unreadable("approved_by"))?,
                    at: from_ms("acceptance", row.try_get("at")?)?,
                }))
            },
            |tables| Ok(tables.acceptances.get(&proposal.to_string()).cloned())
        )
    }

    /// Remembers which project was made for a proposal; the first one stays.
    ///
    /// # Errors
    /// What the database said; the comment on the proposal remembers it too.
    pub async fn remember_project(
        &self,
        proposal: &Thing,
        project: ProjectId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "insert into made_project (proposal, project, at) values ($1, $2, $3) on conflict (proposal) do nothing";
        let id = i64::try_from(project.0).map_err(|_| unreadable("project"))?;
        let result = on!(
            self.pools(),
            write,
            |connection| {
                let query = sqlx::query(SQL).bind(proposal.to_string()).bind(id).bind(to_ms(at));
                query.execute(connection).await.map(drop)
            },
            |tables| {
                tables.made_projects.entry(proposal.to_string()).or_insert(project.0);
                Ok(())
            }
        );
        self.noted(result.map_err(StoreError::from))
    }

    /// Projects that were made for other proposals than this one.
    ///
    /// # Errors
    /// What the database said.
    pub async fn projects_of_others(&self, proposal: &Thing) -> Result<BTreeSet<ProjectId>, StoreError> {
        const SQL: &str = "select project from made_project where proposal <> $1";
        on!(
            self.pools(),
            read,
            |connection| {
                let rows = sqlx::query(SQL)
                    .bind(proposal.to_string())
                    .fetch_all(connection)
                    .await?;
                let ids: Result<Vec<i64>, sqlx::Error> = rows.iter().map(|row| row.try_get("project")).collect();
                Ok(ids?
                    .into_iter()
                    .filter_map(|id| u64::try_from(id).ok())
                    .map(ProjectId)
                    .collect())
            },
            |tables| {
                let own = proposal.to_string();
                let others = tables.made_projects.iter().filter(|(other, _)| **other != own);
                Ok(others.map(|(_, id)| ProjectId(*id)).collect())
            }
        )
    }

    /// The project that was made for a proposal.
    ///
    /// # Errors
    /// What the database said.
    pub async fn made_project(&self, proposal: &Thing) -> Result<Option<ProjectId>, StoreError> {
        const SQL: &str = "select project from made_project where proposal = $1";
        on!(
            self.pools(),
            read,
            |connection| {
                let row = sqlx::query(SQL)
                    .bind(proposal.to_string())
                    .fetch_optional(connection)
                    .await?;
                let Some(row) = row else { return Ok(None) };
                let id: i64 = row.try_get("project")?;
                Ok(u64::try_from(id).ok().map(ProjectId))
            },
            |tables| Ok(tables.made_projects.get(&proposal.to_string()).copied().map(ProjectId))
        )
    }
}

fn unreadable(what: &'static str) -> StoreError {
    StoreError::Row {
        table: "acceptance",
        value: what.to_owned(),
        expected: "record that this version writes",
    }
}
