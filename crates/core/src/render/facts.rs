//! The marked block of a README, which Convenor keeps true; all around it is people's.

const BEGIN: &str = "<!-- convenor:facts begin";
const END: &str = "<!-- convenor:facts end -->";

/// `current` with its block replaced by the one of `wanted`; `None` unless each has exactly one block.
pub(super) fn spliced(current: &str, wanted: &str) -> Option<String> {
    let (before, there, after) = parts(current)?;
    let (_, block, _) = parts(wanted)?;
    let block = if there.contains("\r\n") {
        block.replace('\n', "\r\n")
    } else {
        block.to_owned()
    };
    Some(format!("{before}{block}{after}"))
}

fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let begin = only(text, BEGIN)?;
    let end = only(text, END)? + END.len();
    let block = text.get(begin..end)?;
    Some((&text[..begin], block, &text[end..]))
}

fn only(text: &str, mark: &str) -> Option<usize> {
    let mut found = text.match_indices(mark).map(|(at, _)| at);
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: &str = "# T\n<!-- convenor:facts begin. -->\nnew\n<!-- convenor:facts end -->\n";

    #[test]
    fn only_the_block_changes() {
        let current = "mine\n<!-- convenor:facts begin. Old words -->\nold\n<!-- convenor:facts end -->\nmine\n";
        let expected = "mine\n<!-- convenor:facts begin. -->\nnew\n<!-- convenor:facts end -->\nmine\n";
        assert_eq!(spliced(current, WANTED).as_deref(), Some(expected));
    }

    #[test]
    fn doubled_missing_or_swapped_marks_are_left_alone() {
        for current in [
            "no marks",
            "<!-- convenor:facts begin. -->",
            "<!-- convenor:facts end --> <!-- convenor:facts begin. -->",
            "<!-- convenor:facts begin. --><!-- convenor:facts end --><!-- convenor:facts begin. -->",
        ] {
            assert_eq!(spliced(current, WANTED), None, "{current}");
        }
    }
}
