//! The objects that can be asked for. An object is made of fields over one kind of node; each field is one line.

mod code;
mod people;
mod places;
mod things;

use super::give::{Gives, Look, Node, field, paged};
use crate::hooks::payload::flat_time;
use async_graphql::dynamic::{InputValue, Object, TypeRef};
use jiff::Timestamp;

/// All objects.
pub(super) fn all() -> Vec<Object> {
    let mut all = places::objects();
    all.extend(things::objects());
    all.extend(people::objects());
    all.extend(code::objects());
    all
}

/// `gid://gitlab/Project/42`
fn gid(kind: &str, id: u64) -> String {
    format!("gid://gitlab/{kind}/{id}")
}

/// How a field finds what it shows.
type Find<T> = for<'a> fn(&Look<'a>) -> Option<&'a T>;

/// An object under construction, over one kind of thing in state.
struct Kind<T: 'static> {
    object: Object,
    find: Find<T>,
}

impl<T: 'static> Kind<T> {
    fn new(name: &str, find: Find<T>) -> Self {
        Self {
            object: Object::new(name),
            find,
        }
    }

    fn finish(self) -> Object {
        self.object
    }

    /// Any field.
    fn give(self, name: &str, kind: TypeRef, show: fn(&Look<'_>, &T) -> Gives) -> Self {
        let find = self.find;
        let give = move |look: &Look<'_>| find(look).map_or(Gives::Null, |found| show(look, found));
        Self {
            object: self.object.field(field(name, kind, give)),
            find,
        }
    }

    /// A field with arguments.
    fn asked(self, name: &str, kind: TypeRef, show: fn(&Look<'_>, &T) -> Gives, arguments: Vec<InputValue>) -> Self {
        let find = self.find;
        let give = move |look: &Look<'_>| find(look).map_or(Gives::Null, |found| show(look, found));
        let field = arguments
            .into_iter()
            .fold(field(name, kind, give), async_graphql::dynamic::Field::argument);
        Self {
            object: self.object.field(field),
            find,
        }
    }

    /// A list with pages, and the arguments it has besides.
    fn list(self, name: &str, of: &str, show: fn(&Look<'_>, &T) -> Vec<Node>, arguments: Vec<InputValue>) -> Self {
        let find = self.find;
        let give = move |look: &Look<'_>| find(look).map_or(Gives::Null, |found| look.page(show(look, found)));
        let list = paged(field(name, TypeRef::named(format!("{of}Connection")), give));
        let list = arguments
            .into_iter()
            .fold(list, async_graphql::dynamic::Field::argument);
        Self {
            object: self.object.field(list),
            find,
        }
    }

    fn id(self, show: fn(&T) -> String) -> Self {
        self.shown("id", TypeRef::named_nn(TypeRef::ID), show)
    }

    fn text(self, name: &str, show: fn(&T) -> String) -> Self {
        self.shown(name, TypeRef::named_nn(TypeRef::STRING), show)
    }

    /// A text field of another type than `String`.
    fn shown(self, name: &str, kind: TypeRef, show: fn(&T) -> String) -> Self {
        let find = self.find;
        let give = move |look: &Look<'_>| find(look).map_or(Gives::Null, |found| Gives::text(show(found)));
        Self {
            object: self.object.field(field(name, kind, give)),
            find,
        }
    }

    fn maybe(self, name: &str, show: fn(&T) -> Option<String>) -> Self {
        let find = self.find;
        let give = move |look: &Look<'_>| Gives::maybe(find(look).and_then(show));
        Self {
            object: self.object.field(field(name, TypeRef::named(TypeRef::STRING), give)),
            find,
        }
    }

    fn flag(self, name: &str, show: fn(&T) -> bool) -> Self {
        let find = self.find;
        let give = move |look: &Look<'_>| find(look).map_or(Gives::Null, |found| Gives::flag(show(found)));
        Self {
            object: self.object.field(field(name, TypeRef::named(TypeRef::BOOLEAN), give)),
            find,
        }
    }

    fn number(self, name: &str, show: fn(&T) -> u64) -> Self {
        let find = self.find;
        let give = move |look: &Look<'_>| find(look).map_or(Gives::Null, |found| Gives::number(show(found)));
        Self {
            object: self.object.field(field(name, TypeRef::named(TypeRef::INT), give)),
            find,
        }
    }

    fn time(self, name: &str, show: fn(&T) -> Option<Timestamp>) -> Self {
        let find = self.find;
        let give = move |look: &Look<'_>| Gives::maybe(find(look).and_then(show).map(flat_time));
        Self {
            object: self.object.field(field(name, TypeRef::named("Time"), give)),
            find,
        }
    }

    /// Another object.
    fn node(self, name: &str, kind: &str, show: fn(&Look<'_>, &T) -> Option<Node>) -> Self {
        let find = self.find;
        let give = move |look: &Look<'_>| Gives::node(find(look).and_then(|found| show(look, found)));
        Self {
            object: self.object.field(field(name, TypeRef::named(kind), give)),
            find,
        }
    }
}

fn argument(name: &str, kind: &str) -> InputValue {
    InputValue::new(name, TypeRef::named(kind))
}

fn texts(name: &str) -> InputValue {
    InputValue::new(name, TypeRef::named_nn_list(TypeRef::STRING))
}
