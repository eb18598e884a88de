//! Three processes on one PostgreSQL, as behind a load balancer: they share the work, and when one is killed in the middle of a look the
//! others take it over as soon as its lease has ended.

use std::time::{Duration, Instant};

use convenor::clock::Clock;
use convenor::store::Work;
use gitlab_sandbox::{Effect, Fault};

use super::binary::Installation;
use super::town::{FORM, GROUP, HANDBOOK, INTAKE};
use crate::infra::database::Database;

const NAMES: [&str; 6] = [
    "Zig",
    "Observability",
    "Accessibility",
    "Testing",
    "Python",
    "Databases",
];
/// As `Installation` sets it.
const LEASE: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_three_replicas_one_is_killed_and_the_others_take_over_within_the_lease() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let installed = Installation::new();
    let address = database.address();
    let on_postgres = ("CONVENOR_DATABASE__URL", address.as_str());
    let done = installed.command(&["init"]).envs([on_postgres]).status().unwrap();
    assert!(done.success());
    // Slow enough that everybody is found in the middle of something.
    installed.gitlab.add_fault(Fault::new(Effect::SlowBefore(80)));
    let one_worker = ("CONVENOR_WORKER__WORKERS", "1");
    let elsewhere = ("CONVENOR_SERVER__LISTEN", "127.0.0.1:0");
    // GitLab's webhooks come to the first: the balancer has chosen.
    let _first = installed.serve_with(&[on_postgres, one_worker]);
    let killed = installed.serve_with(&[on_postgres, one_worker, elsewhere]);
    let _third = installed.serve_with(&[on_postgres, one_worker, elsewhere]);
    installed.is_ready().await;

    let proposer = installed.gitlab.person("proposer").unwrap();
    let proposals = NAMES.map(|name| {
        let form = FORM.replace("Rust at Work", name);
        proposer
            .open_issue(INTAKE, "New community", &form, &["cop::proposed"])
            .unwrap()
    });
    let store = database.open().await;
    let looked_at = installed
        .until("three looks at the same time", async || {
            let looking = store.list_work().await.unwrap().into_iter().filter(|work| work.looking);
            let looking: Vec<Work> = looking.collect();
            (looking.len() == 3).then_some(looking)
        })
        .await;
    let (killed_at, at) = (Instant::now(), Clock::system().now());
    drop(killed);
    installed.gitlab.clear_faults();
    installed
        .until("looks at what the killed one had in hand", async || {
            let work = store.list_work().await.unwrap();
            let again = |thing: &Work| {
                let now = work.iter().find(|work| work.thing == thing.thing);
                now.is_some_and(|now| now.last_look_at.is_some_and(|looked| looked > at))
            };
            looked_at.iter().all(again).then_some(())
        })
        .await;
    println!(
        "all three were looked at again {:?} after the kill, with a lease of {LEASE:?}",
        killed_at.elapsed()
    );
    for proposal in proposals {
        installed
            .until("the merge request of each community", async || {
                let notes = installed.gitlab.notes(INTAKE, proposal).unwrap();
                let ours = notes
                    .iter()
                    .filter(|note| note.author.username == "convenor-bot")
                    .count();
                assert!(ours <= 1, "two comments");
                let made = installed.gitlab.merge_requests(HANDBOOK).unwrap().len();
                (ours == 1 && made == NAMES.len()).then_some(())
            })
            .await;
    }
    assert_eq!(
        installed.gitlab.projects(GROUP).unwrap().len(),
        NAMES.len() + 1,
        "the intake and one for each"
    );
    assert_eq!(installed.gitlab.violations(), Vec::<String>::new());
    store.close().await;
}
