//! Where the store lies, and whether that place may be trusted: permissions, owners, file system. Refusals name the fix.
//!
//! A private store is 0600 in a directory 0700 of one's own. A shared one is 0660 in a directory 2770 of a group: setgid, so that
//! every file belongs to that group; the file gets its mode before WAL is switched on, since SQLite copies it to the side files.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::adapters::private;
use crate::engine::ports::JournalError;

use super::fault::Fault;
use super::queue::lock_file;

/// Who else may use the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Nobody.
    Private,
    /// The members of one Unix group, where its permissions say so.
    Shared,
}

/// Which file it is, whatever its name is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Of the file now at `path`; `None` when there is none.
    pub(crate) fn at(path: &Path) -> io::Result<Option<Self>> {
        match fs::symlink_metadata(path) {
            Ok(meta) => Ok(Some(Self { device: meta.dev(), inode: meta.ino() })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Resolves `path` to a store that may be opened: its directory checked, its file there (empty, if it was not) with the right mode.
pub(crate) fn prepare(path: &Path, sharing: Sharing) -> Result<PathBuf, JournalError> {
    let fault = Fault::new(path);
    let name = path.file_name().ok_or_else(|| fault.unusable("it names a directory, not a file"))?;
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if sharing == Sharing::Private && !parent.exists() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(|e| fault.io(parent, &e))?;
    }
    let directory = match fs::canonicalize(parent) {
        Ok(directory) => directory,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let dir = parent.display();
            return Err(fault.unusable(format!("{dir} does not exist; make it with `install -d -m 2770 -g GROUP {dir}`")));
        }
        Err(error) => return Err(fault.io(parent, &error)),
    };
    let store = directory.join(name);
    let fault = Fault::new(&store);
    let about = fs::metadata(&directory).map_err(|e| fault.io(&directory, &e))?;
    let wide = check_directory(&directory, &about, sharing, &fault)?;
    check_filesystem(&directory, sharing, &fault)?;
    let mode = if wide { 0o660 } else { 0o600 };
    create(&store, mode, &fault)?;
    create(&lock_file(&store), mode, &fault)?;
    for suffix in ["", "-lock", "-wal", "-shm", "-journal"] {
        let mut side = store.as_os_str().to_owned();
        side.push(suffix);
        // SQLite creates its side files and widens them a moment later; ours are never narrower than their mode.
        let whole = matches!(suffix, "" | "-lock");
        check_file(Path::new(&side), wide.then_some(about.gid()), whole, &fault)?;
    }
    Ok(store)
}

/// Whether the directory may hold a store; gives whether a group shares it.
fn check_directory(directory: &Path, about: &Metadata, sharing: Sharing, fault: &Fault) -> Result<bool, JournalError> {
    let (shown, mode) = (directory.display(), about.mode());
    if let Some(above) = private::exposed_above(directory).map_err(|e| fault.io(directory, &e))? {
        let above = above.display();
        return Err(fault.unusable(format!(
            "everybody may write to {above}, above it, and so could replace it; run `chmod o-w {above}` or use another place"
        )));
    }
    let mine = about.uid() == rustix::process::geteuid().as_raw();
    if mode & 0o077 == 0 {
        return if mine { Ok(false) } else { Err(fault.unusable(format!("its directory {shown} belongs to somebody else"))) };
    }
    match sharing {
        Sharing::Private => Err(fault.unusable(format!("others may enter {shown}; run `chmod 700 {shown}`"))),
        Sharing::Shared if mode & 0o007 != 0 => {
            Err(fault.unusable(format!("everybody on this host may enter {shown}; run `chmod 2770 {shown}`")))
        }
        Sharing::Shared if mode & 0o2000 == 0 => {
            Err(fault.unusable(format!("new files in {shown} would not belong to its group; run `chmod 2770 {shown}`")))
        }
        Sharing::Shared => Ok(true),
    }
}

/// Whether one file of the store, if it is there, is open to nobody but those who share it (`group`; `None`: only its owner); and,
/// where it must be `whole`, to all of them.
fn check_file(file: &Path, group: Option<u32>, whole: bool, fault: &Fault) -> Result<(), JournalError> {
    let about = match fs::symlink_metadata(file) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(fault.io(file, &error)),
    };
    let (shown, mode) = (file.display(), about.mode());
    if !about.is_file() {
        return Err(fault.unusable(format!("{shown} is not a plain file; move it away")));
    }
    if let Some(group) = group {
        if mode & 0o007 != 0 {
            return Err(fault.unusable(format!("everybody on this host may use {shown}; run `chmod 660 {shown}`")));
        }
        if about.gid() != group {
            return Err(fault.unusable(format!("{shown} is not of its directory's group; run `chgrp {group} {shown}`")));
        }
        if whole && mode & 0o660 != 0o660 {
            return Err(fault.unusable(format!("its group cannot use {shown}; run `chmod 660 {shown}`")));
        }
        return Ok(());
    }
    if about.uid() != rustix::process::geteuid().as_raw() {
        return Err(fault.unusable(format!("{shown} belongs to somebody else (uid {})", about.uid())));
    }
    if mode & 0o077 != 0 {
        return Err(fault.unusable(format!("others may use {shown}; run `chmod 600 {shown}`")));
    }
    Ok(())
}

/// Creates an empty file that has its mode from the first moment it can be seen; one that is there stays as it is.
fn create(file: &Path, mode: u32, fault: &Fault) -> Result<(), JournalError> {
    if fs::symlink_metadata(file).is_ok() {
        return Ok(());
    }
    let mut draft = file.as_os_str().to_owned();
    draft.push(format!("-new-{}-{}", std::process::id(), ulid::Ulid::generate()));
    let draft = PathBuf::from(draft);
    let made = (|| {
        let new = private::new_file(&draft)?;
        // The umask takes bits from `mode`; a shared file needs them all.
        new.set_permissions(Permissions::from_mode(mode))?;
        match fs::hard_link(&draft, file) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        fs::remove_file(&draft)?;
        file.parent().map_or(Ok(()), private::sync_directory)
    })();
    made.map_err(|error| {
        let _ = fs::remove_file(&draft);
        fault.io(file, &error)
    })
}

/// Refuses file systems that live on another machine: their locks and shared memory do not hold between hosts, and WAL needs both.
#[cfg(target_os = "linux")]
fn check_filesystem(directory: &Path, sharing: Sharing, fault: &Fault) -> Result<(), JournalError> {
    let kind = rustix::fs::statfs(directory).map_err(|e| fault.io(directory, &e.into()))?.f_type;
    // The constants are 32 bits wide in the kernel, `f_type` is as wide as the platform's word and may be signed.
    match network_filesystem((kind as u64 & 0xffff_ffff) as u32, sharing) {
        Some(name) => Err(fault.unusable(format!(
            "{} is on a network file system ({name}); its locks do not hold. Use a local disk, with --store or --state-dir",
            directory.display()
        ))),
        None => Ok(()),
    }
}

#[cfg(not(target_os = "linux"))]
fn check_filesystem(_directory: &Path, _sharing: Sharing, _fault: &Fault) -> Result<(), JournalError> {
    Ok(())
}

/// The name of a network file system by its magic number (Linux `statfs(2)` and `linux/magic.h`). FUSE may be one: it is let
/// pass for a private store only, where no other user's locks matter.
#[cfg(target_os = "linux")]
fn network_filesystem(magic: u32, sharing: Sharing) -> Option<&'static str> {
    match magic {
        0x6969 => Some("NFS"),
        0x517b => Some("SMB"),
        0xff53_4d42 => Some("CIFS"),
        0xfe53_4d42 => Some("SMB2"),
        0x5346_414f | 0x6b41_4653 => Some("AFS"),
        0x7375_7245 => Some("Coda"),
        0x564c => Some("NCP"),
        0x00c3_6400 => Some("Ceph"),
        0x0bd0_0bd0 => Some("Lustre"),
        0x4750_4653 => Some("GPFS"),
        0x1983_0326 => Some("BeeGFS"),
        0x7461_636f => Some("OCFS2"),
        0x0116_1970 => Some("GFS2"),
        0x0102_1997 => Some("9P"),
        0x6573_5546 if sharing == Sharing::Shared => Some("FUSE"),
        _ => None,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn network_filesystems_are_known_by_their_numbers() {
        for magic in [0x6969, 0xff53_4d42, 0xfe53_4d42, 0x00c3_6400] {
            assert!(network_filesystem(magic, Sharing::Private).is_some(), "{magic:x}");
        }
        // ext4, xfs, btrfs, tmpfs, overlayfs, zfs
        for magic in [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630, 0x2fc1_2fc1] {
            assert_eq!(network_filesystem(magic, Sharing::Shared), None, "{magic:x}");
        }
        assert_eq!(network_filesystem(0x6573_5546, Sharing::Shared), Some("FUSE"));
        assert_eq!(network_filesystem(0x6573_5546, Sharing::Private), None);
    }
}
