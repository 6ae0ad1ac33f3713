//! Room on the disk: a compiler that finds none says so in a hundred ways.

use std::path::Path;
use std::process::Command;

/// What a first run of everything writes, without incremental compilation; measured, and a third more.
const NEEDED_GIB: u64 = 24;

/// Says so where less is free than a first run needs.
pub(crate) fn look(folder: &Path) {
    match free_gib(folder) {
        Some(free) if free < NEEDED_GIB => crate::say!(
            "test: {free} GiB are free for {}, a first run writes up to {NEEDED_GIB}: folders `target-*` \
             in the cache that belong to checkouts which are gone can go",
            folder.display()
        ),
        Some(_) | None => {}
    }
}

/// By `df` (POSIX); unknown where there is none.
fn free_gib(folder: &Path) -> Option<u64> {
    let existing = folder.ancestors().find(|folder| folder.exists())?;
    let output = Command::new("df").args(["-P", "-k"]).arg(existing).output().ok()?;
    available(&String::from_utf8(output.stdout).ok()?)
}

/// The fourth column of the second line, in GiB.
fn available(table: &str) -> Option<u64> {
    let kib: u64 = table.lines().nth(1)?.split_ascii_whitespace().nth(3)?.parse().ok()?;
    Some(kib >> 20)
}

#[cfg(test)]
mod tests {
    use super::available;

    #[test]
    fn free_space_is_read_from_the_table() {
        let table = "Filesystem 1024-blocks Used Available Capacity Mounted on\n\
            /dev/vda 263174212 95420160 2097152 98% /\n";
        assert_eq!(available(table), Some(2));
        assert_eq!(available("Filesystem 1024-blocks Used Available Capacity Mounted on\n"), None);
    }
}
