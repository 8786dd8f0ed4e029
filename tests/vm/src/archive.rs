//! A cpio archive as the kernel unpacks it at its start (format newc).
//!
//! Owns the bytes; everything in it belongs to root.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const FOLDER: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;
const CHARACTER_DEVICE: u32 = 0o020_000;

/// An archive being written.
#[derive(Debug, Default)]
pub struct Archive {
    bytes: Vec<u8>,
    inodes: u32,
    there: BTreeSet<PathBuf>,
}

impl Archive {
    /// A file, in folders that are made if they are not there. One that is there already stays.
    pub fn file(&mut self, path: impl AsRef<Path>, permissions: u32, content: &[u8]) {
        self.put(path.as_ref(), FILE | permissions, (0, 0), content);
    }

    /// A symbolic link.
    pub fn link(&mut self, path: impl AsRef<Path>, target: &str) {
        self.put(path.as_ref(), LINK | 0o777, (0, 0), target.as_bytes());
    }

    /// A folder.
    pub fn folder(&mut self, path: impl AsRef<Path>) {
        self.put(path.as_ref(), FOLDER | 0o755, (0, 0), b"");
    }

    /// A character device.
    pub fn device(&mut self, path: impl AsRef<Path>, major: u32, minor: u32) {
        self.put(path.as_ref(), CHARACTER_DEVICE | 0o600, (major, minor), b"");
    }

    /// A file of this machine.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn copy(&mut self, from: &Path, path: impl AsRef<Path>) -> io::Result<()> {
        let permissions = fs::metadata(from)?.permissions().mode() & 0o777;
        self.file(path, permissions, &fs::read(from)?);
        Ok(())
    }

    /// All that is in a folder of this machine.
    ///
    /// # Errors
    ///
    /// When something in it cannot be read.
    pub fn tree(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            let (from, to) = (entry.path(), to.join(entry.file_name()));
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.tree(&from, &to)?;
            } else if kind.is_symlink() {
                self.link(&to, &fs::read_link(&from)?.to_string_lossy());
            } else {
                self.copy(&from, &to)?;
            }
        }
        Ok(())
    }

    /// The whole archive.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, (0, 0), b"");
        self.bytes
    }

    fn put(&mut self, path: &Path, mode: u32, device: (u32, u32), content: &[u8]) {
        if self.there.contains(path) {
            return;
        }
        if let Some(parent) = path.parent().filter(|parent| *parent != Path::new("/")) {
            self.folder(parent);
        }
        self.there.insert(path.to_owned());
        let name = path.to_string_lossy();
        self.entry(name.trim_start_matches('/'), mode, device, content);
    }

    fn entry(&mut self, name: &str, mode: u32, device: (u32, u32), content: &[u8]) {
        self.inodes += 1;
        let number = |length: usize| u32::try_from(length).expect("files here are small");
        let fields = [
            self.inodes,
            mode,
            0,
            0,
            1,
            0,
            number(content.len()),
            0,
            0,
            device.0,
            device.1,
            number(name.len() + 1),
            0,
        ];
        self.bytes.extend(b"070701");
        for field in fields {
            self.bytes.extend(format!("{field:08x}").bytes());
        }
        self.bytes.extend(name.bytes());
        self.bytes.push(0);
        self.align();
        self.bytes.extend(content);
        self.align();
    }

    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_first_stays_and_its_folders_are_there() {
        let mut archive = Archive::default();
        archive.file("/a/b/c", 0o644, b"first");
        archive.file("/a/b/c", 0o644, b"second");
        let bytes = archive.finish();
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(
            text.matches("070701").count(),
            4,
            "a, a/b, a/b/c and the end"
        );
        assert!(text.contains("first") && !text.contains("second"));
        assert_eq!(bytes.len() % 4, 0);
    }
}
