//! The token's end, told in time.

use jiff::civil::Date;

use crate::doctor::TokenSeen;
use crate::escape::{Markdown, Title};
use crate::plan::notice::Notice;
use crate::untrusted::Untrusted;

/// Days before the end at which the notice says something new, with its words.
const STAGES: [(i32, &str); 4] = [
    (0, "It has ended: nothing can be read or written any more."),
    (1, "That is a day or less from now."),
    (7, "That is a week or less from now."),
    (30, "That is a month or less from now."),
];

/// What is to be said of the token's end, if anything.
pub(super) fn notice(token: Option<&TokenSeen>, today: Date) -> Option<Notice> {
    let end = token?.expires_at?;
    let days = (end - today).get_days();
    let (_, words) = STAGES.into_iter().find(|(limit, _)| days <= *limit)?;
    // The text changes only with the stage, so that people are told three times and not every day.
    let text = Markdown::new()
        .words("The bot's access token ends on ")
        .code(&Untrusted::new(end.to_string()))
        .words(", at the beginning of the day (UTC). ")
        .words(words)
        .words(
            "\n\nAn operator mends this: `convenor rotate` makes a new token and writes it to `gitlab.token_file`; a token that \
             comes from the environment is replaced there by hand. After the end only a person can make a new one.\n",
        );
    Some(Notice {
        title: Title::new().words("The bot's access token ends soon"),
        text,
        confidential: true,
    })
}
