//! Access to the endpoint's own directories and files: directories of mode 0700, files
//! of mode 0600, owned by the user who runs the endpoint, never links.
//!
//! Checking a path before using it is safe here: only the owner of a directory of
//! mode 0700 and the superuser can create, rename or replace anything in it. The
//! data directory is opened without following a link and made inaccessible to
//! others through that handle before anything in it is read, so nobody else can
//! replace a checked directory by a link. A directory below it that belongs to another
//! user is refused. Folders above the data directory are up to the user: links
//! there are followed (`/tmp` is one on macOS), and anyone who may rename those
//! directories may move the data directory as a whole.
//!
//! Windows has neither modes nor numeric owners. New files inherit the access
//! control list of their directory, which in a user's profile and `%TEMP%` allows
//! that user, administrators and the system. Links and junctions are refused
//! there too.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Creates a directory and missing directories above it, for this user only.
pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    for_this_user().recursive(true).create(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => io::ErrorKind::NotADirectory.into(),
        _ => error,
    })
}

fn for_this_user() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(false);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Creates the directory unless it exists, and makes sure that it belongs to this
/// user and nobody else has access.
///
/// # Errors
///
/// The directory, or anything in a directory that was accessible to others, is a link,
/// belongs to another user or is neither a directory nor a file; the error contains
/// the path.
pub(super) fn ensure_folder(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => create_folder(path)?,
        other => check_folder(&other?).map_err(|error| at(path, error))?,
    }
    close(path)
}

/// Checks that `found` is a directory that belongs to this user.
pub(super) fn check_folder(found: &Metadata) -> io::Result<()> {
    if found.is_symlink() {
        return Err(refused("it is a link, which is not followed: must be a directory"));
    }
    if !found.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    check_owner(found)
}

/// Checks that `found` is a regular file that belongs to this user.
pub(super) fn check_file(found: &Metadata) -> io::Result<()> {
    if found.is_symlink() {
        return Err(refused("it is a link, which is not followed: must be a file"));
    }
    if !found.is_file() {
        return Err(refused("it is not a regular file"));
    }
    check_owner(found)
}

/// Checks that `found` belongs to the user who runs this process. The superuser
/// could use the directories of others, but they are refused all the same: their
/// owner could redirect the superuser with links.
#[cfg(unix)]
fn check_owner(found: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let (owner, user) = (found.uid(), rustix::process::geteuid().as_raw());
    if owner == user {
        return Ok(());
    }
    let what =
        format!("it belongs to user {owner}: must belong to user {user}, who runs the endpoint");
    Err(io::Error::new(io::ErrorKind::PermissionDenied, what))
}

#[cfg(not(unix))]
fn check_owner(_: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Makes a directory inaccessible to other users, and its contents too if it was
/// accessible before.
#[cfg(unix)]
pub(super) fn close(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let flags = rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::NOFOLLOW;
    let named = |error| at(path, error);
    let flags = flags.bits() as i32;
    let folder = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(named)?;
    let found = folder.metadata()?;
    check_folder(&found).map_err(named)?;
    if is_closed(&found) {
        return Ok(());
    }
    folder.set_permissions(fs::Permissions::from_mode(0o700)).map_err(named)?;
    if !is_closed(&folder.metadata()?) {
        let what = "other users have access, and its file system does not support permissions: mount it \
        with an option that supports them, or use another directory";
        return Err(at(path, refused(what)));
    }
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        let found = fs::symlink_metadata(&path)?;
        if found.is_dir() {
            close(&path)?;
        } else {
            check_file(&found).map_err(|error| at(&path, error))?;
            let mode = found.permissions().mode() & 0o600;
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn is_closed(found: &Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o077 == 0
}

#[cfg(not(unix))]
pub(super) fn close(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Opens a regular file of this user for reading.
pub(super) fn open(path: &Path) -> io::Result<File> {
    open_with(path, OpenOptions::new().read(true))
}

/// Opens a regular file of this user; a new file is for this user only. It
/// neither follows a link nor blocks on a pipe.
pub(super) fn open_with(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        options.mode(0o600).custom_flags(flags.bits() as i32);
    }
    #[cfg(windows)]
    {
        // Opens a link itself, which the check below then refuses.
        const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
        std::os::windows::fs::OpenOptionsExt::custom_flags(options, FILE_FLAG_OPEN_REPARSE_POINT);
    }
    let file = options.open(path).map_err(|error| match fs::symlink_metadata(path) {
        // Gives the actual reason, for which systems have different errors.
        Ok(found) => check_file(&found).err().unwrap_or(error),
        Err(_) => error,
    })?;
    check_file(&file.metadata()?)?;
    Ok(file)
}

/// Returns the metadata of `path`; `None` if it does not exist.
pub(super) fn look(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// Returns the path of `relative` below `root`, after checking that all existing
/// directories in between belong to this user.
pub(super) fn reach(root: &Path, relative: &Path) -> io::Result<PathBuf> {
    let mut path = root.to_owned();
    let mut parts = relative.iter().peekable();
    while let Some(part) = parts.next() {
        path.push(part);
        if parts.peek().is_none() {
            break;
        }
        match look(&path)? {
            None => return Ok(root.join(relative)),
            // Relative to the bucket's directory, since peers can see the message.
            Some(found) => {
                let named = path.strip_prefix(root.parent().unwrap_or(root)).unwrap_or(&path);
                check_folder(&found).map_err(|error| at(named, error))?;
            }
        }
    }
    Ok(path)
}

/// Creates the directories between `root`, which exists, and `relative`, for this
/// user only. Returns the directories in which it created one.
pub(super) fn create_between(root: &Path, relative: &Path) -> io::Result<Vec<PathBuf>> {
    let builder = for_this_user();
    let mut changed = Vec::new();
    let mut path = root.to_owned();
    for part in relative.parent().into_iter().flatten() {
        let above = path.clone();
        path.push(part);
        match builder.create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => changed.push(other.map(|()| above)?),
        }
    }
    Ok(changed)
}

/// Returns an error with this message.
pub(super) fn refused(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what.into())
}

/// Adds the path to an error.
pub(super) fn at(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
