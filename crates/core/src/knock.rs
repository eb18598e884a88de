//! What a webhook tells us to look at; nothing more of it is believed.
