//! People's text as HTML: escaped, or rendered with references and mentions as links.

use crate::state::markdown;
use crate::state::projects::Project;
use comrak::nodes::{AstNode, Node, NodeLink, NodeValue};
use comrak::{Arena, format_html, parse_document};
use regex::Regex;
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

/// Text for element content and quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Renders Markdown that stands in a project; `folder` is where relative links start (`""` for the root).
pub(super) fn rendered(text: &str, project: &Project, folder: &str) -> String {
    let arena = Arena::new();
    let base = format!("/{}/-/blob/{}", project.full_path, project.default_branch_or_main());
    let folder = folder.to_owned();
    let mut options = markdown::options();
    options.extension.link_url_rewriter = Some(Arc::new(move |url: &str| absolute(url, &base, &folder)));
    let document = parse_document(&arena, text, &options);
    let nodes: Vec<Node<'_>> = document.descendants().collect();
    for node in nodes {
        link_references(&arena, node, &project.full_path);
    }
    let mut html = String::new();
    if format_html(document, &options, &mut html).is_err() {
        return escape(text);
    }
    html
}

fn absolute(url: &str, base: &str, folder: &str) -> String {
    let relative = !url.starts_with(['/', '#', '?']) && !url.contains(':');
    match (relative, folder) {
        (false, _) => url.to_owned(),
        (true, "") => format!("{base}/{url}"),
        (true, folder) => format!("{base}/{folder}/{url}"),
    }
}

/// Turns `#1`, `group/project!2` and `@name` in a text node into links.
fn link_references<'a>(arena: &'a Arena<'a>, node: Node<'a>, project: &str) {
    static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?:([A-Za-z0-9_][\w.-]*(?:/[A-Za-z0-9_][\w.-]*)+))?([#!])(\d+)\b|@([A-Za-z0-9_][\w.-]*)").ok()
    });
    let text = match &node.data().value {
        NodeValue::Text(text) => text.to_string(),
        _ => return,
    };
    let in_link = node.ancestors().any(|a| matches!(a.data().value, NodeValue::Link(_)));
    let Some(pattern) = PATTERN.as_ref().filter(|p| !in_link && p.is_match(&text)) else {
        return;
    };
    let mut at = 0;
    for found in pattern.captures_iter(&text) {
        let Some(whole) = found.get(0) else { continue };
        let target = match (found.get(2), found.get(3), found.get(4)) {
            (Some(sign), Some(iid), _) => {
                let kind = if sign.as_str() == "#" {
                    "issues"
                } else {
                    "merge_requests"
                };
                let place = found.get(1).map_or(project, |p| p.as_str());
                format!("/{place}/-/{kind}/{}", iid.as_str())
            }
            (_, _, Some(name)) => format!("/{}", name.as_str()),
            _ => continue,
        };
        node.insert_before(text_node(arena, &text[at..whole.start()]));
        let link = NodeLink {
            url: target,
            title: String::new(),
        };
        let link = arena.alloc(AstNode::from(NodeValue::Link(Box::new(link))));
        link.append(text_node(arena, whole.as_str()));
        node.insert_before(link);
        at = whole.end();
    }
    node.data_mut().value = NodeValue::Text(Cow::Owned(text[at..].to_owned()));
}

fn text_node<'a>(arena: &'a Arena<'a>, text: &str) -> Node<'a> {
    arena.alloc(AstNode::from(NodeValue::Text(Cow::Owned(text.to_owned()))))
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn markup_from_people_is_shown_not_obeyed() {
        assert_eq!(
            escape("<a href=\"x\" id='y'>&"),
            "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;"
        );
    }
}
