//! Links between issues.

use super::notes::Thing;
use super::rights::GUEST;
use super::{Kind, State};
use crate::http::{Refusal, Result};
use jiff::Timestamp;

/// One link, kept with the project of its source.
#[derive(Debug, Clone)]
pub(crate) struct IssueLink {
    pub(crate) id: u64,
    pub(crate) source: (u64, u64),
    pub(crate) target: (u64, u64),
    /// `relates_to`, `blocks`, `is_blocked_by`
    pub(crate) kind: String,
    pub(crate) created_at: Timestamp,
}

impl State {
    pub(crate) fn link_issues(&mut self, actor: u64, from: (u64, u64), to: (u64, u64), kind: &str) -> Result<u64> {
        self.find_issue(Some(actor), from.0, from.1)?;
        self.find_issue(Some(actor), to.0, to.1)?;
        self.need(actor, from.0, GUEST)?;
        self.need_writable(from.0)?;
        if kind != "relates_to" && !self.is_premium() {
            return Err(Refusal::message(
                400,
                "Blocked issues not available for current license",
            ));
        }
        if from == to {
            return Err(Refusal::message(400, "cannot be related to itself"));
        }
        let exists = |l: &IssueLink| (l.source, l.target) == (from, to) || (l.source, l.target) == (to, from);
        if self.projects.values().any(|p| p.links.iter().any(exists)) {
            return Err(Refusal::message(409, "Issue(s) already assigned"));
        }
        let (id, created_at) = (self.id(Kind::Link), self.now());
        let link = IssueLink {
            id,
            source: from,
            target: to,
            kind: kind.to_owned(),
            created_at,
        };
        self.project_mut(from.0)?.links.push(link);
        let (one, other) = (Thing::issue(from.0, from.1), Thing::issue(to.0, to.1));
        let (there, here) = (self.short_name(other, from.0), self.short_name(one, to.0));
        self.system_note(actor, one, format!("marked this issue as related to {there}"));
        self.system_note(actor, other, format!("marked this issue as related to {here}"));
        Ok(id)
    }

    /// The links of an issue with the issue at their other end.
    pub(crate) fn links_of(&self, issue: (u64, u64)) -> Vec<(IssueLink, (u64, u64))> {
        self.projects
            .values()
            .flat_map(|p| &p.links)
            .filter_map(|l| match (l.source == issue, l.target == issue) {
                (true, _) => Some((l.clone(), l.target)),
                (_, true) => Some((l.clone(), l.source)),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn unlink_issues(&mut self, actor: u64, issue: (u64, u64), link: u64) -> Result<IssueLink> {
        self.need(actor, issue.0, GUEST)?;
        let found = self.links_of(issue).into_iter().map(|(l, _)| l).find(|l| l.id == link);
        let found = found.ok_or_else(|| Refusal::not_found("IssueLink"))?;
        for project in self.projects.values_mut() {
            project.links.retain(|l| l.id != link);
        }
        Ok(found)
    }
}
