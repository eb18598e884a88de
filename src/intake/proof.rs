//! Whether a delivery comes from GitLab: the secret token, or a signature over the raw bytes.
//!
//! A delivery that carries a signature is judged by it alone and never falls back to the token. The scheme is
//! "Standard Webhooks" as GitLab 19.0 and later uses it: HMAC-SHA256 over `{webhook-id}.{webhook-timestamp}.{body}`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::settings::{WebhookSettings, signing_key};

/// How far the signature's time may be from ours, both ways: the tolerance of the Standard Webhooks specification.
const TOLERANCE_SECONDS: u64 = 300;
/// Signatures that are looked at; GitLab sends one, two while a key is replaced.
const MOST_SIGNATURES: usize = 8;

/// Why a delivery is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forged {
    /// Neither a token nor a signature that the settings allow.
    NoProof,
    /// The token is not one of ours.
    WrongToken,
    /// It is signed, and no signing token is configured.
    NoKey,
    /// `webhook-id`, `webhook-timestamp` or `webhook-signature` is missing or unreadable.
    Unreadable,
    /// It was signed too long ago, or in the future.
    WrongTime,
    /// No signature fits the body and a key of ours.
    WrongSignature,
}

impl Forged {
    /// What the log says, with the mend where the operator may be the cause.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::NoProof => "it carries neither the secret token nor a signature",
            Self::WrongToken => "the secret token is not ours",
            Self::NoKey => "it is signed and webhook.signing_token is not configured",
            Self::Unreadable => "its signature headers are incomplete or unreadable",
            Self::WrongTime => "its signature is more than five minutes old or ahead; check the clocks",
            Self::WrongSignature => "its signature does not fit",
        }
    }
}

/// What a delivery is checked against.
pub struct Secrets {
    /// Digests, so that a comparison takes as long for every length.
    tokens: Vec<[u8; 32]>,
    keys: Vec<Hmac<Sha256>>,
}

impl Secrets {
    /// `None` when no secret is configured: then nothing could be believed.
    #[must_use]
    pub fn new(settings: &WebhookSettings) -> Option<Self> {
        let tokens = settings
            .secret_tokens
            .iter()
            .map(|token| Sha256::digest(token.expose_secret()).into())
            .collect();
        let keys = settings.signing_tokens.iter().filter_map(|token| {
            let key = signing_key(token.expose_secret())?;
            Hmac::new_from_slice(&key).ok()
        });
        let keys = keys.collect();
        let secrets = Self { tokens, keys };
        (!secrets.tokens.is_empty() || !secrets.keys.is_empty()).then_some(secrets)
    }

    /// Judges the head of a delivery, before any of its body is read.
    ///
    /// # Errors
    /// Why it is not believed, whatever the body is.
    pub fn judge_head(&self, headers: &HeaderMap, now: Timestamp) -> Result<Proof, Forged> {
        if let Some(signatures) = headers.get("webhook-signature") {
            if self.keys.is_empty() {
                return Err(Forged::NoKey);
            }
            return self.signed(headers, signatures.as_bytes(), now).map(Proof::Pending);
        }
        match headers.get("x-gitlab-token") {
            Some(token) if !self.tokens.is_empty() => {
                if self.knows_token(token.as_bytes()) {
                    Ok(Proof::Given)
                } else {
                    Err(Forged::WrongToken)
                }
            }
            _ => Err(Forged::NoProof),
        }
    }

    fn knows_token(&self, token: &[u8]) -> bool {
        let digest: [u8; 32] = Sha256::digest(token).into();
        // All are compared, without a short cut: time tells nothing about which one fits, or how far.
        let known = self
            .tokens
            .iter()
            .fold(Choice::from(0), |known, ours| known | ours.ct_eq(&digest));
        known.into()
    }

    fn signed(&self, headers: &HeaderMap, signatures: &[u8], now: Timestamp) -> Result<Signed, Forged> {
        let id = headers.get("webhook-id").ok_or(Forged::Unreadable)?.as_bytes();
        let time = headers
            .get("webhook-timestamp")
            .and_then(|time| time.to_str().ok())
            .ok_or(Forged::Unreadable)?;
        let seconds: i64 = time.parse().map_err(|_| Forged::Unreadable)?;
        if now.as_second().abs_diff(seconds) > TOLERANCE_SECONDS {
            return Err(Forged::WrongTime);
        }
        let given = readable_signatures(signatures);
        if given.is_empty() {
            return Err(Forged::Unreadable);
        }
        let begin = |key: &Hmac<Sha256>| {
            let mut mac = key.clone();
            for part in [id, b".", time.as_bytes(), b"."] {
                mac.update(part);
            }
            mac
        };
        Ok(Signed {
            macs: self.keys.iter().map(begin).collect(),
            given,
        })
    }
}

/// How far the head proves the delivery.
pub enum Proof {
    /// By the token: it is authentic.
    Given,
    /// By a signature: the body decides.
    Pending(Signed),
}

impl Proof {
    /// Whether the delivery is authentic with this whole body.
    #[must_use]
    pub fn holds_for(self, body: &[u8]) -> bool {
        match self {
            Self::Given => true,
            Self::Pending(mut signed) => {
                signed.update(body);
                signed.fits()
            }
        }
    }
}

/// A signature that is checked while the body passes by.
pub struct Signed {
    macs: Vec<Hmac<Sha256>>,
    given: Vec<[u8; 32]>,
}

impl Signed {
    /// Takes the next bytes of the body.
    pub fn update(&mut self, bytes: &[u8]) {
        for mac in &mut self.macs {
            mac.update(bytes);
        }
    }

    /// Whether one of the signatures is that of one of our keys over all the bytes.
    #[must_use]
    pub fn fits(self) -> bool {
        let mut fits = Choice::from(0);
        for mac in self.macs {
            let ours = mac.finalize().into_bytes();
            for given in &self.given {
                fits |= ours.as_slice().ct_eq(given);
            }
        }
        fits.into()
    }
}

/// The `v1` signatures among those given, separated by spaces; other versions are for other receivers.
fn readable_signatures(text: &[u8]) -> Vec<[u8; 32]> {
    let words = text.split(|&byte| byte == b' ');
    let read = |word: &[u8]| BASE64.decode(word.strip_prefix(b"v1,")?).ok()?.try_into().ok();
    words.filter_map(read).take(MOST_SIGNATURES).collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use secrecy::SecretString;

    use super::*;

    // The key is the bytes 0 to 31.
    const TOKEN: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const OTHER: &str = "whsec_HxAAAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4=";
    const ID: &str = "f5e5f430-f57b-4e6e-9fac-d9128cd7232f";
    const TIME: i64 = 1_772_701_200;
    const SIGNATURE: &str = "v1,2eTaaJH84SLO5lMy23Bty0pclCP/m6Ugv9nv2qOgPyg=";
    const BODY: &[u8] = br#"{"a":1}"#;

    fn secrets(tokens: &[&str], keys: &[&str]) -> Secrets {
        let list = |items: &[&str]| items.iter().map(|item| SecretString::from(*item)).collect();
        Secrets::new(&WebhookSettings {
            secret_tokens: list(tokens),
            signing_tokens: list(keys),
        })
        .unwrap()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    fn judge(secrets: &Secrets, headers: &HeaderMap, body: &[u8], now: i64) -> Result<(), Forged> {
        match secrets.judge_head(headers, Timestamp::from_second(now).unwrap())? {
            Proof::Given => Ok(()),
            Proof::Pending(mut signed) => {
                body.chunks(3).for_each(|chunk| signed.update(chunk));
                signed.fits().then_some(()).ok_or(Forged::WrongSignature)
            }
        }
    }

    fn check_signed(keys: &[&str], time: &str, signature: &str, body: &[u8], now: i64, expected: Result<(), Forged>) {
        let headers = headers(&[
            ("webhook-id", ID),
            ("webhook-timestamp", time),
            ("webhook-signature", signature),
            ("x-gitlab-token", "the right token"),
        ]);
        let secrets = secrets(&["the right token"], keys);
        assert_eq!(judge(&secrets, &headers, body, now), expected, "{time} {signature}");
    }

    #[test]
    fn the_published_vector_is_accepted() {
        check_signed(&[TOKEN], "1772701200", SIGNATURE, BODY, TIME, Ok(()));
    }

    #[test]
    fn any_key_and_any_signature_may_fit() {
        check_signed(&[OTHER, TOKEN], "1772701200", SIGNATURE, BODY, TIME, Ok(()));
        let several = format!("v1,AAAA v2,xyz v1,{} {SIGNATURE}", BASE64.encode([7; 32]));
        check_signed(&[TOKEN], "1772701200", &several, BODY, TIME, Ok(()));
    }

    #[test]
    fn a_changed_body_time_or_signature_is_refused_and_the_token_does_not_help() {
        let check =
            |time, signature, body, now, expected| check_signed(&[TOKEN], time, signature, body, now, Err(expected));
        check("1772701200", SIGNATURE, br#"{"a":2}"#, TIME, Forged::WrongSignature);
        check("1772701201", SIGNATURE, BODY, TIME, Forged::WrongSignature);
        check("1772701200", "v1,AAAA", BODY, TIME, Forged::Unreadable);
        check("1772701200", "", BODY, TIME, Forged::Unreadable);
        check("yesterday", SIGNATURE, BODY, TIME, Forged::Unreadable);
        check_signed(
            &[OTHER],
            "1772701200",
            SIGNATURE,
            BODY,
            TIME,
            Err(Forged::WrongSignature),
        );
        check_signed(&[], "1772701200", SIGNATURE, BODY, TIME, Err(Forged::NoKey));
    }

    #[test]
    fn a_signature_holds_for_five_minutes_either_way() {
        for (now, expected) in [
            (TIME + 300, Ok(())),
            (TIME - 300, Ok(())),
            (TIME + 301, Err(Forged::WrongTime)),
            (TIME - 301, Err(Forged::WrongTime)),
        ] {
            check_signed(&[TOKEN], "1772701200", SIGNATURE, BODY, now, expected);
        }
    }

    #[test]
    fn without_a_signature_the_token_decides() {
        let both = secrets(&["old", "new"], &[TOKEN]);
        for (token, expected) in [
            ("old", Ok(())),
            ("new", Ok(())),
            ("ne", Err(Forged::WrongToken)),
            ("", Err(Forged::WrongToken)),
        ] {
            assert_eq!(
                judge(&both, &headers(&[("x-gitlab-token", token)]), BODY, TIME),
                expected,
                "{token}"
            );
        }
        assert_eq!(judge(&both, &HeaderMap::new(), BODY, TIME), Err(Forged::NoProof));
        let only_keys = secrets(&[], &[TOKEN]);
        assert_eq!(
            judge(&only_keys, &headers(&[("x-gitlab-token", "old")]), BODY, TIME),
            Err(Forged::NoProof)
        );
    }

    #[test]
    fn no_secret_is_no_proof() {
        assert!(
            Secrets::new(&WebhookSettings {
                secret_tokens: vec![],
                signing_tokens: vec![]
            })
            .is_none()
        );
    }
}
