//! The file systems programs expect.
//!
//! Owns their list.

use rustix::mount::{MountFlags, mount};
use std::ffi::CStr;
use std::fs;
use std::os::unix::fs::symlink;

const MOUNTS: [(&str, &str, &CStr); 8] = [
    ("devtmpfs", "/dev", c"mode=0755"),
    ("devpts", "/dev/pts", c"ptmxmode=0666"),
    ("tmpfs", "/dev/shm", c"mode=1777"),
    ("proc", "/proc", c""),
    ("sysfs", "/sys", c""),
    ("debugfs", "/sys/kernel/debug", c""),
    ("tmpfs", "/run", c"mode=0755"),
    ("tmpfs", "/tmp", c"mode=1777"),
];

pub fn mount_all() -> Result<(), String> {
    for (kind, place, options) in MOUNTS {
        let unable = |error: &dyn std::fmt::Display| format!("mount {kind} on {place}: {error}");
        fs::create_dir_all(place).map_err(|error| unable(&error))?;
        let flags = MountFlags::NOSUID;
        mount(kind, place, kind, flags, options).map_err(|error| unable(&error))?;
    }
    for (link, target) in [("/dev/fd", "/proc/self/fd"), ("/dev/ptmx", "pts/ptmx")] {
        let _the_kernel_may_have_made_it = symlink(target, link);
    }
    Ok(())
}
