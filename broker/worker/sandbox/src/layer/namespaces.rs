//! Leaving the machine's users, network, mounts, names and control groups for empty ones.
//!
//! Owns which namespaces and what is in them; never stops the worker because a kernel has none.
//!
//! # Safety
//! `unshare` is unsafe for the table of descriptors only, which is not parted here.
#![allow(unsafe_code)]

use crate::{Wall, Walls};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{chdir, chroot, pivot_root};
use rustix::thread::{UnshareFlags, unshare_unsafe};

/// What every system has a folder of, to mount on.
const FOLDER: &str = "/proc";
const REST: [(&str, UnshareFlags); 5] = [
    ("net", UnshareFlags::NEWNET),
    ("mount", UnshareFlags::NEWNS),
    ("ipc", UnshareFlags::NEWIPC),
    ("uts", UnshareFlags::NEWUTS),
    ("cgroup", UnshareFlags::NEWCGROUP),
];

/// Leaves them, one after the other, since a kernel or a security module may refuse each.
pub fn leave(walls: &mut Walls) {
    if let Err(error) = part(UnshareFlags::NEWUSER) {
        walls.lacks("namespaces", refused(error));
        return;
    }
    let mut left = vec!["user"];
    for (name, flag) in REST {
        match part(flag) {
            Ok(()) => left.push(name),
            Err(error) => walls.lacks(format!("namespace {name}"), refused(error)),
        }
    }
    let mounts_are_own = left.contains(&"mount");
    walls.stands(Wall::Namespaces(left));
    if !mounts_are_own {
        return;
    }
    match empty_root() {
        Ok(()) => walls.stands(Wall::EmptyRoot),
        Err(error) => walls.lacks("empty root", format!("it cannot be mounted: {error}")),
    }
}

fn part(from: UnshareFlags) -> Result<(), Errno> {
    // SAFETY: FILES is never among the flags.
    unsafe { unshare_unsafe(from) }
}

fn refused(error: Errno) -> String {
    let remedy = match error {
        Errno::NOSPC => "raise sysctl user.max_user_namespaces",
        Errno::INVAL => "the kernel was built without it",
        _ => {
            "a sysctl, a security module or a filter of system calls forbids it; `streamem doctor` says which"
        }
    };
    format!("{error}: {remedy}")
}

/// The old root is not only hidden but gone, where the kernel lets go of it; it does not of an unpacked archive.
fn empty_root() -> Result<(), Errno> {
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    mount("tmpfs", FOLDER, "tmpfs", flags, None)?;
    chdir(FOLDER)?;
    match pivot_root(".", ".") {
        Ok(()) => unmount(".", UnmountFlags::DETACH)?,
        Err(Errno::INVAL) => chroot(".")?,
        Err(error) => return Err(error),
    }
    chdir("/")
}
