//! What GitLab itself published, where it lies beside this repository: schemas for answers, payloads of webhooks.
#![allow(dead_code, unused_imports, reason = "each test takes what it needs")]

mod payloads;
mod schemas;

pub(crate) use payloads::Payloads;
pub(crate) use schemas::Schemas;

use std::path::{Path, PathBuf};

/// `gitlab/…` in the folder of papers beside this repository, if it is there.
pub(crate) fn paper(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/gitlab")
        .join(name);
    if !path.exists() {
        eprintln!("SKIPPED: there is no shared/gitlab/{name} beside this repository");
    }
    path.exists().then_some(path)
}
