//! handbook.
