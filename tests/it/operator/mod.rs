//! An operator's day: the program as its operator uses it, by its commands, on a GitLab over loopback.

mod adopting;
mod examining;
mod office;
mod recording;
mod rotating;
mod setting_up;
