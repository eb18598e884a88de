//! Stories: the program through its doors, on a GitLab over loopback. No story sleeps; the clock is moved instead.

mod approvals;
mod batch;
mod binary;
mod brakes;
mod browsing;
mod burst;
mod canary;
mod charters;
mod crashes;
mod doubts;
mod handbook;
mod hostile;
mod lifeline;
mod limits;
mod main_job;
mod manners;
mod names;
mod pages;
mod provisioning;
mod real;
mod rendered;
mod repair;
mod replicas;
mod resyncing;
#[path = "../security/mod.rs"]
mod security;
mod town;
mod traced;
mod trouble;
