//! Stories: the program through its doors, on a GitLab over loopback. No story sleeps; the clock is moved instead.

mod browsing;
mod crashes;
mod doubts;
mod handbook;
mod hostile;
mod main_job;
mod town;
