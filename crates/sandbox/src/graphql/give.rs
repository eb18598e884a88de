//! How a field of an object gets its value: a small function over state, wrapped once for the library.

use super::Asker;
use crate::http::Result as Allowed;
use crate::locked;
use crate::state::State;
use async_graphql::Value;
use async_graphql::dynamic::{
    Field, FieldFuture, FieldValue, InputValue, Object, ObjectAccessor, ResolverContext, TypeRef,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;

/// An object on its way through a query: what it is, not what it shows.
#[derive(Debug, Clone)]
pub(super) enum Node {
    Root,
    Group(u64),
    Project(u64),
    Repository(u64),
    Blob {
        project: u64,
        commit: String,
        path: String,
    },
    Issue(u64, u64),
    MergeRequest(u64, u64),
    Note(crate::state::notes::Thing, u64),
    Label(u64),
    User(u64),
    Member {
        user: u64,
        level: u64,
    },
    Level(u64),
    Board(u64, u64),
    List {
        project: u64,
        board: u64,
        list: u64,
    },
    Commit(u64, String),
    Page(Arc<Page>),
    Edge(Arc<Page>, usize),
    Made {
        thing: Option<Box<Self>>,
        errors: Vec<String>,
    },
}

/// A part of a list, with what lies around it.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) nodes: Vec<Node>,
    pub(super) first: usize,
    pub(super) total: usize,
}

impl Page {
    pub(super) fn cursor(&self, at: usize) -> String {
        STANDARD.encode(format!("{{\"row\":{}}}", self.first + at))
    }
}

/// The row that a cursor stands for.
fn row(cursor: &str) -> Option<usize> {
    let text = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
    text.strip_prefix("{\"row\":")?.strip_suffix('}')?.parse().ok()
}

/// What a field gives.
pub(super) enum Gives {
    Null,
    Value(Value),
    Node(Node),
    Nodes(Vec<Node>),
}

impl Gives {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Value(Value::from(text.into()))
    }

    pub(super) fn maybe(text: Option<String>) -> Self {
        text.map_or(Self::Null, Self::text)
    }

    pub(super) fn number(number: u64) -> Self {
        Self::Value(Value::from(number))
    }

    pub(super) fn flag(flag: bool) -> Self {
        Self::Value(Value::from(flag))
    }

    pub(super) fn node(node: Option<Node>) -> Self {
        node.map_or(Self::Null, Self::Node)
    }
}

/// What a field's function sees.
pub(super) struct Look<'a> {
    pub(super) state: &'a State,
    pub(super) user: Option<u64>,
    pub(super) node: &'a Node,
    pub(super) asker: &'a Asker,
    args: &'a ObjectAccessor<'a>,
}

impl Look<'_> {
    pub(super) fn text(&self, name: &str) -> Option<String> {
        text(self.args, name)
    }

    /// An enum value.
    pub(super) fn word(&self, name: &str) -> Option<String> {
        self.args.get(name).and_then(|v| v.enum_name().ok().map(str::to_owned))
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.args.get(name).and_then(|v| v.boolean().ok())
    }

    pub(super) fn texts(&self, name: &str) -> Option<Vec<String>> {
        let list = self.args.get(name)?;
        let list = list.list().ok()?;
        Some(list.iter().filter_map(|v| v.string().ok().map(str::to_owned)).collect())
    }

    fn count(&self, name: &str) -> Option<usize> {
        self.args
            .get(name)
            .and_then(|v| v.u64().ok())
            .and_then(|n| usize::try_from(n).ok())
    }

    /// The page of a list that `first`, `after`, `last` and `before` ask for; at most 100 rows.
    pub(super) fn page(&self, all: Vec<Node>) -> Gives {
        let total = all.len();
        let after = self.text("after").and_then(|c| row(&c)).map_or(0, |r| r + 1);
        let before = self.text("before").and_then(|c| row(&c)).unwrap_or(total).min(total);
        let (mut start, mut end) = (after.min(before), before);
        match (self.count("first"), self.count("last")) {
            (None, Some(last)) => start = start.max(end.saturating_sub(last.min(100))),
            (first, _) => end = end.min(start.saturating_add(first.unwrap_or(100).min(100))),
        }
        let nodes = all.into_iter().skip(start).take(end - start).collect();
        Gives::Node(Node::Page(Arc::new(Page {
            nodes,
            first: start,
            total,
        })))
    }
}

/// Reads a text or number argument as text.
pub(super) fn text(args: &ObjectAccessor<'_>, name: &str) -> Option<String> {
    let value = args.get(name)?;
    value
        .string()
        .map(str::to_owned)
        .or_else(|_| value.u64().map(|n| n.to_string()))
        .ok()
}

pub(super) type Give = fn(&Look<'_>) -> Gives;

/// A field that reads.
pub(super) fn field(
    name: &str,
    kind: TypeRef,
    give: impl Fn(&Look<'_>) -> Gives + Copy + Send + Sync + 'static,
) -> Field {
    Field::new(name, kind, move |context| {
        FieldFuture::new(async move { Ok(read(&context, give)) })
    })
}

fn read<'a>(context: &ResolverContext<'a>, give: impl Fn(&Look<'_>) -> Gives) -> Option<FieldValue<'a>> {
    let asker = context.data::<Asker>().ok()?;
    let node = context
        .parent_value
        .downcast_ref::<Node>()
        .cloned()
        .unwrap_or(Node::Root);
    let state = locked(&asker.world.shared.state);
    let look = Look {
        state: &state,
        user: asker.user,
        node: &node,
        asker,
        args: &context.args,
    };
    given(give(&look))
}

fn given<'a>(gives: Gives) -> Option<FieldValue<'a>> {
    match gives {
        Gives::Null => None,
        Gives::Value(value) => Some(FieldValue::value(value)),
        Gives::Node(node) => Some(FieldValue::owned_any(node)),
        Gives::Nodes(nodes) => Some(FieldValue::list(nodes.into_iter().map(FieldValue::owned_any))),
    }
}

/// A mutation's function: gets the fields of `input`, gives what was made, or GitLab's refusal.
pub(super) type Change = fn(&mut State, u64, &ObjectAccessor<'_>) -> Allowed<Node>;

/// What a mutation without a signed-in user, without right, or on something hidden says.
pub(super) const NOT_ALLOWED: &str =
    "The resource that you are attempting to access does not exist or you don't have permission to perform this action";

/// A mutation. What GitLab's services refuse stands in the payload's `errors`; missing rights are an error of the document.
pub(super) fn mutation(name: &str, change: Change) -> Field {
    let upper = upper_first(name);
    let input = InputValue::new("input", TypeRef::named_nn(format!("{upper}Input")));
    let kind = TypeRef::named(format!("{upper}Payload"));
    let resolver = move |context: ResolverContext<'_>| -> async_graphql::Result<Node> {
        let asker = context.data::<Asker>()?;
        let actor = asker.user.ok_or(NOT_ALLOWED)?;
        let input = context.args.try_get("input")?;
        let input = input.object()?;
        let mut state = locked(&asker.world.shared.state);
        match change(&mut state, actor, &input) {
            Ok(node) => Ok(Node::Made {
                thing: Some(Box::new(node)),
                errors: Vec::new(),
            }),
            Err(refusal) if matches!(refusal.status, 401 | 403 | 404) => Err(NOT_ALLOWED.into()),
            Err(refusal) if refusal.status == 422 => Err(words(&refusal.body["message"]).join(", ").into()),
            Err(refusal) => Ok(Node::Made {
                thing: None,
                errors: words(&refusal.body["message"]),
            }),
        }
    };
    Field::new(name, kind, move |context| {
        let made = resolver(context);
        FieldFuture::new(async move { made.map(|node| Some(FieldValue::owned_any(node))) })
    })
    .argument(input)
}

/// A refusal's message as a list of texts.
fn words(message: &serde_json::Value) -> Vec<String> {
    match message {
        serde_json::Value::String(text) => vec![text.clone()],
        serde_json::Value::Array(items) => items.iter().flat_map(words).collect(),
        serde_json::Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| {
                words(value)
                    .into_iter()
                    .map(move |w| format!("{} {w}", upper_first(key)))
            })
            .collect(),
        other => vec![other.to_string()],
    }
}

pub(super) fn upper_first(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|c| c.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// The arguments of every list.
pub(super) fn paged(field: Field) -> Field {
    field
        .argument(InputValue::new("first", TypeRef::named(TypeRef::INT)))
        .argument(InputValue::new("after", TypeRef::named(TypeRef::STRING)))
        .argument(InputValue::new("last", TypeRef::named(TypeRef::INT)))
        .argument(InputValue::new("before", TypeRef::named(TypeRef::STRING)))
}

/// `XConnection` and `XEdge` for a kind of node.
pub(super) fn connection(kind: &str) -> [Object; 2] {
    let nodes: Give = |look| match look.node {
        Node::Page(page) => Gives::Nodes(page.nodes.clone()),
        _ => Gives::Null,
    };
    let edges: Give = |look| match look.node {
        Node::Page(page) => Gives::Nodes(
            (0..page.nodes.len())
                .map(|at| Node::Edge(Arc::clone(page), at))
                .collect(),
        ),
        _ => Gives::Null,
    };
    let count: Give = |look| match look.node {
        Node::Page(page) => Gives::number(page.total as u64),
        _ => Gives::Null,
    };
    let edge_node: Give = |look| match look.node {
        Node::Edge(page, at) => Gives::node(page.nodes.get(*at).cloned()),
        _ => Gives::Null,
    };
    let cursor: Give = |look| match look.node {
        Node::Edge(page, at) => Gives::text(page.cursor(*at)),
        _ => Gives::Null,
    };
    let edge = format!("{kind}Edge");
    [
        Object::new(format!("{kind}Connection"))
            .field(field("nodes", TypeRef::named_list(kind), nodes))
            .field(field("edges", TypeRef::named_list(edge.as_str()), edges))
            .field(field("count", TypeRef::named_nn(TypeRef::INT), count))
            .field(field("pageInfo", TypeRef::named_nn("PageInfo"), |look| {
                Gives::Node(look.node.clone())
            })),
        Object::new(edge)
            .field(field("node", TypeRef::named(kind), edge_node))
            .field(field("cursor", TypeRef::named_nn(TypeRef::STRING), cursor)),
    ]
}
