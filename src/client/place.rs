//! The bucket, its location and the credentials: settings with their sources.

use crate::credentials::CredentialsProvider;
use crate::endpoint::{self, AddressingStyle, Endpoint, ServiceHost};
use crate::error::{Error, ErrorKind, Result, code};
use crate::provider::{self, Choice, Network};
use crate::sign::SignatureVersion;
use std::fmt;
use std::sync::Arc;

/// A setting, and where it comes from.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) value: String,
    /// The name of a variable, or another source; empty if set explicitly.
    pub(super) source: &'static str,
}

impl Setting {
    pub(super) fn explicit(value: impl Into<String>) -> Self {
        Setting { value: value.into(), source: "" }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting { value, source } = self;
        if source.is_empty() { write!(f, "{value:?}") } else { write!(f, "{value:?} ({source})") }
    }
}

/// How a bucket is addressed, independent of its location.
pub(super) struct Addressing {
    pub(super) internal: bool,
    pub(super) secure: bool,
    pub(super) style: Option<AddressingStyle>,
    pub(super) version: SignatureVersion,
}

/// The source of the credentials.
#[derive(Clone)]
pub(super) enum Keys {
    /// The caller's own provider.
    Provider(Arc<dyn CredentialsProvider>),
    /// Sources, from which `build` creates a provider.
    Choice(Choice),
}

impl Keys {
    pub(super) fn provider(self, network: Network) -> Result<Arc<dyn CredentialsProvider>> {
        match self {
            Keys::Provider(provider) => Ok(provider),
            Keys::Choice(choice) => provider::provider(choice, network),
        }
    }
}

/// An endpoint, the region to sign for, and the keys.
pub(super) type Resolved = (Endpoint, String, Keys);

/// The settings known so far.
#[derive(Clone, Default)]
pub(super) struct Place {
    pub(super) region: Option<Setting>,
    pub(super) endpoint: Option<Setting>,
    pub(super) bucket: Option<Setting>,
    /// The keys, or the error of a source that has none.
    pub(super) keys: Option<Result<Keys>>,
}

impl Place {
    /// Fills in each missing setting from another source.
    pub(super) fn add(&mut self, other: Place) {
        let Place { region, endpoint, bucket, keys } = other;
        self.region = self.region.take().or(region);
        self.endpoint = self.endpoint.take().or(endpoint);
        self.bucket = self.bucket.take().or(bucket);
        self.keys = match (self.keys.take(), keys) {
            (Some(Err(_)), Some(Ok(found))) => Some(Ok(found)),
            (own, found) => own.or(found),
        };
    }

    /// Resolves the settings into an endpoint, the region to sign for, and the keys.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], naming what is missing, wrong or contradictory,
    /// and [`ErrorKind::Credentials`].
    pub(super) fn resolve(mut self, addressing: &Addressing) -> Result<Resolved> {
        let Addressing { internal, secure, style, version } = *addressing;
        let keys = self
            .keys
            .take()
            .unwrap_or_else(|| Err(Error::credentials("no credentials are configured")))?;
        if let Some(endpoint) = &mut self.endpoint {
            endpoint.value.make_ascii_lowercase();
        }
        self.check(internal)?;
        if style != Some(AddressingStyle::Cname) {
            self.split_endpoint()?;
        }
        let region = self.region(version)?;
        let host = match self.endpoint {
            Some(endpoint) => endpoint.value,
            None if region.is_empty() => {
                let error = config("neither a region nor an endpoint is configured");
                return Err(error.with_code(code::NO_REGION));
            }
            None => endpoint::host_of_region(&region, internal),
        };
        let bucket = self.bucket.map(|bucket| bucket.value).unwrap_or_default();
        let endpoint = Endpoint::new(&host, &bucket, secure, style)?;
        Ok((endpoint, region, keys))
    }

    /// Checks that no setting contradicts another.
    fn check(&self, internal: bool) -> Result<()> {
        for (what, setting) in
            [("region", &self.region), ("endpoint", &self.endpoint), ("bucket", &self.bucket)]
        {
            if let Some(setting) = setting.as_ref().filter(|s| is_quoted(&s.value)) {
                return Err(config(format!(
                    "{what} {setting}: remove the quotes around the value"
                )));
            }
        }
        let Some(endpoint) = &self.endpoint else { return Ok(()) };
        let host = ServiceHost::of(&endpoint.value);
        if internal && !host.as_ref().is_some_and(|host| host.is_internal) {
            return Err(config(format!(
                "endpoint {endpoint} is not internal: set either endpoint or internal, not both"
            )));
        }
        let named = host.and_then(|host| host.region);
        match (&self.region, named) {
            (Some(region), Some(named)) if endpoint::bare_region(region.value.trim()) != named => {
                Err(config(format!(
                    "region {region} contradicts endpoint {endpoint}, which is in {named:?}; \
                     set one of them"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Extracts the bucket from an endpoint that is the bucket's own domain, as
    /// the console shows it.
    fn split_endpoint(&mut self) -> Result<()> {
        let Some(endpoint) = &mut self.endpoint else { return Ok(()) };
        let Some(named) = ServiceHost::of(&endpoint.value).and_then(|host| host.bucket) else {
            return Ok(());
        };
        let named = named.to_owned();
        match &self.bucket {
            Some(bucket) if bucket.value.trim() != named => {
                return Err(config(format!(
                    "bucket {bucket} contradicts endpoint {endpoint}, which belongs to {named:?}"
                )));
            }
            Some(_) => {}
            None => self.bucket = Some(Setting { value: named.clone(), ..endpoint.clone() }),
        }
        endpoint.value = endpoint.value.replacen(&format!("{named}."), "", 1);
        Ok(())
    }

    /// Returns the region to sign for; empty if version 1 needs none.
    fn region(&self, version: SignatureVersion) -> Result<String> {
        let named =
            self.endpoint.as_ref().and_then(|endpoint| endpoint::region_of(&endpoint.value));
        let found = self.region.as_ref().map(|region| region.value.as_str()).or(named);
        match found.map(|region| endpoint::bare_region(region.trim())) {
            Some(region) if endpoint::is_region(region) => Ok(region.to_owned()),
            Some(region) => {
                Err(config(format!("region {region:?}: must contain only letters, digits and -")))
            }
            None if self.endpoint.is_some() && version.needs_region() => Err(config(
                "signature version 4 needs a region, and none could be inferred from the endpoint: set one",
            )
            .with_code(code::NO_REGION)),
            None => Ok(String::new()),
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}

/// Returns whether a value still has its quotes, as some parsers of .env
/// files leave them.
fn is_quoted(value: &str) -> bool {
    let value = value.trim();
    value.starts_with(['"', '\'']) || value.ends_with(['"', '\''])
}

fn config(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, message)
}
