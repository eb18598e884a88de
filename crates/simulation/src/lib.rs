//! Convenor, a GitLab, people and everything that can go wrong, in one thread and driven by one seed.
//!
//! One run is a [`Schedule`]: a story that people tell, replicas that look after it, and faults at calls, commits and
//! deliveries. Nothing in it is real but the program itself: time moves when everybody waits, GitLab is the sandbox without
//! a socket, the store is tables in memory that outlive a crash. The same schedule gives the same run, to the millisecond.
//!
//! Rules that must hold after every write of ours are in [`rules`], what must be there in the end in [`outcome`]: a run with
//! faults has to end as the run without.

mod branches;
mod exhaustive;
mod faults;
mod gate;
mod outcome;
mod people;
mod post;
mod replica;
mod rules;
mod run;
mod sim;
mod stories;
mod town;
mod wire;
mod words;

pub use exhaustive::{Single, Strides, singles};
pub use faults::{CallFault, CommitFault, DeliveryFault, Faults, Point};
pub use run::{Report, Schedule, run};
pub use stories::Story;
