//! Forms that come as `multipart/form-data`.

/// Names and texts of all parts in their order; none when the body is not what its type says. Files are taken as texts.
pub(super) fn fields(body: &[u8], boundary: &str) -> Option<Vec<(String, String)>> {
    let body = String::from_utf8_lossy(body);
    let delimiter = format!("--{boundary}");
    let mut parts = body.split(delimiter.as_str());
    parts.next()?;
    let mut found = Vec::new();
    for part in parts {
        if part.starts_with("--") {
            return Some(found);
        }
        let (head, text) = part.trim_start_matches("\r\n").split_once("\r\n\r\n")?;
        let text = text.strip_suffix("\r\n").unwrap_or(text);
        found.push((name(head)?, text.to_owned()));
    }
    // The end is missing: the body was cut.
    None
}

/// `name="…"` of the part's `Content-Disposition`.
fn name(head: &str) -> Option<String> {
    let mut lines = head.lines();
    let line = lines.find(|l| l.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let value = line.split(';').find_map(|p| p.trim().strip_prefix("name="))?;
    Some(value.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_fields() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"labels[]\"\r\n\r\na\r\n\
                    --x\r\nContent-Disposition: form-data; name=\"title\"\r\nContent-Type: text/plain\r\n\r\nt\r\nu\r\n--x--\r\n";
        let wanted = vec![
            ("labels[]".to_owned(), "a".to_owned()),
            ("title".to_owned(), "t\r\nu".to_owned()),
        ];
        assert_eq!(fields(body.as_bytes(), "x"), Some(wanted));
    }

    #[test]
    fn a_cut_body_is_no_form() {
        assert_eq!(
            fields(b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb", "x"),
            None
        );
    }
}
