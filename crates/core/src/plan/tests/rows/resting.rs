//! What a resync has to look at: whatever a plan was made from may change, and then its community is due; nothing else is.

use jiff::SignedDuration;

use super::*;
use crate::plan::resync::{Charter, Known, Overview, PageFacts, ProjectGlance, Rest, person, rules};

/// A community that is listed, what is known of it, and what is read of all at once.
struct Resync {
    world: World,
    known: Known,
    now: Overview,
}

fn resync() -> Resync {
    let mut world = World::new();
    world.seen.marks = Marks {
        charter: Charter::Blob(Some("b10b".to_owned())),
        active: Some(Timestamp::UNIX_EPOCH),
    };
    world.settle();
    world.merge();
    world.seen.listings[0].place = PlaceSeen::default();
    let plan = plan(&world.program, &world.seen);
    assert_eq!(plan.report, [Remark::UpToDate]);
    let known = Known {
        project: ProjectId(77),
        rest: plan.rest,
        looked_at: Some(Timestamp::UNIX_EPOCH + SignedDuration::from_hours(3)),
    };
    let now = overview(&world);
    Resync { world, known, now }
}

fn glance(world: &World) -> ProjectGlance {
    let project = &world.seen.project;
    ProjectGlance {
        id: project.id,
        name: project.name.clone(),
        full_path: project.full_path.clone(),
        web_url: Some(project.web_url.clone()),
        visibility: project.visibility,
        archived: project.archived,
        charter: world.seen.marks.charter.clone(),
        active: None,
    }
}

fn overview(world: &World) -> Overview {
    let people = world.seen.people.iter();
    let page = PageFacts::read(&world.program.handbooks[0], &world.seen.listings[0].page);
    Overview {
        rules: rules(&world.program, world.seen.bot.id),
        group: "cops".to_owned(),
        apart: [ProjectId(30)].into(),
        projects: [(ProjectId(77), glance(world))].into(),
        people: Some(people.map(|(name, state)| (name.key(), person(state))).collect()),
        pages: vec![page],
        count: Some(1),
    }
}

impl Resync {
    fn project(&mut self) -> &mut ProjectGlance {
        self.now.projects.get_mut(&ProjectId(77)).unwrap()
    }

    fn is_due(&self) -> bool {
        !self.now.due([&self.known]).is_empty()
    }

    /// The page on its target branch becomes this.
    fn page(&mut self, change: impl FnOnce(&str) -> String) {
        let page = String::from_utf8(self.world.page().bytes.clone()).unwrap();
        self.world.page_becomes(&change(&page));
        self.now = overview(&self.world);
    }
}

#[track_caller]
fn check(expected: bool, change: impl FnOnce(&mut Resync)) {
    let mut resync = resync();
    assert!(!resync.is_due(), "it is due before anything changed");
    change(&mut resync);
    assert_eq!(resync.is_due(), expected);
}

#[test]
fn a_community_is_at_rest_only_when_nothing_is_on_its_way() {
    let mut world = World::new();
    world.seen.marks.charter = Charter::Blob(Some("b10b".to_owned()));
    assert_eq!(plan(&world.program, &world.seen).rest, None, "its row is due");
    world.settle();
    let waiting = plan(&world.program, &world.seen);
    assert_eq!(
        (waiting.is_empty(), waiting.rest),
        (true, None),
        "its merge request is open"
    );
    world.merge();
    assert!(plan(&world.program, &world.seen).rest.is_some());
    world.seen.marks.charter = Charter::Untold;
    assert_eq!(
        plan(&world.program, &world.seen).rest,
        None,
        "the charter cannot be compared later"
    );
}

#[test]
fn whatever_a_plan_was_made_from_makes_it_due() {
    check(true, |it| it.project().name = Untrusted::new("Rust, renamed"));
    check(true, |it| it.project().full_path = "cops/rust".to_owned());
    check(true, |it| it.project().visibility = Visibility::Private);
    check(true, |it| it.project().archived = true);
    check(true, |it| {
        it.project().charter = Charter::Blob(Some("other".to_owned()));
    });
    check(true, |it| it.project().charter = Charter::Blob(None));
    check(true, |it| it.known.rest = None);
    check(true, |it| {
        let people = it.now.people.as_mut().unwrap();
        people.insert("brianwald".to_owned(), person(&PersonState::Blocked));
    });
    check(true, |it| {
        it.world.program.handbooks[0].list_private = true;
        it.now = overview(&it.world);
    });
    check(true, |it| it.now.rules = rules(&it.world.program, SOMEBODY));
    check(true, |it| {
        it.world.seen.listings[0].page.visibility = Visibility::Internal;
        it.now = overview(&it.world);
    });
    check(true, |it| {
        it.page(|page| page.replace("| Subject |", "| Subject Focus |"));
    });
    check(true, |it| {
        it.page(|page| page.replace("[Rust at Work](", "[Rust, at work]("));
    });
    check(true, |it| {
        it.page(|page| {
            let lines = page.split_inclusive('\n').filter(|line| !line.contains("rust-at-work"));
            lines.collect()
        });
    });
    check(true, |it| it.page(|page| page.replace("| Zen |", "| Rust at Work |")));
}

#[test]
fn what_is_none_of_its_business_does_not() {
    check(false, |it| it.page(|page| page.replace("@zoe", "@yves")));
    check(false, |it| {
        it.page(|page| format!("Welcome!\r\n\r\n{page}\r\nMore.\r\n"));
    });
    check(false, |it| it.page(|page| page.replace("| Agile | @bob |\r\n", "")));
    check(false, |it| it.project().active = Some(Timestamp::MAX));
    // A page that cannot be read now is told of elsewhere; what changed meanwhile is seen when it is mended.
    check(false, |it| it.page(|_| "# No table\n".to_owned()));
}

#[test]
fn what_is_missing_proves_nothing_and_is_looked_at() {
    check(true, |it| it.now.projects.clear());
    check(true, |it| it.now.people.as_mut().unwrap().clear());
    check(true, |it| it.project().charter = Charter::Untold);
    check(true, |it| it.project().web_url = None);
    check(true, |it| it.now.pages.clear());
}

#[test]
fn where_charters_are_not_told_activity_stands_for_them_once_it_cannot_hide_any() {
    let by_list = |it: &mut Resync| {
        it.project().charter = Charter::Untold;
        it.project().active = Some(Timestamp::UNIX_EPOCH);
        it.now.people = None;
    };
    check(false, by_list);
    check(true, |it| {
        by_list(it);
        it.project().active = Some(Timestamp::UNIX_EPOCH + SignedDuration::from_mins(90));
    });
    check(true, |it| {
        by_list(it);
        it.known.looked_at = Some(Timestamp::UNIX_EPOCH + SignedDuration::from_mins(50));
    });
}

#[test]
fn what_is_over_is_due_only_when_it_is_in_the_group_again() {
    let over = |it: &mut Resync| it.known.rest = Some(Rest::Over);
    check(true, over);
    check(false, |it| {
        over(it);
        it.now.projects.clear();
    });
    check(false, |it| {
        over(it);
        it.project().full_path = "elsewhere/rust-at-work".to_owned();
    });
}

#[test]
fn a_project_that_nobody_knew_is_due_unless_it_is_the_programs_own() {
    let Resync { known, mut now, world } = resync();
    for id in [30, 78] {
        let project = ProjectGlance {
            id: ProjectId(id),
            ..glance(&world)
        };
        now.projects.insert(project.id, project);
    }
    assert_eq!(now.due([&known]), [ProjectId(78)].into());
}

#[test]
fn the_group_is_known_whole_only_when_as_many_were_read_as_it_has() {
    let Resync { mut now, .. } = resync();
    assert!(now.is_whole());
    now.count = Some(2);
    assert!(!now.is_whole(), "a new project");
    now.count = None;
    assert!(!now.is_whole(), "GitLab did not tell");
    now.count = Some(1);
    for (path, expected) in [("COPS/rust", true), ("cops/deeper/rust", true), ("copse/rust", false)] {
        path.clone_into(&mut now.projects.get_mut(&ProjectId(77)).unwrap().full_path);
        assert_eq!(now.is_whole(), expected, "{path}");
    }
}

#[test]
fn a_rest_is_read_back_as_it_was_stored_and_what_is_not_understood_is_none() {
    let Resync { known, .. } = resync();
    for rest in [known.rest.unwrap(), Rest::Over] {
        assert_eq!(Rest::from_text(&rest.to_text()), Some(rest));
    }
    for text in ["", "{}", "\"of another version\"", "{\"community\":{}}"] {
        assert_eq!(Rest::from_text(text), None, "{text}");
    }
}

#[test]
fn names_to_ask_for_are_those_of_the_last_plan() {
    let Resync { known, .. } = resync();
    assert_eq!(known.people().collect::<Vec<_>>(), ["brianwald", "darwinjs"]);
    let unknown = Known { rest: None, ..known };
    assert_eq!(unknown.people().count(), 0);
}
