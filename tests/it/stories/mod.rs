//! Stories: the program through its doors, on a GitLab over loopback. No story sleeps; the clock is moved instead.

mod approvals;
mod binary;
mod browsing;
mod charters;
mod crashes;
mod doubts;
mod handbook;
mod hostile;
mod main_job;
mod names;
mod real;
mod rendered;
mod town;
