//! Carrying out the steps of a plan, one at a time, journalled.
