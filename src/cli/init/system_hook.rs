//! What an administrator of a self-managed GitLab needs to add one system hook, which tells what no other hook does:
//! projects that are renamed, moved or archived, and their members.

use std::path::Path;

use anyhow::{Context as _, bail};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::secrets::write_new;
use crate::cli::{plain, print};
use crate::hooks;
use crate::settings::Settings;

/// Writes the hook's fields, secret and all, and says what to do with them.
pub(super) fn write(file: &Path, settings: &Settings, dry_run: bool) -> anyhow::Result<()> {
    let Some(address) = hooks::address(&settings.server.public_url) else {
        bail!("server.public_url is no address that GitLab could reach; set it first");
    };
    let Some(token) = settings.webhook.secret_tokens.first() else {
        bail!("no secret token is configured; `convenor init --new-secret FILE` makes one");
    };
    let fields = json!({
        "url": address.as_str(),
        "token": token.expose_secret(),
        "name": "Convenor",
        "enable_ssl_verification": true,
        "push_events": false,
        "tag_push_events": false,
        "merge_requests_events": false,
        "repository_update_events": false,
    });
    if !dry_run {
        let text = serde_json::to_string_pretty(&fields)?;
        let hint = || format!("{} cannot be written; it must not be there yet", file.display());
        write_new(file, &text).with_context(hint)?;
    }
    print(&format!(
        "An administrator of {gitlab} adds the system hook with\n\n  curl --fail --request POST --header \"PRIVATE-TOKEN: \
         $ADMIN_TOKEN\" --header \"Content-Type: application/json\" \\\n    --data @{file} {gitlab}/api/v4/hooks\n\nor under Admin, \
         System hooks: URL {address}, the secret token, and no trigger but the default ones. {file} holds the secret: remove it \
         afterwards.\n",
        gitlab = settings.gitlab.url.as_str().trim_end_matches('/'),
        file = plain(&file.display().to_string()),
    ));
    Ok(())
}
