//! Writing what was asked for to a file: whole, or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Writes a file in one step: what stood there stays until the new content is on the disk. `what`
/// names it in errors.
pub(crate) fn replace(what: &str, path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    put(what, path, bytes, File::options())
}

/// As [`replace`], for its owner alone.
pub(crate) fn replace_private(what: &str, path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    put(what, path, bytes, options)
}

/// Writes a file that is not there yet, for its owner alone: under its name only once all of it is on
/// the disk, and the name is on the disk when this returns. `write` gives what it made of the file;
/// where it fails nothing is left.
pub(crate) fn write_new_private<T>(
    what: &str,
    path: &Path,
    write: impl FnOnce(&mut File) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let unwritten = || format!("{what} `{}` cannot be written", path.display());
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut draft = Draft::beside(path, options).with_context(unwritten)?;
    let made = write(&mut draft.file).with_context(unwritten)?;
    draft.file.sync_all().with_context(unwritten)?;
    // Unlike a rename, a link never replaces what somebody else put there meanwhile.
    fs::hard_link(&draft.path, path).with_context(unwritten)?;
    drop(draft);
    sync_folder(path).with_context(unwritten)?;
    Ok(made)
}

/// Has the names in a file's folder on the disk.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    // Elsewhere a folder cannot be opened.
    if cfg!(unix) {
        File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
    } else {
        Ok(())
    }
}

fn put(what: &str, path: &Path, bytes: &[u8], options: OpenOptions) -> anyhow::Result<()> {
    let unwritten = || format!("{what} `{}` cannot be written", path.display());
    let draft = Draft::beside(path, options).with_context(unwritten)?;
    draft.finish(path, bytes).with_context(unwritten)
}

/// A file beside the one that is to be; it goes when it does not become that one.
struct Draft {
    path: PathBuf,
    file: File,
}

impl Draft {
    /// In the same folder, because a file can be renamed in one step only within a file system.
    fn beside(path: &Path, mut options: OpenOptions) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        let mut draft = std::ffi::OsString::from(".");
        draft.push(name);
        draft.push(format!(".{}.part", std::process::id()));
        let path = path.with_file_name(draft);
        // A link that somebody put there is not followed.
        let file = options.write(true).create_new(true).open(&path)?;
        Ok(Self { path, file })
    }

    fn finish(mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.file.sync_all()?;
        fs::rename(&self.path, path)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After the rename there is nothing left to remove.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_stays_beside_it() {
        let folder = std::env::temp_dir().join(format!("mandate-output-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        let path = folder.join("file");
        replace("file", &path, b"one").unwrap();
        replace("file", &path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        let failed = replace("file", &folder.join("absent/file"), b"one").unwrap_err();
        assert_eq!(
            failed.to_string(),
            format!("file `{}` cannot be written", folder.join("absent/file").display())
        );
        assert!(replace("folder", &folder, b"one").is_err());
        let once = |path: &Path| {
            write_new_private("file", path, |file| Ok(file.write_all(b"three")?))
                .map_err(|error| format!("{error:#}"))
        };
        let fresh = folder.join("fresh");
        once(&fresh).unwrap();
        assert_eq!(fs::read(&fresh).unwrap(), b"three");
        let there = once(&path).unwrap_err();
        let line =
            format!("file `{}` cannot be written: File exists (os error 17)", path.display());
        assert_eq!(there, line);
        assert_eq!(fs::read(&path).unwrap(), b"two");
        let failed = write_new_private::<()>("file", &folder.join("never"), |file| {
            file.write_all(b"half")?;
            anyhow::bail!("no more")
        });
        let line = format!("file `{}` cannot be written: no more", folder.join("never").display());
        assert_eq!(format!("{:#}", failed.unwrap_err()), line);
        let names: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "only `file` and `fresh`: {names:?}");
        fs::remove_dir_all(&folder).unwrap();
    }
}
