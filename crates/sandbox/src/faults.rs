//! Faults as data: which calls, how often, and what goes wrong. The same seed and the same calls give the same faults.

use crate::World;
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing happens; the answer is this status (an HTML page for 5xx, as proxies send it).
    Status(u16),
    /// Nothing happens; the connection closes without an answer.
    Disconnect,
    /// The call has its effect; the connection closes without an answer.
    LoseAnswer,
    /// The call has its effect; the answer is this status instead.
    LoseAnswerWith(u16),
    /// The call has its effect; the answer breaks off in the middle.
    CutAnswer,
    /// Milliseconds before the call has its effect.
    SlowBefore(u64),
    /// Milliseconds after the effect, before the answer.
    SlowAfter(u64),
    /// 429 of the outer limiter: the plain text `Retry later` and this `Retry-After` in seconds.
    RetryLater(u64),
    /// 429 of the application limiter: JSON, no `Retry-After`.
    TooManyRequests,
    /// A sign-in page with status 200 instead of JSON.
    Html,
    /// A list with only so many of its items; headers as if it were whole.
    ShortPage(usize),
    /// The thing cannot be seen: 404.
    NotFound,
    /// Seen but not allowed: 403.
    Forbidden,
    /// 401 as for a revoked token.
    RevokedToken,
    /// A read gives the answer that the same read gave last time.
    Stale,
    /// A person does something before the call has its effect.
    Before(Act),
    /// A person does something after the effect, before the answer.
    After(Act),
}

/// Something that a person does between two steps of somebody else.
#[derive(Clone)]
pub struct Act(Arc<dyn Fn(&World) + Send + Sync>);

impl Act {
    /// Any code over the world.
    pub fn new(act: impl Fn(&World) + Send + Sync + 'static) -> Self {
        Self(Arc::new(act))
    }

    pub(crate) fn run(&self, world: &World) {
        (self.0)(world);
    }
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Act")
    }
}

impl PartialEq for Act {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Act {}

/// An act as data: one API call in a person's name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ActData {
    #[serde(rename = "as")]
    person: String,
    method: String,
    path: String,
    #[serde(default)]
    body: Value,
}

impl<'de> Deserialize<'de> for Act {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let data = ActData::deserialize(deserializer)?;
        Ok(Self::new(move |world| {
            // A person's step that GitLab refuses is no fault of the test's set-up: the log shows it.
            if let Ok(person) = world.person(&data.person) {
                let _ = person.api(&data.method, &data.path, data.body.clone());
            }
        }))
    }
}

/// A rule: which calls it is for, and what happens to them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub effect: Effect,
    /// Only this method.
    #[serde(default)]
    method: Option<String>,
    /// Only calls that may change something.
    #[serde(default)]
    writes: bool,
    /// Only paths in which this is found; the path is below `/api/v4`, decoded.
    #[serde(default)]
    path: Option<Pattern>,
    /// Only calls of this user.
    #[serde(default)]
    user: Option<String>,
    /// Lets the first ones through.
    #[serde(default)]
    skip: usize,
    /// How often at most; without it, always.
    #[serde(default)]
    times: Option<usize>,
    /// Chance for each call, between 0 and 1.
    #[serde(default = "certain")]
    chance: f64,
}

fn certain() -> f64 {
    1.0
}

#[derive(Debug, Clone)]
struct Pattern(Regex);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Regex::new(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

impl Fault {
    /// A rule for every call.
    #[must_use]
    pub fn new(effect: Effect) -> Self {
        Self {
            effect,
            method: None,
            writes: false,
            path: None,
            user: None,
            skip: 0,
            times: None,
            chance: 1.0,
        }
    }

    /// Only this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_uppercase());
        self
    }

    /// Only calls that may change something (everything but GET and HEAD).
    #[must_use]
    pub fn writes(mut self) -> Self {
        self.writes = true;
        self
    }

    /// Only paths in which this regular expression is found, such as `/notes$`.
    ///
    /// # Errors
    /// The expression is not valid.
    pub fn path(mut self, pattern: &str) -> Result<Self, regex::Error> {
        self.path = Some(Pattern(Regex::new(pattern)?));
        Ok(self)
    }

    /// Only calls of this user.
    #[must_use]
    pub fn user(mut self, username: &str) -> Self {
        self.user = Some(username.to_owned());
        self
    }

    /// Lets so many matching calls through first.
    #[must_use]
    pub fn skip(mut self, calls: usize) -> Self {
        self.skip = calls;
        self
    }

    /// Happens so often at most.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }

    /// Happens once.
    #[must_use]
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// Happens with this chance (0 to 1), drawn from the sandbox's seed.
    #[must_use]
    pub fn chance(mut self, chance: f64) -> Self {
        self.chance = chance;
        self
    }

    fn matches(&self, call: &Candidate<'_>) -> bool {
        let path = self
            .path
            .as_ref()
            .is_none_or(|p| p.0.is_match(call.path) || p.0.is_match(call.raw_path));
        path && self.method.as_deref().is_none_or(|m| m == call.method)
            && (!self.writes || call.writes)
            && self.user.as_deref().is_none_or(|u| Some(u) == call.user)
    }
}

/// A call that looks for its faults.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) raw_path: &'a str,
    pub(crate) user: Option<&'a str>,
    pub(crate) writes: bool,
}

/// The rules in force, with what they have done so far.
#[derive(Debug)]
pub(crate) struct Faults {
    rules: Vec<Rule>,
    random: fastrand::Rng,
}

#[derive(Debug)]
struct Rule {
    fault: Fault,
    seen: usize,
    done: usize,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rules: Vec::new(),
            random: fastrand::Rng::with_seed(seed),
        }
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        self.rules.push(Rule {
            fault,
            seen: 0,
            done: 0,
        });
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// Whether a rule wants answers to be remembered for later.
    pub(crate) fn want_memory(&self) -> bool {
        self.rules.iter().any(|r| r.fault.effect == Effect::Stale)
    }

    /// What happens to this call: every rule that matches, in the order they were added.
    pub(crate) fn strike(&mut self, call: Candidate<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for rule in &mut self.rules {
            if !rule.fault.matches(&call) {
                continue;
            }
            rule.seen += 1;
            let spent = rule.fault.times.is_some_and(|times| rule.done >= times);
            if rule.seen <= rule.fault.skip || spent || self.random.f64() >= rule.fault.chance {
                continue;
            }
            rule.done += 1;
            effects.push(rule.fault.effect.clone());
        }
        effects
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(faults: &mut Faults, method: &str, path: &str) -> bool {
        !faults
            .strike(Candidate {
                method,
                path,
                raw_path: path,
                user: Some("bot"),
                writes: method != "GET",
            })
            .is_empty()
    }

    #[test]
    fn a_rule_lets_the_first_ones_through_and_stops_when_spent() {
        let mut faults = Faults::new(1);
        faults.add(Fault::new(Effect::LoseAnswer).writes().skip(1).once());
        let hits: Vec<bool> = (0..4).map(|_| struck(&mut faults, "POST", "/projects")).collect();
        assert_eq!(hits, [false, true, false, false]);
        assert!(!struck(&mut faults, "GET", "/projects"));
    }

    #[test]
    fn chances_are_the_same_for_the_same_seed() {
        let run = |seed| {
            let mut faults = Faults::new(seed);
            faults.add(Fault::new(Effect::Disconnect).chance(0.5));
            (0..50).map(|_| struck(&mut faults, "GET", "/user")).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }

    #[test]
    fn rules_can_be_written_as_data() {
        let fault: Fault =
            serde_json::from_str(r#"{"effect": {"status": 502}, "path": "/notes$", "times": 2}"#).unwrap();
        let mut faults = Faults::new(1);
        faults.add(fault);
        assert!(!struck(&mut faults, "GET", "/user"));
        assert!(struck(&mut faults, "GET", "/projects/g/p/issues/1/notes"));
    }
}
