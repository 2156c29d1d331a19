//! Restrictions of accounts: which signatures, hosts and ACLs an account may use
//! depends on when it was opened.

use super::call::Call;
use super::operation::Operation;
use crate::address::Style;
use crate::fault::Fault;
use crate::http::Request;
use crate::store::Acl;
use std::fmt;
use std::str::FromStr;

/// The age of an account, which determines its restrictions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Account {
    /// Opened before March 2025: no restrictions.
    #[default]
    Established,
    /// Opened today. Version 1 signatures of requests are rejected, but not
    /// those of publish URLs, which have no other version. In regions of
    /// mainland China, objects can be uploaded and downloaded only at custom
    /// domains ([`Config::cname`](crate::Config::cname)). New buckets block
    /// public access until that is switched off.
    New,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Account::Established => "established",
            Account::New => "new",
        })
    }
}

impl FromStr for Account {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "established" => Ok(Account::Established),
            "new" => Ok(Account::New),
            other => Err(format!("account {other:?}: must be established or new")),
        }
    }
}

impl Account {
    /// Refuses what the account may not do in a region, for any caller.
    ///
    /// # Errors
    ///
    /// 403 `AccessDenied` with EC 0002-00000080 for a version 1 signature, 400
    /// `PublicEndpointForbidden` for data at the endpoint's own name.
    pub(super) fn check(self, call: &Call<'_>, region: &str, style: Style) -> Result<(), Fault> {
        if self == Account::Established {
            return Ok(());
        }
        if is_signed_by_version_1(call) {
            const MESSAGE: &str = "Signature version 1 is not available to this account. Sign \
                                   with version 4.";
            return Err(Fault::new(403, "AccessDenied", MESSAGE).with_ec("0002-00000080"));
        }
        let is_mainland = region.starts_with("cn-") && region != "cn-hongkong";
        let is_custom = style == Style::Cname;
        if moves_data(call.operation) && is_mainland && !is_custom {
            const MESSAGE: &str = "Data operations are not allowed at the default public \
                                   endpoint. Use a custom domain.";
            let fault = Fault::new(400, "PublicEndpointForbidden", MESSAGE);
            return Err(fault.with_ec("0048-00000401"));
        }
        Ok(())
    }

    /// Returns whether a new bucket blocks public access.
    pub(super) fn blocks_by_default(self) -> bool {
        self == Account::New
    }
}

/// Checks that an ACL may be set, depending on whether public access is blocked.
///
/// # Errors
///
/// 403 `AccessDenied`.
pub fn check_acl(acl: Acl, is_blocked: bool) -> Result<(), Fault> {
    if acl == Acl::Private || !is_blocked {
        return Ok(());
    }
    const MESSAGE: &str = "Public access to the bucket is blocked. Turn off Block Public Access \
                           before setting a public ACL.";
    Err(Fault::new(403, "AccessDenied", MESSAGE))
}

fn is_signed_by_version_1(call: &Call<'_>) -> bool {
    let in_header = |request: &Request| {
        request.header("authorization").is_some_and(|value| value.starts_with("OSS "))
    };
    in_header(call.request) || call.query.has("OSSAccessKeyId") || call.query.has("Signature")
}

fn moves_data(operation: Operation) -> bool {
    use Operation::{GetObject, GetSignedPlaylist, PutObject};
    matches!(operation, GetObject | PutObject | GetSignedPlaylist)
}
