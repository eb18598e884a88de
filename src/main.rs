//! The `convenor` program.

#[tokio::main]
async fn main() -> std::process::ExitCode {
    convenor::cli::main().await
}
