//! Knocks: wishes that things be looked at, written together.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::deliveries::Delivery;
use super::pools::{Announce, Pools, in_transaction, portions};
use super::{StoreError, to_ms};

/// Makes rows or brings their looks forward. While somebody looks, the wish is kept for when they are done. While a thing
/// is backing off (`attempts > 0`) a knock does not hurry it, else a busy webhook would undo a `Retry-After`; one that was
/// given up is tried again; one that is held stays held.
pub(super) const KNOCK_AGAIN: &str = " on conflict (thing) do update set \
     knocks = work.knocks + excluded.knocks, cause = excluded.cause, \
     asked_at = case when work.lease is null then null \
                     when work.asked_at < excluded.due_at then work.asked_at \
                     else excluded.due_at end, \
     due_at = case when work.state = 'failed' then excluded.due_at \
                   when work.lease is not null or work.attempts > 0 or work.due_at < excluded.due_at then work.due_at \
                   else excluded.due_at end, \
     state = case when work.state = 'failed' then 'ready' else work.state end";

/// Knocks that are written together, each thing once. In the order of their keys, so that two writers never wait for each
/// other in a circle.
#[derive(Default)]
pub(super) struct Knocks(BTreeMap<String, Knock>);

struct Knock {
    cause: String,
    due: Timestamp,
    count: i64,
}

impl Knocks {
    pub(super) fn add(&mut self, thing: String, cause: &str, due: Timestamp) {
        let knock = self.0.entry(thing).or_insert_with(|| Knock {
            cause: String::new(),
            due,
            count: 0,
        });
        cause.clone_into(&mut knock.cause);
        knock.due = knock.due.min(due);
        knock.count += 1;
    }

    pub(super) fn add_delivery(&mut self, delivery: &Delivery) {
        let things = delivery.things.iter().map(ToString::to_string);
        self.add_things(&delivery.key, things, delivery.received_at);
    }

    /// Things that a delivery of this key knocks at.
    pub(super) fn add_things(&mut self, delivery: &str, things: impl Iterator<Item = String>, due: Timestamp) {
        let cause = format!("delivery {delivery}");
        for thing in things {
            self.add(thing, &cause, due);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// As rows to write: thing, due, count, cause.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&str, i64, i64, &str)> {
        self.0
            .iter()
            .map(|(thing, knock)| (thing.as_str(), to_ms(knock.due), knock.count, knock.cause.as_str()))
    }

    /// Writes them in one transaction, and announces them.
    pub(super) async fn write(&self, pools: &Pools) -> Result<(), StoreError> {
        in_transaction!(
            pools,
            |transaction| {
                let rows: Vec<_> = self.rows().collect();
                for rows in portions(&rows) {
                    let mut query =
                        sqlx::QueryBuilder::new("insert into work (thing, due_at, knocks, cause, attempts, state) ");
                    query.push_values(rows, |mut row, (thing, due, count, cause)| {
                        row.push_bind(*thing)
                            .push_bind(*due)
                            .push_bind(*count)
                            .push_bind(*cause)
                            .push("0, 'ready'");
                    });
                    query.push(KNOCK_AGAIN).build().execute(&mut *transaction).await?;
                }
                if !rows.is_empty() {
                    Announce::announce(&mut *transaction).await?;
                }
                Ok(())
            },
            |tables| {
                tables.knock(self);
                Ok(())
            }
        )
    }
}
