//! Commands to the bot in comments.
//!
//! A command says what somebody wants; whether they may is decided in [`crate::approval`] and [`crate::plan`]. A comment is a
//! command only when it *begins* with a mention of the bot, so that quotations and code never command anything.

use crate::ids::Username;
use crate::untrusted::Untrusted;

/// What a comment asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `approve`
    Approve,
    /// `decline <reason>`
    Decline {
        /// Why, up to the end of the paragraph.
        reason: Untrusted,
    },
    /// `recheck`
    Recheck,
    /// `help`, or nothing at all behind the mention.
    Help,
    /// `join`
    Join,
    /// `leave`
    Leave,
    /// `pause`
    Pause,
    /// `resume`
    Resume,
    /// `retire`
    Retire,
    /// `merge into <path>`
    MergeInto(CommunityPath),
    /// `facilitators @a @b`: all of them, each once.
    Facilitators(Vec<Username>),
    /// A known command that is written in another way than its usage says.
    Misused {
        /// How it is written.
        usage: &'static str,
    },
    /// No command of ours.
    Unknown {
        /// The word that stands in a command's place.
        word: Untrusted,
    },
}

/// A community's full path or slug: ASCII letters, digits, `_`, `.`, `-` and `/`; safe wherever it is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CommunityPath(String);

impl CommunityPath {
    /// Takes `slug`, `group/slug` or the address of a project; `None` when it is neither.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let path = match text.split_once("://") {
            Some((_, rest)) => rest.split_once('/')?.1,
            None => text,
        };
        let path = path.trim_matches('/');
        let good = |part: &str| {
            !part.is_empty()
                && !part.starts_with(['.', '-'])
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        };
        (path.len() <= 255 && path.split('/').all(good)).then(|| Self(path.to_owned()))
    }

    /// The path as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The command in a comment, if it begins with a mention of the bot.
#[must_use]
pub fn parse(note: &Untrusted, bot: &Username) -> Option<Command> {
    let text = note
        .expose()
        .trim_start_matches('\u{feff}')
        .replace("\r\n", "\n")
        .replace('\r', "\n");
    let text = text.trim_start_matches('\n');
    // Four spaces or a tab make a code block.
    let begins = text.trim_start_matches(' ');
    if text.len() - begins.len() > 3 {
        return None;
    }
    let rest = after_mention(begins, bot)?;
    let paragraph = rest.split("\n\n").next().unwrap_or_default();
    Some(read(paragraph))
}

/// What follows `@bot`, without the `:` or `,` that people put there.
fn after_mention<'a>(text: &'a str, bot: &Username) -> Option<&'a str> {
    let text = text.strip_prefix('@')?;
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')))
        .unwrap_or(text.len());
    let name = text[..end].trim_end_matches('.');
    let rest = &text[end..];
    let known = Username::new(name).is_some_and(|user| user == *bot);
    let apart = rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || matches!(c, ':' | ','));
    (known && apart).then(|| rest.trim_start_matches([':', ',']))
}

fn read(paragraph: &str) -> Command {
    let line = paragraph
        .split('\n')
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let name = word.trim_end_matches(['.', '!', ':', ',']).to_lowercase();
    let alone = |command: Command, usage: &'static str| {
        if rest.is_empty() {
            command
        } else {
            Command::Misused { usage }
        }
    };
    match name.as_str() {
        "approve" => alone(Command::Approve, "approve"),
        "recheck" => alone(Command::Recheck, "recheck"),
        "join" => alone(Command::Join, "join"),
        "leave" => alone(Command::Leave, "leave"),
        "pause" => alone(Command::Pause, "pause"),
        "resume" => alone(Command::Resume, "resume"),
        "retire" => alone(Command::Retire, "retire"),
        "" | "help" => Command::Help,
        "decline" => decline(paragraph),
        "merge" => merge(rest),
        "facilitators" => facilitators(rest),
        _ => Command::Unknown {
            word: Untrusted::new(word),
        },
    }
}

/// The reason may go on to the end of the paragraph.
fn decline(paragraph: &str) -> Command {
    let text = paragraph.trim_start();
    let reason = text
        .split_once(char::is_whitespace)
        .map_or("", |(_, reason)| reason.trim());
    if reason.is_empty() {
        Command::Misused {
            usage: "decline <reason>",
        }
    } else {
        Command::Decline {
            reason: Untrusted::new(reason),
        }
    }
}

fn merge(rest: &str) -> Command {
    let mut words = rest.split_whitespace();
    let path = match (words.next(), words.next(), words.next()) {
        (Some(into), Some(path), None) if into.eq_ignore_ascii_case("into") => {
            CommunityPath::new(path.trim_matches(['`', '.', '<', '>']))
        }
        _ => None,
    };
    path.map_or(
        Command::Misused {
            usage: "merge into <path>",
        },
        Command::MergeInto,
    )
}

fn facilitators(rest: &str) -> Command {
    let mut people: Vec<Username> = Vec::new();
    for word in rest
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty() && *word != "and")
    {
        match word
            .strip_prefix('@')
            .map(|name| name.trim_end_matches('.'))
            .and_then(Username::new)
        {
            Some(user) if people.contains(&user) => {}
            Some(user) => people.push(user),
            None => {
                return Command::Misused {
                    usage: "facilitators @a @b",
                };
            }
        }
    }
    if people.is_empty() {
        Command::Misused {
            usage: "facilitators @a @b",
        }
    } else {
        Command::Facilitators(people)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(note: &str) -> Option<Command> {
        parse(&Untrusted::new(note), &Username::new("cop-bot").unwrap())
    }

    fn users(names: &[&str]) -> Vec<Username> {
        names.iter().map(|name| Username::new(name).unwrap()).collect()
    }

    #[test]
    fn a_comment_that_begins_with_the_mention_is_a_command() {
        for note in [
            "@cop-bot approve",
            "@Cop-Bot: APPROVE!",
            "@cop-bot,approve.",
            "\r\n @cop-bot  approve\r\nlooks good",
            "@cop-bot\napprove",
            "@cop-bot approve\n\nbut see below",
        ] {
            assert_eq!(command(note), Some(Command::Approve), "{note:?}");
        }
    }

    #[test]
    fn everything_else_is_none() {
        for note in [
            "",
            "approve",
            "thanks @cop-bot approve",
            "> @cop-bot approve",
            "`@cop-bot approve`",
            "    @cop-bot approve",
            "\t@cop-bot approve",
            "@cop-bot2 approve",
            "@cop-bot-x approve",
            "@cop-bot/x approve",
            "```\n@cop-bot approve\n```",
            "- @cop-bot approve",
            "I would like to help.\n\n@cop-bot approve",
            "<!-- @cop-bot approve -->",
            "@all approve",
        ] {
            assert_eq!(command(note), None, "{note:?}");
        }
    }

    #[test]
    fn an_approval_with_conditions_is_none() {
        for note in [
            "@cop-bot approve only if it is renamed",
            "@cop-bot retire next year",
            "@cop-bot join us",
        ] {
            assert!(matches!(command(note), Some(Command::Misused { .. })), "{note:?}");
        }
        assert!(matches!(command("@cop-bot `approve`"), Some(Command::Unknown { .. })));
        assert!(matches!(
            command("@cop-bot don't approve"),
            Some(Command::Unknown { .. })
        ));
    }

    #[test]
    fn each_command_has_its_words() {
        let reason = Untrusted::new("too close to\nRust at Work");
        assert_eq!(
            command("@cop-bot decline too close to\nRust at Work\n\nSorry!"),
            Some(Command::Decline { reason })
        );
        assert_eq!(
            command("@cop-bot decline"),
            Some(Command::Misused {
                usage: "decline <reason>"
            })
        );
        let path = CommunityPath::new("group/rust").unwrap();
        assert_eq!(
            command("@cop-bot merge into `group/rust`."),
            Some(Command::MergeInto(path.clone()))
        );
        assert_eq!(
            command("@cop-bot Merge Into https://gitlab.example.com/group/rust"),
            Some(Command::MergeInto(path))
        );
        assert_eq!(
            command("@cop-bot merge group/rust"),
            Some(Command::Misused {
                usage: "merge into <path>"
            })
        );
        assert_eq!(
            command("@cop-bot merge into a/../x"),
            Some(Command::Misused {
                usage: "merge into <path>"
            })
        );
        assert_eq!(
            command("@cop-bot facilitators @a, @b and @A"),
            Some(Command::Facilitators(users(&["a", "b"])))
        );
        assert_eq!(
            command("@cop-bot facilitators a"),
            Some(Command::Misused {
                usage: "facilitators @a @b"
            })
        );
        assert_eq!(command("@cop-bot"), Some(Command::Help));
        assert_eq!(
            command("@cop-bot please"),
            Some(Command::Unknown {
                word: Untrusted::new("please")
            })
        );
        for (word, expected) in [
            ("recheck", Command::Recheck),
            ("help", Command::Help),
            ("join", Command::Join),
            ("leave", Command::Leave),
            ("pause", Command::Pause),
            ("resume", Command::Resume),
            ("retire", Command::Retire),
        ] {
            assert_eq!(command(&format!("@cop-bot {word}")), Some(expected));
        }
    }
}
