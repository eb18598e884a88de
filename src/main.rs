//! The `convenor` program.

// Answers to webhooks and looks at GitLab wait far more than they work. On one thread they hand on to each other without waking anybody, which
// costs a fifth less for each delivery; what takes long is done beside it (`docs/performance.md`).
#[tokio::main(worker_threads = 1)]
async fn main() -> std::process::ExitCode {
    convenor::cli::main().await
}
