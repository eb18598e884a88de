//! What things were like when their last look found nothing to do, for the resync to compare with.

use convenor_core::plan::Rest;
use convenor_core::plan::resync::Known;
use convenor_core::thing::{ProgramName, Thing};
use sqlx::Row;

use super::pools::on;
use super::{Store, StoreError, from_ms};

/// Thing, rest, time of the last look.
pub(super) type RestRow = (String, Option<String>, Option<i64>);

impl Store {
    /// Every community of a program that was ever asked for, with what is known of it. Whose last look failed, or is held, has
    /// no rest: it has to be looked at.
    ///
    /// # Errors
    /// What the database said.
    pub async fn known_communities(&self, program: &ProgramName) -> Result<Vec<Known>, StoreError> {
        const SQL: &str = "select thing, rest, last_look_at from work where thing like $1";
        // A program's name has no character that means anything in a pattern.
        let prefix = format!("community {program}/");
        let rows: Vec<RestRow> = on!(
            self.pools(),
            read,
            |connection| {
                let rows = sqlx::query(SQL)
                    .bind(format!("{prefix}%"))
                    .fetch_all(connection)
                    .await?;
                rows.iter()
                    .map(|row| {
                        Ok((
                            row.try_get("thing")?,
                            row.try_get("rest")?,
                            row.try_get("last_look_at")?,
                        ))
                    })
                    .collect::<Result<_, sqlx::Error>>()?
            },
            |tables| tables.rests(&prefix)
        );
        let mut known = Vec::with_capacity(rows.len());
        for (thing, rest, looked_at) in rows {
            let Ok(Thing::Community(_, project)) = thing.parse() else {
                continue;
            };
            known.push(Known {
                project,
                rest: rest.as_deref().and_then(Rest::from_text),
                looked_at: looked_at.map(|at| from_ms("work", at)).transpose()?,
            });
        }
        Ok(known)
    }
}
