//! What `scripts/vm-kit.sh` has put into `target/vm`.
//!
//! Owns the paths; never makes anything there but logs.

use crate::boots::System;
use std::path::{Path, PathBuf};
use streamem_tests::binaries::workspace;

/// The kit.
#[must_use]
pub fn folder() -> PathBuf {
    workspace().join("target/vm")
}

/// The program that runs QEMU.
#[must_use]
pub fn qemu() -> PathBuf {
    folder().join("qemu/run")
}

/// The root that udev is in.
#[must_use]
pub fn udev() -> PathBuf {
    folder().join("udev/root")
}

/// A whole Debian with systemd, as an archive.
#[must_use]
pub fn system(system: System) -> PathBuf {
    let kit = match system {
        System::Newest => "system",
        System::Own => "own-system",
    };
    folder().join(kit).join("system.cpio")
}

/// Our package of this name.
///
/// # Errors
///
/// When there is none.
pub fn package(name: &str) -> Result<PathBuf, String> {
    let folder = workspace().join("target/package");
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut files = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let start = format!("{name}_");
    let found = files.find(|file| file.starts_with(&start) && file.ends_with(".deb"));
    let found = found.map(|file| folder.join(file));
    found.ok_or_else(|| format!("{} has no {name}: run `make package`", folder.display()))
}

/// The kernel of this name, uncompressed.
#[must_use]
pub fn kernel(name: &str) -> PathBuf {
    folder().join("kernels").join(name).join("vmlinux")
}

/// The folder with the modules of the kernel of this name.
///
/// # Errors
///
/// When there is none.
pub fn modules(name: &str) -> Result<PathBuf, String> {
    let folder = folder().join("kernels").join(name).join("lib/modules");
    let mut entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let first = entries.next().map(|entry| entry.path());
    first.ok_or_else(|| format!("{} is empty: run `make vm`", folder.display()))
}

/// Where a boot's log goes.
#[must_use]
pub fn log(kernel: &str, boot: &str) -> PathBuf {
    folder().join("log").join(format!("{kernel}-{boot}.log"))
}

/// Shown from the root of the workspace.
#[must_use]
pub fn short(path: &Path) -> String {
    let path = path.strip_prefix(workspace()).unwrap_or(path);
    path.display().to_string()
}
