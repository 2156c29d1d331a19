//! Waiting for the user to end the program.

use std::sync::mpsc;

/// Blocks until Ctrl-C or a request to terminate.
pub(crate) fn wait() -> Result<(), ctrlc::Error> {
    let (send, receive) = mpsc::channel();
    ctrlc::set_handler(move || send.send(()).unwrap_or_default())?;
    // The handler holds the sender for as long as the process lives.
    let _ = receive.recv();
    Ok(())
}
