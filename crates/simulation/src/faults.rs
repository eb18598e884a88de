//! What can go wrong, and when it does.

use std::fmt;

/// What goes wrong with one call of GitLab's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallFault {
    /// No connection: nothing is sent.
    NotConnected,
    /// 503 of a proxy before GitLab hears of it.
    Unavailable,
    /// GitLab does it; the answer is lost.
    LostAnswer,
    /// GitLab does it; a proxy answers 502.
    BadGateway,
    /// GitLab does it; half of the answer arrives.
    CutAnswer,
    /// The caller's time is up; GitLab does it later.
    Late,
    /// A read gives what it gave last time.
    Stale,
    /// A list lacks its second half.
    Short,
    /// 429 with `Retry-After`.
    RetryLater,
    /// 429 without.
    TooMany,
    /// 403: rights are lost for a moment.
    Forbidden,
    /// 404, as GitLab says to who may not see.
    NotFound,
    /// 401: the token does not count for a moment.
    Unauthorized,
    /// A sign-in page with status 200, before GitLab hears of it.
    Html,
    /// The process ends before anything is sent.
    CrashBefore,
    /// GitLab does it; the process ends before it hears of it.
    CrashAfter,
    /// The process stands still for longer than its lease, then goes on as if nothing had been.
    Freeze,
}

impl CallFault {
    /// Every kind.
    pub const ALL: [Self; 17] = [
        Self::NotConnected,
        Self::Unavailable,
        Self::LostAnswer,
        Self::BadGateway,
        Self::CutAnswer,
        Self::Late,
        Self::Stale,
        Self::Short,
        Self::RetryLater,
        Self::TooMany,
        Self::Forbidden,
        Self::NotFound,
        Self::Unauthorized,
        Self::Html,
        Self::CrashBefore,
        Self::CrashAfter,
        Self::Freeze,
    ];

    /// Whether it can happen to a read, or to a write.
    #[must_use]
    pub fn can_happen(self, is_write: bool) -> bool {
        match self {
            Self::Stale | Self::Short => !is_write,
            Self::Late | Self::BadGateway => is_write,
            _ => true,
        }
    }
}

/// What goes wrong with one commit of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitFault {
    /// The process ends; nothing is stored.
    CrashBefore,
    /// It is stored; the process ends before it knows.
    CrashAfter,
    /// The database is busy or full; nothing is stored.
    Refused,
    /// It is stored; the connection breaks before the answer.
    LostAnswer,
    /// The process stands still before it.
    Freeze,
}

impl CommitFault {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::CrashBefore,
        Self::CrashAfter,
        Self::Refused,
        Self::LostAnswer,
        Self::Freeze,
    ];
}

/// What goes wrong with one webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryFault {
    /// It never comes.
    Lost,
    /// It comes twice.
    Doubled,
    /// It comes late, after those that were sent after it.
    Delayed,
}

impl DeliveryFault {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Lost, Self::Doubled, Self::Delayed];
}

/// A moment of a run, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// A call, and what goes wrong with it.
    Call(u64, CallFault),
    /// A commit, and what goes wrong with it.
    Commit(u64, CommitFault),
    /// A delivery, and what goes wrong with it.
    Delivery(u64, DeliveryFault),
    /// No moment but all of it: each commit takes so many milliseconds.
    SlowCommits(u64),
}

impl Point {
    /// Whether it says more when somebody else takes over meanwhile.
    pub(crate) fn needs_another(self) -> bool {
        matches!(
            self,
            Self::Call(_, CallFault::Freeze) | Self::Commit(_, CommitFault::Freeze)
        )
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(number, fault) => write!(f, "call {number}: {fault:?}"),
            Self::Commit(number, fault) => write!(f, "commit {number}: {fault:?}"),
            Self::Delivery(number, fault) => write!(f, "delivery {number}: {fault:?}"),
            Self::SlowCommits(milliseconds) => write!(f, "commits: {milliseconds} ms"),
        }
    }
}

/// Which faults a run has.
#[derive(Clone, Debug, PartialEq)]
pub enum Faults {
    /// None.
    None,
    /// These and no other.
    At(Vec<Point>),
    /// By chance, as often as the weather says.
    Weather(Weather),
}

/// How often things go wrong, each as a chance between 0 and 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Weather {
    /// Of each call.
    pub calls: f64,
    /// Of each commit.
    pub commits: f64,
    /// Of each delivery.
    pub deliveries: f64,
    /// The kinds that happen to calls.
    pub kinds: Vec<CallFault>,
    /// Milliseconds that a commit may take: with a slow database a process learns late that its lease is gone.
    pub commit_time: u64,
}

impl Weather {
    /// A weather of its own for each seed: some are calm, some have one kind of fault only, some are storms.
    #[must_use]
    pub fn draw(rng: &mut fastrand::Rng) -> Self {
        let chance = |rng: &mut fastrand::Rng| [0.0, 0.002, 0.01, 0.03, 0.1][rng.usize(0..5)];
        let mut kinds = CallFault::ALL.to_vec();
        if rng.bool() {
            rng.shuffle(&mut kinds);
            kinds.truncate(rng.usize(1..=4));
        }
        Self {
            calls: chance(rng),
            commits: chance(rng),
            deliveries: [0.0, 0.1, 0.5, 1.0][rng.usize(0..4)],
            kinds,
            commit_time: [2, 2, 200, 3_000][rng.usize(0..4)],
        }
    }
}

impl Faults {
    /// What goes wrong with this call.
    pub(crate) fn call(&self, number: u64, is_write: bool, rng: &mut fastrand::Rng) -> Option<CallFault> {
        match self {
            Self::None => None,
            Self::At(points) => points.iter().find_map(|point| match point {
                Point::Call(at, fault) if *at == number => Some(*fault),
                _ => None,
            }),
            Self::Weather(weather) => {
                let fault = (rng.f64() < weather.calls).then(|| weather.kinds[rng.usize(0..weather.kinds.len())]);
                fault.filter(|fault| fault.can_happen(is_write))
            }
        }
    }

    /// The longest time that a commit takes, in milliseconds.
    pub(crate) fn commit_time(&self) -> u64 {
        match self {
            Self::Weather(weather) => weather.commit_time,
            Self::At(points) => {
                let slow = points.iter().find_map(|point| match point {
                    // Without lots a quarter of the longest time passes.
                    Point::SlowCommits(milliseconds) => Some(milliseconds * 4),
                    _ => None,
                });
                slow.unwrap_or(2)
            }
            Self::None => 2,
        }
    }

    /// What goes wrong with this commit.
    pub(crate) fn commit(&self, number: u64, rng: &mut fastrand::Rng) -> Option<CommitFault> {
        match self {
            Self::None => None,
            Self::At(points) => points.iter().find_map(|point| match point {
                Point::Commit(at, fault) if *at == number => Some(*fault),
                _ => None,
            }),
            Self::Weather(weather) => (rng.f64() < weather.commits).then(|| CommitFault::ALL[rng.usize(0..5)]),
        }
    }

    /// What goes wrong with this delivery.
    pub(crate) fn delivery(&self, number: u64, rng: &mut fastrand::Rng) -> Option<DeliveryFault> {
        match self {
            Self::None => None,
            Self::At(points) => points.iter().find_map(|point| match point {
                Point::Delivery(at, fault) if *at == number => Some(*fault),
                _ => None,
            }),
            Self::Weather(weather) => (rng.f64() < weather.deliveries).then(|| DeliveryFault::ALL[rng.usize(0..3)]),
        }
    }
}
