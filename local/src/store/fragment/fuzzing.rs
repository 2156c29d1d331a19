//! The index of a channel, for fuzz targets.

use super::{Backward, Forward, Window};
use std::io;
use std::path::Path;

/// The contents of an index.
#[derive(Debug)]
pub struct IndexContents {
    /// Its lines as they are written, oldest first, read from the beginning.
    pub forward: Vec<String>,
    /// The same lines, read from the end.
    pub backward: Vec<String>,
    /// The live playlist of `playlist`.
    pub playlist: String,
}

/// Reads an index in both directions, and the window of a playlist.
pub fn read_index(index: &Path, playlist: &str) -> io::Result<IndexContents> {
    let forward = Forward::open(index, 0)?.map(|kept| Ok(serde_json::to_string(&kept?.line)?));
    let forward = forward.collect::<io::Result<_>>()?;
    let backward = Backward::open(index)?.map(|line| Ok(serde_json::to_string(&line?)?));
    let mut backward: Vec<_> = backward.collect::<io::Result<_>>()?;
    backward.reverse();
    let playlist = Window::at_newest(index, playlist)?.render();
    Ok(IndexContents { forward, backward, playlist })
}

/// Cuts off a torn line, as before a session.
pub fn drop_torn_line(index: &Path) -> io::Result<()> {
    Backward::open(index)?.drop_torn_line()
}
