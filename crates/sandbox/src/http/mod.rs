//! What goes in and out of a route: parameters read the way GitLab reads them, answers, refusals, pages.

mod answer;
mod multipart;
mod paging;
mod params;

pub(crate) use answer::{Answer, Body, Refusal, Result};
pub(crate) use paging::Page;
pub(crate) use params::Params;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const KEEP: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// `a/b` as `a%2Fb`.
pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, KEEP).to_string()
}

/// `a%2Fb` as `a/b`; broken encodings become replacement characters.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
