//! What `scripts/vm-kit.sh` has put into `target/vm`.
//!
//! Owns the paths; never makes anything there but logs.

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
pub fn system() -> PathBuf {
    folder().join("system/system.cpio")
}

/// Our package.
///
/// # Errors
///
/// When there is none.
pub fn package() -> Result<PathBuf, String> {
    let folder = workspace().join("target/package");
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut packages = entries.map(|entry| entry.path());
    let found = packages.find(|path| path.extension().is_some_and(|ending| ending == "deb"));
    found.ok_or_else(|| format!("{} has no package: run `make package`", folder.display()))
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
