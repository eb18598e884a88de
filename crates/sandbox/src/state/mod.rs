//! Everything the fake GitLab remembers, and the changes it allows. Each kind of thing has its own file; a change checks
//! rights, keeps the rules, writes the trail (system notes, events) and queues webhooks. No HTTP here.

pub(crate) mod awards;
pub(crate) mod boards;
pub(crate) mod branches;
pub(crate) mod changes;
pub(crate) mod commits;
pub(crate) mod events;
pub(crate) mod following;
pub(crate) mod groups;
pub(crate) mod happenings;
pub(crate) mod issues;
pub(crate) mod labels;
pub(crate) mod links;
pub(crate) mod markdown;
pub(crate) mod members;
pub(crate) mod merge_requests;
pub(crate) mod merging;
pub(crate) mod names;
pub(crate) mod notes;
pub(crate) mod projects;
pub(crate) mod pushes;
pub(crate) mod quick_actions;
pub(crate) mod requests;
pub(crate) mod rights;
pub(crate) mod tokens;
pub(crate) mod trail;
pub(crate) mod users;

use crate::Config;
use crate::hooks::{Hook, HookLog};
use crate::limits::Limits;
use groups::Group;
use happenings::Happenings;
use jiff::Timestamp;
use labels::Label;
use projects::Project;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tokens::Token;
use users::User;

/// What a full path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    User(u64),
    Group(u64),
    Project(u64),
}

/// The whole instance.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) url: String,
    pub(crate) users: BTreeMap<u64, User>,
    pub(crate) tokens: HashMap<String, Token>,
    pub(crate) groups: BTreeMap<u64, Group>,
    pub(crate) projects: BTreeMap<u64, Project>,
    pub(crate) labels: BTreeMap<u64, Label>,
    pub(crate) system_hooks: Vec<Hook>,
    pub(crate) hook_log: HookLog,
    pub(crate) happenings: Happenings,
    pub(crate) limits: Limits,
    pub(crate) awards: BTreeMap<awards::Awarded, Vec<awards::Award>>,
    pub(crate) events: Vec<events::Happened>,
    pub(crate) waiting: requests::Waiting,
    pub(crate) random: fastrand::Rng,
    places: HashMap<String, Place>,
    redirects: HashMap<String, u64>,
    projects_in: HashMap<u64, BTreeSet<u64>>,
    /// Names in lower case by namespace, because they are unique there.
    project_names: HashMap<(u64, String), u64>,
    next_id: HashMap<&'static str, u64>,
    last_instant: Timestamp,
}

impl State {
    pub(crate) fn new(config: Config, url: String) -> Self {
        let random = fastrand::Rng::with_seed(config.seed);
        let mut state = Self {
            config,
            url,
            users: BTreeMap::new(),
            tokens: HashMap::new(),
            groups: BTreeMap::new(),
            projects: BTreeMap::new(),
            labels: BTreeMap::new(),
            system_hooks: Vec::new(),
            hook_log: HookLog::default(),
            happenings: Happenings::default(),
            limits: Limits::default(),
            awards: BTreeMap::new(),
            events: Vec::new(),
            waiting: requests::Waiting::default(),
            random,
            places: HashMap::new(),
            redirects: HashMap::new(),
            projects_in: HashMap::new(),
            project_names: HashMap::new(),
            next_id: HashMap::new(),
            last_instant: Timestamp::UNIX_EPOCH,
        };
        state.add_root();
        state
    }

    /// The time of a change: never the same twice, so that "newest first" always has an answer.
    pub(crate) fn now(&mut self) -> Timestamp {
        let now = self.config.clock.now();
        let next = self
            .last_instant
            .saturating_add(jiff::SignedDuration::from_millis(1))
            .unwrap_or(now);
        self.last_instant = if now > self.last_instant { now } else { next };
        self.last_instant
    }

    /// The time for comparisons that change nothing.
    pub(crate) fn today(&self) -> Timestamp {
        self.config.clock.now().max(self.last_instant)
    }

    /// The next id of a kind. Kinds start far apart, so that an id used for the wrong kind finds nothing.
    pub(crate) fn id(&mut self, kind: Kind) -> u64 {
        let (name, first) = kind.series();
        let next = self.next_id.entry(name).or_insert(first);
        let id = *next;
        *next += 1;
        id
    }

    /// A random hexadecimal text.
    pub(crate) fn random_hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| self.random.digit(16)).collect()
    }

    /// A random UUID of version 4, reproducible by the seed.
    pub(crate) fn uuid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.random.u128(..).to_be_bytes())
            .into_uuid()
            .to_string()
    }

    /// What a full path names, whatever its case.
    pub(crate) fn place(&self, full_path: &str) -> Option<Place> {
        self.places.get(&full_path.to_lowercase()).copied()
    }

    pub(crate) fn put_place(&mut self, full_path: &str, place: Place) {
        self.places.insert(full_path.to_lowercase(), place);
    }

    pub(crate) fn drop_place(&mut self, full_path: &str) {
        self.places.remove(&full_path.to_lowercase());
    }

    pub(crate) fn put_redirect(&mut self, old_path: &str, project: u64) {
        self.redirects.insert(old_path.to_lowercase(), project);
    }

    /// The project that once had this path, when nothing has it now.
    pub(crate) fn redirect(&self, full_path: &str) -> Option<u64> {
        self.redirects
            .get(&full_path.to_lowercase())
            .copied()
            .filter(|id| self.projects.contains_key(id))
    }

    /// Enters a project into its namespace under its name.
    pub(crate) fn put_project_in(&mut self, namespace: u64, name: &str, project: u64) {
        self.projects_in.entry(namespace).or_default().insert(project);
        self.project_names.insert((namespace, name.to_lowercase()), project);
    }

    pub(crate) fn take_project_out(&mut self, namespace: u64, name: &str, project: u64) {
        if let Some(projects) = self.projects_in.get_mut(&namespace) {
            projects.remove(&project);
        }
        self.project_names.remove(&(namespace, name.to_lowercase()));
    }

    /// The project of a name in a namespace, whatever its case.
    pub(crate) fn project_named(&self, namespace: u64, name: &str) -> Option<u64> {
        self.project_names.get(&(namespace, name.to_lowercase())).copied()
    }

    /// Ids of the projects directly in a namespace, oldest first.
    pub(crate) fn projects_in(&self, namespace: u64) -> impl DoubleEndedIterator<Item = u64> + '_ {
        self.projects_in.get(&namespace).into_iter().flatten().copied()
    }

    pub(crate) fn is_premium(&self) -> bool {
        self.config.tier == crate::Tier::Premium
    }
}

/// Kinds of things that have ids.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    User,
    Namespace,
    Project,
    Label,
    Issue,
    MergeRequest,
    Note,
    Event,
    Board,
    BoardList,
    Hook,
    Delivery,
    Token,
    Member,
    Link,
    Badge,
    ProtectedBranch,
    Award,
    UserEvent,
}

impl Kind {
    fn series(self) -> (&'static str, u64) {
        match self {
            Self::User => ("user", 1),
            Self::Namespace => ("namespace", 501),
            Self::Project => ("project", 2001),
            Self::Label => ("label", 30_001),
            Self::Issue => ("issue", 400_001),
            Self::MergeRequest => ("merge_request", 600_001),
            Self::Note => ("note", 7_000_001),
            Self::Event => ("event", 8_000_001),
            Self::Board => ("board", 90_001),
            Self::BoardList => ("list", 95_001),
            Self::Hook => ("hook", 10_001),
            Self::Delivery => ("delivery", 20_001),
            Self::Token => ("token", 15_001),
            Self::Member => ("member", 17_001),
            Self::Link => ("link", 18_001),
            Self::Badge => ("badge", 19_001),
            Self::ProtectedBranch => ("protected_branch", 19_501),
            Self::Award => ("award", 50_001),
            Self::UserEvent => ("user_event", 9_000_001),
        }
    }
}
