//! What every command works with: a client and an output.

use crate::connection::Connection;
use crate::failure::Outcome;
use crate::output::Output;
use osslive::Client;

/// What a command works with.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) output: Output,
    pub(crate) verbose: bool,
}

impl Session {
    pub(crate) fn open(connection: &Connection, output: Output, verbose: bool) -> Outcome<Self> {
        Ok(Session { client: connection.client(verbose)?, output, verbose })
    }
}
