//! A database of each earlier state of the tables, with the rows that the program of that time wrote, is brought up to date and
//! worked with. `released/` has the rows, a file for each migration; with a new migration its rows come along.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use convenor::store::{JournalFilter, StepState, Store, WorkState};
use convenor_core::approval::ApprovedBy;
use convenor_core::ids::{ProjectId, UserId, Username};
use convenor_core::plan::Rest;
use convenor_core::plan::standing::Standing;
use convenor_core::thing::{ProgramName, Thing};
use jiff::Timestamp;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, Connection, SqlSafeStr};

use super::database::Database;
use super::house::proposal;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The migrations by number, oldest first.
fn migrations() -> BTreeMap<i64, Migration> {
    let files = std::fs::read_dir(folder("migrations")).unwrap();
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let (number, description) = name.split_once('_').unwrap();
        let text = AssertSqlSafe(std::fs::read_to_string(&path).unwrap()).into_sql_str();
        let (number, kind) = (number.parse().unwrap(), MigrationType::Simple);
        let migration = Migration::new(number, description.replace('_', " ").into(), kind, text, false);
        (number, migration)
    };
    files.map(read).collect()
}

/// The rows that came with a migration, in the words of this database.
fn rows(number: i64, database: &Database) -> Option<String> {
    let text = std::fs::read_to_string(folder("tests/it/infra/released").join(format!("{number:04}.sql"))).ok()?;
    Some(match database {
        Database::Postgres(_) => text.replace("bytes'", "'\\x"),
        _ => text.replace("bytes'", "x'"),
    })
}

/// Makes the tables as they were after the migrations up to this one.
async fn migrate(database: &Database, migrations: Vec<Migration>) {
    let migrator = Migrator::with_migrations(migrations);
    match database {
        Database::Sqlite(folder) => {
            let file = folder.path().join("convenor.db");
            let options = sqlx::sqlite::SqliteConnectOptions::new()
                .filename(file)
                .create_if_missing(true);
            let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
            migrator.run(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
        Database::Postgres(url) => {
            let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
            migrator.run(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
        Database::Memory(_) => panic!("tables in memory have no earlier state"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sqlite_database_of_each_earlier_state_is_brought_up_to_date_with_its_rows() {
    let migrations = migrations();
    for last in migrations.keys() {
        upgraded(Database::sqlite(), *last, &migrations).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_database_of_each_earlier_state_is_brought_up_to_date_with_its_rows() {
    let migrations = migrations();
    for last in migrations.keys() {
        let Some(database) = Database::postgres().await else {
            return;
        };
        upgraded(database, *last, &migrations).await;
    }
}

/// From the tables after migration `last`, with all rows of that time.
async fn upgraded(database: Database, last: i64, migrations: &BTreeMap<i64, Migration>) {
    migrate(
        &database,
        migrations.range(..=last).map(|(_, one)| one.clone()).collect(),
    )
    .await;
    for number in migrations.range(..=last).map(|(number, _)| *number) {
        if let Some(rows) = rows(number, &database) {
            database.execute(&rows).await;
        }
    }
    let store = database.open().await;
    what_came_in_and_is_to_be_done(&store).await;
    what_was_written_and_accepted(&store).await;
    let cop = ProgramName::new("cop").unwrap();
    let (hook, vera) = (store.made_setup(&cop).await.unwrap(), Username::new("vera").unwrap());
    let person = store.known_person(&vera).await.unwrap();
    if last >= 3 {
        let objects: Vec<&str> = hook.iter().map(|made| made.object.as_str()).collect();
        assert_eq!((objects, person), (vec!["11", "cop::proposed"], Some(UserId(31))));
    } else {
        assert!(hook.is_empty() && person.is_none());
    }
    let line = store.line(&cop, at(1)).await.unwrap();
    assert_eq!(line.len(), if last >= 4 { 2 } else { 0 });
    let known = store.known_communities(&cop).await.unwrap();
    assert_eq!(known[0].rest, (last >= 5).then_some(Rest::Over));
    let standings = store.standings().await.unwrap();
    let listed = standings.get(&("cop".to_owned(), Standing::Community("active", "listed")));
    assert_eq!(listed, (last >= 6).then_some(&1));
    it_goes_on_working(&store).await;
    store.close().await;
}

/// Seconds after the rows were written.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_772_701_200 + seconds).unwrap()
}

async fn what_came_in_and_is_to_be_done(store: &Store) {
    let (delivery, body) = store.delivery("6f1c-new").await.unwrap().unwrap();
    assert_eq!(
        (delivery.things, body),
        (vec!["proposal cop#12".to_owned()], b"{}".to_vec())
    );
    assert_eq!(store.list_deliveries(9).await.unwrap().len(), 2);
    let work = store.list_work().await.unwrap();
    let states: BTreeMap<&str, (WorkState, i64, i64)> = work
        .iter()
        .map(|work| (work.thing.as_str(), (work.state, work.knocks, work.attempts)))
        .collect();
    let expected = [
        ("community cop/7", (WorkState::Held, 1, 1)),
        ("handbook cop", (WorkState::Ready, 2, 0)),
        ("proposal cop#12", (WorkState::Ready, 3, 0)),
        ("proposal cop#13", (WorkState::Failed, 1, 8)),
    ];
    assert_eq!(states, BTreeMap::from(expected));
}

async fn what_was_written_and_accepted(store: &Store) {
    let (twelve, thirteen) = (proposal(12), proposal(13));
    let journal = store.find_journal(&JournalFilter::default(), 9).await.unwrap();
    let mut states: Vec<_> = journal
        .iter()
        .map(|entry| (entry.kind.as_str(), entry.state, entry.result.as_deref()))
        .collect();
    states.sort_unstable_by_key(|(kind, ..)| *kind);
    let expected = [
        ("create_board", StepState::Pending, None),
        ("create_project", StepState::Done, Some("7")),
    ];
    assert_eq!(states, expected);
    let accepted = store.acceptance(&twelve).await.unwrap().unwrap();
    let approver = ApprovedBy::Approver(Username::new("vera").unwrap());
    assert_eq!((accepted.text_hash.as_str(), accepted.by), ("a1b2", approver));
    let accepted = store.acceptance(&thirteen).await.unwrap().unwrap();
    assert_eq!(accepted.by, ApprovedBy::Membership);
    assert_eq!(store.made_project(&twelve).await.unwrap(), Some(ProjectId(7)));
}

/// What is due is claimed, the lease of a process that is gone included; what it left open in the journal is ended.
async fn it_goes_on_working(store: &Store) {
    let (now, lease) = (at(600), Duration::from_secs(30));
    let mut claimed = Vec::new();
    while let Some(claim) = store.claim(now, lease).await.unwrap() {
        let standing = Standing::Proposal("ready");
        store.note_standing(&claim.thing, Some(standing)).await.unwrap();
        assert!(store.finish(&claim, now, at(1200)).await.unwrap());
        claimed.push(claim.thing);
    }
    let handbook = Thing::Handbook(ProgramName::new("cop").unwrap());
    assert_eq!(claimed, [handbook, proposal(12)]);
    let open = store.journal_open(&proposal(12)).await.unwrap();
    assert_eq!(open.len(), 1);
    store
        .journal_end(&open[0].id, StepState::Done, None, now)
        .await
        .unwrap();
    assert!(store.take_turn("upgrade", now, Duration::ZERO).await.unwrap());
    store.check().await.unwrap();
}
