//! The one address that the token may be sent to.

use std::fmt;
use std::net::IpAddr;

use http::Uri;
use url::{Host, Url};

use super::error::{GitLabError, Words};

/// The configured address is unusable.
#[derive(Debug, thiserror::Error)]
pub enum BadAddress {
    /// Neither `https` nor `http`.
    #[error("`{0}` is no web address; write it like `https://gitlab.example.com`")]
    NoWebAddress(String),
    /// User name, password, query or fragment in it.
    #[error("GitLab's address may hold no user name, password, query or fragment; the token has a setting of its own")]
    Extras,
    /// Plain HTTP to another machine.
    #[error("`{0}` would carry the token unencrypted; use https, or allow plain HTTP in the settings if you must")]
    PlainHttp(String),
}

/// Scheme, host, port and path of GitLab; every request is checked against it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Ends in `/`.
    root: Url,
    loopback: bool,
}

impl Origin {
    pub(crate) fn new(url: &Url, allow_plain_http: bool) -> Result<Self, BadAddress> {
        let shown = || format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
        if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
            return Err(BadAddress::NoWebAddress(shown()));
        }
        let extras = !url.username().is_empty() || url.password().is_some();
        if extras || url.query().is_some() || url.fragment().is_some() {
            return Err(BadAddress::Extras);
        }
        let loopback = is_loopback(url);
        if url.scheme() == "http" && !loopback && !allow_plain_http {
            return Err(BadAddress::PlainHttp(shown()));
        }
        let mut root = url.clone();
        if !root.path().ends_with('/') {
            root.set_path(&format!("{}/", root.path()));
        }
        Ok(Self { root, loopback })
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// The address of a REST endpoint, `projects/7` for instance.
    pub(crate) fn below_api(&self, call: &'static str, endpoint: &str) -> Result<Url, GitLabError> {
        self.below(call, "api/v4/", endpoint)
    }

    /// The address of something of the instance itself, `api/graphql` for instance.
    pub(crate) fn below_root(&self, call: &'static str, endpoint: &str) -> Result<Url, GitLabError> {
        self.below(call, "", endpoint)
    }

    /// Puts an address together as text and not by joining, so that `//host` or `https:` in it stays a path; refuses
    /// segments that a URL parser would take as "one up".
    fn below(&self, call: &'static str, prefix: &str, endpoint: &str) -> Result<Url, GitLabError> {
        let refuse = |cause: &str| GitLabError::Unsendable {
            call,
            cause: Words::new(cause),
        };
        let up = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
        if endpoint.contains(['?', '#', '\\']) || endpoint.split('/').any(up) {
            return Err(refuse("the path holds a segment that no GitLab path can have"));
        }
        let url = Url::parse(&format!("{}{prefix}{endpoint}", self.root)).map_err(|_| refuse("the path is no path"))?;
        if self.holds(&url) {
            Ok(url)
        } else {
            Err(refuse("the address is not below GitLab's"))
        }
    }

    /// The last check before sending: whatever put the request together, it goes to GitLab or nowhere.
    pub(crate) fn admit(&self, call: &'static str, uri: &Uri) -> Result<Url, GitLabError> {
        Url::parse(&uri.to_string())
            .ok()
            .filter(|url| self.holds(url))
            .ok_or_else(|| GitLabError::Unsendable {
                call,
                cause: Words::new("the address is not below GitLab's"),
            })
    }

    fn holds(&self, url: &Url) -> bool {
        url.origin() == self.root.origin()
            && url.path().starts_with(self.root.path())
            && url.username().is_empty()
            && url.password().is_none()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.root.as_str())
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(url: &str) -> Origin {
        Origin::new(&Url::parse(url).unwrap(), false).unwrap()
    }

    #[test]
    fn paths_are_put_below_the_configured_address() {
        let check = |root: &str, endpoint: &str, expected: &str| {
            assert_eq!(origin(root).below_api("x", endpoint).unwrap().as_str(), expected);
        };
        check("https://g.example", "user", "https://g.example/api/v4/user");
        check(
            "https://e.example/gitlab",
            "projects/a%2Fb",
            "https://e.example/gitlab/api/v4/projects/a%2Fb",
        );
        check("http://127.0.0.1:8081/", "user", "http://127.0.0.1:8081/api/v4/user");
        check(
            "https://g.example",
            "//evil.example/x",
            "https://g.example/api/v4///evil.example/x",
        );
        check(
            "https://g.example",
            "https://evil.example",
            "https://g.example/api/v4/https://evil.example",
        );
    }

    #[test]
    fn paths_that_climb_are_refused() {
        for endpoint in [
            "projects/../../x",
            "projects/%2e%2E/x",
            "projects/.%2e",
            "a?private_token=x",
            "a#b",
            r"a\b",
        ] {
            assert!(
                origin("https://g.example/gitlab").below_api("x", endpoint).is_err(),
                "{endpoint}"
            );
        }
    }

    #[test]
    fn only_gitlabs_own_address_is_admitted() {
        let origin = origin("https://g.example/gitlab");
        let admitted = |uri: &str| origin.admit("x", &uri.parse().unwrap()).is_ok();
        assert!(admitted("https://g.example/gitlab/api/v4/user?page=2"));
        for foreign in [
            "https://evil.example/gitlab/api/v4/user",
            "http://g.example/gitlab/api/v4/user",
            "https://g.example:8443/gitlab/api/v4/user",
            "https://g.example/other",
            "https://g.example.evil.example/gitlab/",
            "https://x@g.example/gitlab/api/v4/user",
        ] {
            assert!(!admitted(foreign), "{foreign}");
        }
    }

    #[test]
    fn plain_http_is_for_loopback_or_when_told() {
        let make = |url: &str, allowed| Origin::new(&Url::parse(url).unwrap(), allowed);
        for url in [
            "http://127.0.0.1:80",
            "http://[::1]:9",
            "http://localhost:3000",
            "https://g.example",
        ] {
            assert!(make(url, false).is_ok(), "{url}");
        }
        assert!(matches!(make("http://g.example", false), Err(BadAddress::PlainHttp(_))));
        assert!(make("http://g.example", true).is_ok());
        assert!(matches!(
            make("https://me:secret@g.example", true),
            Err(BadAddress::Extras)
        ));
        assert!(matches!(
            make("ftp://g.example", true),
            Err(BadAddress::NoWebAddress(_))
        ));
    }
}
