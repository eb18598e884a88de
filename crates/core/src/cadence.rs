//! When a community meets: reading a cadence, finding the next date.
