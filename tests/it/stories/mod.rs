//! Stories: the program through its doors, on a GitLab over loopback. No story sleeps; the clock is moved instead.

mod approvals;
mod batch;
mod binary;
mod browsing;
mod charters;
mod crashes;
mod doubts;
mod handbook;
mod hostile;
mod limits;
mod main_job;
mod manners;
mod names;
mod pages;
mod rendered;
mod repair;
mod town;
mod trouble;
