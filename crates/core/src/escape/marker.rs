//! The hidden first line by which we find our own notes and descriptions again.

use serde_json::Value;

use crate::untrusted::Untrusted;

/// What a person may paste is read at most this far.
const MAX: usize = 65_536;

/// `<!-- convenor:KIND JSON -->`, the first line of a note or description of ours.
///
/// Anybody can paste such a line: it says what a text is about, and only together with the author's id that it is ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Marker {
    /// What the text is, e.g. `status`: lower-case ASCII letters, digits and `-`.
    pub kind: &'static str,
    /// What is remembered about it.
    pub data: Value,
}

impl Marker {
    /// The data of the marker of this kind in the first line of `text`, if it is there and whole.
    #[must_use]
    pub fn find(text: &str, kind: &str) -> Option<Value> {
        let line = text.trim_start_matches('\u{feff}').split(['\n', '\r']).next()?;
        let inside = line.trim_end().strip_prefix("<!-- convenor:")?.strip_suffix("-->")?;
        let (found, json) = inside.split_once(' ')?;
        if found != kind || json.len() > MAX {
            return None;
        }
        serde_json::from_str(json.trim()).ok()
    }

    /// Whether the first line is a marker of ours, of whatever kind.
    #[must_use]
    pub fn is_in(text: &Untrusted) -> bool {
        text.expose()
            .trim_start_matches('\u{feff}')
            .starts_with("<!-- convenor:")
    }

    /// The line, without a line end. Inside JSON texts every character that HTML, quick actions or references could see is
    /// written as `\uXXXX`, so that the comment cannot be closed from within.
    pub(super) fn line(&self) -> String {
        let mut json = String::new();
        let mut inside = false;
        let mut escaped = false;
        for c in self.data.to_string().chars() {
            let closes = c == '"' && !escaped;
            escaped = inside && c == '\\' && !escaped;
            if closes {
                inside = !inside;
            }
            if inside
                && !c.is_ascii_alphanumeric()
                && !matches!(c, '"' | '\\' | ' ' | '_' | '.' | ':' | ',' | '{' | '}')
            {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    json.push_str(&format!("\\u{unit:04x}"));
                }
            } else {
                json.push(c);
            }
        }
        format!("<!-- convenor:{} {json} -->", self.kind)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_marker_is_read_back_from_the_first_line_only() {
        let data =
            json!({"issue": 12, "text": "--> <!-- \" \\ \n /close @all #1 ✓ 🎉", "n": -1, "list": ["\\", "\\\""]});
        let line = Marker {
            kind: "status",
            data: data.clone(),
        }
        .line();
        assert_eq!(Marker::find(&format!("{line}\nhello"), "status"), Some(data));
        assert_eq!(Marker::find(&format!("hello\n{line}"), "status"), None);
        assert_eq!(Marker::find(&line, "other"), None);
        assert_eq!(line.matches("--").count(), 2, "{line}");
        assert!(!line.contains(['@', '#', '\n']), "{line}");
    }

    #[test]
    fn a_marker_of_more_than_64_kib_is_not_read() {
        let line = |length: usize| {
            Marker {
                kind: "status",
                data: json!("x".repeat(length)),
            }
            .line()
        };
        assert!(Marker::find(&line(65_000), "status").is_some());
        assert!(Marker::find(&line(66_000), "status").is_none());
    }

    #[test]
    fn a_broken_marker_is_none() {
        for text in [
            "",
            "<!-- convenor:status",
            "<!-- convenor:status {-->",
            "<!-- convenor:status -->",
            "<!-->",
        ] {
            assert_eq!(Marker::find(text, "status"), None, "{text}");
        }
    }
}
