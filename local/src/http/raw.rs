//! Bytes that are sent in place of an answer, as ordered.

use socket2::Socket;
use std::io;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

/// How often a part is sent, and how soon it is noticed that it is over.
const INTERVAL: Duration = Duration::from_millis(50);
/// How much is sent at a time at full speed.
const BLOCK: usize = 64 << 10;
/// How long a peer may take for a block.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is sent.
pub(crate) struct Raw<'a> {
    /// First this.
    pub(crate) bytes: &'a [u8],
    /// Then this, again and again.
    pub(crate) endless: Option<&'a str>,
    /// At most so fast.
    pub(crate) bytes_per_second: Option<u64>,
}

/// Sends `raw` past whatever answers otherwise. Ends when all is sent, the peer has
/// had enough, or `is_over`.
pub(crate) async fn send(connection: &Socket, raw: Raw<'_>, is_over: impl Fn() -> bool) {
    // What is not sent then is the peer's loss: it was to be.
    let Ok(mut stream) = second(connection) else { return };
    if write(&mut stream, raw.bytes, raw.bytes_per_second, &is_over).await.is_err() {
        return;
    }
    let Some(endless) = raw.endless else { return };
    let block = endless.as_bytes().repeat((BLOCK / endless.len()).max(1));
    while write(&mut stream, &block, raw.bytes_per_second, &is_over).await.is_ok() {}
}

/// Another handle of a connection, to write to.
fn second(connection: &Socket) -> io::Result<TcpStream> {
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
    // Less than twenty bytes a second are sent one by one.
    let pause =
        rate.map(|rate| if rate < 20 { Duration::from_secs(1) / rate as u32 } else { INTERVAL });
    for part in bytes.chunks(part.unwrap_or(BLOCK)) {
        if is_over() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        timeout(PATIENCE, stream.write_all(part)).await??;
        if let Some(pause) = pause {
            sleep(pause).await;
        }
    }
    Ok(())
}
