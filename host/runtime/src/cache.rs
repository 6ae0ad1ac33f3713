//! Compiled plugins on disk: compiling takes hundreds of milliseconds, loading less than one.
//!
//! What is loaded from here runs as machine code, outside every limit. So an entry is used only
//! from a directory that nobody else can write, only under the digest that was stored with it, and
//! only for the very plugin, wasmtime release and engine settings it was compiled for. Anything
//! else is ignored and replaced.

use std::fs::{self, File, OpenOptions};
use std::hash::{Hash as _, Hasher};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::digest::Sha256Digest;
use crate::plugin_error::PluginError;

/// A directory of compiled plugins that belongs to this user alone.
#[derive(Debug)]
pub(crate) struct Cache {
    directory: PathBuf,
    owner: Owner,
}

impl Cache {
    /// Opens the directory, and makes it when it is absent.
    pub(crate) fn open(directory: &Path) -> Result<Self, PluginError> {
        let refused = |reason| PluginError::CacheDirectory { path: directory.to_owned(), reason };
        make_private_directory(directory).map_err(|error| refused(error.to_string()))?;
        let owner =
            Owner::of_this_process(directory).map_err(|error| refused(error.to_string()))?;
        let metadata =
            fs::symlink_metadata(directory).map_err(|error| refused(error.to_string()))?;
        if !metadata.is_dir() {
            return Err(refused("is not a directory".to_owned()));
        }
        owner.check(&metadata).map_err(|reason| refused(reason.to_owned()))?;
        Ok(Self { directory: directory.to_owned(), owner })
    }

    /// Names the entry of a plugin under an engine's settings.
    pub(crate) fn entry(&self, plugin: &Sha256Digest, engine: &Engine) -> Entry<'_> {
        let mut settings = SettingsHasher(Sha256::new());
        // Release of wasmtime, target, processor features, and every setting that shapes the code,
        // epochs and fuel among them.
        engine.precompile_compatibility_hash().hash(&mut settings);
        let settings = Sha256Digest::from_bytes(settings.0.finalize().into());
        let code = self.directory.join(format!("{plugin}-{settings}.cwasm"));
        let sum = self.directory.join(format!("{plugin}-{settings}.cwasm.sha256"));
        Entry { cache: self, code, sum }
    }

    /// Reads a file that this user wrote, and that no other can have.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let metadata = fs::symlink_metadata(path)?;
        let regular = if metadata.is_file() { Ok(()) } else { Err("is not a regular file") };
        regular.and_then(|()| self.owner.check(&metadata)).map_err(io::Error::other)?;
        let mut bytes = Vec::new();
        File::open(path)?.take(LARGEST_ENTRY).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Writes a file whole or not at all, whoever else writes the same one.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let scratch = Scratch::create(&self.directory)?;
        let mut file = &scratch.file;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&scratch.path, path)
    }
}

/// The place of one compiled plugin.
#[derive(Debug)]
pub(crate) struct Entry<'c> {
    cache: &'c Cache,
    code: PathBuf,
    sum: PathBuf,
}

impl Entry<'_> {
    /// Loads the compiled plugin, if it is there and whole.
    pub(crate) fn load(&self, engine: &Engine) -> Option<Component> {
        let code = self.cache.read(&self.code).ok()?;
        let sum = self.cache.read(&self.sum).ok()?;
        if sum != Sha256Digest::of(&code).to_string().into_bytes() {
            return None;
        }
        deserialize(engine, &code)
    }

    /// Keeps the compiled plugin. Code first: a sum without its code is ignored as well.
    pub(crate) fn store(&self, component: &Component) -> io::Result<()> {
        let code = component.serialize().map_err(io::Error::other)?;
        self.cache.write(&self.code, &code)?;
        self.cache.write(&self.sum, Sha256Digest::of(&code).to_string().as_bytes())
    }
}

/// Loads code that [`Entry::store`] wrote; `None` when wasmtime finds it unfit for this engine.
#[expect(unsafe_code, reason = "loading compiled code; every condition is checked above")]
fn deserialize(engine: &Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: `code` must be what `Component::serialize` returned, unmodified. It was read from a
    // regular file of this user, in a directory that only this user can write; its bytes match the
    // digest that `Entry::store` wrote beside it; they were hashed in memory, and the same memory
    // is deserialized, so that the file cannot change in between. The entry's name binds it to the
    // plugin's digest and to an engine of the same release and settings, which wasmtime checks
    // again.
    unsafe { Component::deserialize(engine, code) }.ok()
}

/// A new file under a name of its own, removed again unless it was renamed away.
#[derive(Debug)]
struct Scratch {
    path: PathBuf,
    file: File,
}

impl Scratch {
    fn create(directory: &Path) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!(".{}-{number}.new", process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // A process of the same number may have died here.
        let _stale = fs::remove_file(&path);
        Ok(Self { file: options.open(&path)?, path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Gone already when it was renamed.
        let _renamed = fs::remove_file(&self.path);
    }
}

/// The user that this process writes files as.
#[derive(Debug)]
struct Owner {
    #[cfg(unix)]
    user: u32,
}

impl Owner {
    /// Asks the file system rather than the process: the owner of a file that was just written
    /// here. A directory that cannot be written is of no use anyway.
    fn of_this_process(directory: &Path) -> io::Result<Self> {
        let scratch = Scratch::create(directory)?;
        let metadata = scratch.file.metadata()?;
        Ok(Self::of(&metadata))
    }

    #[cfg(unix)]
    fn of(metadata: &fs::Metadata) -> Self {
        Self { user: std::os::unix::fs::MetadataExt::uid(metadata) }
    }

    #[cfg(unix)]
    fn check(&self, metadata: &fs::Metadata) -> Result<(), &'static str> {
        use std::os::unix::fs::MetadataExt as _;
        if metadata.uid() != self.user {
            return Err("belongs to another user");
        }
        if metadata.mode() & 0o077 != 0 {
            return Err("is open to other users: its mode must be 0700");
        }
        Ok(())
    }

    // Elsewhere the directory's access list, inherited from the user's profile, has to do.
    #[cfg(not(unix))]
    fn of(_: &fs::Metadata) -> Self {
        Self {}
    }

    #[cfg(not(unix))]
    fn check(&self, _: &fs::Metadata) -> Result<(), &'static str> {
        Ok(())
    }
}

fn make_private_directory(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Feeds what wasmtime hashes into SHA-256: a file name needs a hash that is the same tomorrow.
struct SettingsHasher(Sha256);

impl Hasher for SettingsHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

/// Bytes; hundreds of times a compiled plugin.
const LARGEST_ENTRY: u64 = 512 * 1024 * 1024;

#[cfg(test)]
mod tests;
