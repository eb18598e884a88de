//! The form of a webhook's signing token, as GitLab shows it when a webhook gets one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// The key of a signing token: `whsec_` and the base64 of exactly 32 bytes; `None` when it is none.
#[must_use]
pub fn signing_key(token: &str) -> Option<[u8; 32]> {
    BASE64.decode(token.strip_prefix("whsec_")?).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::signing_key;

    // The key is the bytes 0 to 31.
    const TOKEN: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn a_signing_token_is_32_bytes_behind_its_prefix() {
        assert_eq!(signing_key(TOKEN).unwrap()[31], 31);
        for text in [
            "",
            "whsec_",
            "whsec_AAAA",
            &TOKEN[6..],
            "WHSEC_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ] {
            assert_eq!(signing_key(text), None, "{text}");
        }
    }
}
