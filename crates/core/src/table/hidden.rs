//! Parts of a page that Markdown parsers read but the site never shows as headings or tables.

use std::ops::Range;

/// Offset after the byte order mark and the front matter (`---`, `+++` or `;;;`, as Hugo and GitLab read it).
pub(super) fn front_matter(text: &str) -> usize {
    let bom = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let body = &text[bom..];
    let mut lines = body.split_inclusive('\n');
    let Some(first) = lines.next() else { return bom };
    let fence = first.trim_end();
    if !matches!(fence, "---" | "+++" | ";;;") {
        return bom;
    }
    let mut end = bom + first.len();
    for line in lines {
        end += line.len();
        if line.trim_end() == fence {
            return end;
        }
    }
    bom
}

/// Shortcodes of Hugo and Docsy whose content is not rendered as Markdown.
const SILENT: [&str; 3] = ["comment", "highlight", "code"];

/// The same of kramdown, Liquid and Hugo's own comments.
const PAIRS: [(&str, &str); 4] = [
    ("{{/*", "*/}}"),
    ("{::comment}", "{:/comment}"),
    ("{% comment %}", "{% endcomment %}"),
    ("{% raw %}", "{% endraw %}"),
];

/// The parts of the page, from `base` on, whose headings and tables do not count; an unclosed one is no such part.
pub(super) fn regions(text: &str, base: usize) -> Vec<Range<usize>> {
    if !text[base..].contains('{') {
        return Vec::new();
    }
    let mut regions = shortcodes(text, base);
    for (open, close) in PAIRS {
        regions.extend(between(text, base, open, close));
    }
    regions
}

fn between(text: &str, base: usize, open: &str, close: &str) -> Vec<Range<usize>> {
    let mut regions = Vec::new();
    let mut from = base;
    while let Some(start) = text[from..].find(open).map(|at| from + at) {
        let Some(end) = text[start..].find(close).map(|at| start + at + close.len()) else {
            break;
        };
        regions.push(start..end);
        from = end;
    }
    regions
}

/// What stands between the tags of a silent shortcode.
fn shortcodes(text: &str, base: usize) -> Vec<Range<usize>> {
    let mut regions = Vec::new();
    let mut open: Option<(&str, usize)> = None;
    let mut from = base;
    while let Some(start) = text[from..].find("{{").map(|at| from + at) {
        let Some(end) = text[start..].find("}}").map(|at| start + at + 2) else {
            break;
        };
        match (open, tag(&text[start + 2..end - 2])) {
            (None, Some(Tag::Open(name))) if SILENT.contains(&name) => open = Some((name, start)),
            (Some((name, begin)), Some(Tag::Close(closed))) if name == closed => {
                regions.push(begin..end);
                open = None;
            }
            _ => {}
        }
        from = end;
    }
    regions
}

enum Tag<'t> {
    Open(&'t str),
    Close(&'t str),
}

/// What a shortcode's tag does; `{{</* … */>}}` only shows one.
fn tag(inner: &str) -> Option<Tag<'_>> {
    let marked = |mark: char, end: char| inner.strip_prefix(mark).and_then(|inner| inner.strip_suffix(end));
    let words = marked('<', '>').or_else(|| marked('%', '%'))?.trim();
    match words.strip_prefix('/') {
        Some(name) if name.starts_with('*') => None,
        Some(name) => Some(Tag::Close(name.trim())),
        None if words.ends_with('/') => None,
        None => words.split_whitespace().next().map(Tag::Open),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, hidden: &[&str]) {
        let found: Vec<&str> = regions(text, 0).into_iter().map(|region| &text[region]).collect();
        assert_eq!(found, hidden);
    }

    #[test]
    fn silent_shortcodes_hide_what_is_between_their_tags() {
        check(
            "a {{< comment >}} b {{< /comment >}} c",
            &["{{< comment >}} b {{< /comment >}}"],
        );
        check(
            "{{<highlight md>}} b {{</ highlight >}}",
            &["{{<highlight md>}} b {{</ highlight >}}"],
        );
        check(
            "{{% comment %}}b{{% /comment %}}",
            &["{{% comment %}}b{{% /comment %}}"],
        );
    }

    #[test]
    fn other_shortcodes_and_unclosed_ones_hide_nothing() {
        check("{{< panel >}} b {{< /panel >}}", &[]);
        check("{{< comment >}} b", &[]);
        check("{{</* comment */>}} b {{< /comment >}}", &[]);
    }

    #[test]
    fn comments_of_other_engines_hide_too() {
        check("{::comment}\n# a\n{:/comment}", &["{::comment}\n# a\n{:/comment}"]);
    }

    #[test]
    fn front_matter_is_skipped_when_it_is_closed() {
        assert_eq!(front_matter("\u{feff}---\r\na: b\r\n---\r\nx"), 19);
        assert_eq!(front_matter("+++\na\n+++\nx"), 10);
        assert_eq!(front_matter("---\nx"), 0);
    }
}
