//! Making room for systemd.
//!
//! Owns where its root is; never starts anything else.

use rustix::mount::{mount_bind, mount_move};
use rustix::process::{chdir, chroot};
use std::fmt::Display;
use std::os::unix::process::CommandExt;
use std::process::Command;

const ROOT: &str = "/mnt";
const SYSTEMD: &str = "/usr/lib/systemd/systemd";

/// Becomes systemd; returns only what went wrong.
pub fn enter() -> String {
    let unable = |error: &dyn Display| format!("make room for systemd: {error}");
    if let Err(error) = move_root() {
        return unable(&error);
    }
    unable(&Command::new(SYSTEMD).env_clear().exec())
}

/// What the kernel has unpacked cannot be left, as services with a view of their own must; so it is mounted
/// once more, and that is the root from here on.
fn move_root() -> rustix::io::Result<()> {
    mount_bind("/", ROOT)?;
    chdir(ROOT)?;
    mount_move(".", "/")?;
    chroot(".")?;
    chdir("/")
}
