//! Who a facilitator cell names, however people worded it.
//!
//! `Lead: [Bart Zhang (@bzhang7)](…), Co-Leads: …`, `@DarwinJS`, `Sascha Grunert (**[@saschagrunert](…)**)`, shortcodes
//! such as `{{< member-by-name "…" >}}`, `(inactive)` after a person and `TBD` are all understood.

use url::Url;

use super::cell::{Part, Said, one_line};
use super::fold::unaccented;
use super::scan::collapse;
use super::wanted::Person;
use crate::ids::Username;
use crate::untrusted::Untrusted;

/// Somebody whom a cell names.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Someone {
    /// The username, from `@name` or the address of a profile.
    pub username: Option<Username>,
    /// The name as the cell writes it.
    pub name: Option<Untrusted>,
    /// Where the link leads, if there is one.
    pub target: Option<String>,
    /// Whether `(inactive)` stands after the person.
    pub inactive: bool,
}

/// Everybody whom a cell names.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct People {
    /// In the cell's order, nobody twice.
    pub named: Vec<Someone>,
    /// Whether nobody is named: the cell is empty or says `TBD`.
    pub tbd: bool,
    /// Whether anybody, or the cell as a whole, is marked `(inactive)`.
    pub inactive: bool,
}

impl People {
    /// Reads a cell.
    #[must_use]
    pub fn read(said: &Said) -> Self {
        let mut named: Vec<Someone> = Vec::new();
        for someone in items(said).iter().flat_map(Item::people) {
            let known = named
                .iter_mut()
                .find(|other| other.username.is_some() && other.username == someone.username);
            match known {
                Some(known) => known.inactive |= someone.inactive,
                None => named.push(someone),
            }
        }
        Self {
            tbd: named.is_empty(),
            inactive: is_inactive(&said.text),
            named,
        }
    }

    /// Whether the cell names these people and nobody else, each marked as wanted.
    ///
    /// Somebody is a wanted person by username, else by the profile's address, else by the display name.
    #[must_use]
    pub fn are(&self, wanted: &[Person], inactive: bool) -> bool {
        let mut left: Vec<&Someone> = self.named.iter().collect();
        for person in wanted {
            let Some(at) = left.iter().position(|someone| someone.is(person)) else {
                return false;
            };
            // One mark after the last of several is how people mark a whole community.
            let marked = left.remove(at).inactive || (inactive && self.inactive);
            if marked != (inactive || person.inactive) {
                return false;
            }
        }
        left.is_empty() && (!wanted.is_empty() || self.inactive == inactive)
    }

    /// Whether all the cell's people are among the wanted.
    pub(super) fn are_among(&self, wanted: &[Person]) -> bool {
        self.named
            .iter()
            .all(|someone| wanted.iter().any(|person| someone.is(person)))
    }
}

impl Someone {
    pub(super) fn is(&self, person: &Person) -> bool {
        if let Some(username) = &self.username {
            return *username == person.username;
        }
        let address = self
            .target
            .as_deref()
            .is_some_and(|target| same_address(target, &person.profile_url));
        let display = person.display_name.as_ref().map(Untrusted::expose);
        // A display name may have its pronouns with it, as `bare_name` takes them off the cell's.
        let display = display.map(|name| bare_name(name).unwrap_or_else(|| name.to_owned()));
        let named = self
            .name
            .as_ref()
            .zip(display)
            .is_some_and(|(ours, theirs)| fold(ours.expose()) == fold(&theirs));
        address || named
    }
}

fn same_address(target: &str, url: &Url) -> bool {
    Url::parse(target).is_ok_and(|target| {
        target.host_str() == url.host_str()
            && target
                .path()
                .trim_end_matches('/')
                .eq_ignore_ascii_case(url.path().trim_end_matches('/'))
    })
}

/// Names are compared without regard to case, diacritics and white space.
pub(super) fn fold(name: &str) -> String {
    collapse(&unaccented(&one_line(name)).to_lowercase())
}

/// Whether the text says `(inactive)`, or `(inactive since …)`.
pub(super) fn is_inactive(text: &str) -> bool {
    const MARK: &[u8] = b"(inactive";
    text.as_bytes()
        .windows(MARK.len())
        .any(|part| part.eq_ignore_ascii_case(MARK))
}

/// What stands between two separators of a cell: words and links.
#[derive(Debug, Default)]
struct Item {
    words: String,
    links: Vec<(String, String)>,
}

/// Splits a cell at commas, `and`, tags and the like, but not inside links and parentheses.
fn items(said: &Said) -> Vec<Item> {
    let mut items = vec![Item::default()];
    let mut depth = 0usize;
    for part in &said.parts {
        match part {
            Part::Break => items.push(Item::default()),
            Part::Link { text, target } => {
                if let Some(item) = items.last_mut() {
                    item.links.push((collapse(text), target.clone()));
                }
            }
            Part::Text(text) => split_words(&spell_shortcodes(text), &mut items, &mut depth),
        }
    }
    items
}

fn split_words(text: &str, items: &mut Vec<Item>, depth: &mut usize) {
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim().to_lowercase();
        if *depth == 0 && matches!(bare.as_str(), "and" | "&" | "+" | "/" | "und" | "et" | "y") {
            items.push(Item::default());
            continue;
        }
        for c in word.chars() {
            match c {
                '(' => *depth += 1,
                ')' => *depth = depth.saturating_sub(1),
                ',' | ';' | '、' | '，' if *depth == 0 => {
                    items.push(Item::default());
                    continue;
                }
                _ => {}
            }
            if let Some(item) = items.last_mut() {
                item.words.push(c);
            }
        }
    }
}

/// Hugo shortcodes that name a person become that name, or the username where the shortcode takes one.
fn spell_shortcodes(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        let Some(end) = rest[start..].find("}}").map(|end| start + end) else {
            break;
        };
        out.push_str(&rest[..start]);
        let inner = rest[start + 2..end].trim_matches(['<', '>', '%', ' ']);
        let code = inner.split_whitespace().next().unwrap_or_default();
        let quoted = inner.split(['"', '`', '“', '”']).nth(1).unwrap_or_default();
        let handle = if code.contains("gitlab") || code.contains("handle") || code.contains("username") {
            "@"
        } else {
            ""
        };
        out.push_str(&format!(";{handle}{quoted};"));
        rest = &rest[end + 2..];
    }
    out.push_str(rest);
    out
}

impl Item {
    fn people(&self) -> Vec<Someone> {
        let inactive = is_inactive(&self.words) || self.links.iter().any(|(text, _)| is_inactive(text));
        let handles = handles(&self.words);
        // An address that is not written as a link becomes one in GitLab.
        let bare = self.words.split_whitespace().filter(|word| is_address(word));
        let bare = bare.map(|word| linked("", word));
        let written = self.links.iter().map(|(text, target)| linked(text, target));
        let mut people: Vec<Someone> = written.chain(bare).collect();
        match (&mut people[..], &handles[..]) {
            // `[Jane Doe](https://example.com) (@jane)` is one person.
            ([one], [handle]) if one.username.is_none() => one.username = Some(handle.clone()),
            _ => {
                let unknown = handles
                    .into_iter()
                    .filter(|handle| people.iter().all(|one| one.username.as_ref() != Some(handle)));
                let more: Vec<Someone> = unknown
                    .map(|handle| Someone {
                        username: Some(handle),
                        ..Someone::default()
                    })
                    .collect();
                people.extend(more);
            }
        }
        let name = bare_name(&self.words);
        if let ([one], Some(name)) = (&mut people[..], &name) {
            one.name.get_or_insert_with(|| Untrusted::new(name.clone()));
        } else if let (true, Some(name)) = (people.is_empty(), name) {
            people.push(Someone {
                name: Some(Untrusted::new(name)),
                ..Someone::default()
            });
        }
        for someone in &mut people {
            someone.inactive = inactive;
        }
        people
    }
}

fn linked(text: &str, target: &str) -> Someone {
    let username = handles(text).into_iter().next().or_else(|| username_of(target));
    Someone {
        username,
        name: bare_name(text).map(Untrusted::new),
        target: Some(target.to_owned()),
        inactive: false,
    }
}

/// The usernames written as `@name`.
fn handles(text: &str) -> Vec<Username> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices('@') {
        let inside = text[..at].chars().next_back().is_some_and(char::is_alphanumeric);
        let rest = &text[at + 1..];
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')))
            .unwrap_or(rest.len());
        let name = rest[..end].trim_end_matches(['.', '-']);
        if let (false, Some(username)) = (inside, Username::new(name)) {
            found.push(username);
        }
    }
    found
}

fn is_address(word: &str) -> bool {
    word.starts_with("https://") || word.starts_with("http://")
}

/// The words without label (`Lead:`), parentheses and handles; `None` when that leaves nobody.
fn bare_name(words: &str) -> Option<String> {
    let words: Vec<&str> = words.split_whitespace().filter(|word| !is_address(word)).collect();
    let words = words.join(" ");
    let mut depth = 0usize;
    let mut name = String::new();
    for c in words.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => name.push(c),
            _ => {}
        }
    }
    // Only now the label: what stands in parentheses may hold a colon of its own.
    let name = name.rsplit_once(':').map_or(name.as_str(), |(_, after)| after);
    let kept = name.split_whitespace().filter(|word| !word.starts_with('@'));
    let name = kept.collect::<Vec<_>>().join(" ");
    let name = name.trim_matches(|c: char| !c.is_alphanumeric() && c != '.' && c != '\'');
    let nobody = [
        "tbd",
        "tba",
        "tbc",
        "n/a",
        "na",
        "none",
        "nobody",
        "vacant",
        "to be determined",
        "to be decided",
        "inactive",
    ];
    let is_somebody = name.chars().any(char::is_alphabetic) && !nobody.contains(&name.to_lowercase().as_str());
    is_somebody.then(|| name.to_owned())
}

/// The username that a profile's address names: `https://gitlab.example/alice`, or a team page's `#alice`.
fn username_of(target: &str) -> Option<Username> {
    let base = Url::parse("https://page.invalid/").ok()?;
    let url = base.join(target).ok()?;
    let host = url.host_str().unwrap_or_default();
    if url.path().trim_end_matches('/').ends_with("company/team") {
        return Username::new(url.fragment()?);
    }
    let foreign = [
        "github.com",
        "twitter.com",
        "x.com",
        "linkedin.com",
        "page.invalid",
        "bsky.app",
        "medium.com",
    ];
    if foreign.contains(&host.trim_start_matches("www.")) || !matches!(url.scheme(), "https" | "http") {
        return None;
    }
    let mut segments = url.path_segments()?.filter(|segment| !segment.is_empty());
    let (first, second) = (segments.next()?, segments.next());
    second.is_none().then(|| Username::new(first)).flatten()
}
