//! Waiting for the user to end the program.

use crate::failure::{Failure, Outcome};
use osslive::StopHandle;
use std::error::Error;
use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Blocks until Ctrl-C or a request to terminate.
pub(crate) fn wait() -> Result<(), ctrlc::Error> {
    Ending::watch()?.wait_for_it();
    Ok(())
}

/// Makes Ctrl-C and a request to terminate stop this work instead of the
/// process.
pub(crate) fn stops(work: &StopHandle) -> Outcome {
    let work = work.clone();
    calls(move || work.stop())
}

/// As [`stops`], with any work that is quick.
pub(crate) fn calls(stop: impl FnMut() + Send + 'static) -> Outcome {
    ctrlc::set_handler(stop).map_err(|error| Failure::Other(error.into()))
}

/// Hears of Ctrl-C and of a request to terminate, which then do not end the
/// process by themselves. One process can have one.
pub(crate) struct Ending(Receiver<()>);

impl Ending {
    pub(crate) fn watch() -> Result<Self, ctrlc::Error> {
        let (send, receive) = mpsc::channel();
        ctrlc::set_handler(move || send.send(()).unwrap_or_default())?;
        Ok(Ending(receive))
    }

    /// As [`watch`](Self::watch); if `stdin` is set, the end of standard input
    /// counts too.
    pub(crate) fn watch_with_stdin(stdin: bool) -> Result<Self, Box<dyn Error>> {
        let (send, receive) = mpsc::channel();
        let at_end = send.clone();
        ctrlc::set_handler(move || send.send(()).unwrap_or_default())?;
        if stdin {
            thread::Builder::new().spawn(move || {
                // What cannot be read is at its end too.
                let _ = io::copy(&mut io::stdin(), &mut io::sink());
                at_end.send(()).unwrap_or_default();
            })?;
        }
        Ok(Ending(receive))
    }

    /// Waits for as long as it takes.
    pub(crate) fn wait_for_it(&self) {
        // The handler holds the sender for as long as the process lives.
        let _ = self.0.recv();
    }

    /// Waits so long; `true` as soon as the program is to end.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        self.0.recv_timeout(limit) != Err(RecvTimeoutError::Timeout)
    }
}
