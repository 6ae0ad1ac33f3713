use std::fs;
use std::path::Path;
use std::thread;

use super::*;
use crate::fixture::{self, TemporaryDirectory, load};
use crate::options::PluginOptions;
use crate::plugin::Origin;

fn options(directory: &Path) -> PluginOptions {
    PluginOptions { cache_directory: Some(directory.to_owned()), ..PluginOptions::default() }
}

fn origin(directory: &Path) -> Origin {
    load(&fixture::plugin_bytes(), &options(directory)).unwrap().origin().clone()
}

/// The files of a cache, by ending.
fn files(directory: &Path, ending: &str) -> Vec<PathBuf> {
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().ends_with(ending))
        .collect()
}

/// A directory with one entry, and the entry's code and sum.
fn filled() -> (TemporaryDirectory, PathBuf, PathBuf, PathBuf) {
    let temporary = TemporaryDirectory::new();
    let cache = temporary.join("cache");
    assert_eq!(origin(&cache), Origin::Compiled);
    let (code, sum) = (files(&cache, ".cwasm"), files(&cache, ".sha256"));
    assert_eq!((code.len(), sum.len()), (1, 1));
    (temporary, cache, code[0].clone(), sum[0].clone())
}

#[test]
fn a_plugin_is_compiled_once_and_loaded_from_then_on() {
    let (_temporary, cache, ..) = filled();
    assert_eq!(origin(&cache), Origin::Cache);
    assert_eq!(origin(&cache), Origin::Cache);
    assert_eq!(files(&cache, ".new"), [""; 0].map(PathBuf::from), "a scratch file was left");
}

#[test]
fn a_plugin_from_the_cache_answers() {
    let (_temporary, cache, ..) = filled();
    let plugin = load(&fixture::plugin_bytes(), &options(&cache)).unwrap();
    assert_eq!(*plugin.origin(), Origin::Cache);
    let policy = crate::Policy::new(plugin, crate::Limits::default()).unwrap();
    let request = crate::ValidateRequest::new("https://board.example", 0);
    assert_eq!(policy.validate("allow", &request).reason, "ok");
}

#[test]
fn a_broken_entry_is_ignored_and_replaced() {
    type Break = fn(&Path, &Path);
    let breaks: [Break; 6] = [
        |code, _| {
            let mut bytes = fs::read(code).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(code, bytes).unwrap();
        },
        |code, _| {
            let bytes = fs::read(code).unwrap();
            fs::write(code, &bytes[..bytes.len() / 2]).unwrap();
        },
        |code, _| fs::write(code, b"").unwrap(),
        |_, sum| fs::write(sum, b"").unwrap(),
        |_, sum| fs::remove_file(sum).unwrap(),
        |code, _| fs::remove_file(code).unwrap(),
    ];
    for damage in breaks {
        let (_temporary, cache, code, sum) = filled();
        damage(&code, &sum);
        assert_eq!(origin(&cache), Origin::Compiled);
        assert_eq!(origin(&cache), Origin::Cache);
    }
}

// A sum that matches is not enough: wasmtime still has to find its own mark in the code.
#[test]
fn code_that_wasmtime_did_not_write_is_ignored_and_replaced() {
    let (_temporary, cache, code, sum) = filled();
    fs::write(&code, b"machine code of somebody").unwrap();
    fs::write(&sum, Sha256Digest::of(b"machine code of somebody").to_string()).unwrap();
    assert_eq!(origin(&cache), Origin::Compiled);
    assert_eq!(origin(&cache), Origin::Cache);
}

#[test]
fn other_settings_and_other_plugins_have_entries_of_their_own() {
    let (_temporary, cache, ..) = filled();
    let fuel = PluginOptions { fuel: true, ..options(&cache) };
    let counted = load(&fixture::plugin_bytes(), &fuel).unwrap();
    assert_eq!(*counted.origin(), Origin::Compiled);
    let other =
        fixture::component(&fixture::PLUGIN.replace("elsewhere", "somewhere"), fixture::WORLD);
    assert_eq!(*load(&other, &options(&cache)).unwrap().origin(), Origin::Compiled);
    assert_eq!(files(&cache, ".cwasm").len(), 3);
    assert_eq!(origin(&cache), Origin::Cache);
}

// An entry that was compiled for other settings must not run, whatever its name says.
#[test]
fn an_entry_under_the_name_of_other_settings_is_ignored() {
    let (_temporary, cache, code, sum) = filled();
    let fuel = PluginOptions { fuel: true, ..options(&cache) };
    load(&fixture::plugin_bytes(), &fuel).unwrap();
    let (foreign_code, foreign_sum) = (
        files(&cache, ".cwasm").into_iter().find(|path| *path != code).unwrap(),
        files(&cache, ".sha256").into_iter().find(|path| *path != sum).unwrap(),
    );
    fs::copy(&code, foreign_code).unwrap();
    fs::copy(&sum, foreign_sum).unwrap();
    let counted = load(&fixture::plugin_bytes(), &fuel).unwrap();
    assert_eq!(*counted.origin(), Origin::Compiled);
}

#[test]
fn hosts_that_start_together_share_the_cache() {
    let temporary = TemporaryDirectory::new();
    let cache = temporary.join("cache");
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let origin = origin(&cache);
                assert!(matches!(origin, Origin::Cache | Origin::Compiled), "{origin:?}");
            });
        }
    });
    assert_eq!(origin(&cache), Origin::Cache);
}

#[test]
fn a_cache_directory_that_is_a_file_is_refused() {
    let temporary = TemporaryDirectory::new();
    let path = temporary.join("cache");
    fs::write(&path, b"").unwrap();
    let error = load(&fixture::plugin_bytes(), &options(&path)).unwrap_err();
    assert!(matches!(error, PluginError::CacheDirectory { .. }), "{error}");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_cache_is_closed_to_other_users() {
        let (_temporary, cache, code, sum) = filled();
        assert_eq!((mode(&cache), mode(&code), mode(&sum)), (0o700, 0o600, 0o600));
    }

    #[test]
    fn a_directory_that_others_can_enter_is_refused() {
        let (_temporary, cache, ..) = filled();
        for open in [0o777, 0o770, 0o755, 0o701] {
            set_mode(&cache, open);
            let error = load(&fixture::plugin_bytes(), &options(&cache)).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "cache directory `{}`: is open to other users: its mode must be 0700",
                    cache.display()
                )
            );
        }
    }

    #[test]
    fn a_link_to_a_directory_is_refused() {
        let (temporary, cache, ..) = filled();
        let link = temporary.join("link");
        symlink(cache, &link).unwrap();
        let error = load(&fixture::plugin_bytes(), &options(&link)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cache directory `{}`: is not a directory", link.display())
        );
    }

    #[test]
    fn an_entry_that_others_can_write_or_that_is_a_link_is_ignored_and_replaced() {
        let (_temporary, cache, code, _) = filled();
        set_mode(&code, 0o666);
        assert_eq!(origin(&cache), Origin::Compiled);
        assert_eq!(mode(&code), 0o600);

        let elsewhere = cache.join("elsewhere");
        fs::rename(&code, &elsewhere).unwrap();
        symlink(&elsewhere, &code).unwrap();
        assert_eq!(origin(&cache), Origin::Compiled);
        assert!(fs::symlink_metadata(&code).unwrap().is_file());
    }

    #[test]
    fn what_belongs_to_another_user_is_refused() {
        let (_temporary, cache, code, _) = filled();
        let mine = Owner::of_this_process(&cache).unwrap();
        let other = Owner { user: mine.user.wrapping_add(1) };
        for path in [cache, code] {
            let metadata = fs::symlink_metadata(path).unwrap();
            assert_eq!(mine.check(&metadata), Ok(()));
            assert_eq!(other.check(&metadata), Err("belongs to another user"));
        }
    }

    #[test]
    fn a_cache_that_cannot_be_written_does_not_keep_the_plugin_from_loading() {
        let (_temporary, cache, code, _) = filled();
        // A directory in the entry's place can be neither read nor replaced.
        fs::remove_file(&code).unwrap();
        fs::create_dir(&code).unwrap();
        assert!(matches!(origin(&cache), Origin::NotKept(_)));
    }
}
