//! What was accepted, as it was accepted, and which proposal has which slug.

use convenor_core::ids::UserId;
use convenor_core::thing::{ProgramName, Thing};
use convenor_core::untrusted::Untrusted;
use jiff::Timestamp;
use sqlx::Row;

use super::pools::{in_transaction, on};
use super::{Store, StoreError, from_ms, to_ms};

/// The snapshot of an accepted proposal: later edits of the issue do not change what was approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// Digest of the text that was approved.
    pub text_hash: String,
    /// The title then.
    pub title: Untrusted,
    /// The description then.
    pub description: Untrusted,
    /// Who approved; `None` when nobody had to.
    pub approved_by: Option<UserId>,
    /// When it was accepted.
    pub at: Timestamp,
}

/// Whose a slug is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlugClaim {
    /// The proposal that asked.
    Ours,
    /// Another proposal, by its key.
    TakenBy(String),
}

impl Store {
    /// Keeps the snapshot of a proposal; one that is there already stays, and is what comes back.
    ///
    /// # Errors
    /// What the database said.
    pub async fn accept_proposal(&self, proposal: &Thing, acceptance: &Acceptance) -> Result<Acceptance, StoreError> {
        const SQL: &str = "insert into acceptance (proposal, text_hash, title, description, approved_by, at) \
             values ($1, $2, $3, $4, $5, $6) on conflict (proposal) do nothing";
        let approved_by = acceptance.approved_by.and_then(|id| i64::try_from(id.0).ok());
        let result = on!(self.pools(), write, |connection| {
            let query = sqlx::query(SQL).bind(proposal.to_string()).bind(&acceptance.text_hash);
            let query = query
                .bind(acceptance.title.expose())
                .bind(acceptance.description.expose());
            query
                .bind(approved_by)
                .bind(to_ms(acceptance.at))
                .execute(connection)
                .await
                .map(drop)
        });
        self.noted(result.map_err(StoreError::from))?;
        Ok(self.acceptance(proposal).await?.unwrap_or_else(|| acceptance.clone()))
    }

    /// The snapshot of an accepted proposal.
    ///
    /// # Errors
    /// What the database said.
    pub async fn acceptance(&self, proposal: &Thing) -> Result<Option<Acceptance>, StoreError> {
        const SQL: &str = "select text_hash, title, description, approved_by, at from acceptance where proposal = $1";
        on!(self.pools(), read, |connection| {
            let Some(row) = sqlx::query(SQL)
                .bind(proposal.to_string())
                .fetch_optional(connection)
                .await?
            else {
                return Ok(None);
            };
            let approved_by: Option<i64> = row.try_get("approved_by")?;
            Ok(Some(Acceptance {
                text_hash: row.try_get("text_hash")?,
                title: Untrusted::new(row.try_get::<String, _>("title")?),
                description: Untrusted::new(row.try_get::<String, _>("description")?),
                approved_by: approved_by.and_then(|id| u64::try_from(id).ok()).map(UserId),
                at: from_ms("acceptance", row.try_get("at")?)?,
            }))
        })
    }

    /// Forgets the snapshot: the proposal has to be accepted anew. `false` when there is none.
    ///
    /// # Errors
    /// What the database said.
    pub async fn withdraw_acceptance(&self, proposal: &Thing) -> Result<bool, StoreError> {
        let result = on!(self.pools(), write, |connection| {
            let query = sqlx::query("delete from acceptance where proposal = $1").bind(proposal.to_string());
            query.execute(connection).await.map(|done| done.rows_affected())
        });
        Ok(self.noted(result.map_err(StoreError::from))? > 0)
    }

    /// Gives the slug to the proposal unless another one has it.
    ///
    /// # Errors
    /// What the database said.
    pub async fn claim_slug(
        &self,
        program: &ProgramName,
        slug: &str,
        proposal: &Thing,
        at: Timestamp,
    ) -> Result<SlugClaim, StoreError> {
        let owner = self.slug_owner(program, slug, &proposal.to_string(), at).await;
        let owner = self.noted(owner)?;
        Ok(if owner == proposal.to_string() {
            SlugClaim::Ours
        } else {
            SlugClaim::TakenBy(owner)
        })
    }

    async fn slug_owner(
        &self,
        program: &ProgramName,
        slug: &str,
        proposal: &str,
        at: Timestamp,
    ) -> Result<String, StoreError> {
        const CLAIM: &str = "insert into slug_claim (program, slug, proposal, at) values ($1, $2, $3, $4) \
             on conflict (program, slug) do nothing";
        const OWNER: &str = "select proposal from slug_claim where program = $1 and slug = $2";
        in_transaction!(self.pools(), |transaction| {
            let query = sqlx::query(CLAIM)
                .bind(program.as_str())
                .bind(slug)
                .bind(proposal)
                .bind(to_ms(at));
            query.execute(&mut *transaction).await?;
            let row = sqlx::query(OWNER)
                .bind(program.as_str())
                .bind(slug)
                .fetch_one(&mut *transaction)
                .await?;
            Ok(row.try_get("proposal")?)
        })
    }

    /// Gives all slugs of the proposal back.
    ///
    /// # Errors
    /// What the database said.
    pub async fn release_slugs(&self, proposal: &Thing) -> Result<(), StoreError> {
        let result = on!(self.pools(), write, |connection| {
            let query = sqlx::query("delete from slug_claim where proposal = $1").bind(proposal.to_string());
            query.execute(connection).await.map(drop)
        });
        self.noted(result.map_err(StoreError::from))
    }
}
