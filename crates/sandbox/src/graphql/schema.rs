//! The schema: the roots, the objects, and the small types between them.

use super::give::{Give, Gives, Look, Node, connection, field, mutation, paged, upper_first};
use super::{mutations, objects};
use crate::state::Place;
use crate::state::projects::Project;
use async_graphql::dynamic::{Enum, InputObject, InputValue, Object, Scalar, Schema, SchemaBuilder, TypeRef};
use std::collections::HashSet;
use std::sync::LazyLock;

/// The one schema; none if it were inconsistent, which a test rules out.
pub(super) fn schema() -> Option<&'static Schema> {
    static SCHEMA: LazyLock<Option<Schema>> = LazyLock::new(|| build().finish().ok());
    SCHEMA.as_ref()
}

fn build() -> SchemaBuilder {
    let mut builder = Schema::build("Query", Some("Mutation"), None)
        .register(query())
        .register(Scalar::new("Time"))
        .register(Scalar::new("BigInt"))
        .register(Enum::new("IssuableState").items(["opened", "closed", "locked", "all"]))
        .register(Enum::new("MergeRequestState").items(["opened", "closed", "merged", "locked", "all"]));
    let kinds = [
        "Project",
        "Group",
        "Issue",
        "MergeRequest",
        "Label",
        "UserCore",
        "MemberInterface",
        "Board",
        "BoardList",
        "RepositoryBlob",
        "Note",
    ];
    let objects = objects::all().into_iter().chain(kinds.into_iter().flat_map(connection));
    for object in objects {
        builder = builder.register(object);
    }
    register_mutations(builder)
}

fn query() -> Object {
    let text = || TypeRef::named(TypeRef::STRING);
    let path = || InputValue::new("fullPath", TypeRef::named_nn(TypeRef::ID));
    let user: Give = |look| {
        let by_id = look
            .text("id")
            .and_then(|id| id.rsplit('/').next().and_then(|n| n.parse::<u64>().ok()));
        let by_name = look
            .text("username")
            .and_then(|name| look.state.user_named(&name).map(|u| u.id));
        Gives::node(
            by_name
                .or(by_id)
                .filter(|id| look.state.users.contains_key(id))
                .map(Node::User),
        )
    };
    Object::new("Query")
        .field(field("currentUser", TypeRef::named("UserCore"), |look| {
            Gives::node(look.user.map(Node::User))
        }))
        .field(
            field("user", TypeRef::named("UserCore"), user)
                .argument(InputValue::new("username", text()))
                .argument(InputValue::new("id", TypeRef::named(TypeRef::ID))),
        )
        .field(
            paged(field("users", TypeRef::named("UserCoreConnection"), users))
                .argument(InputValue::new("usernames", TypeRef::named_nn_list(TypeRef::STRING))),
        )
        .field(
            paged(field("projects", TypeRef::named("ProjectConnection"), projects))
                .argument(InputValue::new("ids", TypeRef::named_nn_list(TypeRef::ID)))
                .argument(InputValue::new("search", text())),
        )
        .field(field("group", TypeRef::named("Group"), group).argument(path()))
        .field(field("project", TypeRef::named("Project"), project).argument(path()))
        .field(field("metadata", TypeRef::named("Metadata"), |_| {
            Gives::Node(Node::Root)
        }))
        .field(field("queryComplexity", TypeRef::named("QueryComplexity"), |_| {
            Gives::Node(Node::Root)
        }))
        .field(
            field("echo", TypeRef::named_nn(TypeRef::STRING), |look| {
                Gives::text(format!("\"{}\"", look.text("text").unwrap_or_default()))
            })
            .argument(InputValue::new("text", TypeRef::named_nn(TypeRef::STRING))),
        )
}

fn users(look: &Look<'_>) -> Gives {
    let names = look
        .texts("usernames")
        .map(|n| n.iter().map(|n| n.to_lowercase()).collect::<Vec<_>>());
    let found = look.state.users.values().rev().filter(|u| {
        names
            .as_ref()
            .is_none_or(|names| names.contains(&u.username.to_lowercase()))
    });
    look.page(found.map(|u| Node::User(u.id)).collect())
}

/// All that the asker sees, newest first; archived ones too.
fn projects(look: &Look<'_>) -> Gives {
    let number = |gid: String| gid.strip_prefix("gid://gitlab/Project/")?.parse().ok();
    let ids = look.texts("ids");
    let ids: Option<HashSet<u64>> = ids.map(|ids| ids.into_iter().filter_map(number).collect());
    let search = look.text("search").map(|text| text.to_lowercase());
    let wanted = |project: &&Project| {
        look.state.sees_project(look.user, project)
            && ids.as_ref().is_none_or(|ids| ids.contains(&project.id))
            && search
                .as_ref()
                .is_none_or(|text| project.name.to_lowercase().contains(text) || project.path.contains(text))
    };
    let found = look.state.projects.values().rev().filter(wanted);
    look.page(found.map(|project| Node::Project(project.id)).collect())
}

fn group(look: &Look<'_>) -> Gives {
    let place = look.text("fullPath").and_then(|path| look.state.place(&path));
    match place {
        Some(Place::Group(id)) if look.state.sees_group(look.user, id) => Gives::Node(Node::Group(id)),
        _ => Gives::Null,
    }
}

fn project(look: &Look<'_>) -> Gives {
    let path = look.text("fullPath").unwrap_or_default();
    let found = match look.state.place(&path) {
        Some(Place::Project(id)) => Some(id),
        _ => look.state.redirect(&path),
    };
    let visible = |id: &u64| {
        look.state
            .projects
            .get(id)
            .is_some_and(|p| look.state.sees_project(look.user, p))
    };
    Gives::node(found.filter(visible).map(Node::Project))
}

/// Name of a mutation, the field of its payload and that field's type, its input, its function.
fn register_mutations(mut builder: SchemaBuilder) -> SchemaBuilder {
    let mut root = Object::new("Mutation");
    for made in mutations::all() {
        root = root.field(mutation(made.name, made.change));
        let upper = upper_first(made.name);
        let mut input = InputObject::new(format!("{upper}Input"))
            .field(InputValue::new("clientMutationId", TypeRef::named(TypeRef::STRING)));
        for (name, kind) in made.input {
            input = input.field(InputValue::new(name, kind));
        }
        let payload = Object::new(format!("{upper}Payload"))
            .field(field(made.gives, TypeRef::named(made.kind), |look| match look.node {
                Node::Made { thing, .. } => Gives::node(thing.as_deref().cloned()),
                _ => Gives::Null,
            }))
            .field(field(
                "errors",
                TypeRef::named_nn_list_nn(TypeRef::STRING),
                |look| match look.node {
                    Node::Made { errors, .. } => Gives::Value(async_graphql::Value::List(
                        errors.iter().map(|e| e.as_str().into()).collect(),
                    )),
                    _ => Gives::Null,
                },
            ))
            .field(field("clientMutationId", TypeRef::named(TypeRef::STRING), |_| {
                Gives::Null
            }));
        builder = builder.register(input).register(payload);
    }
    builder
        .register(root)
        .register(mutations::commit_action())
        .register(mutations::commit_action_mode())
        .register(mutations::encoding())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_schema_is_consistent() {
        assert_eq!(super::build().finish().err().map(|e| e.to_string()), None);
    }
}
