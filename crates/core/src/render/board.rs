//! `board.toml`: the issue board of a new community.

use std::collections::BTreeSet;

use serde::Deserialize;

/// An issue board with its lists.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// The board's name.
    pub name: String,
    /// The lists from left to right, each a label; GitLab adds "Open" and "Closed" by itself.
    pub lists: Vec<BoardList>,
}

/// One list of a board: the label of that name is made when the project lacks it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardList {
    /// The label's name, at most 255 characters and without a comma (GitLab splits lists of labels at commas).
    pub label: String,
    /// The label's colour, `#RRGGBB`.
    pub color: String,
    /// What the label means.
    pub description: String,
}

/// Reads the file; a fault comes with its line where it has one.
pub(super) fn parse(source: &str) -> Result<Board, (Option<usize>, String)> {
    let board: Board = toml::from_str(source).map_err(|error| {
        let line = error
            .span()
            .map(|span| source[..span.start.min(source.len())].matches('\n').count() + 1);
        (line, error.message().to_owned())
    })?;
    check(&board).map_err(|what| (None, what))?;
    Ok(board)
}

fn check(board: &Board) -> Result<(), String> {
    if board.name.trim().is_empty() {
        return Err("`name` is empty; the specification's is `Community board`".to_owned());
    }
    let mut seen = BTreeSet::new();
    for list in &board.lists {
        let label = list.label.as_str();
        if label.trim().is_empty() || label.contains(',') || label.chars().count() > 255 {
            return Err(format!(
                "the label `{label}` cannot be: write 1 to 255 characters without a comma"
            ));
        }
        if !seen.insert(label.to_lowercase()) {
            return Err(format!("the label `{label}` stands twice; remove one"));
        }
        if !is_color(&list.color) {
            return Err(format!(
                "the label `{label}` has the color `{}`; write it as `#6699cc`",
                list.color
            ));
        }
    }
    Ok(())
}

fn is_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|hex| hex.len() == 6 && hex.chars().all(|c| c.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "[[lists]]\nlabel = \"a\"\ncolor = \"#6699cc\"\ndescription = \"\"\n";

    fn check_fault(source: &str, line: Option<usize>, part: &str) {
        let (at, what) = parse(source).unwrap_err();
        assert!(at == line && what.contains(part), "{at:?} {what}");
    }

    #[test]
    fn a_board_is_read() {
        let board = parse(&format!("name = \"B\"\n{LIST}")).unwrap();
        assert_eq!((board.name.as_str(), board.lists[0].label.as_str()), ("B", "a"));
    }

    #[test]
    fn what_a_board_cannot_have_is_named() {
        check_fault("name = \"B\"\nlists = []\ncolour = 1\n", Some(3), "colour");
        check_fault(&format!("name = \"B\"\n{LIST}{LIST}"), None, "twice");
        check_fault(
            &format!("name = \"B\"\n{}", LIST.replace("#6699cc", "blue")),
            None,
            "blue",
        );
        check_fault(&format!("name = \" \"\n{LIST}"), None, "name");
        check_fault("name = \n", Some(1), "");
    }
}
