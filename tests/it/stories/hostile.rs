//! Proposals that were written to make the bot do something, hurt a page or call somebody: each is refused with findings or
//! becomes a community, and nothing else happens.

use std::collections::BTreeSet;

use convenor_core::charter::{self, FullPath, IssueReference};
use convenor_core::ids::IssueIid;
use convenor_core::plan::wanted::charter_of;
use convenor_core::proposal;
use convenor_core::untrusted::Untrusted;
use gitlab_sandbox::{Act, Config, Effect, Fault, ProjectView, Seed};
use serde_json::json;

use super::rendered::{cells_beside, hurts};
use super::town::{FORM, GROUP, HANDBOOK, INTAKE, PAGE, Town, one_more_line};

/// For every field that takes text. GitLab runs commands that begin a paragraph with the rights of whoever wrote the issue, so
/// these hide where its extractor does not look, and wait for somebody to take them out of there.
const TEXTS: [&str; 18] = [
    "> /close\n\n- /close\n- /merge\n\n1. /approve\n\n```\n/close\n```\n\n    /close\n\n~~~ /close\n/close\n~~~",
    "a\r/close\r\r/merge \u{2028}/close\u{2029}/close \u{200b}/close \u{85}/close \u{b}/close\u{c}/close \u{feff}/close",
    "&#47;close\n&sol;merge\n\\/close\n`/close`\n<b>\n/close\n</b>\n<!--\n/close\n--> /close <br>/close",
    "@all @here @channel @acme/cops @acme @outsider (@outsider) \\@outsider &#64;all &commat;all @\u{200b}all x@outsider @OUTSIDER.",
    "Closes acme/handbook#1, fixes #1 and resolves https://gitlab.example.com/acme/handbook/-/issues/1. acme/handbook!1 &1 %1 ~1 $1",
    "[Closes](#) acme/handbook#1 implements acme/handbook&#35;1 closing: #1",
    "| a | b |\n|---|---|\n| c | d | \\| `|` || |\n\n| | |",
    "{{name}} {{#each facilitators}}{{this}}{{/each}} {{{purpose}}} {{> README}} {{!-- x --}} {{lookup . \"x\"}} \\{{name}}",
    "{{< hugo >}} {{% include \"/etc/passwd\" %}} {% raw %} <%= x %> ${x} #{x} [[_TOC_]] [TOC] ::include{file=/etc/passwd}",
    "<script>alert(1)</script><img src=x onerror=alert(1)><svg/onload=alert(1)><iframe src=//evil.example></iframe><a href=//evil.example>x</a>",
    "![x](https://evil.example/beacon.png) <img src=\"https://evil.example/b.png\"> ![](//evil.example) ![x][y]\n\n[y]: https://evil.example/z.png",
    "[x](https://evil.example) [x](javascript:alert(1)) <https://evil.example> https://evil.example www.evil.example evil@evil.example [a]: b",
    "name: x\n- y\n? z\n: w\n--- \n...\n'a' \"b\" #c &a *a !!str x %YAML @x `x` { a: b } [ c ] | > null ~ yes 0x10 1e3 2026-01-01",
    "# A heading\n\n===\n\n## Links\n\n---\n\n***\n\n<!-- convenor:facts begin. --> <!-- convenor:status {\"made\":true} --> <!-- convenor:facts end -->",
    "\u{202e}txet\u{202c} \u{200f}x\u{200b}y\u{200c}z\u{feff} \u{2066}a\u{2069} \u{1b}[31mred\u{1b}[0m \u{7}\u{8} \u{e0041}tag a\u{301}\u{301}\u{301}",
    "$$\\href{https://evil.example}{x}$$ $`x`$\n```mermaid\nclick a \"https://evil.example\"\n``` :smile: [^1] ~~x~~ ^x^ [x]{.gl} $x$\n\n[^1]: foot",
    ">>>\n/close\n@outsider\n>>>\n\n> [!note]\n> @outsider\n\nterm\n: @outsider",
    "<details><summary>x</summary>\n\n/close\n\n@outsider acme/handbook#1\n\n</details>\n\n<h1>y</h1> <div align=center>z</div>",
];

/// For the name.
const NAMES: [&str; 24] = [
    "Rust /close",
    "/close",
    "@all hands",
    "Care for @acme/cops",
    "A | B | C",
    "{{name}} {{#each x}}",
    "{{< figure src=x >}}",
    "<script>alert(1)</script> Rust",
    "<img src=x onerror=alert(1)>",
    "x](https://evil.example) [y",
    "Closes acme/handbook#1",
    "key: value - x",
    "'single' \"double\" &a *a",
    "- item #comment",
    "\u{202e}evil\u{202c} \u{200b}name",
    "![x](https://evil.example/b.png)",
    "..",
    "null",
    "- 0x10 -",
    "007.1e3",
    "+1 all 🦀",
    "Closes #1 - Rust",
    "Rust.git",
    "`code` *em* _us_ ~s~",
];

/// A form with this in every field that takes text.
fn with_text(name: &str, text: &str) -> String {
    let line = text.lines().next().unwrap();
    let purpose = format!("{line} Share what we learn here and there. {line} Everybody.\n\n{text}\n\nAnd so on.");
    // An entry that links elsewhere is refused, and then the other fields would prove nothing.
    let link = if line.contains(['[', '<', '/', '#']) {
        "Reading"
    } else {
        line
    };
    format!(
        "### Focus topic\n\n{name}\n\n### Facilitators\n\n@darwinjs @brianwald\n\n### Members\n\n@alice @bob\n\n\
         ### Chat channel\n\n#cp_{}\n\n### Links\n\n- [{link}](https://docs.example/a)\n\n### Purpose and scope\n\n{purpose}\n\n\
         ### Who can join\n\n{text}\n\n### Similar communities\n\nText. {text}\n\n{text}\n\n### Something else\n\n{text}\n",
        name.to_lowercase().replace(' ', "_")
    )
}

fn is_ours(reference: &gitlab_sandbox::CrossReference) -> bool {
    reference.to.starts_with(&format!("{INTAKE}#")) || reference.to.starts_with(&format!("{HANDBOOK}!"))
}

/// Nothing that the bot wrote ran, called or closed anything, whatever the proposals said.
fn nothing_was_set_off(town: &Town) {
    let meant = ["darwinjs", "brianwald"];
    nobody_is_called_but(town, &meant);
}

fn nobody_is_called_but(town: &Town, meant: &[&str]) {
    let by_us = |by: &str| by == "convenor-bot";
    let commands: Vec<_> = town
        .gitlab
        .commands()
        .into_iter()
        .filter(|ran| by_us(&ran.by))
        .collect();
    assert_eq!(commands, []);
    for notified in town
        .gitlab
        .notified()
        .into_iter()
        .filter(|notified| by_us(&notified.by))
    {
        let in_community = notified.thing.starts_with(GROUP) && !notified.thing.starts_with(INTAKE);
        assert!(in_community && meant.contains(&notified.user.as_str()), "{notified:?}");
    }
    let references = town
        .gitlab
        .references()
        .into_iter()
        .filter(|reference| by_us(&reference.by));
    let foreign: Vec<_> = references.filter(|reference| !is_ours(reference)).collect();
    assert_eq!(foreign, []);
    assert_eq!(town.gitlab.auto_closed(), []);
    assert_eq!(town.gitlab.violations(), Vec::<String>::new());
}

/// A community whose proposal was hostile says what the proposal said, and nothing else.
fn community_is_sound(town: &Town, project: &ProjectView, iid: u64) {
    let path = &project.path_with_namespace;
    let issue = town.issue(iid);
    let form = proposal::parse(
        &Untrusted::new(issue.title),
        &Untrusted::new(issue.description.unwrap()),
    );
    let form = form.form.unwrap();
    let reference = IssueReference {
        project: FullPath::new(INTAKE).unwrap(),
        iid: IssueIid(iid),
    };
    let charter = town.gitlab.file(path, "main", charter::PATH).unwrap();
    assert_eq!(charter::read(&charter), Ok(charter_of("cp_", &form, Some(reference))));
    assert_eq!(project.name, form.name.as_str());
    for file in town.gitlab.paths(path, "main") {
        let text = town.gitlab.text(path, "main", &file).unwrap();
        if file.ends_with(".md") {
            assert_eq!(hurts(&text, town.gitlab.url()), Vec::<String>::new(), "{file}:\n{text}");
        }
    }
    let commits = town.gitlab.commits(path, "main").unwrap();
    let titles: Vec<_> = commits.iter().map(|commit| commit.title.as_str()).collect();
    assert_eq!(titles, ["Set up the community from its proposal"]);
    for issue in town.gitlab.issues(path).unwrap() {
        assert!(["Kick-off: the first month", "Agenda of the first meeting"].contains(&issue.title.as_str()));
        let text = issue.description.unwrap();
        assert_eq!(hurts(&text, town.gitlab.url()), Vec::<String>::new(), "{text}");
    }
}

/// The one row of a merge request has the right cells for two parsers, and the rest of it is fixed words.
fn row_is_sound(town: &Town, slug: &str) {
    let branch = format!("convenor/{slug}");
    let row = one_more_line(PAGE.as_bytes(), &town.page_bytes(&branch));
    assert_eq!(cells_beside(&row), (2, 2), "{row}");
    let page = town.page(&branch);
    assert_eq!(hurts(&page, town.gitlab.url()), Vec::<String>::new(), "{row}");
    let found = town
        .merge_requests()
        .into_iter()
        .find(|mr| mr.source_branch == branch)
        .unwrap();
    assert_eq!(found.title, format!("docs: add {slug} to the communities of practice"));
    let description = found.description.unwrap();
    assert_eq!(
        hurts(&description, town.gitlab.url()),
        Vec::<String>::new(),
        "{description}"
    );
    for commit in town.gitlab.commits(HANDBOOK, &branch).unwrap().iter().take(1) {
        let lines: Vec<&str> = commit.message.lines().collect();
        assert_eq!(lines[0], found.title);
        assert!(
            lines[1..]
                .iter()
                .all(|line| line.is_empty() || line.starts_with("Convenor-Page: ")),
            "{lines:?}"
        );
    }
}

/// Opens these proposals at once and looks at all that became of them; gives how many became communities.
async fn survives(town: &Town, forms: Vec<String>) -> usize {
    let maintainer = town.gitlab.person("maintainer").unwrap();
    let target = maintainer.open_issue(HANDBOOK, "Stays open", "", &[]).unwrap();
    let issues: Vec<u64> = forms.iter().map(|form| town.opens("proposer", form)).collect();
    town.settle().await;
    town.resync().await;
    nothing_was_set_off(town);
    assert_eq!(town.gitlab.issue(HANDBOOK, target).unwrap().state, "opened");
    let mut made = BTreeSet::new();
    for iid in issues {
        if town.issue(iid).state == "closed" && town.gitlab.notes(INTAKE, iid).unwrap().is_empty() {
            // Its author's own text closed it before anybody looked.
            continue;
        }
        let comment = town.comment(iid);
        assert_eq!(hurts(&comment, town.gitlab.url()), Vec::<String>::new(), "{comment}");
        if town.state(iid) == ["cop::needs-info"] {
            assert!(comment.contains("#### To mend"), "{comment}");
            continue;
        }
        assert_eq!(town.state(iid), ["cop::approved"], "{comment}");
        let projects = town.gitlab.projects(GROUP).unwrap();
        let line = comment
            .lines()
            .find(|line| line.starts_with("- [x] project "))
            .expect(&comment);
        let project = projects
            .iter()
            .find(|project| line.ends_with(&format!("]({})", project.web_url)))
            .unwrap();
        community_is_sound(town, project, iid);
        row_is_sound(town, &project.path);
        assert!(made.insert(project.id), "two proposals, one project");
    }
    assert_eq!(town.gitlab.projects(GROUP).unwrap().len(), made.len() + 1);
    made.len()
}

async fn nosy_town() -> Town {
    // What GitLab's versions do differently is done in the way that hurts most.
    let config = Config {
        at_all_notifies: true,
        ..Config::default()
    };
    Town::with(config, &[]).await
}

#[tokio::test]
async fn hostile_text_in_every_field_does_nothing() {
    let town = nosy_town().await;
    let name = |index| format!("Hostile {}", char::from(b'A' + u8::try_from(index).unwrap()));
    let forms = TEXTS
        .iter()
        .enumerate()
        .map(|(index, text)| with_text(&name(index), text));
    let made = survives(&town, forms.collect()).await;
    assert!(
        made >= TEXTS.len() / 2,
        "only {made} were understood: this proves little"
    );
}

#[tokio::test]
async fn hostile_names_do_nothing() {
    let town = nosy_town().await;
    let made = survives(
        &town,
        NAMES.iter().map(|name| FORM.replace("Rust at Work", name)).collect(),
    )
    .await;
    assert!(made >= 3, "only {made} were understood: this proves little");
}

#[tokio::test]
async fn hostile_display_names_stay_in_their_cell() {
    let town = nosy_town().await;
    let seed = "users:\n\
                - {username: darwinjs, name: \"x | y <b> {{name}}\"}\n\
                - {username: brianwald, name: \"](https://evil.example) [@all](x) <img src=x> /close \\u202e\"}\n\
                - {username: alice, name: \"`|` \\\\| Closes acme/handbook#1\"}\n";
    town.gitlab.sow(&Seed::from_yaml(seed).unwrap()).unwrap();
    // A page that writes people by their names.
    let page = PAGE.replace(
        "| Kubernetes | TBD |",
        "| Kubernetes | [Kim (@kim)](https://gitlab.example.com/kim) |",
    );
    let page = page.replace(
        "| Security | @sam (inactive) |",
        "| Security | [Sam (@sam)](https://gitlab.example.com/sam) |",
    );
    town.page_becomes(&page);
    let maintainer = town.gitlab.person("maintainer").unwrap();
    let target = maintainer.open_issue(HANDBOOK, "Stays open", "", &[]).unwrap();
    assert_eq!(target, 1);
    let iid = town.opens("proposer", &FORM.replace("@brianwald", "@brianwald @alice"));
    town.settle().await;
    let row = one_more_line(page.as_bytes(), &town.page_bytes("convenor/rust-at-work"));
    assert!(row.contains("x \\| y"), "the page shows names: {row}");
    assert_eq!(cells_beside(&row), (2, 2), "{row}");
    let text = format!("{}\n{}", town.page("convenor/rust-at-work"), town.comment(iid));
    assert_eq!(hurts(&text, town.gitlab.url()), Vec::<String>::new(), "{row}");
    // The description shows the line, and GitLab looks for closing words in code too when it is merged.
    assert!(town.merge_request().description.unwrap().contains("acme/handbook#1"));
    town.merges();
    assert_eq!(town.gitlab.issue(HANDBOOK, target).unwrap().state, "opened");
    town.settle().await;
    nobody_is_called_but(&town, &["darwinjs", "brianwald", "alice"]);
    // And it is the row that we want: nothing is done a second time.
    town.gitlab.forget_calls();
    town.resync().await;
    assert!(town.gitlab.writes().is_empty(), "{:?}", town.gitlab.writes());
}

#[tokio::test]
async fn what_gitlab_says_in_an_error_reaches_the_operator_and_no_comment() {
    for effect in [
        Effect::Html,
        Effect::Forbidden,
        Effect::Status(500),
        Effect::Status(422),
    ] {
        let town = nosy_town().await;
        town.gitlab
            .add_fault(Fault::new(effect).method("POST").path("/(boards|graphql)$").unwrap());
        let iid = town.opens("proposer", FORM);
        town.look_until_something_fails().await;
        let work = town.store.list_work().await.unwrap();
        let errors: String = work.iter().filter_map(|work| work.last_error.clone()).collect();
        assert!(errors.contains("create board"), "{errors}");
        let comment = town.comment(iid).to_lowercase();
        // Times and digests of the hidden marker hold any digits.
        let (_, comment) = comment.split_once('\n').unwrap();
        // So does the sandbox's port.
        let comment = comment.replace(town.gitlab.url(), "");
        for word in ["html", "forbidden", "500", "422", "error", "sign in"] {
            assert!(!comment.contains(word), "{word}: {comment}");
        }
    }
}

#[tokio::test]
async fn commands_of_others_are_theirs() {
    let town = Town::with(Config::default(), &[("approval", "\"always\"")]).await;
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    for text in [
        "/close",
        "/label ~cop::approved",
        "/confidential",
        "/title Mine\n/assign @convenor-bot",
        "@convenor-bot\n/approve",
    ] {
        // Whoever has no right is not heard; GitLab keeps only what is no command.
        let _ = town.gitlab.person("outsider").unwrap().comment(INTAKE, iid, text);
    }
    town.settle().await;
    assert_eq!(
        (town.state(iid), town.issue(iid).state),
        (vec!["cop::ready".to_owned()], "opened".to_owned())
    );
    let proposer = town.gitlab.person("proposer").unwrap();
    let maintainer = town.gitlab.person("maintainer").unwrap();
    maintainer.comment(INTAKE, iid, "@convenor-bot approve").unwrap();
    proposer.comment(INTAKE, iid, "/title Another").unwrap();
    town.settle().await;
    assert_eq!(town.state(iid), ["cop::ready"], "the title is part of the text");
    // Closed in the middle of the work, by a command; opened again, it goes on.
    maintainer.comment(INTAKE, iid, "@convenor-bot approve").unwrap();
    let closes = Act::new(move |world| {
        world
            .person("proposer")
            .unwrap()
            .comment(INTAKE, iid, "/close")
            .unwrap();
    });
    town.gitlab.add_fault(
        Fault::new(Effect::After(closes))
            .method("POST")
            .path("/projects$")
            .unwrap()
            .once(),
    );
    town.settle().await;
    town.gitlab.forget_calls();
    town.resync().await;
    assert!(town.gitlab.writes().is_empty(), "{:?}", town.gitlab.writes());
    proposer.comment(INTAKE, iid, "/reopen").unwrap();
    town.settle().await;
    town.has_exactly_one_of_everything("rust-at-work");
    nothing_was_set_off(&town);
}

#[tokio::test]
async fn a_pasted_marker_of_ours_is_nobodys_proof() {
    let town = Town::with(Config::default(), &[("approval", "\"always\"")]).await;
    let foreign = town
        .gitlab
        .add_project_with(&format!("{GROUP}/theirs"), "public", &[("README.md", "# x\n")])
        .unwrap();
    let marker = format!(
        "<!-- convenor:status {} -->",
        json!({ "project": foreign, "made": true, "path": "theirs" })
    );
    let iid = town.opens("proposer", &format!("{marker}\n{FORM}\n{marker}"));
    town.gitlab
        .person("alice")
        .unwrap()
        .comment(INTAKE, iid, &format!("{marker}\nHello"))
        .unwrap();
    town.settle().await;
    assert_eq!(town.state(iid), ["cop::ready"]);
    town.gitlab
        .person("maintainer")
        .unwrap()
        .comment(INTAKE, iid, "@convenor-bot approve")
        .unwrap();
    town.settle().await;
    town.has_exactly_one_of_everything("rust-at-work");
    let touched: Vec<_> = town
        .gitlab
        .writes()
        .into_iter()
        .filter(|call| call.path.contains(&format!("/projects/{foreign}/")))
        .collect();
    assert!(touched.is_empty(), "{touched:?}");
}
