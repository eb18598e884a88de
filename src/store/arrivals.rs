//! How deliveries get into each database: one query stores those that are new and knocks at their things. It is a transaction by
//! itself, and whoever waits for it waits for the database once.

use std::collections::{HashMap, HashSet};
use std::iter;
use std::sync::LazyLock;

use futures_util::TryStreamExt;
use sqlx::postgres::PgPool;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Executor, Row};

use super::deliveries::{Accepted, Delivery};
use super::knocks::{KNOCK_AGAIN, Knocks};
use super::memory::Tables;
use super::pools::{CHANNEL, Pools};
use super::{StoreError, to_ms};

/// Stores the deliveries whose keys are new, and knocks at their things, in one transaction. Takes each key once, in the order of the
/// keys, so that two writers never wait for each other in a circle, and gives those that were new.
///
/// The bodies are taken out of the deliveries: a copy of each would cost more than anything else here.
pub(super) async fn store(pools: &Pools, rows: &mut [&mut Delivery]) -> Result<HashSet<String>, StoreError> {
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    match pools {
        Pools::Sqlite(sides) => {
            let mut connection = sides.write.acquire().await?;
            Ok(on_sqlite(&mut connection, rows).await?)
        }
        Pools::Postgres(sides) => Ok(on_postgres(&sides.write, rows).await?),
        Pools::Memory(memory) => {
            let new = memory.write(|tables| Ok(in_memory(tables, rows))).await?;
            memory.announce();
            new
        }
    }
}

/// Which of these keys are stored, with the keys of the things that each knocked at, one a line.
pub(super) async fn known(pools: &Pools, keys: &[&str]) -> Result<HashMap<String, String>, StoreError> {
    macro_rules! rows {
        ($connection:expr, $sql:literal, $keys:expr) => {{
            let rows = sqlx::query($sql).bind($keys).fetch_all($connection).await?;
            let entries = rows.iter().map(|row| Ok((row.try_get("key")?, row.try_get("things")?)));
            Ok(entries.collect::<Result<_, sqlx::Error>>()?)
        }};
    }
    match pools {
        Pools::Sqlite(sides) => {
            let mut connection = sides.write.acquire().await?;
            let keys = serde_json::Value::from(keys).to_string();
            rows!(
                &mut *connection,
                "select key, things from delivery where key in (select value from json_each($1))",
                keys
            )
        }
        Pools::Postgres(sides) => rows!(
            &sides.write,
            "select key, things from delivery where key = any($1::text[])",
            keys
        ),
        Pools::Memory(memory) => {
            let found = memory.read(|tables| {
                let stored = keys.iter().filter_map(|key| tables.deliveries.get(*key));
                stored
                    .map(|(row, _)| (row.key.clone(), row.things.join("\n")))
                    .collect()
            });
            found.await
        }
    }
}

/// On SQLite the statements of a transaction go to the connection's thread as one query, because each query wakes that thread and is waited for.
/// (sqlx does that on SQLite alone and would rather not, launchbadge/sqlx#3108; no test of the store passes when it no longer does.)
const BEFORE_ROWS: &str = "begin immediate; insert into delivery \
     (key, received_at, event, instance, subject, reason, things, body_bytes, body) ";

/// One statement numbers its rows one after the other (<https://sqlite.org/autoinc.html>), so those that are new are the last so many; when none
/// is, the last number is another table's. Keys of things are letters, digits and a few signs: they are JSON between quotes.
const AFTER_ROWS: &str = " on conflict (key) do nothing; \
     insert into work (thing, due_at, knocks, cause, attempts, state) \
     select value, min(received_at), count(*), 'delivery ' || max(delivery.key), 0, 'ready' \
     from delivery, json_each('[\"' || replace(things, char(10), '\",\"') || '\"]') \
     where changes() > 0 and delivery.rowid > last_insert_rowid() - changes() and things <> '' group by value";

/// Not to be dropped before it ends: the transaction would stay open, and the next one would be part of it.
async fn on_sqlite(
    connection: &mut SqliteConnection,
    rows: &mut [&mut Delivery],
) -> Result<HashSet<String>, sqlx::Error> {
    let mut empty = without_contents(rows);
    let mut query = sqlx::QueryBuilder::new(BEFORE_ROWS);
    query.push_values(
        rows.iter_mut().map(|row| &mut **row).chain(&mut empty),
        |mut row, delivery| {
            row.push_bind(delivery.key.clone())
                .push_bind(to_ms(delivery.received_at))
                .push_bind(delivery.event.take())
                .push_bind(delivery.instance.take())
                .push_bind(delivery.subject.take())
                .push_bind(delivery.reason)
                .push_bind(lines(delivery))
                .push_bind(i64::try_from(delivery.body_bytes).unwrap_or(i64::MAX))
                .push_bind(std::mem::take(&mut delivery.body));
        },
    );
    query.push(AFTER_ROWS).push(KNOCK_AGAIN).push("; commit");
    let ends: Result<Vec<_>, _> = connection
        .fetch_many(query.build())
        .try_filter_map(async |end| Ok(end.left()))
        .try_collect()
        .await;
    let ends = match ends {
        Ok(ends) => ends,
        Err(error) => {
            // Where it ended the transaction is still open, or never was.
            let _ = sqlx::raw_sql("rollback").execute(connection).await;
            return Err(error);
        }
    };
    let stored = ends.get(1).ok_or(sqlx::Error::WorkerCrashed)?;
    let count = i64::try_from(stored.rows_affected()).unwrap_or(i64::MAX);
    if count == 0 {
        return Ok(HashSet::new());
    }
    if count == i64::try_from(rows.len()).unwrap_or(i64::MAX) {
        return Ok(rows.iter().map(|delivery| delivery.key.clone()).collect());
    }
    let last = stored.last_insert_rowid();
    let new = sqlx::query("select key from delivery where rowid > $1 and rowid <= $2")
        .bind(last - count)
        .bind(last)
        .fetch_all(connection)
        .await;
    let new = new.and_then(|rows| rows.iter().map(|row| row.try_get("key")).collect());
    // They are stored, whatever becomes of the question which of them were new: then all count as new, and a look too many does no harm.
    Ok(new.unwrap_or_else(|_| rows.iter().map(|delivery| delivery.key.clone()).collect()))
}

/// Rows that make their number a power of two, so that few statements are prepared once and used for ever. They repeat a key, and what
/// repeats a key is left out.
fn without_contents(rows: &[&mut Delivery]) -> Vec<Delivery> {
    let Some(first) = rows.first() else { return Vec::new() };
    let empty = || Delivery {
        key: first.key.clone(),
        received_at: first.received_at,
        event: None,
        instance: None,
        subject: None,
        reason: None,
        things: Vec::new(),
        body_bytes: 0,
        body: Vec::new(),
    };
    let missing = rows.len().next_power_of_two() - rows.len();
    iter::repeat_with(empty).take(missing).collect()
}

/// On PostgreSQL one statement writes to both tables, and announces at its end that work may be due. Rows are taken in the order of the keys'
/// bytes, as whoever else writes them does.
static ON_POSTGRES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "with arrived as ( \
             insert into delivery (key, received_at, event, instance, subject, reason, things, body_bytes, body) \
             select * from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], \
                                  $8::bigint[], $9::bytea[]) \
             on conflict (key) do nothing returning key, received_at, things \
         ), knocked as ( \
             insert into work (thing, due_at, knocks, cause, attempts, state) \
             select thing, min(received_at), count(*), 'delivery ' || max(key), 0, 'ready' \
             from arrived, unnest(string_to_array(things, E'\\n')) as thing group by thing order by thing collate \"C\"{KNOCK_AGAIN} \
         ) select key, case when things <> '' then pg_notify('{CHANNEL}', '') end from arrived"
    )
});

async fn on_postgres(pool: &PgPool, rows: &[&mut Delivery]) -> Result<HashSet<String>, sqlx::Error> {
    let all = |of: fn(&Delivery) -> Option<&str>| rows.iter().map(|row| of(row)).collect::<Vec<_>>();
    let keys: Vec<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    let received: Vec<i64> = rows.iter().map(|row| to_ms(row.received_at)).collect();
    let things: Vec<String> = rows.iter().map(|row| lines(row)).collect();
    let bytes = rows.iter().map(|row| i64::try_from(row.body_bytes).unwrap_or(i64::MAX));
    let bodies: Vec<&[u8]> = rows.iter().map(|row| row.body.as_slice()).collect();
    let new = sqlx::query(AssertSqlSafe(ON_POSTGRES.as_str()))
        .bind(keys)
        .bind(received)
        .bind(all(|row| row.event.as_deref()))
        .bind(all(|row| row.instance.as_deref()))
        .bind(all(|row| row.subject.as_deref()))
        .bind(all(|row| row.reason))
        .bind(things)
        .bind(bytes.collect::<Vec<_>>())
        .bind(bodies)
        .fetch_all(pool)
        .await?;
    new.iter().map(|row| row.try_get("key")).collect()
}

fn in_memory(tables: &mut Tables, rows: &[&mut Delivery]) -> HashSet<String> {
    let accepted = tables.accept(rows);
    let new = || {
        let rows = rows.iter().zip(&accepted);
        rows.filter(|(_, accepted)| **accepted == Accepted::New)
            .map(|(delivery, _)| delivery)
    };
    let mut knocks = Knocks::default();
    new().for_each(|delivery| knocks.add_delivery(delivery));
    tables.knock(&knocks);
    new().map(|delivery| delivery.key.clone()).collect()
}

/// Keys of the things that it knocks at, one a line.
fn lines(delivery: &Delivery) -> String {
    let lines: Vec<String> = delivery.things.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
