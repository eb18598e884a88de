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

/// What opens and closes a part that is not rendered as Markdown: Docsy's and Hugo's shortcodes, kramdown, Liquid.
const PAIRS: [(&str, &str); 8] = [
    ("{{< comment", "{{< /comment >}}"),
    ("{{% comment", "{{% /comment %}}"),
    ("{{< highlight", "{{< /highlight >}}"),
    ("{{% highlight", "{{% /highlight %}}"),
    ("{{/*", "*/}}"),
    ("{::comment}", "{:/comment}"),
    ("{% comment %}", "{% endcomment %}"),
    ("{% raw %}", "{% endraw %}"),
];

/// The parts of the page, from `base` on, whose headings and tables do not count; an unclosed one is no such part.
pub(super) fn regions(text: &str, base: usize) -> Vec<Range<usize>> {
    if !text[base..].contains("{{") && !text[base..].contains("{:") && !text[base..].contains("{%") {
        return Vec::new();
    }
    PAIRS
        .iter()
        .flat_map(|(open, close)| between(text, base, open, close))
        .collect()
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
