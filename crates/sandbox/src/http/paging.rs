//! Pages of a list: offset pages with their headers, and keyset pages where GitLab offers them.

use super::{Answer, Params, Refusal, Result};
use serde_json::Value;

const MOST_PER_PAGE: usize = 100;
const MOST_COUNTED: usize = 10_000;
const FURTHEST_OFFSET: usize = 50_000;

/// Which part of a list was asked for, and where the list is, for links to its other parts.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    page: usize,
    per_page: usize,
    keyset: bool,
    cursor: Option<String>,
    base: String,
    query: String,
}

impl Page {
    /// Reads `page`, `per_page` and `pagination`; `base` is the absolute address of the list.
    pub(crate) fn read(params: &Params, base: &str, query: &str) -> Result<Self> {
        let page = params.number("page")?.unwrap_or(1).max(1);
        let per_page = params.number("per_page")?.unwrap_or(20);
        if per_page == 0 {
            return Err(Refusal::error(400, "per_page does not have a valid value"));
        }
        let keyset = params.one_of("pagination", &["keyset", "legacy", "none"])?.as_deref() == Some("keyset");
        let cursor = params.filled("id_after").or_else(|| params.filled("cursor"));
        let clamp = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        Ok(Self {
            page: clamp(page),
            per_page: clamp(per_page).min(MOST_PER_PAGE),
            keyset,
            cursor,
            base: base.to_owned(),
            query: query.to_owned(),
        })
    }

    pub(crate) fn is_keyset(&self) -> bool {
        self.keyset
    }

    /// Cuts the page out of all rows and turns only those into JSON.
    pub(crate) fn of<T>(&self, rows: &[T], show: impl FnMut(&T) -> Value) -> Result {
        let offset = (self.page - 1).saturating_mul(self.per_page);
        if offset > FURTHEST_OFFSET {
            return Err(Refusal::error(
                405,
                "Offset pagination has a maximum allowed offset of 50000 for requests that return objects of this type. \
                 Remaining records can be retrieved using keyset pagination.",
            ));
        }
        let end = offset.saturating_add(self.per_page).min(rows.len());
        let shown: Vec<Value> = rows.get(offset..end).unwrap_or_default().iter().map(show).collect();
        Ok(self.headers(Answer::ok(Value::Array(shown)), rows.len()))
    }

    fn headers(&self, answer: Answer, total: usize) -> Answer {
        let pages = total.div_ceil(self.per_page).max(1);
        let next = if self.page < pages {
            (self.page + 1).to_string()
        } else {
            String::new()
        };
        let previous = if self.page > 1 {
            (self.page - 1).to_string()
        } else {
            String::new()
        };
        let counted = total <= MOST_COUNTED;
        let mut links = Vec::new();
        if !previous.is_empty() {
            links.push(self.link(&previous, "prev"));
        }
        if !next.is_empty() {
            links.push(self.link(&next, "next"));
        }
        links.push(self.link("1", "first"));
        if counted {
            links.push(self.link(&pages.to_string(), "last"));
        }
        let answer = answer
            .header("x-page", self.page.to_string())
            .header("x-per-page", self.per_page.to_string())
            .header("x-next-page", next)
            .header("x-prev-page", previous)
            .header("link", links.join(", "));
        if !counted {
            return answer;
        }
        answer
            .header("x-total", total.to_string())
            .header("x-total-pages", pages.to_string())
    }

    fn link(&self, page: &str, rel: &str) -> String {
        self.link_with(
            &[("page", page), ("per_page", &self.per_page.to_string())],
            &["page", "per_page"],
            rel,
        )
    }

    fn link_with(&self, set: &[(&str, &str)], drop: &[&str], rel: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (key, value) in url::form_urlencoded::parse(self.query.as_bytes()) {
            if !drop.contains(&key.as_ref()) {
                query.append_pair(&key, &value);
            }
        }
        query.extend_pairs(set);
        format!("<{}?{}>; rel=\"{rel}\"", self.base, query.finish())
    }

    /// A keyset page over rows that are already in order; `id` gives the cursor of a row.
    pub(crate) fn keyset_of<T>(&self, rows: &[T], id: impl Fn(&T) -> String, show: impl FnMut(&T) -> Value) -> Result {
        let start = match &self.cursor {
            None => 0,
            Some(cursor) => rows
                .iter()
                .position(|r| id(r) == *cursor)
                .map_or(rows.len(), |at| at + 1),
        };
        let end = start.saturating_add(self.per_page).min(rows.len());
        let shown: Vec<Value> = rows[start..end].iter().map(show).collect();
        let answer = Answer::ok(Value::Array(shown)).header("x-per-page", self.per_page.to_string());
        let Some(last) = rows[start..end].last().filter(|_| end < rows.len()) else {
            return Ok(answer.header("x-next-page", ""));
        };
        let cursor = id(last);
        let link = self.link_with(&[("cursor", cursor.as_str())], &["page", "cursor", "id_after"], "next");
        Ok(answer.header("x-next-cursor", cursor).header("link", link))
    }
}
