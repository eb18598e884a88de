//! What a query weighs. GitLab counts each field, and a list by how many rows it may have; the numbers here are close to
//! GitLab's and not equal to them.

use async_graphql::Value as Literal;
use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};
use serde_json::Value;

/// Fields that are lists with pages.
const LISTS: &[&str] = &[
    "projects",
    "issues",
    "mergeRequests",
    "labels",
    "groupMembers",
    "projectMembers",
    "boards",
    "lists",
    "blobs",
    "notes",
    "users",
    "descendantGroups",
    "assignees",
];

/// Fields that ask the Git server.
const SLOW: &[&str] = &["empty", "rootRef", "blobs"];

/// Lists that GitLab finds dear inside other lists.
const DEAR: &[&str] = &["groupMembers", "projectMembers"];
const DEAR_COST: usize = 150;
const LARGEST_PAGE: usize = 100;
const DEEPEST: usize = 50;

/// The weight of the whole document.
pub(super) fn score(document: &ExecutableDocument, variables: &Value) -> usize {
    let walk = Walk { document, variables };
    document
        .operations
        .iter()
        .map(|(_, op)| walk.set(&op.node.selection_set.node, false, 0))
        .sum()
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Value,
}

impl Walk<'_> {
    fn set(&self, set: &SelectionSet, in_list: bool, depth: usize) -> usize {
        if depth > DEEPEST {
            return usize::MAX / 4;
        }
        let weigh = |selection: &Selection| match selection {
            Selection::Field(field) => self.field(&field.node, in_list, depth),
            Selection::InlineFragment(fragment) => self.set(&fragment.node.selection_set.node, in_list, depth + 1),
            Selection::FragmentSpread(spread) => self
                .document
                .fragments
                .get(&spread.node.fragment_name.node)
                .map_or(0, |f| self.set(&f.node.selection_set.node, in_list, depth + 1)),
        };
        set.items.iter().map(|s| weigh(&s.node)).fold(0, usize::saturating_add)
    }

    fn field(&self, field: &Field, in_list: bool, depth: usize) -> usize {
        let name = field.name.node.as_str();
        let is_list = LISTS.contains(&name);
        let below = self.set(&field.selection_set.node, in_list || is_list, depth + 1);
        let slow = usize::from(SLOW.contains(&name));
        let dear = if in_list && DEAR.contains(&name) { DEAR_COST } else { 0 };
        let own = below.saturating_add(1 + slow + dear);
        if !is_list {
            return own;
        }
        let rows = self
            .argument(field, "first")
            .or_else(|| self.argument(field, "last"))
            .unwrap_or(LARGEST_PAGE);
        own.saturating_add(own.saturating_mul(rows.min(LARGEST_PAGE)) / 100)
    }

    fn argument(&self, field: &Field, name: &str) -> Option<usize> {
        let given = field.get_argument(name)?.node.clone();
        let lookup = |variable: async_graphql::Name| {
            Literal::from_json(self.variables.get(variable.as_str()).cloned().unwrap_or_default())
        };
        match given.into_const_with(lookup).ok()? {
            Literal::Number(number) => number.as_u64().and_then(|n| usize::try_from(n).ok()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;

    fn weigh(query: &str) -> usize {
        score(&parse_query(query).unwrap(), &serde_json::json!({"n": 10}))
    }

    #[test]
    fn longer_pages_weigh_more() {
        let small = weigh("{ project(fullPath: \"a\") { issues(first: 10) { nodes { id } } } }");
        let large = weigh("{ project(fullPath: \"a\") { issues(first: 100) { nodes { id } } } }");
        let variable = weigh("query($n: Int) { project(fullPath: \"a\") { issues(first: $n) { nodes { id } } } }");
        assert!(small < large);
        assert_eq!(small, variable);
    }

    #[test]
    fn members_of_many_projects_are_too_much() {
        let query = "{ group(fullPath: \"g\") { projects(first: 50) { nodes { projectMembers { nodes { id } } } } } }";
        assert!(weigh(query) > 250);
    }
}
