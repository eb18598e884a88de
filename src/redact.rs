//! The last line against secrets in texts: whatever comes out of GitLab's refusals or goes into the log has our own secrets
//! taken out, in every spelling in which they travel.
//!
//! The types keep secrets from being printed ([`secrecy`]); this is for texts of others that repeat them, such as a proxy's
//! error page with the request's headers in it.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use secrecy::{ExposeSecret, SecretString};

/// What stands where a secret was.
const INSTEAD: &[u8] = b"[secret]";
/// Shorter texts occur by chance; nobody may have such a secret, and `doctor` says so.
const SHORTEST: usize = 8;

/// Knows the secrets in all their spellings. Clones share what any of them learns.
#[derive(Clone, Default)]
pub struct Redactor {
    needles: Arc<RwLock<Arc<Vec<Vec<u8>>>>>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} spellings)", self.needles().len())
    }
}

impl Redactor {
    /// For these secrets; those shorter than eight bytes are left out.
    #[must_use]
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s SecretString>) -> Self {
        let redactor = Self::default();
        redactor.learn(secrets);
        redactor
    }

    /// From now on, these secrets are taken out too, by all clones: a token may be replaced while the service runs.
    pub fn learn<'s>(&self, secrets: impl IntoIterator<Item = &'s SecretString>) {
        let more: Vec<Vec<u8>> = secrets
            .into_iter()
            .map(|secret| secret.expose_secret().as_bytes())
            .filter(|secret| secret.len() >= SHORTEST)
            .flat_map(spellings)
            .collect();
        // A panic while the lock was held leaves what it guards whole: it is only ever replaced.
        let mut known = self.needles.write().unwrap_or_else(PoisonError::into_inner);
        let mut needles = known.as_ref().clone();
        needles.extend(more);
        // The longest first: a spelling may begin with another.
        needles.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        needles.dedup();
        *known = Arc::new(needles);
    }

    fn needles(&self) -> Arc<Vec<Vec<u8>>> {
        self.needles.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The text without the secrets.
    #[must_use]
    pub fn clean<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let mut text = Cow::Borrowed(text);
        for needle in self.needles().iter() {
            if let Some(cleaned) = without(&text, needle) {
                text = Cow::Owned(cleaned);
            }
        }
        text
    }
}

/// The text with something else where the needle was; `None` when it is nowhere.
fn without(text: &[u8], needle: &[u8]) -> Option<Vec<u8>> {
    let mut at = find(text, needle)?;
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(INSTEAD);
        rest = &rest[at + needle.len()..];
        match find(rest, needle) {
            Some(next) => at = next,
            None => break,
        }
    }
    out.extend_from_slice(rest);
    Some(out)
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

/// As it is, percent-encoded, in hexadecimal, and in base64 at each of the three places where it may begin.
fn spellings(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex = hex::encode(secret);
    let percent = |letters: fn(u8) -> bool, lower: bool| -> Vec<u8> {
        let byte = |&byte: &u8| match (letters(byte), lower) {
            (true, _) => char::from(byte).to_string(),
            (false, false) => format!("%{byte:02X}"),
            (false, true) => format!("%{byte:02x}"),
        };
        secret.iter().map(byte).collect::<String>().into_bytes()
    };
    let plain: fn(u8) -> bool = |byte| byte.is_ascii_alphanumeric();
    let unreserved: fn(u8) -> bool = |byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let mut all = vec![
        secret.to_vec(),
        percent(plain, false),
        percent(plain, true),
        percent(unreserved, false),
        percent(unreserved, true),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
    ];
    for letters in [alphabet::STANDARD, alphabet::URL_SAFE] {
        let engine = GeneralPurpose::new(&letters, NO_PAD);
        for before in 0..3 {
            all.push(in_base64(&engine, secret, before, secret.len()));
            all.push(in_base64(
                &engine,
                secret,
                before,
                (before + secret.len()) / 3 * 3 - before,
            ));
        }
    }
    all
}

/// So many bytes of the secret in base64, without what depends on the bytes before it, when so many bytes of a group of three
/// stand there. The secret's end is spelled in one way when nothing follows, and in another when something does.
fn in_base64(engine: &GeneralPurpose, secret: &[u8], before: usize, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; before];
    bytes.extend_from_slice(&secret[..length]);
    let text = engine.encode(&bytes);
    // One byte before touches two characters, two touch three.
    let skip = if before == 0 { 0 } else { before + 1 };
    text.as_bytes()[skip..].to_vec()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    use super::*;

    const SECRET: &str = "glpat-canary/0123+456789";

    fn clean(text: &str) -> String {
        let secrets = [SecretString::from(SECRET), SecretString::from("short")];
        String::from_utf8(Redactor::new(&secrets).clean(text.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn a_secret_is_taken_out_wherever_it_stands_and_nothing_else() {
        assert_eq!(
            clean(&format!("a {SECRET}{SECRET} b {SECRET}")),
            "a [secret][secret] b [secret]"
        );
        assert_eq!(clean("nothing here, short"), "nothing here, short");
    }

    #[test]
    fn what_one_learns_all_its_clones_know() {
        let first = Redactor::new(&[SecretString::from(SECRET)]);
        let second = first.clone();
        let rotated = "glpat-rotated-9876543210";
        first.learn(&[SecretString::from(rotated)]);
        let cleaned = second.clean(format!("{SECRET} {rotated}").as_bytes()).into_owned();
        assert_eq!(cleaned, b"[secret] [secret]");
    }

    #[test]
    fn it_is_found_in_other_spellings() {
        for text in [
            "x?t=glpat-canary%2F0123%2B456789&",
            "x?t=glpat%2dcanary%2f0123%2b456789&",
            &hex::encode(SECRET),
            &hex::encode_upper(SECRET),
        ] {
            assert!(clean(text).contains("[secret]"), "{text}: {}", clean(text));
        }
    }

    #[test]
    fn base64_hides_it_at_no_place() {
        for before in ["", "a", "ab", "abc", "user:"] {
            for after in ["", "z", "zz", "zzz"] {
                let text = format!("{before}{SECRET}{after}");
                for spelled in [STANDARD.encode(&text), URL_SAFE.encode(&text)] {
                    let cleaned = clean(&spelled);
                    assert!(cleaned.contains("[secret]"), "{before} {after}: {cleaned}");
                    let left = STANDARD.decode(cleaned.replace("[secret]", "")).unwrap_or_default();
                    assert!(
                        !String::from_utf8_lossy(&left).contains("canary"),
                        "{before} {after}: {cleaned}"
                    );
                }
            }
        }
    }
}
