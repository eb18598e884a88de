//! About the instance itself, and rendering Markdown.

use super::{Call, Route};
use crate::http::{Answer, Result};
use crate::state::markdown;
use serde_json::json;

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/version", version),
    ("GET", "/metadata", metadata),
    ("POST", "/markdown", render),
];

fn version(call: &mut Call<'_>) -> Result {
    call.actor()?;
    Ok(Answer::ok(
        json!({ "version": call.state.config.version, "revision": "5a4d0b0c1de", "enterprise": true }),
    ))
}

fn metadata(call: &mut Call<'_>) -> Result {
    call.actor()?;
    Ok(Answer::ok(json!({
        "version": call.state.config.version,
        "revision": "5a4d0b0c1de",
        "kas": {
            "enabled": false,
            "externalUrl": null,
            "externalK8sProxyUrl": null,
            "version": null,
        },
        "enterprise": true,
    })))
}

fn render(call: &mut Call<'_>) -> Result {
    let text = call.params.required("text")?;
    call.params.accept(&["gfm"]);
    if let Some(project) = call.params.filled("project") {
        call.state.find_project(call.user, &project)?;
    }
    Ok(Answer::created(json!({ "html": markdown::render(&text) })))
}
