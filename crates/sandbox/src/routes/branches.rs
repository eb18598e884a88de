//! Branches and protected branches.

use super::{Call, Route};
use crate::http::{Answer, Params, Refusal, Result};
use crate::show;
use crate::state::branches::Protection;
use crate::state::rights::MAINTAINER;

pub(super) const ROUTES: &[Route] = &[
    ("GET", "/projects/:id/repository/branches", list),
    ("POST", "/projects/:id/repository/branches", create),
    ("GET", "/projects/:id/repository/branches/:branch", get),
    ("DELETE", "/projects/:id/repository/branches/:branch", delete),
    ("GET", "/projects/:id/protected_branches", protections),
    ("POST", "/projects/:id/protected_branches", protect),
    ("GET", "/projects/:id/protected_branches/:name", protection),
    ("PATCH", "/projects/:id/protected_branches/:name", change_protection),
    ("DELETE", "/projects/:id/protected_branches/:name", unprotect),
];

fn list(call: &mut Call<'_>) -> Result {
    let params = call.params;
    params.accept(&["sort", "page_token"]);
    let search = params.filled("search");
    let pattern = params.filled("regex");
    let regex = pattern.map(|p| regex::Regex::new(&p)).transpose();
    let regex = regex.map_err(|e| Refusal::error(400, format!("regex is invalid: {e}")))?;
    let project = call.code()?;
    let names: Vec<&String> = project
        .repo
        .branches()
        .keys()
        .filter(|name| search.as_deref().is_none_or(|s| found_by(name, s)))
        .filter(|name| regex.as_ref().is_none_or(|r| r.is_match(name)))
        .collect();
    let (state, user) = (&*call.state, call.user);
    let shown = |name: &&String| {
        let head = project.repo.branch(name);
        head.map(|head| show::branch(state, user, project, name, &head))
            .unwrap_or_default()
    };
    let page = call.page()?;
    if page.is_keyset() {
        return page.keyset_of(&names, |n| (*n).clone(), shown);
    }
    page.of(&names, shown)
}

/// `^cop/` finds beginnings, `-x$` ends, other text anything that holds it.
fn found_by(name: &str, search: &str) -> bool {
    match (search.strip_prefix('^'), search.strip_suffix('$')) {
        (Some(_), Some(_)) => name == search.trim_start_matches('^').trim_end_matches('$'),
        (Some(start), None) => name.starts_with(start),
        (None, Some(end)) => name.ends_with(end),
        (None, None) => name.to_lowercase().contains(&search.to_lowercase()),
    }
}

fn get(call: &mut Call<'_>) -> Result {
    let project = call.code()?;
    let name = call.arg(1);
    let head = project.repo.branch(name).ok_or_else(|| Refusal::not_found("Branch"))?;
    Ok(Answer::ok(show::branch(call.state, call.user, project, name, &head)))
}

fn create(call: &mut Call<'_>) -> Result {
    let (actor, project) = (call.actor()?, call.project()?);
    let (name, from) = (call.params.required("branch")?, call.params.required("ref")?);
    call.state.create_branch(actor, project, &name, &from)?;
    let project = call.state.project(project)?;
    let head = project.repo.branch(&name).ok_or_else(|| Refusal::not_found("Branch"))?;
    Ok(Answer::created(show::branch(
        call.state, call.user, project, &name, &head,
    )))
}

fn delete(call: &mut Call<'_>) -> Result {
    let (actor, project) = (call.actor()?, call.project()?);
    let name = call.arg(1).to_owned();
    call.state.delete_branch(actor, project, &name)?;
    Ok(Answer::no_content())
}

fn protections(call: &mut Call<'_>) -> Result {
    let project = call.project()?;
    call.state.need(call.actor()?, project, MAINTAINER)?;
    let search = call.params.filled("search");
    let project = call.state.project(project)?;
    let found: Vec<&Protection> = project
        .protected
        .iter()
        .filter(|p| search.as_ref().is_none_or(|s| p.name.contains(s)))
        .collect();
    call.page()?.of(&found, |p| show::protection(p))
}

fn protection(call: &mut Call<'_>) -> Result {
    let project = call.project()?;
    call.state.need(call.actor()?, project, MAINTAINER)?;
    show_protection(call, project, call.arg(1), 200)
}

fn show_protection(call: &Call<'_>, project: u64, name: &str, status: u16) -> Result {
    let found = call.state.project(project)?.protected.iter().find(|p| p.name == name);
    let found = found.ok_or_else(Refusal::nothing_here)?;
    Ok(Answer::json(status, show::protection(found)))
}

fn level(params: &Params, name: &str) -> Result<Option<u64>> {
    let levels = ["0", "30", "40", "60"];
    Ok(params.one_of(name, &levels)?.and_then(|level| level.parse().ok()))
}

fn protect(call: &mut Call<'_>) -> Result {
    let (actor, project) = (call.actor()?, call.project()?);
    let params = call.params;
    params.accept(&["unprotect_access_level"]);
    if call.state.is_premium() {
        params.accept(&[
            "allowed_to_push",
            "allowed_to_merge",
            "allowed_to_unprotect",
            "code_owner_approval_required",
        ]);
    }
    let name = params.required("name")?;
    let wanted = Protection {
        id: 0,
        name: name.clone(),
        push: level(params, "push_access_level")?.unwrap_or(MAINTAINER),
        merge: level(params, "merge_access_level")?.unwrap_or(MAINTAINER),
        allow_force_push: params.is_set("allow_force_push")?,
    };
    call.state.protect_branch(actor, project, wanted)?;
    show_protection(call, project, &name, 201)
}

fn change_protection(call: &mut Call<'_>) -> Result {
    let (actor, project) = (call.actor()?, call.project()?);
    call.state.need(actor, project, MAINTAINER)?;
    let name = call.arg(1).to_owned();
    call.params.accept(&["code_owner_approval_required"]);
    let force = call.params.flag("allow_force_push")?;
    let found = call
        .state
        .project_mut(project)?
        .protected
        .iter_mut()
        .find(|p| p.name == name);
    let found = found.ok_or_else(Refusal::nothing_here)?;
    found.allow_force_push = force.unwrap_or(found.allow_force_push);
    show_protection(call, project, &name, 200)
}

fn unprotect(call: &mut Call<'_>) -> Result {
    let (actor, project) = (call.actor()?, call.project()?);
    call.state.need(actor, project, MAINTAINER)?;
    let name = call.arg(1).to_owned();
    let protected = &mut call.state.project_mut(project)?.protected;
    if !protected.iter().any(|p| p.name == name) {
        return Err(Refusal::nothing_here());
    }
    protected.retain(|p| p.name != name);
    Ok(Answer::no_content())
}
