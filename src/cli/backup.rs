//! `convenor backup`: a whole copy of the SQLite database, while the service runs.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::{Context, open_store, plain, print};
use crate::settings::DatabaseUrl;

/// Arguments of `convenor backup`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// File to write; it must not be there yet
    file: PathBuf,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<ExitCode> {
    let settings = context.settings()?;
    let DatabaseUrl::Sqlite(database) = &settings.database.url else {
        bail!("the database is PostgreSQL; its own pg_dump and pg_restore copy it");
    };
    let [from, to] = [database, &args.file].map(|path| plain(&path.display().to_string()));
    if !database.exists() {
        bail!("there is no database at {from} (database.url)");
    }
    if args.file.exists() {
        bail!("{to} is there already; name another file");
    }
    let store = open_store(&settings).await?;
    let copied = store.copy_to(&args.file).await;
    store.close().await;
    copied.with_context(|| format!("{to} cannot be written"))?;
    print(&format!("{to} is a whole copy of {from}\n"));
    Ok(ExitCode::SUCCESS)
}
