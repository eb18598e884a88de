//! The webhook door: check, store, answer.
