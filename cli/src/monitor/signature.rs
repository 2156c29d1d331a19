//! Signs webhooks as in the Standard Webhooks specification.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

/// Shorter secrets could be guessed.
const SHORTEST: usize = 16;
/// The prefix of a secret in base64.
const PREFIX: &str = "whsec_";

/// Signs messages with a secret that receivers share.
#[derive(Clone)]
pub(super) struct Signer(Hmac<Sha256>);

impl Signer {
    /// Parses a secret: base64 after `whsec_`, otherwise the text itself.
    pub(super) fn new(secret: &str) -> Result<Signer, String> {
        let key = Zeroizing::new(match secret.strip_prefix(PREFIX) {
            Some(encoded) => STANDARD
                .decode(encoded)
                .map_err(|_| format!("the text after {PREFIX} must be base64"))?,
            None => secret.as_bytes().to_vec(),
        });
        if key.len() < SHORTEST {
            let length = key.len();
            return Err(format!("the secret has {length} bytes: must be at least {SHORTEST}"));
        }
        let keyed = Hmac::new_from_slice(&key);
        Ok(Signer(keyed.map_err(|_| "the secret cannot be used".to_owned())?))
    }

    /// Returns the value of the header `webhook-signature`.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_match_the_example_in_the_specification() {
        let signer = Signer::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature =
            signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_short_or_malformed_secret_is_rejected_without_showing_it() {
        for secret in ["hush", "whsec_aHVzaA==", "whsec_not base64, and hush"] {
            let error = Signer::new(secret).unwrap_err();
            assert!(!error.contains("hush") && error.contains("must be"), "{error}");
        }
        let signer = Signer::new("a secret of sixteen").unwrap();
        assert_eq!(format!("{signer:?}"), "Signer(..)");
    }
}
