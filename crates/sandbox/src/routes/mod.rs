//! The REST API: one table of routes a file, each route a short function over state. `dispatch` finds the route, keeps
//! GitLab's manners for moved projects, and reports what no route or nobody read.

mod access_requests;
mod awards;
mod boards;
mod branches;
mod commits;
mod events;
mod files;
mod groups;
mod hooks;
mod instance;
mod issues;
mod labels;
mod links;
mod members;
mod merge_requests;
mod notes;
mod projects;
mod tokens;
mod users;

use crate::http::{Answer, Page, Params, Refusal, Result, decode, encode};
use crate::state::State;
use crate::state::projects::Project;
use serde_json::json;
use std::collections::HashMap;
use std::sync::LazyLock;

/// A route's function.
pub(crate) type Handler = fn(&mut Call<'_>) -> Result;

/// Method, pattern, function. Parts that begin with a colon match one encoded segment.
pub(crate) type Route = (&'static str, &'static str, Handler);

/// One call on its way through a route.
pub(crate) struct Call<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) user: Option<u64>,
    /// The secret of the token that was used, for calls about the token itself.
    pub(crate) token: Option<&'a str>,
    pub(crate) params: &'a Params,
    pub(crate) method: &'a str,
    path: &'a str,
    query: &'a str,
    args: Vec<String>,
}

impl Call<'_> {
    /// The n-th colon part of the pattern, decoded.
    pub(crate) fn arg(&self, at: usize) -> &str {
        self.args.get(at).map_or("", String::as_str)
    }

    /// The n-th colon part as a number; anything else is not found.
    pub(crate) fn number(&self, at: usize) -> Result<u64> {
        self.arg(at).parse().map_err(|_| Refusal::error(400, "id is invalid"))
    }

    /// Who calls; strangers get 401.
    pub(crate) fn actor(&self) -> Result<u64> {
        self.user.ok_or_else(Refusal::unauthorized)
    }

    /// The visible project that the first part names.
    pub(crate) fn project(&self) -> Result<u64> {
        self.state.find_project(self.user, self.arg(0))
    }

    /// The same, as a reference.
    pub(crate) fn shown_project(&self) -> Result<&Project> {
        self.state.project(self.project()?)
    }

    /// The project, if the caller may read its code.
    pub(crate) fn code(&self) -> Result<&Project> {
        let project = self.shown_project()?;
        if self.state.sees_code(self.user, project) {
            Ok(project)
        } else {
            Err(Refusal::not_found("Repository"))
        }
    }

    /// The visible group that the first part names.
    pub(crate) fn group(&self) -> Result<u64> {
        self.state.find_group(self.user, self.arg(0))
    }

    /// The page that was asked for.
    pub(crate) fn page(&self) -> Result<Page> {
        Page::read(self.params, &format!("{}{}", self.state.url, self.path), self.query)
    }
}

struct Compiled {
    pattern: &'static str,
    parts: Vec<&'static str>,
    handler: Handler,
}

type Table = HashMap<(&'static str, usize), Vec<Compiled>>;

static ROUTES: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table::new();
    let all = [
        instance::ROUTES,
        users::ROUTES,
        tokens::ROUTES,
        groups::ROUTES,
        projects::ROUTES,
        members::ROUTES,
        access_requests::ROUTES,
        labels::ROUTES,
        boards::ROUTES,
        issues::ROUTES,
        notes::ROUTES,
        awards::ROUTES,
        events::ROUTES,
        links::ROUTES,
        files::ROUTES,
        commits::ROUTES,
        branches::ROUTES,
        merge_requests::ROUTES,
        hooks::ROUTES,
    ];
    for (method, pattern, handler) in all.into_iter().flatten() {
        let parts: Vec<&str> = pattern.trim_start_matches('/').split('/').collect();
        let compiled = Compiled {
            pattern,
            parts,
            handler: *handler,
        };
        table.entry((method, compiled.parts.len())).or_default().push(compiled);
    }
    table
});

/// All patterns that the sandbox serves, with their methods.
pub(crate) fn patterns() -> Vec<(&'static str, &'static str)> {
    let mut all: Vec<_> = ROUTES
        .iter()
        .flat_map(|((method, _), routes)| routes.iter().map(|r| (*method, r.pattern)))
        .collect();
    all.sort_unstable();
    all
}

/// The pattern that a call's path matches, before anything is done.
pub(crate) fn pattern(method: &str, path: &str) -> Option<&'static str> {
    let parts: Vec<&str> = path.strip_prefix("/api/v4/")?.split('/').collect();
    find(if method == "HEAD" { "GET" } else { method }, &parts).map(|(route, _)| route.pattern)
}

/// A call as it came in, below `/api/v4`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    /// The whole path, still encoded: `/api/v4/projects/a%2Fb`.
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) token: Option<&'a str>,
}

/// What came of a call.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) answer: Answer,
    /// The pattern that matched.
    pub(crate) route: Option<&'static str>,
    /// What GitLab would have swallowed in silence or does not have.
    pub(crate) violations: Vec<String>,
}

/// Runs one call as one user.
pub(crate) fn dispatch(state: &mut State, user: Option<u64>, request: Request<'_>, params: &Params) -> Outcome {
    let Some(rest) = request.path.strip_prefix("/api/v4/") else {
        return unknown(request);
    };
    let parts: Vec<&str> = rest.split('/').collect();
    let method = if request.method == "HEAD" {
        "GET"
    } else {
        request.method
    };
    let Some((route, args)) = find(method, &parts) else {
        return unknown(request);
    };
    if let Some(answer) = moved(state, user, request, &args) {
        return Outcome {
            answer,
            route: Some(route.pattern),
            violations: Vec::new(),
        };
    }
    let Request {
        method,
        path,
        query,
        token,
    } = request;
    let mut call = Call {
        state,
        user,
        token,
        params,
        method,
        path,
        query,
        args,
    };
    // GitLab checks the shape of paging parameters everywhere.
    params.accept(&["page", "per_page", "pagination", "private_token", "access_token"]);
    let (answer, succeeded) = match (route.handler)(&mut call) {
        Ok(answer) => (answer, true),
        Err(refusal) => (Answer::from(refusal), false),
    };
    let unread = if succeeded { params.unread() } else { Vec::new() };
    let name = format!("{method} {}", route.pattern);
    let violations = unread
        .into_iter()
        .map(|p| format!("{name}: parameter `{p}` has no effect"))
        .collect();
    Outcome {
        answer,
        route: Some(route.pattern),
        violations,
    }
}

fn find(method: &str, parts: &[&str]) -> Option<(&'static Compiled, Vec<String>)> {
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    let method = methods.into_iter().find(|m| *m == method)?;
    let route = ROUTES.get(&(method, parts.len()))?.iter().find(|route| {
        route
            .parts
            .iter()
            .zip(parts)
            .all(|(pattern, part)| pattern.starts_with(':') || pattern == part)
    })?;
    let args = route
        .parts
        .iter()
        .zip(parts)
        .filter(|(p, _)| p.starts_with(':'))
        .map(|(_, part)| decode(part));
    Some((route, args.collect()))
}

fn unknown(request: Request<'_>) -> Outcome {
    Outcome {
        answer: Refusal::no_route().into(),
        route: None,
        violations: vec![format!("{} {}: no such route", request.method, request.path)],
    }
}

/// A project that was renamed or moved: GET is sent on by number, other methods are refused.
fn moved(state: &State, user: Option<u64>, request: Request<'_>, args: &[String]) -> Option<Answer> {
    let old = request.path.strip_prefix("/api/v4/projects/")?.split('/').next()?;
    let id = args.first()?;
    if id.parse::<u64>().is_ok() || state.place(id).is_some() {
        return None;
    }
    let project = state
        .redirect(id)
        .and_then(|p| state.projects.get(&p))
        .filter(|p| state.sees_project(user, p))?;
    if request.method != "GET" && request.method != "HEAD" {
        return Some(Refusal::message(405, "Non GET methods are not allowed for moved projects").into());
    }
    let path = request.path.replacen(old, &encode(&project.id.to_string()), 1);
    let query = if request.query.is_empty() {
        String::new()
    } else {
        format!("?{}", request.query)
    };
    let location = format!("{}{path}{query}", state.url);
    let body = json!({ "message": "301 Moved Permanently" });
    Some(Answer::json(301, body).header("location", location))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_found_by_its_own_pattern() {
        for (method, pattern) in patterns() {
            let parts: Vec<&str> = pattern.trim_start_matches('/').split('/').collect();
            let (route, _) = find(method, &parts).unwrap();
            assert_eq!(route.pattern, pattern, "{method}");
        }
    }
}
