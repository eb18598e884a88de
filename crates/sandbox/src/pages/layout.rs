//! The frame of every page, and the small pieces that pages are made of.

use super::text::escape;
use crate::http::Answer;
use crate::state::State;
use crate::state::projects::Project;
use jiff::{Timestamp, tz::TimeZone};

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = "
:root{--ink:#1f1e24;--soft:#626168;--line:#dcdcde;--fill:#fbfafd;--link:#1068bf;--open:#2f7549;--shut:#1068bf;--add:#e9f7ee;--del:#fdecea}
*{box-sizing:border-box}body{margin:0;font:15px/1.55 system-ui,sans-serif;color:var(--ink);background:#fff}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
header{background:#171321;color:#fff;padding:.6rem 1.2rem}header a{color:#fff;font-weight:600}header .soft{color:#bfbfc3;margin-left:.6rem}
main{max-width:64rem;margin:0 auto;padding:1.2rem}h1{font-size:1.5rem;margin:.4rem 0 .2rem}.soft{color:var(--soft)}
nav.crumbs{font-size:.9rem;color:var(--soft)}nav.tabs{display:flex;flex-wrap:wrap;gap:1.1rem;border-bottom:1px solid var(--line);margin:.8rem 0 1rem;padding-bottom:.5rem}
.card{border:1px solid var(--line);border-radius:.5rem;margin:.8rem 0;overflow:hidden}.card>.head{background:var(--fill);border-bottom:1px solid var(--line);padding:.45rem .9rem}
.card>.body{padding:.2rem .9rem .5rem;overflow-x:auto}ul.rows{list-style:none;margin:0;padding:0}ul.rows li{padding:.5rem .9rem;border-top:1px solid var(--line)}ul.rows li:first-child{border-top:0}
.badge{border-radius:1rem;padding:.1rem .6rem;font-size:.85rem;color:#fff;background:var(--soft)}.badge.opened{background:var(--open)}.badge.merged,.badge.closed{background:var(--shut)}
.label{border-radius:1rem;padding:.05rem .55rem;font-size:.82rem;margin-right:.25rem;white-space:nowrap}
table{border-collapse:collapse;margin:.6rem 0}th,td{border:1px solid var(--line);padding:.3rem .6rem;text-align:left;vertical-align:top}th{background:var(--fill)}
pre{background:var(--fill);border:1px solid var(--line);border-radius:.3rem;padding:.6rem;overflow-x:auto}code{font:13px/1.45 ui-monospace,monospace}:not(pre)>code{background:var(--fill);padding:.1rem .3rem;border-radius:.2rem}
blockquote{margin:.6rem 0;padding-left:.8rem;border-left:.25rem solid var(--line);color:var(--soft)}
.diff{width:100%;margin:0;border:0}.diff td{border:0;padding:0 .6rem;font:13px/1.5 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}.diff .add{background:var(--add)}.diff .del{background:var(--del)}.diff .hunk{background:var(--fill);color:var(--soft)}
.board{display:flex;gap:.8rem;overflow-x:auto;align-items:flex-start}.column{flex:0 0 16rem;background:var(--fill);border:1px solid var(--line);border-radius:.5rem;padding:.6rem}.column .card{background:#fff;padding:.5rem .7rem}
.system{color:var(--soft);padding:.2rem .9rem;font-size:.92rem}.notice{background:#fdf1dd;border:1px solid #e9be74;border-radius:.3rem;padding:.4rem .8rem;margin:.6rem 0}
";

/// A whole page.
pub(super) fn page(title: &str, body: &str) -> Answer {
    html(200, title, body)
}

fn html(status: u16, title: &str, body: &str) -> Answer {
    let text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{} · GitLab sandbox</title><style>{STYLE}</style></head>\n<body><header><a href=\"/\">GitLab sandbox</a>\
         <span class=\"soft\">not a real GitLab</span></header>\n<main>\n{body}\n</main></body></html>\n",
        escape(title)
    );
    Answer::html(status, text)
        .header("content-security-policy", POLICY)
        .header("x-content-type-options", "nosniff")
        .header("referrer-policy", "no-referrer")
}

pub(super) fn not_found() -> Answer {
    html(
        404,
        "404",
        "<h1>404: Page not found</h1><p class=\"soft\">There is no such thing in this sandbox.</p>",
    )
}

pub(super) fn redirect(to: &str) -> Answer {
    html(302, "Moved", "<h1>Moved</h1>").header("location", to)
}

/// A page of a project: path, name, tabs, then the body.
pub(super) fn project_page(state: &State, project: &Project, title: &str, body: &str) -> Answer {
    let full_path = escape(&project.full_path);
    let branch = escape(project.default_branch_or_main());
    let mut notices = String::new();
    if state.is_archived(project) {
        notices.push_str("<div class=\"notice\">This project is archived and read-only.</div>");
    }
    if let Some(day) = project.marked_for_deletion_on {
        notices.push_str(&format!("<div class=\"notice\">Marked for deletion on {day}.</div>"));
    }
    let open = project.issues.values().filter(|i| !i.closed).count();
    let requests = project
        .merge_requests
        .values()
        .filter(|m| m.state == crate::state::merge_requests::MergeState::Opened)
        .count();
    let head = format!(
        "{}<h1><a href=\"/{full_path}\">{}</a></h1>{notices}<nav class=\"tabs\"><a href=\"/{full_path}\">Project</a>\
         <a href=\"/{full_path}/-/tree/{branch}\">Files</a><a href=\"/{full_path}/-/commits/{branch}\">Commits</a>\
         <a href=\"/{full_path}/-/issues\">Issues ({open})</a><a href=\"/{full_path}/-/boards\">Boards</a>\
         <a href=\"/{full_path}/-/merge_requests\">Merge requests ({requests})</a>\
         <a href=\"/{full_path}/-/labels\">Labels</a><a href=\"/{full_path}/-/project_members\">Members</a></nav>",
        crumbs(&project.full_path),
        escape(&project.name)
    );
    page(&format!("{title} · {}", project.name), &format!("{head}{body}"))
}

/// The path of a project or group, each part a link.
pub(super) fn crumbs(full_path: &str) -> String {
    let mut at = String::new();
    let parts: Vec<String> = full_path
        .split('/')
        .map(|part| {
            at = if at.is_empty() {
                part.to_owned()
            } else {
                format!("{at}/{part}")
            };
            format!("<a href=\"/{}\">{}</a>", escape(&at), escape(part))
        })
        .collect();
    format!("<nav class=\"crumbs\">{}</nav>", parts.join(" / "))
}

/// A user as a link.
pub(super) fn person(state: &State, id: u64) -> String {
    let name = state.users.get(&id).map_or("Ghost User", |u| u.name.as_str());
    let username = state.username(id);
    format!(
        "<a href=\"/{0}\" title=\"{1}\">@{0}</a>",
        escape(&username),
        escape(name)
    )
}

/// Labels in their colours.
pub(super) fn labels(state: &State, ids: &[u64]) -> String {
    let mut labels: Vec<_> = ids.iter().filter_map(|id| state.labels.get(id)).collect();
    labels.sort_by(|a, b| a.name.cmp(&b.name));
    labels
        .into_iter()
        .map(|l| {
            let ink = crate::state::labels::text_colour(&l.color);
            format!(
                "<span class=\"label\" style=\"background:{};color:{ink}\">{}</span>",
                escape(&l.color),
                escape(&l.name)
            )
        })
        .collect()
}

/// A time as people read it.
pub(super) fn when(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%-d %b %Y, %H:%M UTC").to_string()
}

/// A frame with a heading.
pub(super) fn card(head: &str, body: &str) -> String {
    format!("<div class=\"card\"><div class=\"head\">{head}</div><div class=\"body\">{body}</div></div>\n")
}

/// A list in a frame; says so when it is empty.
pub(super) fn rows(items: &[String], empty: &str) -> String {
    if items.is_empty() {
        return format!("<p class=\"soft\">{empty}</p>");
    }
    let items: String = items.iter().map(|i| format!("<li>{i}</li>")).collect();
    format!("<div class=\"card\"><ul class=\"rows\">{items}</ul></div>")
}
