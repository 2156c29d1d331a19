//! The context of a command.

use crate::connection::Connection;
use crate::failure::Outcome;
use crate::output::Output;
use crate::progress::Progress;
use osslive::Client;
use std::time::Duration;

/// The client, output and options that a command uses.
pub(crate) struct Session<'a> {
    pub(crate) client: Client,
    pub(crate) output: &'a Output,
    pub(crate) progress: Progress,
    pub(crate) verbose: bool,
    /// The `--timeout` option: per call, or for waiting.
    pub(crate) timeout: Option<Duration>,
}

impl<'a> Session<'a> {
    pub(crate) fn open(
        connection: &Connection,
        output: &'a Output,
        verbose: bool,
    ) -> Outcome<Self> {
        Ok(Self::with(connection.client(verbose)?, connection, output, verbose))
    }

    /// Creates a session with its own client.
    pub(crate) fn with(
        client: Client,
        connection: &Connection,
        output: &'a Output,
        verbose: bool,
    ) -> Self {
        let progress = Progress { is_hidden: verbose };
        Session { client, output, progress, verbose, timeout: connection.timeout() }
    }
}
