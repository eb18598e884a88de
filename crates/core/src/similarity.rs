//! Which existing communities look like a proposed one.
