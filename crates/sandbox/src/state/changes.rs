//! What shall be different about an issue or merge request, from a call or from quick actions.

use jiff::civil::Date;

/// What shall be different about an issue or merge request; `None` leaves a field alone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub(crate) title: Option<String>,
    pub(crate) description: Option<Option<String>>,
    pub(crate) labels: Option<Vec<String>>,
    pub(crate) add_labels: Vec<String>,
    pub(crate) remove_labels: Vec<String>,
    pub(crate) state_event: Option<String>,
    pub(crate) assignees: Option<Vec<u64>>,
    pub(crate) reviewers: Option<Vec<u64>>,
    pub(crate) confidential: Option<bool>,
    pub(crate) discussion_locked: Option<bool>,
    pub(crate) issue_type: Option<String>,
    pub(crate) due_date: Option<Option<Date>>,
    pub(crate) target_branch: Option<String>,
    pub(crate) squash: Option<bool>,
    pub(crate) remove_source_branch: Option<bool>,
}

impl Change {
    /// This change with everything that `other` says on top; lists of labels are joined.
    pub(crate) fn over(self, other: Self) -> Self {
        let joined = |mut a: Vec<String>, b: Vec<String>| {
            a.extend(b);
            a
        };
        Self {
            title: other.title.or(self.title),
            description: other.description.or(self.description),
            labels: self.labels.or(other.labels),
            add_labels: joined(other.add_labels, self.add_labels),
            remove_labels: joined(other.remove_labels, self.remove_labels),
            state_event: self.state_event.or(other.state_event),
            assignees: self.assignees.or(other.assignees),
            reviewers: self.reviewers.or(other.reviewers),
            confidential: self.confidential.or(other.confidential),
            discussion_locked: self.discussion_locked.or(other.discussion_locked),
            issue_type: self.issue_type.or(other.issue_type),
            due_date: self.due_date.or(other.due_date),
            target_branch: self.target_branch.or(other.target_branch),
            squash: self.squash.or(other.squash),
            remove_source_branch: self.remove_source_branch.or(other.remove_source_branch),
        }
    }
}
