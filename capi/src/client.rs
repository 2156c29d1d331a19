//! The client and its lifecycle.

use crate::config::{self, osslive_config};
use crate::error::{osslive_error, osslive_status};
use crate::guard::{guard, guard_output};
use crate::log;
use crate::pointer::{boxed, free, shared};
use libc::c_char;
use sdk::Client;
use std::ptr;

/// A client for the live channels of one bucket: yours to free with
/// osslive_client_free. Any number of threads may use it at once. It reuses
/// connections between calls.
pub struct osslive_client {
    pub(crate) client: Client,
    pub(crate) sign_token: bool,
}

// The header allows any number of threads to use a client at once.
const _: () = {
    const fn is_shareable<T: Send + Sync>() {}
    is_shareable::<osslive_client>();
};

/// Creates a client. Sends nothing. The configuration is copied and remains
/// yours.
///
/// Fails with OSSLIVE_ERR_CONFIG or OSSLIVE_ERR_CREDENTIALS and names what is
/// missing or wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_client_new(
    config: *const osslive_config,
    out_client: *mut *mut osslive_client,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard_output((out_client, "out_client"), ptr::null_mut(), out_error, || {
            let osslive_config { builder, sign_token } = shared(config, "config")?.clone();
            let client = builder.observer(log::attempt).build()?;
            Ok(boxed(osslive_client { client, sign_token }))
        })
    }
}

/// Frees a client. NULL is fine. No call on it may be in progress.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_client_free(client: *mut osslive_client) {
    // SAFETY: NULL, or a client of this library that is no longer used.
    unsafe { free(client) }
}

/// Creates a second client with a different call timeout, in milliseconds. Both
/// share connections and credentials; free each separately.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_client_with_timeout_ms(
    client: *const osslive_client,
    timeout_ms: u32,
    out_client: *mut *mut osslive_client,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard_output((out_client, "out_client"), ptr::null_mut(), out_error, || {
            let osslive_client { client, sign_token } = shared(client, "client")?;
            let client = client.with_timeout(config::limit(timeout_ms)?);
            Ok(boxed(osslive_client { client, sign_token: *sign_token }))
        })
    }
}

/// Shuts down a client and those created from it with
/// osslive_client_with_timeout_ms, so that the host application can exit. Calls
/// in progress on other threads return at once with OSSLIVE_ERR_STOPPED,
/// whatever they are waiting for; later calls fail in the same way. Functions
/// that send nothing keep working. The service may or may not have executed
/// interrupted requests. Free the clients as usual once no call uses them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_client_shutdown(
    client: *const osslive_client,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard(out_error, || {
            shared(client, "client")?.client.shutdown();
            Ok(())
        })
    }
}

/// Replaces the access key of a client and of those created from it with
/// osslive_client_with_timeout_ms, while other threads use them. Calls in
/// progress finish with the previous key. security_token may be NULL.
///
/// Fails with OSSLIVE_ERR_CREDENTIALS if a part is empty or contains characters
/// not allowed in keys; the client then keeps its key.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn osslive_client_set_credentials(
    client: *const osslive_client,
    access_key_id: *const c_char,
    access_key_secret: *const c_char,
    security_token: *const c_char,
    out_error: *mut *mut osslive_error,
) -> osslive_status {
    // SAFETY: the pointers follow the header's conventions.
    unsafe {
        guard(out_error, || {
            let client = &shared(client, "client")?.client;
            let key = config::credentials(access_key_id, access_key_secret, security_token)?;
            client.set_credentials(key);
            Ok(())
        })
    }
}
