//! Quick actions in people's text: which lines GitLab takes for commands, and the text without them.

use super::markdown::options;
use comrak::nodes::NodeValue;
use comrak::{Arena, parse_document};
use regex::Regex;
use std::sync::LazyLock;

/// A line such as `/label ~bug` that GitLab takes for a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) name: String,
    pub(crate) arguments: String,
}

/// A text and the commands that were cut out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extracted {
    pub(crate) text: String,
    pub(crate) commands: Vec<Command>,
}

/// Commands that GitLab 19 knows, whether or not the sandbox acts on them.
const COMMANDS: &[&str] = &[
    "add_child",
    "add_contacts",
    "add_email",
    "add_linked_items",
    "approve",
    "assign",
    "assign_reviewer",
    "award",
    "blocked_by",
    "blocks",
    "board_move",
    "checkin_reminder",
    "child_epic",
    "clear_health_status",
    "clear_weight",
    "clone",
    "close",
    "confidential",
    "convert_to_ticket",
    "copy_metadata",
    "create_merge_request",
    "done",
    "draft",
    "due",
    "duplicate",
    "epic",
    "estimate",
    "estimate_time",
    "health_status",
    "invite_email",
    "iteration",
    "label",
    "labels",
    "link",
    "lock",
    "merge",
    "milestone",
    "move",
    "page",
    "parent_epic",
    "promote",
    "promote_to",
    "promote_to_incident",
    "publish",
    "react",
    "ready",
    "reassign",
    "reassign_reviewer",
    "rebase",
    "relabel",
    "relate",
    "remove_child",
    "remove_child_epic",
    "remove_contacts",
    "remove_due_date",
    "remove_email",
    "remove_epic",
    "remove_estimate",
    "remove_iteration",
    "remove_milestone",
    "remove_parent",
    "remove_parent_epic",
    "remove_time_spent",
    "remove_zoom",
    "reopen",
    "request_changes",
    "request_review",
    "run_pipeline",
    "set_parent",
    "severity",
    "ship",
    "shrug",
    "spend",
    "spend_time",
    "spent",
    "status",
    "submit_review",
    "subscribe",
    "tableflip",
    "target_branch",
    "timeline",
    "title",
    "todo",
    "todo_done",
    "type",
    "unapprove",
    "unassign",
    "unassign_reviewer",
    "unlabel",
    "unlink",
    "unlock",
    "unsubscribe",
    "weight",
    "wip",
    "zoom",
];

/// Cuts quick actions out of a text: whole lines at column 0 of top-level paragraphs, after carriage returns are gone.
pub(crate) fn extract_commands(text: &str) -> Extracted {
    static LINE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^/([A-Za-z_]+)(?:\s+(.*))?$").ok());
    let clean = text.replace('\r', "");
    if !clean.contains('/') {
        return Extracted {
            text: text.to_owned(),
            commands: Vec::new(),
        };
    }
    let in_paragraph = paragraph_lines(&clean);
    let mut commands = Vec::new();
    let mut kept = Vec::new();
    for (at, line) in clean.split('\n').enumerate() {
        let found = LINE
            .as_ref()
            .and_then(|l| l.captures(line))
            .filter(|_| in_paragraph.contains(&(at + 1)));
        let name = found.as_ref().and_then(|f| f.get(1)).map(|n| n.as_str().to_lowercase());
        match name.filter(|n| COMMANDS.contains(&n.as_str())) {
            Some(name) => {
                let arguments = found.and_then(|f| f.get(2)).map(|a| a.as_str().trim().to_owned());
                commands.push(Command {
                    name,
                    arguments: arguments.unwrap_or_default(),
                });
            }
            None => kept.push(line),
        }
    }
    if commands.is_empty() {
        return Extracted {
            text: text.to_owned(),
            commands,
        };
    }
    Extracted {
        text: kept.join("\n").trim().to_owned(),
        commands,
    }
}

/// Numbers (from 1) of the lines that belong to top-level paragraphs.
fn paragraph_lines(text: &str) -> std::collections::BTreeSet<usize> {
    let arena = Arena::new();
    let document = parse_document(&arena, text, &options());
    document
        .children()
        .filter(|node| matches!(node.data().value, NodeValue::Paragraph))
        .flat_map(|node| {
            let place = node.data().sourcepos;
            place.start.line..=place.end.line
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(text: &str) -> Vec<String> {
        extract_commands(text)
            .commands
            .into_iter()
            .map(|c| format!("{} {}", c.name, c.arguments))
            .collect()
    }

    #[test]
    fn commands_are_lines_of_top_level_paragraphs() {
        assert_eq!(commands("/close"), ["close "]);
        assert_eq!(commands("Thanks.\n/label ~a ~\"b c\"\n"), ["label ~a ~\"b c\""]);
        assert_eq!(commands("Thanks.\r\n\r/CLOSE\r\n"), ["close "]);
        assert_eq!(commands("**bold**\n/merge"), ["merge "]);
    }

    #[test]
    fn quoted_listed_coded_and_escaped_text_is_no_command() {
        for text in [
            "> /close",
            "- /close",
            "```\n/close\n```",
            "    /close",
            "\\/close",
            " /close",
            "/closes",
            "# /close",
            "<div>\n/close\n</div>",
            "| a |\n|---|\n| /close |",
            "a /close",
            "/nonsense",
            ">>>\n/close\n>>>",
        ] {
            assert_eq!(commands(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_text_without_commands_keeps_every_byte() {
        let text = "a\r\n/usr/bin is a path\r\n";
        assert_eq!(extract_commands(text).text, text);
    }

    #[test]
    fn commands_are_cut_out_of_the_text() {
        assert_eq!(extract_commands("one\n\n/close\ntwo\n").text, "one\n\ntwo");
    }
}
