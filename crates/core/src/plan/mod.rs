//! From what was observed to the steps that are due.
