//! What was set up by us, and which account a username was last seen with.

use convenor_core::ids::{UserId, Username};
use convenor_core::thing::ProgramName;
use jiff::Timestamp;
use sqlx::Row;

use super::pools::on;
use super::{Store, StoreError, to_ms};

/// One thing that `init` made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeSetup {
    /// `hook`, `label` or `template`.
    pub kind: String,
    /// The project or group, as in `project 7`.
    pub place: String,
    /// The hook's id, the label's name, the file's path.
    pub object: String,
    /// What it was like when it was made.
    pub mark: String,
}

impl MadeSetup {
    fn key(&self, program: &ProgramName) -> [String; 4] {
        let program = program.as_str().to_owned();
        [program, self.kind.clone(), self.place.clone(), self.object.clone()]
    }

    fn of([_, kind, place, object]: &[String; 4], mark: &str) -> Self {
        Self {
            kind: kind.clone(),
            place: place.clone(),
            object: object.clone(),
            mark: mark.to_owned(),
        }
    }
}

impl Store {
    /// Remembers that a thing was made, in place of what was remembered of it before.
    ///
    /// # Errors
    /// What the database said; `init --remove` then leaves the thing.
    pub async fn remember_setup(
        &self,
        program: &ProgramName,
        made: &MadeSetup,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        const SQL: &str = "insert into made_setup (program, kind, place, object, mark, at) values ($1, $2, $3, $4, $5, $6) \
             on conflict (program, kind, place, object) do update set mark = excluded.mark, at = excluded.at";
        let result = on!(
            self.pools(),
            write,
            |connection| {
                let query = sqlx::query(SQL)
                    .bind(program.as_str())
                    .bind(&made.kind)
                    .bind(&made.place)
                    .bind(&made.object);
                let query = query.bind(&made.mark).bind(to_ms(at));
                query.execute(connection).await.map(drop)
            },
            |tables| {
                tables.made_setup.insert(made.key(program), made.mark.clone());
                Ok(())
            }
        );
        self.noted(result.map_err(StoreError::from))
    }

    /// Forgets what was taken back.
    ///
    /// # Errors
    /// What the database said.
    pub async fn forget_setup(&self, program: &ProgramName, made: &MadeSetup) -> Result<(), StoreError> {
        const SQL: &str = "delete from made_setup where program = $1 and kind = $2 and place = $3 and object = $4";
        let result = on!(
            self.pools(),
            write,
            |connection| {
                let query = sqlx::query(SQL).bind(program.as_str()).bind(&made.kind);
                let query = query.bind(&made.place).bind(&made.object);
                query.execute(connection).await.map(drop)
            },
            |tables| {
                tables.made_setup.remove(&made.key(program));
                Ok(())
            }
        );
        self.noted(result.map_err(StoreError::from))
    }

    /// Everything that `init` made for a program.
    ///
    /// # Errors
    /// What the database said.
    pub async fn made_setup(&self, program: &ProgramName) -> Result<Vec<MadeSetup>, StoreError> {
        const SQL: &str =
            "select kind, place, object, mark from made_setup where program = $1 order by kind, place, object";
        on!(
            self.pools(),
            read,
            |connection| {
                let rows = sqlx::query(SQL).bind(program.as_str()).fetch_all(connection).await?;
                rows.iter()
                    .map(|row| {
                        Ok(MadeSetup {
                            kind: row.try_get("kind")?,
                            place: row.try_get("place")?,
                            object: row.try_get("object")?,
                            mark: row.try_get("mark")?,
                        })
                    })
                    .collect()
            },
            |tables| {
                let ours = tables.made_setup.iter().filter(|(key, _)| key[0] == program.as_str());
                Ok(ours.map(|(key, mark)| MadeSetup::of(key, mark)).collect())
            }
        )
    }

    /// Remembers which account has a username now.
    ///
    /// # Errors
    /// What the database said; a later change of the name then cannot be told from a deletion.
    pub async fn remember_person(&self, name: &Username, account: UserId, at: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "insert into known_person (username, account, at) values ($1, $2, $3) \
             on conflict (username) do update set account = excluded.account, at = excluded.at \
             where known_person.account <> excluded.account";
        let result = on!(
            self.pools(),
            write,
            |connection| {
                let query = sqlx::query(SQL)
                    .bind(name.key())
                    .bind(i64::try_from(account.0).unwrap_or(i64::MAX))
                    .bind(to_ms(at));
                query.execute(connection).await.map(drop)
            },
            |tables| {
                tables.known_people.insert(name.key(), account.0);
                Ok(())
            }
        );
        self.noted(result.map_err(StoreError::from))
    }

    /// The account that a username was last seen with.
    ///
    /// # Errors
    /// What the database said.
    pub async fn known_person(&self, name: &Username) -> Result<Option<UserId>, StoreError> {
        on!(
            self.pools(),
            read,
            |connection| {
                let row = sqlx::query("select account from known_person where username = $1")
                    .bind(name.key())
                    .fetch_optional(connection)
                    .await?;
                let account: Option<i64> = row.map(|row| row.try_get("account")).transpose()?;
                Ok(account.and_then(|account| u64::try_from(account).ok()).map(UserId))
            },
            |tables| Ok(tables.known_people.get(&name.key()).copied().map(UserId))
        )
    }
}
