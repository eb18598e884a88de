//! Handlebars with everything taken out that a page of text does not need.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use handlebars::{Handlebars, RenderError, RenderErrorReason, Template};
use serde_json::Value;

use super::Fault;

/// The largest template that is read, in bytes.
const MOST_SOURCE: usize = 256 * 1024;
/// The largest file that is made, in bytes: loops in loops may make much of little.
const MOST_OUTPUT: usize = 1024 * 1024;

/// The deepest nesting of blocks and of parentheses: the parser descends once for each.
const DEEPEST: usize = 12;
/// The deepest nesting of loops: each multiplies the work, whether or not it writes anything.
const DEEPEST_LOOPS: usize = 2;

/// Renders one template. Values are taken as they are: they have been made fit for the file before.
pub(crate) fn render(name: &str, source: &str, values: &Value) -> Result<String, Fault> {
    let fault = |line, what: String| Fault {
        template: name.to_owned(),
        line,
        what,
    };
    let registry = compiled(source).map_err(|(line, what)| fault(line, what))?;
    let mut output = Limited(Vec::new());
    registry
        .render_to_write(ONLY, values, &mut output)
        .map_err(|error| fault(error.line_no, explain(&error)))?;
    String::from_utf8(output.0).map_err(|_| fault(None, "gives no UTF-8 text".to_owned()))
}

/// The one template of each registry.
const ONLY: &str = "template";

/// So many templates are kept compiled; an installation has a dozen, and they are asked for at every look.
const MOST_KEPT: usize = 64;

static KEPT: Mutex<BTreeMap<String, Arc<Handlebars<'static>>>> = Mutex::new(BTreeMap::new());

/// The template ready for use, or the line and what is wrong with it. The same source gives the same, so it is compiled once.
fn compiled(source: &str) -> Result<Arc<Handlebars<'static>>, (Option<usize>, String)> {
    if source.len() > MOST_SOURCE {
        return Err((None, format!("is larger than {} KiB", MOST_SOURCE / 1024)));
    }
    let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(registry) = kept().get(source) {
        return Ok(Arc::clone(registry));
    }
    let registry = Arc::new(compile(source)?);
    let mut kept = kept();
    if kept.len() >= MOST_KEPT {
        kept.clear();
    }
    kept.insert(source.to_owned(), Arc::clone(&registry));
    Ok(registry)
}

fn compile(source: &str) -> Result<Handlebars<'static>, (Option<usize>, String)> {
    if too_deep(source) {
        return Err((
            None,
            format!("has blocks or parentheses in each other more than {DEEPEST} times"),
        ));
    }
    let template =
        Template::compile(source).map_err(|error| (error.pos().map(|(line, _)| line), error.reason().to_string()))?;
    forbid(&template, 0).map_err(|(line, what)| (line, what.to_owned()))?;
    let mut registry = Handlebars::new();
    registry.register_escape_fn(handlebars::no_escape);
    registry.set_strict_mode(true);
    registry.register_template(ONLY, template);
    Ok(registry)
}

/// Partials could call themselves for ever, decorators and `log` are of no use in a text.
fn forbid(template: &Template, loops: usize) -> Result<(), (Option<usize>, &'static str)> {
    for (index, element) in template.elements.iter().enumerate() {
        let line = template.mapping.get(index).map(|at| at.0);
        match element {
            TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
            TemplateElement::HtmlExpression(helper)
            | TemplateElement::Expression(helper)
            | TemplateElement::HelperBlock(helper) => forbid_helper(helper, line, loops)?,
            _ => return Err((line, "partials and decorators cannot be used; write the text out")),
        }
    }
    Ok(())
}

fn forbid_helper(
    helper: &HelperTemplate,
    line: Option<usize>,
    loops: usize,
) -> Result<(), (Option<usize>, &'static str)> {
    const ALLOWED: [&str; 17] = [
        "if", "unless", "each", "with", "lookup", "eq", "ne", "gt", "gte", "lt", "lte", "and", "or", "not", "len",
        "else", "this",
    ];
    let called = helper.block || !helper.params.is_empty() || !helper.hash.is_empty();
    let unknown = match &helper.name {
        Parameter::Name(name) => !ALLOWED.contains(&name.as_str()),
        _ => false,
    };
    if called && unknown {
        return Err((
            line,
            "this helper cannot be used; there are if, unless, each, with, lookup and the comparisons",
        ));
    }
    let is_loop = matches!(&helper.name, Parameter::Name(name) if name == "each");
    let loops = loops + usize::from(is_loop);
    if loops > DEEPEST_LOOPS {
        return Err((line, "loops can be in each other only twice"));
    }
    [&helper.template, &helper.inverse]
        .into_iter()
        .flatten()
        .try_for_each(|inner| forbid(inner, loops))
}

/// Looks at the text alone, before any parser descends into it.
fn too_deep(source: &str) -> bool {
    let (mut blocks, mut deepest) = (0_usize, 0_usize);
    for tag in source.split("{{").skip(1) {
        let inside = tag
            .split("}}")
            .next()
            .unwrap_or(tag)
            .trim_start_matches(['~', '{', ' ']);
        match inside.chars().next() {
            Some('#' | '^') => blocks += 1,
            Some('/') => blocks = blocks.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(blocks).max(inside.matches('(').count());
    }
    deepest > DEEPEST
}

fn explain(error: &RenderError) -> String {
    match error.reason() {
        RenderErrorReason::MissingVariable(Some(field)) => {
            format!("there is no value `{field}`; see the list of values")
        }
        RenderErrorReason::MissingVariable(None) => "there is no such value; see the list of values".to_owned(),
        RenderErrorReason::HelperNotFound(name) => format!("there is no helper `{name}`"),
        RenderErrorReason::IOError(error) => error.to_string(),
        other => other.to_string(),
    }
}

struct Limited(Vec<u8>);

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_OUTPUT {
            return Err(io::Error::other(format!("gives more than {} KiB", MOST_OUTPUT / 1024)));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(source: &str, expected: Result<&str, (Option<usize>, &str)>) {
        let values = json!({"name": "{{slug}} {{> x}}", "list": [1, 2], "none": null});
        let got = render("a.md.hbs", source, &values).map_err(|fault| (fault.line, fault.what));
        match (got, expected) {
            (Ok(got), Ok(expected)) => assert_eq!(got, expected),
            (Err((line, what)), Err((expected_line, part))) => {
                assert!(
                    line == expected_line && what.contains(part),
                    "{source}: {line:?} {what}"
                );
            }
            (got, expected) => panic!("{source}: {got:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn values_are_never_read_as_template() {
        check("{{name}}", Ok("{{slug}} {{> x}}"));
        check("{{{name}}} {{&name}}", Ok("{{slug}} {{> x}} {{slug}} {{> x}}"));
        check(
            "{{#each list}}{{this}},{{/each}}{{#if none}}x{{/if}}{{none}}",
            Ok("1,2,"),
        );
    }

    #[test]
    fn a_missing_value_is_named_with_its_line() {
        check("a\n{{nam}}\n", Err((Some(2), "`nam`")));
        check("{{#each list}}\n{{../nam}}{{/each}}", Err((Some(2), "nam`")));
    }

    #[test]
    fn what_a_text_does_not_need_is_refused() {
        check("a\n{{> other}}", Err((Some(2), "partials")));
        check(
            "{{#if name}}{{#*inline \"x\"}}{{> x}}{{/inline}}{{/if}}",
            Err((Some(1), "partials")),
        );
        check("{{log name}}", Err((Some(1), "helper")));
        check("{{#raw}}x{{/raw}}", Err((Some(1), "helper")));
        check("{{#if name}}", Err((Some(1), "")));
    }

    #[test]
    fn a_file_cannot_grow_without_end() {
        let values = json!({"list": (0..2000).collect::<Vec<_>>()});
        let twice = "{{#each list}}{{#each @root.list}}x{{/each}}{{/each}}";
        assert!(
            render("a.md.hbs", twice, &values)
                .unwrap_err()
                .what
                .contains("more than")
        );
    }

    #[test]
    fn nothing_can_be_nested_without_end() {
        let loops = "{{#each list}}".repeat(3) + &"{{/each}}".repeat(3);
        check(&loops, Err((Some(1), "twice")));
        check(&"{{#if name}}".repeat(20_000), Err((None, "in each other")));
        check(
            &format!("{{{{#if {}}}}}", "(not ".repeat(40_000)),
            Err((None, "in each other")),
        );
    }
}
