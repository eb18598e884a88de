//! People, their memberships, and what is asked about the query itself.

use super::super::give::{Gives, Look, Node, Page, field};
use super::{Kind, gid};
use crate::state::rights::level_name;
use crate::state::users::User;
use async_graphql::dynamic::{Object, TypeRef};

pub(super) fn objects() -> Vec<Object> {
    vec![user(), member(), level(), page_info(), weight(), metadata()]
}

fn this_user<'a>(look: &Look<'a>) -> Option<&'a User> {
    match look.node {
        Node::User(id) => look.state.users.get(id),
        _ => None,
    }
}

fn user() -> Object {
    Kind::new("UserCore", this_user)
        .id(|u| gid("User", u.id))
        .text("username", |u| u.username.clone())
        .text("name", |u| u.name.clone())
        .flag("bot", |u| u.bot)
        .text("state", |u| u.state.clone())
        .maybe("publicEmail", |_| None)
        .give("webUrl", TypeRef::named_nn(TypeRef::STRING), |look, u| {
            Gives::text(format!("{}/{}", look.state.url, u.username))
        })
        .finish()
}

/// User and level of a membership.
fn membership(look: &Look<'_>) -> Option<(u64, u64)> {
    match look.node {
        Node::Member { user, level } => Some((*user, *level)),
        _ => None,
    }
}

fn member() -> Object {
    Object::new("MemberInterface")
        .field(field("id", TypeRef::named_nn(TypeRef::ID), |look| {
            Gives::maybe(membership(look).map(|(user, _)| gid("Member", user)))
        }))
        .field(field("user", TypeRef::named("UserCore"), |look| {
            Gives::node(membership(look).map(|(user, _)| Node::User(user)))
        }))
        .field(field("accessLevel", TypeRef::named("AccessLevel"), |look| {
            Gives::node(membership(look).map(|(_, level)| Node::Level(level)))
        }))
}

fn level() -> Object {
    Object::new("AccessLevel")
        .field(field("integerValue", TypeRef::named(TypeRef::INT), |look| {
            match look.node {
                Node::Level(level) => Gives::number(*level),
                _ => Gives::Null,
            }
        }))
        .field(field(
            "stringValue",
            TypeRef::named(TypeRef::STRING),
            |look| match look.node {
                Node::Level(level) => Gives::text(level_name(*level).to_uppercase().replace(' ', "_")),
                _ => Gives::Null,
            },
        ))
}

fn this_page<'a>(look: &Look<'a>) -> Option<&'a Page> {
    match look.node {
        Node::Page(page) => Some(page),
        _ => None,
    }
}

fn page_info() -> Object {
    let last = |page: &Page| page.nodes.len().checked_sub(1).map(|at| page.cursor(at));
    Kind::new("PageInfo", this_page)
        .flag("hasNextPage", |page| page.first + page.nodes.len() < page.total)
        .flag("hasPreviousPage", |page| page.first > 0)
        .maybe("startCursor", |page| (!page.nodes.is_empty()).then(|| page.cursor(0)))
        .maybe("endCursor", last)
        .finish()
}

fn weight() -> Object {
    Object::new("QueryComplexity")
        .field(field("score", TypeRef::named(TypeRef::INT), |look| {
            Gives::number(look.asker.score as u64)
        }))
        .field(field("limit", TypeRef::named(TypeRef::INT), |look| {
            Gives::number(look.asker.limit as u64)
        }))
}

fn metadata() -> Object {
    Object::new("Metadata")
        .field(field("version", TypeRef::named_nn(TypeRef::STRING), |look| {
            Gives::text(&look.state.config.version)
        }))
        .field(field("revision", TypeRef::named_nn(TypeRef::STRING), |_| {
            Gives::text("5a4d0b0c1de")
        }))
        .field(field("enterprise", TypeRef::named_nn(TypeRef::BOOLEAN), |_| {
            Gives::flag(true)
        }))
}
