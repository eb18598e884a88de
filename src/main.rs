//! The `convenor` program.

fn main() {}
