//! Files that only their owner may read.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// Makes a new file with mode 0600. One that exists is not touched: it may be readable by others, or
/// a link that somebody put there.
pub(crate) fn create_private(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

/// The same, with a text in it.
pub(crate) fn write_private(file: &Path, text: &str) -> io::Result<()> {
    create_private(file)?.write_all(text.as_bytes())
}

/// Makes a new folder with mode 0700.
#[cfg(feature = "dev")]
pub(crate) fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}
