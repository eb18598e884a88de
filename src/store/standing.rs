//! How proposals and communities stood when they were looked at last, for whoever counts them.

use std::collections::BTreeMap;

use convenor_core::plan::standing::Standing;
use convenor_core::thing::Thing;
use sqlx::Row;

use super::pools::on;
use super::{Store, StoreError};

impl Store {
    /// Remembers how a thing stands; writes only when that has changed.
    ///
    /// # Errors
    /// What the database said.
    pub async fn note_standing(&self, thing: &Thing, standing: Option<Standing>) -> Result<(), StoreError> {
        const SQL: &str =
            "update work set standing = $1 where thing = $2 and coalesce(standing, '') <> coalesce($1, '')";
        let (thing, standing) = (thing.to_string(), standing.map(Standing::to_text));
        let result = on!(
            self.pools(),
            write,
            |connection| {
                let query = sqlx::query(SQL).bind(standing).bind(thing);
                query.execute(connection).await.map(drop)
            },
            |_tables| Ok(())
        );
        self.noted(result.map_err(StoreError::from))
    }

    /// How many proposals and communities of each program stand how.
    ///
    /// # Errors
    /// What the database said.
    pub async fn standings(&self) -> Result<BTreeMap<(String, Standing), u64>, StoreError> {
        const SQL: &str = "select thing, standing from work where standing is not null";
        let mut counted = BTreeMap::new();
        on!(self.pools(), read, |connection| {
            for row in sqlx::query(SQL).fetch_all(connection).await? {
                let (thing, standing): (String, String) = (row.try_get("thing")?, row.try_get("standing")?);
                // Rows of an older version may hold what this one does not know.
                if let (Ok(thing), Some(standing)) = (thing.parse::<Thing>(), Standing::from_text(&standing)) {
                    *counted.entry((thing.program().to_string(), standing)).or_default() += 1;
                }
            }
        });
        Ok(counted)
    }
}
