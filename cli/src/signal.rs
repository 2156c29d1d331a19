//! Waits for the user to end the program.

use crate::failure::{Failure, Outcome};
use osslive::StopHandle;
use std::error::Error;
use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Blocks until Ctrl-C or a termination request.
pub(crate) fn wait() -> Result<(), ctrlc::Error> {
    Ending::watch()?.wait_indefinitely();
    Ok(())
}

/// Lets Ctrl-C and termination requests stop this work instead of the process.
pub(crate) fn stops(work: &StopHandle) -> Outcome {
    let work = work.clone();
    calls(move || work.stop())
}

/// Like [`stops`], with any other quick action.
pub(crate) fn calls(stop: impl FnMut() + Send + 'static) -> Outcome {
    ctrlc::set_handler(stop).map_err(|error| Failure::Other(error.into()))
}

/// Catches Ctrl-C and termination requests, which then no longer end the process by
/// themselves. A process can have only one.
pub(crate) struct Ending(Receiver<()>);

impl Ending {
    pub(crate) fn watch() -> Result<Self, ctrlc::Error> {
        let (send, receive) = mpsc::channel();
        ctrlc::set_handler(move || send.send(()).unwrap_or_default())?;
        Ok(Ending(receive))
    }

    /// Like [`watch`](Self::watch); with `stdin`, the end of stdin counts as well.
    pub(crate) fn watch_with_stdin(stdin: bool) -> Result<Self, Box<dyn Error>> {
        let (send, receive) = mpsc::channel();
        let at_end = send.clone();
        ctrlc::set_handler(move || send.send(()).unwrap_or_default())?;
        if stdin {
            thread::Builder::new().spawn(move || {
                // An unreadable stdin counts as ended.
                let _ = io::copy(&mut io::stdin(), &mut io::sink());
                at_end.send(()).unwrap_or_default();
            })?;
        }
        Ok(Ending(receive))
    }

    /// Waits indefinitely.
    pub(crate) fn wait_indefinitely(&self) {
        // The handler holds the sender for the lifetime of the process.
        let _ = self.0.recv();
    }

    /// Waits up to a time limit; `true` as soon as the program should end.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        self.0.recv_timeout(limit) != Err(RecvTimeoutError::Timeout)
    }
}
