//! The story's results in a browser: what a person sees who clicks through them, and what hostile text can do there.

use std::collections::BTreeSet;

use super::town::{FORM, GROUP, HANDBOOK, INTAKE, PAGE_PATH, Town};
use crate::browser::Browser;

/// Markup in every field; each piece would leave something that `TRACE` or the browser notices.
const HOSTILE: &str = r#"
### Focus topic

Rust at Work

### Purpose and scope

Share <script>window.hostile = 1; document.title = "hostile"; alert(1)</script> what we learn, [click](javascript:alert(1)) and
<iframe srcdoc="<script>parent.hostile = 1</script>"></iframe> <svg onload=alert(1)> more. <a href="https://evil.example/">x</a>
![beacon](https://evil.example/beacon.png "x" onerror="alert(1)") <https://evil.example/auto> ](javascript:alert(1)) {{constructor}}

<details open ontoggle=alert(1)><style>body { display: none }</style><form action="https://evil.example/"><input autofocus onfocus=alert(1)></form>

### Facilitators

@darwinjs, @brianwald

### Members

@alice @bob

### Cadence

Monthly, first Tuesday, 16:00 UTC, 50 minutes

### Who can join

Everybody | <b onmouseover=alert(1)>anybody</b> "><script>alert(1)</script> ![](https://evil.example/join.png)

### Similar communities

</td></table><script>alert(1)</script> <img src=x onerror=alert(1)>

### Links

- [<img src=x onerror=alert(1)> ours](https://links.example/"onmouseover="alert(1))
- [![](https://evil.example/link.png)](https://links.example/b)
"#;

/// What Convenor refuses to take into a community's record, and therefore only quotes.
const REFUSED: [(&str, &str); 2] = [
    ("Rust at Work", r#"Rust <img src=x onerror=alert(1)> & "Friends""#),
    (
        "https://links.example/b",
        "data:text/html,<script>alert(1)</script>) [x](javascript:alert(1)",
    ),
];

/// What would be on a page, or happen to it, if text of people had become more than text.
const TRACE: &str = r#"[
    ...[...document.querySelectorAll("script, iframe, object, embed, form, input:not([type=checkbox]), base, meta[http-equiv], link")],
    ...[...document.querySelectorAll("body style, body svg")],
    ...[...document.querySelectorAll("*")].filter(it => [...it.attributes].some(its => its.name.startsWith("on"))),
    ...[...document.querySelectorAll("[href], [src]")].filter(it => /^\s*(javascript|data|vbscript):/i.test(it.href || it.src)),
].map(it => it.outerHTML).concat(
    window.hostile ? ["a script ran"] : [], document.title.endsWith("GitLab sandbox") ? [] : ["title: " + document.title])"#;

const LINKS: &str = "[...document.links].map(link => link.href.split('#')[0])";

#[tokio::test]
async fn a_person_can_click_from_the_group_to_everything_that_was_made() {
    let Some(mut browser) = Browser::start("a_person_can_click_from_the_group_to_everything_that_was_made") else {
        return;
    };
    let town = Town::new().await;
    let iid = town.opens("proposer", FORM);
    town.settle().await;
    let mut links = BTreeSet::new();
    let mut see = |browser: &mut Browser, status: u64, texts: &[&str]| {
        let page = browser.text();
        assert_eq!(status, 200, "{page}");
        for text in texts {
            assert!(page.contains(text), "{text:?} is not on the page:\n{page}");
        }
        links.extend(browser.texts(LINKS));
    };

    let group = browser.open(&format!("{}/{GROUP}", town.gitlab.url()));
    see(&mut browser, group, &["Projects (2)", "Share what we learn"]);
    let project = browser.follow("Rust at Work");
    see(
        &mut browser,
        project,
        &["community-of-practice", "README.md", "@darwinjs"],
    );
    let headings = browser.texts("[...document.querySelectorAll('.card h1, .card h2')].map(it => it.innerText)");
    assert!(headings.len() > 2, "the README is rendered: {headings:?}");

    let board = browser.follow("Boards");
    see(&mut browser, board, &["Community board", "Kick-off"]);
    // The lists stand between the open and the closed issues.
    assert_eq!(
        browser.evaluate("document.querySelectorAll('.board .column').length"),
        6
    );

    let proposal = browser.open(&format!("{}/{INTAKE}/-/issues/{iid}", town.gitlab.url()));
    see(
        &mut browser,
        proposal,
        &["New community", "@convenor-bot", "Rust at Work"],
    );
    let merge_request = town.merge_request();
    let address = format!(
        "{}/{HANDBOOK}/-/merge_requests/{}",
        town.gitlab.url(),
        merge_request.iid
    );
    assert!(
        browser.texts(LINKS).contains(&address),
        "the comment leads to the merge request: {:?}",
        browser.texts(LINKS)
    );

    let handbook = browser.open(&format!("{}/{HANDBOOK}", town.gitlab.url()));
    see(&mut browser, handbook, &["content"]);
    let requests = browser.follow("Merge requests (1)");
    see(&mut browser, requests, &[&merge_request.title]);
    let request = browser.follow(&merge_request.title);
    see(&mut browser, request, &["Changes (1)", "communities-of-practice"]);
    let added = browser.texts("[...document.querySelectorAll('.diff .add')].map(it => it.innerText.trim())");
    assert_eq!(added, [format!("+{}", town.added_line("convenor/rust-at-work"))]);
    assert_eq!(browser.evaluate("document.querySelectorAll('.diff .del').length"), 0);

    every_link_leads_somewhere(town.gitlab.url(), &links).await;
}

/// Links that leave the sandbox are not followed.
async fn every_link_leads_somewhere(gitlab: &str, links: &BTreeSet<String>) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let ours: Vec<_> = links.iter().filter(|link| link.starts_with(gitlab)).collect();
    assert!(ours.len() > 30, "{links:?}");
    let mut broken = Vec::new();
    for link in ours {
        let status = client.get(link).send().await.unwrap().status();
        if status != 200 {
            broken.push(format!("{status} {link}"));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[tokio::test]
async fn hostile_text_stays_text_in_a_browser() {
    let Some(mut browser) = Browser::start("hostile_text_stays_text_in_a_browser") else {
        return;
    };
    let town = Town::new().await;
    let refused = REFUSED
        .iter()
        .fold(HOSTILE.to_owned(), |text, (good, bad)| text.replace(good, bad));
    let refused = town.opens("proposer", &refused);
    let accepted = town.opens("proposer", HOSTILE);
    town.settle().await;
    assert_eq!(town.state(refused), ["cop::needs-info"]);
    town.has_exactly_one_of_everything("rust-at-work");

    browser.ignore_content_security_policies();
    let gitlab = town.gitlab.url().to_owned();
    for page in pages_of_what_was_made(&town) {
        assert_eq!(browser.open(&format!("{gitlab}/{page}")), 200, "{page}");
        assert_eq!(browser.texts(TRACE), Vec::<String>::new(), "{page}");
    }
    // It is shown as it was written, not dropped: whoever reads it sees what somebody tried.
    browser.open(&format!("{gitlab}/{GROUP}/rust-at-work"));
    for text in [
        "<img src=x onerror=alert(1)> ours",
        "| <b onmouseover=alert(1)>anybody",
        "<svg onload=alert(1)>",
    ] {
        assert!(browser.text().contains(text), "{text}:\n{}", browser.text());
    }
    let elsewhere: Vec<_> = browser.requests().filter(|url| !url.starts_with(&gitlab)).collect();
    assert!(elsewhere.is_empty(), "nothing that was made calls home: {elsewhere:?}");
    // These pages show the proposer's own text as well, pictures included; GitLab fetches those through a proxy.
    for iid in [refused, accepted] {
        assert_eq!(browser.open(&format!("{gitlab}/{INTAKE}/-/issues/{iid}")), 200);
        assert_eq!(browser.texts(TRACE), Vec::<String>::new(), "{}", town.comment(iid));
    }
    assert_eq!(browser.dialogs(), Vec::<String>::new());
}

/// Each page of the project and of the handbook's change, every file included.
fn pages_of_what_was_made(town: &Town) -> Vec<String> {
    let project = format!("{GROUP}/rust-at-work");
    let branch = "convenor/rust-at-work";
    let files = town.gitlab.paths(&project, "main").into_iter();
    let issues = town.gitlab.issues(&project).unwrap().into_iter();
    let files = files.map(|path| format!("{project}/-/blob/main/{path}"));
    let issues = issues.map(|issue| format!("{project}/-/issues/{}", issue.iid));
    let mut pages: Vec<String> = files.chain(issues).collect();
    assert!(pages.len() > 5, "{pages:?}");
    pages.extend(
        ["issues", "boards", "labels", "project_members", "commits/main"].map(|tab| format!("{project}/-/{tab}")),
    );
    pages.extend([
        GROUP.to_owned(),
        project,
        format!("{INTAKE}/-/labels"),
        format!("{HANDBOOK}/-/merge_requests/{}", town.merge_request().iid),
        format!("{HANDBOOK}/-/blob/{branch}/{PAGE_PATH}"),
        format!("{HANDBOOK}/-/commits/{branch}"),
    ]);
    pages
}

#[test]
fn a_script_that_runs_would_be_noticed() {
    let Some(mut browser) = Browser::start("a_script_that_runs_would_be_noticed") else {
        return;
    };
    browser.open("data:text/html,<title>GitLab sandbox</title><img src=x onerror='window.hostile=1;alert(7)'>");
    assert_eq!(browser.dialogs(), ["7"]);
    let traces = browser.texts(TRACE);
    assert!(
        traces.contains(&"a script ran".to_owned()) && traces.len() == 2,
        "{traces:?}"
    );
}
