//! Messages for a chat (Slack's `mrkdwn`; others show it as plain text).

use serde::Serialize;
use url::Url;

use super::{clean, inline};
use crate::slug::Slug;
use crate::untrusted::Untrusted;

/// One piece of people's text in a message, in characters.
const MAX_PIECE: usize = 500;

/// A chat message, put together piece by piece. People's text in it calls nobody: `<!channel>` and its kin need a `<` of ours, and
/// `@here` is broken for chats that read it in text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct ChatText(String);

impl ChatText {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Our own words in `mrkdwn`.
    #[must_use]
    pub fn words(mut self, words: &'static str) -> Self {
        self.0.push_str(words);
        self
    }

    /// People's text on one line.
    #[must_use]
    pub fn inline(mut self, text: &Untrusted) -> Self {
        if self.0.ends_with(inline::reaches_on) {
            self.0.push(inline::BREAK);
        }
        self.0.push_str(&plain(text));
        self
    }

    /// A number.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.0.push_str(&number.to_string());
        self
    }

    /// A community's slug.
    #[must_use]
    pub fn slug(mut self, slug: &Slug) -> Self {
        self.0.push_str(slug.as_str());
        self
    }

    /// Our own words as a link; an address that is neither https nor http leaves the words alone.
    #[must_use]
    pub fn link_words(mut self, words: &'static str, url: &Url) -> Self {
        self.push_link(words, url);
        self
    }

    /// People's text as a link to an address that we or GitLab made.
    #[must_use]
    pub fn link(mut self, text: &Untrusted, url: &Url) -> Self {
        self.push_link(&plain(text).replace('|', "¦"), url);
        self
    }

    /// The message, for the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn push_link(&mut self, label: &str, url: &Url) {
        match inline::destination(url) {
            Some(to) => self.0.push_str(&format!("<{}|{label}>", to.replace('&', "&amp;"))),
            None => self.0.push_str(label),
        }
    }
}

/// Slack's three characters as entities, after the breaks: entities themselves must stay whole.
fn plain(text: &Untrusted) -> String {
    let line = inline::neutral(&clean::cut(&clean::one_line(text.expose()), MAX_PIECE));
    line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_call_nobody_in_a_chat() {
        let check = |text: &str, expected: &str| {
            let message = ChatText::new().inline(&Untrusted::new(text));
            assert_eq!(message.as_str().replace(inline::BREAK, ""), expected, "{text}");
            assert!(
                !message.as_str().contains("@h") && !message.as_str().contains(['<', '>']),
                "{message:?}"
            );
        };
        check("<!channel> & @here", "&lt;!channel&gt; &amp; @here");
        check(
            "<@U123>\n<https://evil.example|click>",
            "&lt;@U123&gt; &lt;https://evil.example|click&gt;",
        );
    }

    #[test]
    fn a_link_in_a_chat_ends_where_it_ends() {
        let url = Url::parse("https://gitlab.example.com/a?b=1&c=|>").unwrap();
        let message = ChatText::new().words("See ").link(&Untrusted::new("a|b> c"), &url);
        assert_eq!(
            message.as_str().replace(inline::BREAK, ""),
            "See <https://gitlab.example.com/a?b=1&amp;c=%7C%3E|a¦b&gt; c>"
        );
        let script = Url::parse("javascript:x").unwrap();
        assert_eq!(ChatText::new().link_words("here", &script).as_str(), "here");
    }
}
