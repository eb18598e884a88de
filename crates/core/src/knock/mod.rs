//! What a webhook tells us to look at; nothing more of it is believed.
//!
//! A delivery is old, repeated or missing as often as not, and rights are asked of GitLab. So of all its fields only those are
//! read that say *where* something happened: the kind, the project's or group's path, the issue's number, the branch. What
//! cannot be read leads to a look at everything.
//!
//! Kinds and fields: GitLab's `doc/user/project/integrations/webhook_events` and `doc/administration/system_hooks`.

mod payload;

use crate::escape::LogText;
use crate::ids::{IssueIid, ProjectId};
use crate::program::Program;
use crate::thing::Thing;
use crate::untrusted::Untrusted;

use payload::Payload;

/// What a delivery said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// What to look at, each once.
    pub things: Vec<Thing>,
    /// The kind, the place and the number, for the log.
    pub subject: LogText,
    /// Why there is nothing to look at, or why there is everything to look at.
    pub reason: Option<&'static str>,
    /// Whether the delivery was understood. If not, its body is all that tells what came in.
    pub is_understood: bool,
}

/// Reads a delivery whose authenticity is proven. `event_header` is `X-Gitlab-Event`; it only serves the log when the body cannot
/// be read.
#[must_use]
pub fn things(event_header: Option<&str>, body: &[u8], programs: &[Program]) -> Heard {
    let header = event_header.unwrap_or("no event header");
    let payload: Payload = match serde_json::from_slice(body) {
        Ok(payload) => payload,
        Err(_) => return everything(header, "the body cannot be read, so everything is looked at", programs),
    };
    let Some(kind) = payload.kind() else {
        return everything(header, "the body names no event, so everything is looked at", programs);
    };
    let mut verdict = Verdict::default();
    for program in programs {
        verdict.add(look(kind, &payload, program));
    }
    verdict.heard(payload.subject(kind))
}

fn everything(header: &str, reason: &'static str, programs: &[Program]) -> Heard {
    let things = programs
        .iter()
        .map(|program| Thing::Program(program.name.clone()))
        .collect();
    Heard {
        things,
        subject: LogText::new(&Untrusted::new(header)),
        reason: Some(reason),
        is_understood: false,
    }
}

/// What one program makes of a delivery.
enum Look {
    At(Vec<Thing>),
    /// A field that says more is missing.
    Unclear(Thing),
    No(&'static str),
}

#[derive(Default)]
struct Verdict {
    things: Vec<Thing>,
    reason: Option<&'static str>,
    is_unclear: bool,
}

impl Verdict {
    fn add(&mut self, look: Look) {
        match look {
            Look::At(things) => things.into_iter().for_each(|thing| self.look_at(thing)),
            Look::Unclear(thing) => {
                self.is_unclear = true;
                self.look_at(thing);
            }
            // What is nearer to a program says more than "nowhere".
            Look::No(reason) if self.reason.is_none_or(|known| known == ELSEWHERE) => self.reason = Some(reason),
            Look::No(_) => {}
        }
    }

    fn look_at(&mut self, thing: Thing) {
        if !self.things.contains(&thing) {
            self.things.push(thing);
        }
    }

    fn heard(self, subject: LogText) -> Heard {
        let reason = if self.is_unclear {
            Some("the body does not say what it is about, so all of a program is looked at")
        } else if self.things.is_empty() {
            self.reason.or(Some("no program is configured"))
        } else {
            None
        };
        Heard {
            things: self.things,
            subject,
            reason,
            is_understood: !self.is_unclear,
        }
    }
}

const ELSEWHERE: &str = "it happened in no project or group of a program";

fn look(kind: &str, payload: &Payload, program: &Program) -> Look {
    match kind {
        "issue" | "work_item" | "confidential_issue" | "confidential_work_item" => issue(payload, program),
        "note" | "confidential_note" => note(payload, program),
        "push" | "tag_push" | "repository_update" => push(payload, program),
        "merge_request" => in_repository(payload, program),
        kind if kind.starts_with("project_") => project(payload, program),
        kind if kind.starts_with("user_") && kind.ends_with("_team") => project_members(payload, program),
        kind if kind.starts_with("user_") && kind.ends_with("_group") => group(payload, program),
        kind if kind.starts_with("group_") || kind.starts_with("subgroup_") => group(payload, program),
        "access_token" | "expiring_access_token" => group_or_project(payload, program),
        _ => Look::No("this kind of event changes nothing that is looked after"),
    }
}

/// Where a path lies, seen from a program.
struct Place {
    intake: bool,
    handbook: bool,
    community: bool,
}

fn place(program: &Program, path: &str) -> Place {
    let intake = same(&program.intake, path);
    let handbook = program.handbooks.iter().any(|handbook| same(&handbook.project, path));
    let inside = path
        .rsplit_once('/')
        .is_some_and(|(group, _)| same(&program.group, group));
    Place {
        intake,
        handbook,
        community: inside && !intake && !handbook,
    }
}

/// GitLab's paths are found without regard to case.
fn same(configured: &str, path: &str) -> bool {
    configured
        .trim_matches('/')
        .eq_ignore_ascii_case(path.trim_matches('/'))
}

fn issue(payload: &Payload, program: &Program) -> Look {
    let about = payload.object_attributes.as_ref();
    let kind = about.and_then(|about| about.kind.as_deref());
    let is_another = kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("issue"));
    let no_proposal = Look::No("a work item of another type is no proposal");
    let Some(path) = payload.project_path() else {
        // One of a group, such as an epic, has no project.
        return if is_another { no_proposal } else { unclear(program) };
    };
    let place = place(program, &path);
    if place.intake {
        if is_another {
            return no_proposal;
        }
        return proposal(about.and_then(|about| about.iid), program);
    }
    community_or_nothing(&place, payload, program)
}

fn note(payload: &Payload, program: &Program) -> Look {
    let Some(path) = payload.project_path() else {
        return unclear(program);
    };
    let place = place(program, &path);
    if place.handbook && payload.merge_request.is_some() {
        return Look::At(vec![Thing::Handbook(program.name.clone())]);
    }
    if place.intake {
        return match &payload.issue {
            Some(issue)
                if issue
                    .kind
                    .as_deref()
                    .is_some_and(|kind| !kind.eq_ignore_ascii_case("issue")) =>
            {
                Look::No("a comment on a work item of another type")
            }
            Some(issue) => proposal(issue.iid, program),
            None => Look::No("a comment on something that is no issue"),
        };
    }
    community_or_nothing(&place, payload, program)
}

fn proposal(iid: Option<u64>, program: &Program) -> Look {
    match iid {
        Some(iid) => Look::At(vec![Thing::Proposal(program.name.clone(), IssueIid(iid))]),
        None => unclear(program),
    }
}

fn push(payload: &Payload, program: &Program) -> Look {
    let Some(path) = payload.project_path() else {
        return unclear(program);
    };
    if place(program, &path).handbook
        && !payload
            .branches()
            .iter()
            .any(|branch| concerns(program, &path, payload, branch))
    {
        return Look::No("a push to a branch of the handbook that is neither the page's nor ours");
    }
    in_repository(payload, program)
}

/// Whether a branch of the handbook's project is a page's or one of ours.
fn concerns(program: &Program, path: &str, payload: &Payload, branch: &str) -> bool {
    let default = payload
        .project
        .as_ref()
        .and_then(|project| project.default_branch.as_deref());
    let mut pages = program
        .handbooks
        .iter()
        .filter(|handbook| same(&handbook.project, path));
    let is_target = pages.any(|handbook| {
        let target = handbook.branch.as_deref().or(default);
        target.is_none_or(|target| target == branch)
    });
    branch.starts_with("convenor/") || is_target
}

/// Pushes and merge requests: the handbook's, or a community's.
fn in_repository(payload: &Payload, program: &Program) -> Look {
    let Some(path) = payload.project_path() else {
        return unclear(program);
    };
    let place = place(program, &path);
    if place.handbook {
        return Look::At(vec![Thing::Handbook(program.name.clone())]);
    }
    community_or_nothing(&place, payload, program)
}

/// A project that came, went, moved or changed.
fn project(payload: &Payload, program: &Program) -> Look {
    let paths = [payload.project_path(), payload.old_path_with_namespace.clone()];
    let mut places = paths.iter().flatten().map(|path| place(program, path)).peekable();
    if places.peek().is_none() {
        return unclear(program);
    }
    let places: Vec<Place> = places.collect();
    if places.iter().any(|place| place.intake || place.handbook) {
        return whole(program);
    }
    places
        .iter()
        .find(|place| place.community)
        .map_or(Look::No(ELSEWHERE), |place| {
            community_or_nothing(place, payload, program)
        })
}

fn project_members(payload: &Payload, program: &Program) -> Look {
    match payload.project_path() {
        Some(path) => community_or_nothing(&place(program, &path), payload, program),
        None => unclear(program),
    }
}

/// Members and changes of the program's group or of one above it: roles are inherited, paths contain their parents'.
fn group(payload: &Payload, program: &Program) -> Look {
    let full = [&payload.full_path, &payload.old_full_path];
    let mut full = full.into_iter().flatten().peekable();
    let concerned = if full.peek().is_some() {
        full.any(|path| contains(path, &program.group))
    } else {
        // Member events name only the last part of the group's path.
        let Some(last) = &payload.group_path else {
            return unclear(program);
        };
        contains(last, &program.group) || program.group.split('/').any(|part| same(part, last))
    };
    if concerned { whole(program) } else { Look::No(ELSEWHERE) }
}

/// Whether `outer` is the group or one of those above it.
fn contains(outer: &str, group: &str) -> bool {
    let (outer, group) = (
        outer.trim_matches('/').to_lowercase(),
        group.trim_matches('/').to_lowercase(),
    );
    group == outer || group.strip_prefix(&outer).is_some_and(|rest| rest.starts_with('/'))
}

fn group_or_project(payload: &Payload, program: &Program) -> Look {
    if let Some(last) = payload.group.as_ref().and_then(|group| group.group_path.as_deref()) {
        let concerned = contains(last, &program.group) || program.group.split('/').any(|part| same(part, last));
        return if concerned { whole(program) } else { Look::No(ELSEWHERE) };
    }
    let Some(path) = payload.project_path() else {
        return unclear(program);
    };
    let place = place(program, &path);
    if place.intake || place.handbook || place.community {
        whole(program)
    } else {
        Look::No(ELSEWHERE)
    }
}

fn community_or_nothing(place: &Place, payload: &Payload, program: &Program) -> Look {
    if place.community {
        let Some(id) = payload.project_number() else {
            return unclear(program);
        };
        let community = Thing::Community(program.name.clone(), ProjectId(id));
        let joint = program.has_joint_pages().then(|| Thing::Handbook(program.name.clone()));
        return Look::At([community].into_iter().chain(joint).collect());
    }
    if place.intake || place.handbook {
        return Look::No("it changes nothing that is read of the intake or the handbook");
    }
    Look::No(ELSEWHERE)
}

fn whole(program: &Program) -> Look {
    Look::At(vec![Thing::Program(program.name.clone())])
}

fn unclear(program: &Program) -> Look {
    Look::Unclear(Thing::Program(program.name.clone()))
}

#[cfg(test)]
mod tests;
