//! Pages for people who click through.

use crate::http::Answer;
use crate::server::Incomings;
use crate::world::World;

/// Answers everything that is not the API.
pub(crate) fn answer(_world: &World, _call: &Incomings) -> Answer {
    Answer::html(404, "<!DOCTYPE html><title>404</title><h1>404</h1>".to_owned())
}
