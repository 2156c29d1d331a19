//! Raw bytes that a fault rule sends instead of a response.

use socket2::Socket;
use std::io;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// How often a part is sent and `is_over` is polled.
const INTERVAL: Duration = Duration::from_millis(50);
/// How much is sent at a time without a rate limit.
const BLOCK: usize = 64 << 10;
/// How long a peer may take to read a block.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The bytes to send.
pub(crate) struct Raw<'a> {
    /// Sent first.
    pub(crate) bytes: &'a [u8],
    /// Then repeated without end.
    pub(crate) endless: Option<&'a str>,
    /// The rate limit.
    pub(crate) bytes_per_second: Option<u64>,
}

/// Sends `raw` directly to the connection. Returns when everything is sent, the peer
/// disconnects, or `is_over` returns true.
pub(crate) async fn send(connection: &Socket, raw: Raw<'_>, is_over: impl Fn() -> bool) {
    // Bytes that cannot be sent are lost, as the fault rule intends.
    let Ok(mut stream) = duplicate(connection) else { return };
    if write(&mut stream, raw.bytes, raw.bytes_per_second, &is_over).await.is_err() {
        return;
    }
    let Some(endless) = raw.endless else { return };
    let block = endless.as_bytes().repeat((BLOCK / endless.len()).max(1));
    while write(&mut stream, &block, raw.bytes_per_second, &is_over).await.is_ok() {}
}

/// Returns another handle of a connection, for writing.
fn duplicate(connection: &Socket) -> io::Result<TcpStream> {
    let stream = std::net::TcpStream::from(connection.try_clone()?);
    stream.set_nonblocking(true)?;
    TcpStream::from_std(stream)
}

async fn write(
    stream: &mut TcpStream,
    bytes: &[u8],
    rate: Option<u64>,
    is_over: impl Fn() -> bool,
) -> io::Result<()> {
    let part = rate.map(|rate| usize::try_from(rate.div_ceil(20)).unwrap_or(BLOCK).min(BLOCK));
    // Below twenty bytes per second, they are sent one at a time.
    let pause =
        rate.map(|rate| if rate < 20 { Duration::from_secs(1) / rate as u32 } else { INTERVAL });
    for part in bytes.chunks(part.unwrap_or(BLOCK)) {
        if is_over() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        timeout(TIMEOUT, stream.write_all(part)).await??;
        if let Some(pause) = pause {
            sleep(pause).await;
        }
    }
    Ok(())
}
