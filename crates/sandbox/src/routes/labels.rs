//! Labels of projects and groups.

use super::{Call, Route};
use crate::http::{Answer, Refusal, Result};
use crate::show;
use crate::state::Place;
use crate::state::labels::{Label, NewLabel};

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/projects/:id/labels", list),
    ("POST", "/projects/:id/labels", create),
    ("GET", "/projects/:id/labels/:label", get),
    ("PUT", "/projects/:id/labels/:label", update),
    ("PUT", "/projects/:id/labels", update_by_name),
    ("DELETE", "/projects/:id/labels/:label", delete),
    ("GET", "/groups/:id/labels", list),
    ("POST", "/groups/:id/labels", create),
    ("GET", "/groups/:id/labels/:label", get),
    ("PUT", "/groups/:id/labels/:label", update),
    ("PUT", "/groups/:id/labels", update_by_name),
    ("DELETE", "/groups/:id/labels/:label", delete),
];

fn owner(call: &Call<'_>) -> Result<Place> {
    if call.path.starts_with("/api/v4/groups/") {
        call.group().map(Place::Group)
    } else {
        call.project().map(Place::Project)
    }
}

fn list(call: &mut Call<'_>) -> Result {
    let owner = owner(call)?;
    let params = call.params;
    params.accept(&["include_descendant_groups", "only_group_labels", "archived"]);
    let ancestors = params.flag("include_ancestor_groups")?.unwrap_or(true);
    let counts = params.is_set("with_counts")?;
    let search = params.filled("search").map(|s| s.to_lowercase());
    let state = &*call.state;
    let ids = state.available_labels(owner, ancestors);
    let mut labels: Vec<&Label> = ids.iter().filter_map(|id| state.labels.get(id)).collect();
    labels.retain(|l| {
        let hit = |text: &str| search.as_ref().is_none_or(|s| text.to_lowercase().contains(s));
        hit(&l.name) || l.description.as_deref().is_some_and(|d| search.is_some() && hit(d))
    });
    labels.sort_by(|a, b| a.name.cmp(&b.name));
    call.page()?
        .of(&labels, |l| show::label(state, l, counts.then_some(owner)))
}

/// A label by number or name among those that can be used here.
fn find(call: &Call<'_>, owner: Place, wanted: &str) -> Result<u64> {
    let number = wanted.parse::<u64>().ok();
    let found = call
        .state
        .available_labels(owner, true)
        .into_iter()
        .filter_map(|id| call.state.labels.get(&id))
        .find(|l| Some(l.id) == number || l.name == wanted);
    found.map(|l| l.id).ok_or_else(|| Refusal::not_found("Label"))
}

fn get(call: &mut Call<'_>) -> Result {
    let owner = owner(call)?;
    call.params.accept(&["include_ancestor_groups"]);
    let id = find(call, owner, call.arg(1))?;
    show_label(call, owner, id, 200)
}

fn show_label(call: &Call<'_>, owner: Place, id: u64, status: u16) -> Result {
    let label = call.state.labels.get(&id).ok_or_else(|| Refusal::not_found("Label"))?;
    Ok(Answer::json(status, show::label(call.state, label, Some(owner))))
}

fn create(call: &mut Call<'_>) -> Result {
    let (actor, owner) = (call.actor()?, owner(call)?);
    let params = call.params;
    params.accept(&["archived"]);
    let new = NewLabel {
        name: params.required("name")?,
        color: params.required("color")?,
        description: params.text("description"),
        priority: params.number("priority")?,
    };
    let id = call.state.create_label(actor, owner, new)?;
    show_label(call, owner, id, 201)
}

fn update(call: &mut Call<'_>) -> Result {
    let (actor, owner) = (call.actor()?, owner(call)?);
    let id = find(call, owner, call.arg(1))?;
    change(call, actor, owner, id)
}

/// The old form: the label's name is a parameter.
fn update_by_name(call: &mut Call<'_>) -> Result {
    let (actor, owner) = (call.actor()?, owner(call)?);
    let wanted = call.params.filled("label_id").or_else(|| call.params.filled("name"));
    let wanted = wanted.ok_or_else(|| {
        Refusal::error(
            400,
            "label_id, name are missing, exactly one parameter must be provided",
        )
    })?;
    let id = find(call, owner, &wanted)?;
    change(call, actor, owner, id)
}

fn change(call: &mut Call<'_>, actor: u64, owner: Place, id: u64) -> Result {
    let params = call.params;
    params.accept(&["name", "archived"]);
    params.at_least_one_of(&["new_name", "color", "description", "priority", "archived"])?;
    let old = call
        .state
        .labels
        .get(&id)
        .cloned()
        .ok_or_else(|| Refusal::not_found("Label"))?;
    let priority = match params.get("priority") {
        None => old.priority,
        Some(_) => params.number("priority")?,
    };
    let wanted = NewLabel {
        name: params.filled("new_name").unwrap_or(old.name),
        color: params.filled("color").unwrap_or(old.color),
        description: params.nullable("description").unwrap_or(old.description),
        priority,
    };
    call.state.update_label(actor, old.owner, id, wanted)?;
    show_label(call, owner, id, 200)
}

fn delete(call: &mut Call<'_>) -> Result {
    let (actor, owner) = (call.actor()?, owner(call)?);
    let id = find(call, owner, call.arg(1))?;
    if call.state.labels.get(&id).is_none_or(|l| l.owner != owner) {
        return Err(Refusal::not_found("Label"));
    }
    call.state.delete_label(actor, owner, id)?;
    Ok(Answer::no_content())
}
