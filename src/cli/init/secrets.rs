//! Secrets for the webhooks, made and kept where the operator says; never printed.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::Args;
use crate::settings::WebhookSettings;

/// Secrets that are to be used in this run, each with what to write into the settings.
pub(super) struct Made {
    secret: Option<(SecretString, String)>,
    signing: Option<(SecretString, String)>,
}

/// Makes the secrets that were asked for, or reads those that are there already. Comes before the settings are read: they may
/// name these very files.
pub(super) fn make(args: &Args) -> anyhow::Result<Made> {
    let made = |file: Option<&Path>, key: &str, fresh: fn() -> String| {
        file.map(|file| {
            let secret = kept(file, fresh, args.dry_run)?;
            Ok::<_, anyhow::Error>((secret, format!("{key} = {:?}", file.display().to_string())))
        })
        .transpose()
    };
    Ok(Made {
        secret: made(args.new_secret.as_deref(), "secret_token_file", fresh_secret)?,
        signing: made(
            args.new_signing_token.as_deref(),
            "signing_token_file",
            fresh_signing_token,
        )?,
    })
}

/// Puts what was made before the secrets of the settings, where it is not among them, and says what to write there. Gives whether
/// there is a secret that webhooks cannot have yet.
pub(super) fn add(made: Made, webhook: &mut WebhookSettings, say: &mut dyn FnMut(&str)) -> bool {
    let mut is_new = false;
    for (made, known) in [
        (made.secret, &mut webhook.secret_tokens),
        (made.signing, &mut webhook.signing_tokens),
    ] {
        let Some((secret, line)) = made else { continue };
        let is_known = known
            .iter()
            .any(|other| other.expose_secret() == secret.expose_secret());
        if !is_known {
            say(&format!(
                "the webhooks get a new secret; write this into the settings under [webhook], and restart a running service, which \
                 refuses their deliveries until then: {line}\n"
            ));
            known.insert(0, secret);
            is_new = true;
        }
    }
    is_new
}

/// The secret in the file; one is made where there is no file. A dry run makes one for its eyes only.
fn kept(file: &Path, fresh: fn() -> String, dry_run: bool) -> anyhow::Result<SecretString> {
    match fs::read_to_string(file) {
        Ok(text) => match text.lines().map(str::trim).find(|line| !line.is_empty()) {
            Some(line) => return Ok(SecretString::from(line)),
            None => bail!("{} is there and empty; remove it, or name another file", file.display()),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", file.display())),
    }
    let secret = fresh();
    if !dry_run {
        write_new(file, &secret).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(SecretString::from(secret))
}

/// A new file that only its owner may read.
pub(super) fn write_new(file: &Path, text: &str) -> std::io::Result<()> {
    let mut target = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    target.write_all(text.as_bytes())?;
    target.write_all(b"\n")?;
    target.sync_all()
}

fn fresh_secret() -> String {
    URL_SAFE_NO_PAD.encode(random())
}

/// As GitLab takes it: `whsec_` and the base64 of 32 bytes.
fn fresh_signing_token() -> String {
    format!("whsec_{}", STANDARD.encode(random()))
}

/// 32 bytes that nobody can guess: four random UUIDs hold 488 random bits of the operating system.
fn random() -> [u8; 32] {
    let mut digest = Sha256::new();
    for _ in 0..4 {
        digest.update(uuid::Uuid::new_v4().as_bytes());
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signing_token_is_as_gitlab_takes_it_and_never_the_same() {
        let (one, other) = (fresh_signing_token(), fresh_signing_token());
        assert!(crate::settings::signing_key(&one).is_some(), "{one}");
        assert_ne!(one, other);
    }
}
