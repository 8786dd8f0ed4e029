//! What a peer leaves in /dev/shm and /tmp: files whose names begin as the peer says.
//!
//! It owns listing and, after a run that was killed, clearing away what that run made. It never touches a name
//! that was there before the run or that the peer did not announce.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

const PLACES: [&str; 2] = ["/dev/shm", "/tmp"];

/// Files and their sizes.
#[derive(Debug, Default)]
pub struct Litter(BTreeMap<PathBuf, u64>);

impl Litter {
    /// Lists the files under names that begin with one of `beginnings`.
    #[must_use]
    pub fn of(beginnings: &[&str]) -> Self {
        let mut litter = Self::default();
        for place in PLACES {
            for entry in fs::read_dir(place).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if beginnings
                    .iter()
                    .any(|beginning| name.starts_with(beginning))
                {
                    litter.add(&entry.path());
                }
            }
        }
        litter
    }

    /// How many sockets lie in a folder.
    #[must_use]
    pub fn sockets_in(folder: &Path) -> usize {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_socket()))
            .count()
    }

    /// How many files and bytes are here that were not there before.
    #[must_use]
    pub fn beyond(&self, before: &Self) -> (usize, u64) {
        let fresh = || {
            self.0
                .iter()
                .filter(|(path, _)| !before.0.contains_key(*path))
        };
        (fresh().count(), fresh().map(|(_, bytes)| bytes).sum())
    }

    /// Removes the files that were not there before.
    pub fn clear_beyond(&self, before: &Self) {
        for path in self.0.keys().filter(|path| !before.0.contains_key(*path)) {
            let _ = fs::remove_file(path);
        }
    }

    fn add(&mut self, path: &Path) {
        let Ok(meta) = fs::symlink_metadata(path) else {
            return;
        };
        if meta.is_dir() {
            for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                self.add(&entry.path());
            }
        } else {
            // Sparse files cost what they occupy.
            self.0.insert(path.to_owned(), meta.blocks() * 512);
        }
    }
}
