//! The `convenor` program.

// Who answers webhooks waits far more than they work. On one thread the tasks hand on to each other without waking anybody, which costs an eighth
// less for each delivery; looks, and what takes long, have threads of their own (`docs/decisions.md`).
#[tokio::main(worker_threads = 1)]
async fn main() -> std::process::ExitCode {
    convenor::cli::main().await
}
