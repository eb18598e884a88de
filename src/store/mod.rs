//! Deliveries, work and the journal on disk.
