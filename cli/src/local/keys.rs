//! What opens the endpoint, and where it is read from.

use super::Arguments;
use super::secret::Sources;
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use osslive_local::Config;

/// The endpoint's secrets.
pub(super) struct Keys {
    pub(super) secret: String,
    pub(super) temporary: Option<Temporary>,
    pub(super) page_token: Option<String>,
}

pub(super) struct Temporary {
    pub(super) secret: String,
    pub(super) token: String,
}

impl Keys {
    pub(super) fn of(arguments: &Arguments, output: &Output) -> Outcome<Self> {
        let secret = Sources {
            option: &arguments.access_key_secret,
            file: &arguments.access_key_secret_file,
            variable: "OSSLIVE_LOCAL_ACCESS_KEY_SECRET",
        };
        let sts_secret = Sources {
            option: &arguments.sts_access_key_secret,
            file: &arguments.sts_access_key_secret_file,
            variable: "OSSLIVE_LOCAL_STS_ACCESS_KEY_SECRET",
        };
        let token = Sources {
            option: &arguments.sts_token,
            file: &arguments.sts_token_file,
            variable: "OSSLIVE_LOCAL_STS_TOKEN",
        };
        let page_token = Sources {
            option: &arguments.page_token,
            file: &arguments.page_token_file,
            variable: "OSSLIVE_LOCAL_PAGE_TOKEN",
        };
        let or = |secret: Option<String>, public: &str| secret.unwrap_or_else(|| public.to_owned());
        let sts_secret = sts_secret.secret(output)?;
        let temporary = match token.secret(output)? {
            Some(token) => {
                Some(Temporary { secret: or(sts_secret, Config::STS_ACCESS_KEY_SECRET), token })
            }
            None if sts_secret.is_some() => {
                return Err(Failure::usage("a temporary key needs a token: --sts-token-file"));
            }
            None => None,
        };
        Ok(Keys {
            secret: or(secret.secret(output)?, Config::ACCESS_KEY_SECRET),
            temporary,
            page_token: page_token.secret(output)?,
        })
    }
}
