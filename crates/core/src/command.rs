//! Commands to the bot in comments.
