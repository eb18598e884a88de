//! A community's path, made from its name.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::escape::Markdown;
use crate::untrusted::Untrusted;

/// The most characters of a slug.
const MAX: usize = 63;

/// Paths that GitLab keeps for itself inside a group (`doc/user/reserved_names`), and names that read like one of its pages.
const RESERVED: [&str; 27] = [
    "api",
    "badges",
    "blame",
    "blob",
    "builds",
    "commits",
    "create",
    "create-dir",
    "edit",
    "environments",
    "explore",
    "files",
    "find-file",
    "gitlab-lfs",
    "groups",
    "info",
    "issues",
    "new",
    "preview",
    "profile",
    "projects",
    "raw",
    "refs",
    "tree",
    "update",
    "users",
    "wikis",
];

/// The last part of a community's path: `[a-z][a-z0-9-]{1,62}`, no `-` at the end nor two in a row, and no reserved name.
/// Safe wherever it is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Slug(String);

/// Why there is no slug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlugProblem {
    /// Nothing is left that a path can hold.
    Empty,
    /// A letter outside the Latin alphabet: nobody's spelling of it is guessed.
    NotLatin(char),
    /// It begins with a digit.
    Beginning,
    /// Only one character is left.
    TooShort,
    /// More than 63 characters.
    TooLong,
    /// GitLab keeps this path for itself.
    Reserved,
    /// The path of a project that waits for its deletion.
    Deleted,
    /// A ready slug was given that breaks the rule.
    Malformed,
}

impl Slug {
    /// Takes a ready slug.
    ///
    /// # Errors
    /// When it breaks the rule of the type.
    pub fn new(text: &str) -> Result<Self, SlugProblem> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() {
            return Err(SlugProblem::Empty);
        }
        if !text.chars().all(allowed) || text.starts_with('-') || text.ends_with('-') || text.contains("--") {
            return Err(SlugProblem::Malformed);
        }
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(SlugProblem::Beginning);
        }
        match text.len() {
            1 => return Err(SlugProblem::TooShort),
            2..=MAX => {}
            _ => return Err(SlugProblem::TooLong),
        }
        if RESERVED.contains(&text) {
            return Err(SlugProblem::Reserved);
        }
        if text.contains("deletion-scheduled") || text.contains("-deleted-") {
            return Err(SlugProblem::Deleted);
        }
        Ok(Self(text.to_owned()))
    }

    /// Makes the slug of a name: Latin letters lose their accents, signs that carry a meaning become words (`&` and, `+` plus, `#`
    /// sharp, a leading `.` dot, `@` at, `%` percent), apostrophes go, everything else separates.
    ///
    /// # Errors
    /// When the name gives no slug; the same name always gives the same answer.
    pub fn from_name(name: &Untrusted) -> Result<Self, SlugProblem> {
        let chars: Vec<char> = name.expose().nfkc().collect();
        let mut words: Vec<String> = vec![String::new()];
        for (at, &c) in chars.iter().enumerate() {
            let inside = at.checked_sub(1).is_some_and(|before| chars[before].is_alphanumeric());
            let goes_on = chars.get(at + 1).is_some_and(|next| next.is_alphanumeric());
            match spelled(c, inside, goes_on)? {
                Spelled::Letters(letters) => {
                    if let Some(word) = words.last_mut() {
                        word.push_str(&letters);
                    }
                }
                Spelled::Word(word) => words.extend([word.to_owned(), String::new()]),
                Spelled::Nothing => {}
                Spelled::Gap => words.push(String::new()),
            }
        }
        words.retain(|word| !word.is_empty());
        Self::new(&words.join("-"))
    }

    /// The slug as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

enum Spelled {
    Letters(String),
    Word(&'static str),
    Nothing,
    Gap,
}

/// How one character of a name is written in a slug; `inside`: a letter or digit stands before it, `goes_on`: after it.
fn spelled(c: char, inside: bool, goes_on: bool) -> Result<Spelled, SlugProblem> {
    Ok(match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => Spelled::Letters(c.to_ascii_lowercase().to_string()),
        '\'' | '’' | '‘' | 'ʼ' => Spelled::Nothing,
        '&' => Spelled::Word("and"),
        '+' => Spelled::Word("plus"),
        '@' => Spelled::Word("at"),
        '%' => Spelled::Word("percent"),
        '#' if inside => Spelled::Word("sharp"),
        '.' if !inside && goes_on => Spelled::Word("dot"),
        c if unicode_normalization::char::is_combining_mark(c) => Spelled::Nothing,
        c if c.is_alphanumeric() && latin(c) => Spelled::Letters(folded(c)),
        c if c.is_alphanumeric() => return Err(SlugProblem::NotLatin(c)),
        _ => Spelled::Gap,
    })
}

fn folded(c: char) -> String {
    let folded = deunicode::deunicode_char(c).unwrap_or_default().to_ascii_lowercase();
    folded.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn latin(c: char) -> bool {
    matches!(c, '\u{aa}' | '\u{ba}' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' | '\u{2c60}'..='\u{2c7f}' | '\u{a720}'..='\u{a7ff}')
}

/// What two names have in common that a hurried reader would take for one another: case, accents, spaces, punctuation and
/// letters of other scripts that look the same make no difference.
#[must_use]
pub fn confusable_key(name: &Untrusted) -> String {
    name.expose()
        .nfkd()
        .flat_map(char::to_lowercase)
        .filter_map(skeleton)
        .collect()
}

fn skeleton(c: char) -> Option<char> {
    Some(match c {
        '0' | 'о' | 'ο' | 'օ' | 'ø' => 'o',
        '1' | 'l' | '|' | 'і' | 'ι' | 'ı' | 'ӏ' | 'ⅼ' => 'i',
        'а' | 'α' => 'a',
        'в' | 'β' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ε' => 'e',
        'һ' | 'н' | 'η' => 'h',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'м' | 'μ' => 'm',
        'п' | 'ո' => 'n',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        'ζ' => 'z',
        c if c.is_alphanumeric() => c,
        _ => return None,
    })
}

impl SlugProblem {
    /// What was found, in words for the proposer.
    #[must_use]
    pub fn found(&self) -> Markdown {
        let text = Markdown::new();
        match self {
            Self::Empty => text.words("the name has no letter that a path can hold"),
            Self::NotLatin(c) => text.words("a path cannot hold ").code(&Untrusted::new(*c)),
            Self::Beginning => text.words("the path would begin with a digit"),
            Self::TooShort => text.words("the path would have only one character"),
            Self::TooLong => text.words("the path would be longer than 63 characters"),
            Self::Reserved => text.words("GitLab keeps this path for itself"),
            Self::Deleted => text.words("the path looks like that of a deleted project"),
            Self::Malformed => text.words("the path has other characters than `a` to `z`, digits and single `-`"),
        }
    }

    /// What would mend it.
    #[must_use]
    pub fn mend(&self) -> Markdown {
        Markdown::new().words(match self {
            Self::Empty | Self::NotLatin(_) => "write the name with Latin letters",
            Self::Beginning => "begin the name with a letter",
            Self::TooShort => "write a longer name",
            Self::TooLong => "write a shorter name",
            Self::Reserved => "add a word to the name",
            Self::Deleted => "write another name",
            Self::Malformed => "use `a` to `z`, digits and single `-`",
        })
    }
}

impl fmt::Display for SlugProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.found().as_str())
    }
}

impl std::error::Error for SlugProblem {}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Slug {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: Result<&'static str, SlugProblem>) {
        let slug = Slug::from_name(&Untrusted::new(name)).map(|slug| slug.as_str().to_owned());
        assert_eq!(slug, expected.map(str::to_owned), "{name:?}");
    }

    #[test]
    fn a_name_gives_the_path_that_people_expect() {
        check("Agile Architecture", Ok("agile-architecture"));
        check("  Rust   at Work! ", Ok("rust-at-work"));
        check("C++", Ok("c-plus-plus"));
        check("C#", Ok("c-sharp"));
        check("C", Err(SlugProblem::TooShort));
        check(".NET", Ok("dot-net"));
        check("ASP.NET Core", Ok("asp-net-core"));
        check("R&D", Ok("r-and-d"));
        check("CI/CD", Ok("ci-cd"));
        check("AI/ML", Ok("ai-ml"));
        check("Let’s Encrypt (the team's)", Ok("lets-encrypt-the-teams"));
        check("Größe, Crème Brûlée & Łódź", Ok("grosse-creme-brulee-and-lodz"));
        check("Rust 🦀", Ok("rust"));
        check("Ｆｕｌｌ Width", Ok("full-width"));
    }

    #[test]
    fn what_gives_no_path_is_refused_with_a_reason() {
        check("", Err(SlugProblem::Empty));
        check("🦀 – !", Err(SlugProblem::Empty));
        check("Архитектура", Err(SlugProblem::NotLatin('А')));
        check("Аgile", Err(SlugProblem::NotLatin('А')));
        check("敏捷", Err(SlugProblem::NotLatin('敏')));
        check("3D Printing", Err(SlugProblem::Beginning));
        check("Wikis", Err(SlugProblem::Reserved));
        check("rust deletion_scheduled 12", Err(SlugProblem::Deleted));
        check(&"long ".repeat(20), Err(SlugProblem::TooLong));
    }

    #[test]
    fn a_ready_slug_is_accepted_or_refused_never_repaired() {
        for text in [
            "", "-", "a", "A-b", "a--b", "a-", "-a", "a_b", "a.git", "1a", "../x", "new", "a b", "ü-x",
        ] {
            assert!(Slug::new(text).is_err(), "{text:?}");
        }
        assert!(Slug::new("ab").is_ok());
        assert!(Slug::new(&"a".repeat(63)).is_ok());
        assert!(Slug::new(&"a".repeat(64)).is_err());
    }

    #[test]
    fn look_alike_names_have_one_key() {
        let key = |name: &str| confusable_key(&Untrusted::new(name));
        for twin in [
            "AGILE architecture",
            "Аgile Аrchitecture",
            "Agíle-Architecture",
            "agi1e.architecture",
            "Agile\u{200b} Architecture",
        ] {
            assert_eq!(key(twin), key("Agile Architecture"), "{twin}");
        }
        assert_ne!(key("Agile Architecture"), key("Agile Architects"));
    }
}
