//! `convenor rotate`: a new token for the bot before the old one ends.
//!
//! GitLab tells the new token once and ends the old one at the same moment. So everything that can fail is tried before: the
//! file beside `gitlab.token_file` is there and open when GitLab is asked, and takes the file's place right after.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use convenor_core::thing::Thing;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Context, open_store, plain, print};
use crate::assemble;
use crate::clock::Clock;

/// What the journal names as the cause.
const CAUSE: &str = "convenor rotate";

/// Arguments of `convenor rotate`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many days the new token lives; GitLab allows 365, and an instance may allow fewer
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=400))]
    days: u16,
    /// Print the new token instead of writing it to gitlab.token_file: for tokens that come from the environment, or from a file
    /// that is handed over read-only (containers)
    #[arg(long)]
    print: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<ExitCode> {
    let settings = context.settings()?;
    if settings.gitlab.token_file.is_none() && !args.print {
        bail!(
            "the token comes from the environment, which this command cannot change; set gitlab.token_file, or say `--print` and \
             put the new token there yourself"
        );
    }
    let Some(program) = settings.programs.first() else {
        bail!("no [[program]] is configured, so no token is used");
    };
    let (client, clock) = (assemble::client(&settings)?, Clock::system());
    let user = client
        .reader()
        .current_user()
        .await
        .context("the present token cannot be rotated")?;
    let store = open_store(&settings).await?;
    let ends = end(clock.now(), args.days)?;
    let file = settings.gitlab.token_file.as_deref().filter(|_| !args.print);
    let place = file.map(Place::prepare).transpose()?;
    let applier = assemble::applier(&settings, &client, store.clone(), clock);
    let thing = Thing::Lifeline(program.program.name.clone());
    let rotated = match applier.rotate_token(&thing, CAUSE, ends).await {
        Ok(rotated) => rotated,
        Err(error) => {
            if let Some(place) = place {
                place.give_up();
            }
            return Err(anyhow::Error::from(error)
                .context("the token was not rotated, as far as is known; see `convenor doctor`"));
        }
    };
    settings.redactor.learn([&rotated.token]);
    let kept = place.map(|place| place.keep(&rotated.token));
    if args.print {
        print(&format!("{}\n", rotated.token.expose_secret()));
    }
    kept.transpose()?;
    store.close().await;
    tell(file, user.username.as_str(), rotated.expires_at.unwrap_or(ends));
    Ok(ExitCode::SUCCESS)
}

fn end(now: Timestamp, days: u16) -> anyhow::Result<Date> {
    let today = now.to_zoned(TimeZone::UTC).date();
    today
        .checked_add(Span::new().days(days))
        .context("the day of the token's end cannot be told")
}

fn tell(file: Option<&Path>, user: &str, ends: Date) {
    let mut err = anstream::stderr().lock();
    let place = match file {
        Some(file) => format!(
            "It stands in {}; a running `convenor serve` takes it from there within seconds.",
            plain(&file.display().to_string())
        ),
        None => {
            "Put it where the old one came from, and restart the service unless that is a file that it can see change."
                .to_owned()
        }
    };
    // Whoever reads only standard output gets the token and nothing else.
    let _ = writeln!(
        err,
        "The token of {user} was rotated; the new one ends on {ends}. {place}"
    );
}

/// Where the new token goes: a file beside the old one, open and written to once already.
struct Place {
    target: PathBuf,
    beside: PathBuf,
    file: File,
}

impl Place {
    fn prepare(target: &Path) -> anyhow::Result<Self> {
        // A link's target is replaced, not the link.
        let target = fs::canonicalize(target).with_context(|| format!("{} cannot be found", target.display()))?;
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let beside = target.with_file_name(name);
        let cannot = format!(
            "{} cannot be written, so the token was not touched; mend the folder's rights (a file of an earlier attempt: look \
             whether it holds a token, then remove it)",
            beside.display()
        );
        let mode = fs::metadata(&target).map_or(0o600, |known| known.permissions().mode() & 0o777);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode & 0o660)
            .open(&beside)
            .with_context(|| cannot.clone())?;
        // As much room as a token takes is there now.
        let tried = file.write_all(&[b'\n'; 256]).and_then(|()| file.sync_all());
        let place = Self { target, beside, file };
        match tried {
            Ok(()) => Ok(place),
            Err(error) => {
                place.give_up();
                Err(error).context(cannot)
            }
        }
    }

    /// Nothing was rotated: the file beside goes.
    fn give_up(self) {
        if let Err(error) = fs::remove_file(&self.beside) {
            tracing::warn!(%error, file = %self.beside.display(), "a file without a token could not be removed");
        }
    }

    /// The token takes the old one's place, in one step: whoever reads sees the one or the other.
    fn keep(mut self, token: &SecretString) -> anyhow::Result<()> {
        use std::io::Seek as _;
        self.file.rewind()?;
        let text = format!("{}\n", token.expose_secret());
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.sync_all());
        let beside = self.beside.display();
        written.with_context(|| format!("the token was rotated, and {beside} may hold only a part of the new one"))?;
        let moved = self
            .file
            .set_len(text.len() as u64)
            .and_then(|()| fs::rename(&self.beside, &self.target));
        moved.with_context(|| {
            let target = self.target.display();
            format!("the token was rotated and stands in {beside}; move it to {target} by hand")
        })?;
        if let Some(folder) = self.target.parent() {
            let synced = File::open(folder).and_then(|folder| folder.sync_all());
            synced.with_context(|| {
                format!(
                    "the new token is in place, but {} could not be flushed to the disk",
                    folder.display()
                )
            })?;
        }
        Ok(())
    }
}
