//! What the kernel says of a process, and signals to it.
//!
//! Owns reading `/proc`; never asks the process itself.

use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::fs;

/// Sends a signal; one to a process that is gone is no error.
///
/// # Panics
///
/// When the signal may not be sent.
pub fn signal(pid: u32, signal: Signal) {
    let target = i32::try_from(pid).ok().and_then(Pid::from_raw);
    match target.map(|target| kill_process(target, signal)) {
        Some(Ok(()) | Err(rustix::io::Errno::SRCH)) => {}
        other => panic!("{signal:?} to {pid}: {other:?}"),
    }
}

/// The open descriptors of a process by number: what each one leads to.
#[must_use]
pub fn descriptors(pid: u32) -> BTreeMap<u32, String> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return BTreeMap::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.parse().ok()?;
            let target = fs::read_link(entry.path()).ok()?;
            Some((number, target.to_string_lossy().into_owned()))
        })
        .collect()
}

/// The inode behind a descriptor of a process.
#[must_use]
pub fn inode(pid: u32, number: u32) -> Option<u64> {
    use std::os::unix::fs::MetadataExt;
    let meta = fs::metadata(format!("/proc/{pid}/fd/{number}")).ok()?;
    Some(meta.ino())
}

/// A line of `/proc/PID/smaps_rollup`, in bytes: `Pss`, `Anonymous`, `Private_Dirty`, …
#[must_use]
pub fn memory(pid: u32, what: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text
        .lines()
        .find(|line| line.split(':').next() == Some(what));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    number.unwrap_or(0) * 1024
}

/// A shared mapping of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// First address.
    pub start: u64,
    /// First address after it.
    pub end: u64,
    /// As in `r--s`.
    pub access: String,
    /// The file's.
    pub inode: u64,
    /// The file's name.
    pub name: String,
}

/// The mappings of a process that have a file behind them.
#[must_use]
pub fn mappings(pid: u32) -> Vec<Mapped> {
    let text = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (start, end) = words.next()?.split_once('-')?;
            let access = words.next()?.to_owned();
            let inode = words.nth(2)?.parse().ok()?;
            let mapped = Mapped {
                start: u64::from_str_radix(start, 16).ok()?,
                end: u64::from_str_radix(end, 16).ok()?,
                access,
                inode,
                name: words.next().unwrap_or_default().to_owned(),
            };
            (inode != 0).then_some(mapped)
        })
        .collect()
}

/// Whether the process exists and is no zombie.
#[must_use]
pub fn is_alive(pid: u32) -> bool {
    matches!(state(pid), Some(state) if state != 'Z' && state != 'X')
}

/// The state letter of a process.
#[must_use]
pub fn state(pid: u32) -> Option<char> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    text.rsplit_once(") ")?.1.chars().next()
}
