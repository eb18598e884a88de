//! Fuzz targets of the core: bytes in, an assertion about what comes out. Plain functions, so that the suite runs them on every change
//! and libFuzzer for as long as one likes (`fuzz/run`).

use std::collections::BTreeMap;

use comrak::nodes::NodeValue;
use comrak::{Arena, parse_document};
use convenor_core::charter;
use convenor_core::escape::{
    ChatText, HtmlText, LogText, Markdown, Marker, PlainLine, TemplateValue, ascii_json, log_line,
};
use convenor_core::plan::wanted::charter_of;
use convenor_core::render::{self, Addresses, ProjectData, TemplateSet};
use convenor_core::slug::{Slug, confusable_key};
use convenor_core::table::{Cell, MAX_TEXT_CHARS, Page};
use convenor_core::untrusted::Untrusted;
use convenor_core::{cadence, command, knock, proposal};
use url::Url;

use super::gitlab;

/// A target's name and what it does with some bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 6] = [
    ("note", note),
    ("cell", cell),
    ("charter", read_charter),
    ("slug", slug),
    ("template", template),
    ("proposal", read_proposal),
];

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(20_000)]).into_owned()
}

/// Two texts: what stands before the first 0xff and after it.
fn two_texts(bytes: &[u8]) -> (String, String) {
    let mut parts = bytes.splitn(2, |byte| *byte == 0xff);
    (
        text_of(parts.next().unwrap_or_default()),
        text_of(parts.next().unwrap_or_default()),
    )
}

/// The note renderer against ports of GitLab's extractors: no quick action, no mention, reference or closing word, no HTML, no link of
/// people's.
pub fn note(bytes: &[u8]) {
    let (a, b) = two_texts(bytes);
    let (a, b) = (Untrusted::new(a), Untrusted::new(b));
    let url = Url::parse("https://gitlab.example.com/a_(b)").expect("a good address");
    let data = serde_json::json!({ "a": text_of(bytes) });
    let all = Markdown::new()
        .inline(&a)
        .words(" ")
        .code(&b)
        .line()
        .quote(&b)
        .paragraphs(&a)
        .fence("diff", &b);
    let all = all.link(&a, &url).number(12).inline(&b).marker(&Marker {
        kind: "status",
        data: data.clone(),
    });
    let found = Marker::find(all.as_str(), "status");
    assert!(found.is_none_or(|found| found == data), "{:?}", all.as_str());
    for note in [
        Markdown::new().inline(&a).inline(&b),
        Markdown::new().quote(&a).inline(&b),
        Markdown::new().fence("", &a).code(&b),
        all,
    ] {
        let text = note.as_str();
        assert!(gitlab::actions_by_paragraph(text).is_empty(), "{text:?}");
        assert!(gitlab::actions_by_line(text).is_empty(), "{text:?}");
        assert_eq!(gitlab::acts_in_code(text), Vec::<String>::new(), "{text:?}");
        let shown = gitlab::shown(text);
        for line in &shown.texts {
            assert!(
                gitlab::references(line).is_empty(),
                "{:?} in {text:?}",
                gitlab::references(line)
            );
            assert!(gitlab::closings(line).is_empty(), "{text:?}");
        }
        assert!(
            shown
                .links
                .iter()
                .all(|link| link.starts_with("https://gitlab.example.com/")),
            "{text:?}"
        );
        assert!(
            shown.html.iter().all(|html| html.starts_with("<!-- convenor:status ")),
            "{text:?}"
        );
        assert!(
            !text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')),
            "{text:?}"
        );
    }
    for line in [
        LogText::new(&a).to_string(),
        log_line(&text_of(bytes)),
        ascii_json(&text_of(bytes)).replace('\n', ""),
    ] {
        let steers = |c: char| c.is_control() && c != '\u{1b}';
        assert!(!line.contains(steers), "{line:?}");
    }
    assert!(!HtmlText::block(&a).to_string().contains(['<', '>', '"', '\'']));
    assert!(!ChatText::new().inline(&a).as_str().contains(['<', '>']));
    let line = PlainLine::new(&a, 100);
    assert!(
        line.as_str().chars().count() <= 100 && gitlab::references(line.as_str()).is_empty(),
        "{line:?}"
    );
}

/// The cell encoder against comrak and pulldown-cmark: three cells, and the middle one says the text.
pub fn cell(bytes: &[u8]) {
    let raw = Untrusted::new(text_of(bytes));
    let cell = Cell::text(&raw);
    let page = format!(
        "# T\n\n| a | b | c |\n|---|---|---|\n| before | {} | after |\n",
        cell.as_str()
    );
    assert_eq!(page.lines().count(), 5, "{page:?}");
    assert!(!cell.as_str().contains("{{"), "{page:?}");
    let arena = Arena::new();
    let root = parse_document(&arena, &page, &gitlab::options());
    let (mut cells, mut rows) = (0, 0);
    for node in root.descendants() {
        match &node.data.borrow().value {
            NodeValue::TableRow(false) => rows += 1,
            NodeValue::TableCell => cells += 1,
            NodeValue::HtmlInline(html) => panic!("{html} in {page:?}"),
            NodeValue::Image(image) => panic!("{} in {page:?}", image.url),
            NodeValue::Link(link) => assert!(is_address_of_mail(&link.url), "{} in {page:?}", link.url),
            _ => {}
        }
    }
    assert_eq!((rows, cells), (1, 6), "{page:?}");
    let parsed = Page::parse(page.as_bytes()).expect("a page");
    let table = parsed.table("T", None).expect("a table");
    let row = table.row(0).expect("a row");
    let said = row.said(1).text;
    let expected = convenor_core::escape::TerminalText::line(&raw).to_string();
    if expected.chars().count() <= MAX_TEXT_CHARS {
        assert_eq!(said, expected, "{page:?}");
    }
    assert_eq!(
        (row.said(0).text.as_str(), row.said(2).text.as_str()),
        ("before", "after"),
        "{page:?}"
    );
}

/// Parsers link `a@b.example` by themselves, comrak with whatever letters stand before a `mailto:` or `xmpp:` there; it leads to no page.
fn is_address_of_mail(url: &str) -> bool {
    url.split_once(':').is_some_and(|(scheme, rest)| {
        (scheme.ends_with("mailto") || scheme.ends_with("xmpp")) && rest.contains('@') && !rest.starts_with('/')
    })
}

/// Charters: any bytes are read or refused, and what was read is written and read back the same.
pub fn read_charter(bytes: &[u8]) {
    match charter::read(bytes) {
        Ok(read) => {
            let written = charter::render_new(&read);
            if written.len() <= charter::MOST_BYTES {
                assert_eq!(charter::read(written.as_bytes()).as_ref(), Ok(&read), "{written}");
            }
        }
        Err(findings) => {
            assert!(!findings.is_empty());
            for finding in findings {
                let note = Markdown::new().inline(&Untrusted::new(finding.mend()));
                assert!(!note.as_str().contains('\n'));
            }
        }
    }
}

/// Paths: accepted ones keep the rule, and are their own slug.
pub fn slug(bytes: &[u8]) {
    let text = text_of(bytes);
    for slug in [Slug::new(&text), Slug::from_name(&Untrusted::new(text.as_str()))]
        .into_iter()
        .flatten()
    {
        let path = slug.as_str();
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!((2..=63).contains(&path.len()) && path.chars().all(allowed), "{path:?}");
        assert!(
            path.starts_with(|c: char| c.is_ascii_lowercase()) && !path.ends_with('-'),
            "{path:?}"
        );
        assert!(!path.contains("--") && !path.contains("deletion-scheduled"), "{path:?}");
        assert_eq!(Slug::new(path).as_ref(), Ok(&slug));
        assert!(!confusable_key(&Untrusted::new(path)).is_empty());
    }
}

/// Values in templates of every kind: no structure, no template syntax, and YAML that reads back.
pub fn template(bytes: &[u8]) {
    let (name, purpose) = two_texts(bytes);
    let text = Untrusted::new(name.as_str());
    for value in [
        TemplateValue::inline(&text),
        TemplateValue::paragraphs(&text),
        TemplateValue::quote(&text),
    ] {
        let shown = gitlab::shown(value.as_str());
        assert!(shown.html.is_empty() && shown.links.is_empty(), "{value:?}");
        assert!(
            !["{{", "}}", "{%"].iter().any(|braces| value.as_str().contains(braces)),
            "{value:?}"
        );
    }
    let form = FORM.replace("PURPOSE", "Share what we learn with everybody who wants to.");
    let form = proposal::parse(&Untrusted::default(), &Untrusted::new(form))
        .form
        .expect("a good form");
    let mut charter = charter_of("cp_", &form, None);
    charter.name = Untrusted::new(name.trim().replace(['\n', '\r'], " "));
    charter.summary = Untrusted::new(purpose.as_str());
    if charter.name.is_blank() {
        return;
    }
    let data = ProjectData {
        charter,
        slug: form.slug.clone(),
        purpose: Untrusted::new(purpose),
        members: Vec::new(),
        addresses: Addresses::of_project("https://gitlab.example.com/a/b", "main"),
    };
    let sources = [
        ("project/a.md.hbs", "# x\n\n{{name}}\n\n{{purpose}}\n\nend\n"),
        ("project/a.yml.hbs", "name: {{name}}\npurpose: {{purpose}}\n"),
        ("project/a.txt.hbs", "{{name}}|{{purpose}}\n"),
    ];
    let sources = sources.map(|(path, source)| (path.to_owned(), source.to_owned()));
    for file in render::project_files(&TemplateSet::new(BTreeMap::from(sources)), &data).expect("good templates") {
        let text = String::from_utf8(file.content).expect("text");
        match file.path.as_str() {
            "a.md" => {
                let shown = gitlab::shown(&text);
                assert!(shown.html.is_empty() && shown.links.is_empty(), "{text:?}");
                assert!(gitlab::actions_by_line(&text).is_empty(), "{text:?}");
                assert_eq!(shown.texts.last().map(String::as_str), Some("end"), "{text:?}");
            }
            "a.yml" => assert_eq!(text.lines().count(), 2, "{text:?}"),
            _ => assert_eq!(text.lines().count(), 1, "{text:?}"),
        }
    }
}

const FORM: &str = "## Focus topic\n\nRust at Work\n\n## Purpose and scope\n\nPURPOSE\n\n## Facilitators\n\n@aa @bb\n\n## Members\n\n@cc\n";

/// Forms, commands, cadences and payloads: any text is read without a panic, and findings are one line each.
pub fn read_proposal(bytes: &[u8]) {
    let (title, text) = two_texts(bytes);
    for description in [text.clone(), FORM.replace("PURPOSE", &text), format!("{FORM}{text}")] {
        let read = proposal::parse(&Untrusted::new(title.as_str()), &Untrusted::new(description));
        for finding in &read.findings {
            assert!(!finding.sentence().as_str().contains('\n'), "{finding:?}");
        }
        if let Some(form) = read.form {
            let written = charter::render_new(&charter_of("cp_", &form, None));
            assert!(written.len() <= charter::MOST_BYTES, "{} bytes", written.len());
            assert!(charter::read(written.as_bytes()).is_ok(), "{written}");
        }
    }
    let bot = convenor_core::ids::Username::new("bot").expect("a name");
    let _ = command::parse(&Untrusted::new(format!("@bot {text}")), &bot);
    let _ = cadence::read(&Untrusted::new(text.as_str()));
    let _ = knock::things(Some(&title), text.as_bytes(), &[]);
}
