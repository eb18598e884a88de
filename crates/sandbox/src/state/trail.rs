//! The trail that changes leave on issues and merge requests: the system's notes, events of labels and states.

use super::issues::{LabelEvent, StateEvent};
use super::notes::Thing;
use super::{Kind, State};

impl State {
    /// A line of the trail, such as "changed the description".
    pub(crate) fn system_note(&mut self, actor: u64, thing: Thing, body: String) {
        self.push_note(actor, thing, body, true, false);
    }

    /// Notes for a changed title ("changed title from **old** to **new**") and description.
    pub(crate) fn write_text_notes(&mut self, actor: u64, thing: Thing, title: (&str, &str), description: bool) {
        if title.0 != title.1 {
            let (old, new) = marked_difference(title.0, title.1);
            self.system_note(actor, thing, format!("changed title from **{old}** to **{new}**"));
        }
        if description {
            self.system_note(actor, thing, "changed the description".to_owned());
        }
    }

    pub(crate) fn write_assignee_note(
        &mut self,
        actor: u64,
        thing: Thing,
        old: &[u64],
        new: &[u64],
        added: &str,
        removed: &str,
    ) {
        let names = |ids: Vec<&u64>| {
            ids.iter()
                .map(|id| format!("@{}", self.username(**id)))
                .collect::<Vec<_>>()
        };
        let came = names(new.iter().filter(|id| !old.contains(id)).collect());
        let went = names(old.iter().filter(|id| !new.contains(id)).collect());
        let mut parts = Vec::new();
        if !came.is_empty() {
            parts.push(format!("{added} {}", in_words(&came)));
        }
        if !went.is_empty() {
            parts.push(format!("{removed} {}", in_words(&went)));
        }
        if !parts.is_empty() {
            self.system_note(actor, thing, parts.join(" and "));
        }
    }

    /// Events for labels that came and went.
    pub(crate) fn write_label_events(&mut self, actor: u64, thing: Thing, old: &[u64], new: &[u64]) {
        let came = new.iter().filter(|l| !old.contains(l)).map(|l| (*l, true));
        let went = old.iter().filter(|l| !new.contains(l)).map(|l| (*l, false));
        for (label, added) in came.chain(went).collect::<Vec<_>>() {
            let event = LabelEvent {
                id: self.id(Kind::Event),
                user: actor,
                at: self.now(),
                label,
                added,
            };
            let Some(project) = self.projects.get_mut(&thing.project()) else {
                continue;
            };
            match thing {
                Thing::Issue { iid, .. } => {
                    project.issues.entry(iid).and_modify(|i| i.label_events.push(event));
                }
                Thing::MergeRequest { iid, .. } => {
                    project
                        .merge_requests
                        .entry(iid)
                        .and_modify(|m| m.label_events.push(event));
                }
            }
        }
    }

    pub(crate) fn write_state_event(&mut self, actor: u64, thing: Thing, state: &'static str) {
        let event = StateEvent {
            id: self.id(Kind::Event),
            user: actor,
            at: self.now(),
            state,
        };
        let Some(project) = self.projects.get_mut(&thing.project()) else {
            return;
        };
        match thing {
            Thing::Issue { iid, .. } => {
                project.issues.entry(iid).and_modify(|i| i.state_events.push(event));
            }
            Thing::MergeRequest { iid, .. } => {
                project
                    .merge_requests
                    .entry(iid)
                    .and_modify(|m| m.state_events.push(event));
            }
        }
    }
}

/// `a`, `a and b`, `a, b, and c`, as Rails joins lists.
fn in_words(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [first @ .., last] => format!("{}, and {last}", first.join(", ")),
    }
}

/// The two titles with what differs marked as `{-old-}` and `{+new+}`.
fn marked_difference(old: &str, new: &str) -> (String, String) {
    let (a, b): (Vec<char>, Vec<char>) = (old.chars().collect(), new.chars().collect());
    let start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let room = a.len().min(b.len()) - start;
    let end = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take(room)
        .take_while(|(x, y)| x == y)
        .count();
    let mark = |text: &[char], open: &str, close: &str| {
        let middle: String = text[start..text.len() - end].iter().collect();
        let middle = if middle.is_empty() {
            middle
        } else {
            format!("{open}{middle}{close}")
        };
        let (head, tail): (String, String) = (
            text[..start].iter().collect(),
            text[text.len() - end..].iter().collect(),
        );
        format!("{head}{middle}{tail}")
    };
    (mark(&a, "{-", "-}"), mark(&b, "{+", "+}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_marked_where_they_differ() {
        assert_eq!(
            marked_difference("Rust", "Draft: Rust"),
            ("Rust".to_owned(), "{+Draft: +}Rust".to_owned())
        );
        assert_eq!(
            marked_difference("a b c", "a x c"),
            ("a {-b-} c".to_owned(), "a {+x+} c".to_owned())
        );
    }

    #[test]
    fn people_are_listed_in_words() {
        let names = |n: usize| (0..n).map(|i| format!("@{i}")).collect::<Vec<_>>();
        assert_eq!(in_words(&names(1)), "@0");
        assert_eq!(in_words(&names(2)), "@0 and @1");
        assert_eq!(in_words(&names(3)), "@0, @1, and @2");
    }
}
