//! The endpoint's keys and tokens, and where they are read from.

use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::secret::Sources;
use clap::Args;
use osslive_local::Config;
use std::path::PathBuf;

/// The options for keys and tokens. Options whose value is the secret itself are
/// hidden, because every process on the machine can read them.
#[derive(Args)]
pub(super) struct Options {
    /// Access key id
    #[arg(long, default_value = Config::ACCESS_KEY_ID, env = "OSSLIVE_LOCAL_ACCESS_KEY_ID", value_name = "ID")]
    access_key_id: String,
    /// File that contains the access key secret; - for stdin
    /// [env: OSSLIVE_LOCAL_ACCESS_KEY_SECRET] [default: a well-known secret]
    #[arg(long, value_name = "FILE", conflicts_with = "access_key_secret")]
    access_key_secret_file: Option<PathBuf>,
    /// The secret itself; other processes can see it
    #[arg(long, value_name = "SECRET", hide = true)]
    access_key_secret: Option<String>,
    /// File that contains an STS token; enables temporary credentials
    /// [env: OSSLIVE_LOCAL_STS_TOKEN]
    #[arg(long, value_name = "FILE", conflicts_with = "sts_token")]
    sts_token_file: Option<PathBuf>,
    /// The token itself; other processes can see it
    #[arg(long, value_name = "TOKEN", hide = true)]
    sts_token: Option<String>,
    /// Access key id of the temporary credentials
    #[arg(long, default_value = Config::STS_ACCESS_KEY_ID, env = "OSSLIVE_LOCAL_STS_ACCESS_KEY_ID", value_name = "ID")]
    sts_access_key_id: String,
    /// File that contains the secret of the temporary credentials
    /// [env: OSSLIVE_LOCAL_STS_ACCESS_KEY_SECRET] [default: a well-known secret]
    #[arg(long, value_name = "FILE", conflicts_with = "sts_access_key_secret")]
    sts_access_key_secret_file: Option<PathBuf>,
    /// The secret itself; other processes can see it
    #[arg(long, value_name = "SECRET", hide = true)]
    sts_access_key_secret: Option<String>,
    /// File that contains the token for the page's address
    /// [env: OSSLIVE_LOCAL_PAGE_TOKEN] [default: random on each start]
    #[arg(long, value_name = "FILE", conflicts_with = "page_token")]
    page_token_file: Option<PathBuf>,
    /// The token itself; other processes can see it
    #[arg(long, value_name = "TOKEN", hide = true)]
    page_token: Option<String>,
    /// File that contains the token that control requires
    /// [env: OSSLIVE_LOCAL_CONTROL_TOKEN] [default: none]
    #[arg(long, value_name = "FILE", requires = "control")]
    control_token_file: Option<PathBuf>,
}

/// The endpoint's keys and the token of its page.
pub(super) struct Keys {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) temporary: Option<Temporary>,
    pub(super) page_token: Option<String>,
    pub(super) control_token: Option<String>,
}

pub(super) struct Temporary {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) token: String,
}

impl Keys {
    pub(super) fn of(options: &Options, output: &Output) -> Outcome<Self> {
        let secret = Sources {
            option: &options.access_key_secret,
            file: &options.access_key_secret_file,
            variable: "OSSLIVE_LOCAL_ACCESS_KEY_SECRET",
        };
        let sts_secret = Sources {
            option: &options.sts_access_key_secret,
            file: &options.sts_access_key_secret_file,
            variable: "OSSLIVE_LOCAL_STS_ACCESS_KEY_SECRET",
        };
        let token = Sources {
            option: &options.sts_token,
            file: &options.sts_token_file,
            variable: "OSSLIVE_LOCAL_STS_TOKEN",
        };
        let page_token = Sources {
            option: &options.page_token,
            file: &options.page_token_file,
            variable: "OSSLIVE_LOCAL_PAGE_TOKEN",
        };
        let control_token = Sources {
            option: &None,
            file: &options.control_token_file,
            variable: "OSSLIVE_LOCAL_CONTROL_TOKEN",
        };
        let or = |secret: Option<String>, public: &str| secret.unwrap_or_else(|| public.to_owned());
        let sts_secret = sts_secret.secret(output)?;
        let temporary = match token.secret(output)? {
            Some(token) => {
                let secret = or(sts_secret, Config::STS_ACCESS_KEY_SECRET);
                Some(Temporary { id: options.sts_access_key_id.clone(), secret, token })
            }
            None if sts_secret.is_some() => {
                return Err(Failure::usage(
                    "temporary credentials need a token: set --sts-token-file",
                ));
            }
            None => None,
        };
        Ok(Keys {
            id: options.access_key_id.clone(),
            secret: or(secret.secret(output)?, Config::ACCESS_KEY_SECRET),
            temporary,
            page_token: page_token.secret(output)?,
            control_token: control_token.secret(output)?,
        })
    }
}
