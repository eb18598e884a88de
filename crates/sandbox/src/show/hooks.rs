//! Webhooks and their past deliveries.

use super::time;
use crate::hooks::{GROUP_TRIGGERS, Hook, Owner, Past, TRIGGERS};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// A hook; its token and signing token never come back.
pub(crate) fn hook(hook: &Hook, owner: Owner, now: Timestamp) -> Value {
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(hook.id));
    body.insert("url".to_owned(), json!(hook.url));
    body.insert("name".to_owned(), json!(hook.name));
    body.insert("description".to_owned(), json!(hook.description));
    body.insert("created_at".to_owned(), json!(time(hook.created_at)));
    let extra: &[&str] = match owner {
        Owner::Group(_) => GROUP_TRIGGERS,
        Owner::Project(_) => &[],
        Owner::System => &["repository_update_events"],
    };
    for trigger in TRIGGERS.iter().chain(extra) {
        body.insert((*trigger).to_owned(), json!(hook.events.contains(*trigger)));
    }
    body.insert("alert_status".to_owned(), json!(hook.alert_status(now)));
    body.insert(
        "disabled_until".to_owned(),
        json!(hook.disabled_until.filter(|u| *u > now).map(time)),
    );
    body.insert("url_variables".to_owned(), json!([]));
    body.insert(
        "enable_ssl_verification".to_owned(),
        json!(hook.enable_ssl_verification),
    );
    body.insert(
        "repository_update_events".to_owned(),
        json!(hook.events.contains("repository_update_events")),
    );
    body.insert("push_events_branch_filter".to_owned(), json!(hook.branch_filter));
    body.insert("branch_filter_strategy".to_owned(), json!(hook.branch_filter_strategy));
    body.insert(
        "custom_webhook_template".to_owned(),
        json!(hook.template.clone().unwrap_or_default()),
    );
    let headers: Vec<Value> = hook
        .custom_headers
        .iter()
        .map(|(key, _)| json!({ "key": key }))
        .collect();
    body.insert("custom_headers".to_owned(), json!(headers));
    body.insert("token_present".to_owned(), json!(hook.token.is_some()));
    body.insert("signing_token_present".to_owned(), json!(hook.signing_key.is_some()));
    match owner {
        Owner::Project(id) => body.insert("project_id".to_owned(), json!(id)),
        Owner::Group(id) => body.insert("group_id".to_owned(), json!(id)),
        Owner::System => None,
    };
    Value::Object(body)
}

pub(crate) fn past_delivery(past: &Past) -> Value {
    let headers: Map<String, Value> = past
        .request_headers
        .iter()
        .map(|(name, value)| {
            let hidden = name.eq_ignore_ascii_case("X-Gitlab-Token");
            (name.clone(), json!(if hidden { "[REDACTED]" } else { value }))
        })
        .collect();
    json!({
        "id": past.delivery.id,
        "url": past.url,
        "trigger": past.delivery.trigger,
        "request_headers": headers,
        "request_data": serde_json::from_str::<Value>(&past.delivery.body).unwrap_or(Value::Null),
        "response_headers": {},
        "response_body": past.response_body,
        "execution_duration": past.duration,
        "response_status": past.status.map_or_else(|| "internal error".to_owned(), |s| s.to_string()),
        "internal_error_message": past.error,
        "created_at": time(past.at),
    })
}
