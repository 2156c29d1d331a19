//! Access keys, and where they come from.

use crate::error::{Error, Result};
use std::env;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// An access key, with an STS token if it is temporary.
///
/// Clones share their content. `Debug` does not show the secret or the token, and
/// both are overwritten in memory when the last clone is dropped.
///
/// ```
/// let credentials = osslive::Credentials::new("LTAI5tExample", "secret");
/// assert_eq!(format!("{credentials:?}"), r#"Credentials { access_key_id: "LTAI5tExample", .. }"#);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials(Arc<Parts>);

#[derive(Clone, PartialEq, Eq)]
struct Parts {
    access_key_id: String,
    access_key_secret: Zeroizing<String>,
    security_token: Option<Zeroizing<String>>,
}

impl Credentials {
    /// Creates long-lived credentials. Surrounding white space is trimmed: it
    /// comes from copying, and keys never contain any.
    pub fn new(access_key_id: impl AsRef<str>, access_key_secret: impl AsRef<str>) -> Self {
        Credentials(Arc::new(Parts {
            access_key_id: access_key_id.as_ref().trim().to_owned(),
            access_key_secret: access_key_secret.as_ref().trim().to_owned().into(),
            security_token: None,
        }))
    }

    /// Adds the STS token of temporary credentials; an empty token means none.
    pub fn with_security_token(self, token: impl AsRef<str>) -> Self {
        let token = Some(token.as_ref().trim()).filter(|token| !token.is_empty());
        let mut parts = Arc::unwrap_or_clone(self.0);
        parts.security_token = token.map(|token| token.to_owned().into());
        Credentials(Arc::new(parts))
    }

    /// Returns the access key id, which is not a secret.
    pub fn access_key_id(&self) -> &str {
        &self.0.access_key_id
    }

    /// Returns the access key secret.
    pub fn access_key_secret(&self) -> &str {
        &self.0.access_key_secret
    }

    /// Returns the STS token of temporary credentials.
    pub fn security_token(&self) -> Option<&str> {
        self.0.security_token.as_ref().map(|token| token.as_str())
    }

    /// Returns whether two values share their content: a quick check whether a
    /// provider returned the same credentials again.
    pub(crate) fn is_same(&self, other: &Credentials) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self == other
    }

    /// Checks that the parts are not empty and consist of printable ASCII
    /// characters without spaces. Sends nothing.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Credentials`](crate::ErrorKind::Credentials), which names the
    /// invalid part.
    pub fn check(&self) -> Result<()> {
        let quoted = |text: &str| {
            text.starts_with(['"', '\'']) && text.ends_with(['"', '\'']) && text.len() > 1
        };
        if quoted(self.access_key_id()) || quoted(self.access_key_secret()) {
            let error = "the access key is in quotes; remove them";
            return Err(Error::credentials(error));
        }
        if self.security_token().is_some_and(quoted) {
            let error = "the security token is in quotes; remove them";
            return Err(Error::credentials(error));
        }
        let is_usable = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        let error = if !is_usable(self.access_key_id()) {
            "the access key id is empty or contains characters not allowed in keys"
        } else if !is_usable(self.access_key_secret()) {
            "the access key secret is empty or contains characters not allowed in keys"
        } else if self.security_token().is_some_and(|token| !is_usable(token)) {
            "the security token contains characters not allowed in tokens"
        } else {
            return Ok(());
        };
        Err(Error::credentials(error))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id())
            .finish_non_exhaustive()
    }
}

/// Returns the current credentials; called before every request.
///
/// Return a clone of the same [`Credentials`] while they are valid: signing keys
/// are derived again only when they change. The call blocks the request: for
/// credentials that expire, use [`Refreshing`](crate::Refreshing), which refreshes
/// them ahead of time on a background thread.
///
/// A closure is a provider:
///
/// ```
/// use osslive::{Credentials, CredentialsProvider};
///
/// let shared = std::sync::RwLock::new(Credentials::new("id", "secret"));
/// let provider = move || Ok(shared.read().unwrap().clone());
/// assert_eq!(provider.credentials()?.access_key_id(), "id");
/// # Ok::<(), osslive::Error>(())
/// ```
pub trait CredentialsProvider: Send + Sync {
    /// Returns the current credentials.
    fn credentials(&self) -> Result<Credentials>;

    /// Returns the current credentials. `left` returns how long the caller can
    /// still wait, or an error if it cannot.
    #[doc(hidden)]
    fn credentials_within(&self, _left: &dyn Fn() -> Result<Duration>) -> Result<Credentials> {
        self.credentials()
    }

    /// Reports that the service rejected these credentials as expired or unknown.
    /// Returns whether other credentials may be available, in which case the
    /// request is retried once. Defaults to false.
    fn refused(&self, _credentials: &Credentials) -> bool {
        false
    }
}

impl CredentialsProvider for Credentials {
    fn credentials(&self) -> Result<Credentials> {
        Ok(self.clone())
    }
}

impl<F: Fn() -> Result<Credentials> + Send + Sync> CredentialsProvider for F {
    fn credentials(&self) -> Result<Credentials> {
        self()
    }
}

/// Reads `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET` and, if set,
/// `OSS_SESSION_TOKEN`, as the official SDKs do.
///
/// # Errors
///
/// [`ErrorKind::Credentials`](crate::ErrorKind::Credentials), which names the missing
/// variable.
pub fn from_env() -> Result<Credentials> {
    from_lookup(|name| env::var(name).ok())
}

fn from_lookup(variable: impl Fn(&str) -> Option<String>) -> Result<Credentials> {
    from_variables(&OSS_VARIABLES, &variable)
}

/// The names of the variables for id, secret and token.
pub(crate) type VariableNames = [&'static str; 3];

pub(crate) const OSS_VARIABLES: VariableNames =
    ["OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN"];

/// Reads an access key from variables of these names.
pub(crate) fn from_variables(
    names: &VariableNames,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Credentials> {
    let variable = |name: &str| variable(name).map(Zeroizing::new);
    let required = |name: &str| {
        variable(name).filter(|value| !value.trim().is_empty()).ok_or_else(|| not_set(name))
    };
    let (id, secret) = (required(names[0])?, required(names[1])?);
    let credentials = Credentials::new(id.as_str(), secret.as_str());
    Ok(match variable(names[2]) {
        Some(token) => credentials.with_security_token(token.as_str()),
        None => credentials,
    })
}

/// Returns the error for a variable that has no value.
pub(crate) fn not_set(name: &str) -> Error {
    Error::credentials(format!("the environment variable {name} is not set"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn neither_the_secret_nor_the_token_is_shown() {
        let credentials = Credentials::new("id", "hush").with_security_token("quiet");
        let shown = format!("{credentials:?} {credentials:#?}");
        assert!(shown.contains("id") && !shown.contains("hush") && !shown.contains("quiet"));
    }

    #[test]
    fn a_missing_part_of_the_key_in_the_environment_is_named() {
        let error = from_lookup(|_| None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credentials);
        assert!(error.message().contains("OSS_ACCESS_KEY_ID"));
        let only_id = |name: &str| (name == "OSS_ACCESS_KEY_ID").then(|| "id".to_owned());
        assert!(from_lookup(only_id).unwrap_err().message().contains("OSS_ACCESS_KEY_SECRET"));
    }

    #[test]
    fn a_session_token_is_used_if_it_is_not_empty() {
        let with = |token: &'static str| {
            from_lookup(move |name| {
                Some(if name == "OSS_SESSION_TOKEN" { token } else { "x" }.to_owned())
            })
            .unwrap()
        };
        assert_eq!(with("token").security_token(), Some("token"));
        assert_eq!(with("").security_token(), None);
    }

    #[test]
    fn quotes_around_a_part_are_rejected_with_advice() {
        for bad in [
            Credentials::new("\"id\"", "secret"),
            Credentials::new("id", "'secret'"),
            Credentials::new("id", "\"\""),
            Credentials::new("id", "secret").with_security_token("'token'"),
        ] {
            assert!(bad.check().unwrap_err().message().contains("in quotes; remove them"));
        }
        // A secret may begin or end with a quote, or be one.
        for secret in ["\"secret", "secret'", "'"] {
            assert!(Credentials::new("id", secret).check().is_ok(), "{secret}");
        }
    }

    #[test]
    fn static_credentials_have_no_replacement_when_rejected() {
        let credentials = Credentials::new("id", "secret");
        assert!(!CredentialsProvider::refused(&credentials, &credentials));
    }

    #[test]
    fn invalid_credentials_are_rejected() {
        for bad in [
            Credentials::new("", "secret"),
            Credentials::new("id", ""),
            Credentials::new("i d", "secret"),
            Credentials::new("id", "sec\nret"),
            Credentials::new("id", "secret").with_security_token("a\r\nx-oss-evil: 1"),
        ] {
            assert_eq!(bad.check().unwrap_err().kind(), ErrorKind::Credentials);
        }
        assert!(Credentials::new(" id ", "secret\n").check().is_ok());
    }

    #[test]
    fn credentials_with_the_same_content_are_the_same() {
        let credentials = Credentials::new("id", "secret");
        assert!(credentials.is_same(&credentials.clone()));
        assert!(credentials.is_same(&Credentials::new("id", "secret")));
        assert!(!credentials.is_same(&Credentials::new("id", "other")));
    }
}
