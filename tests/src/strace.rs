//! Counting the system calls of a running process.
//!
//! Owns attaching and reading the log; never changes what the process does, only how fast.

use crate::patience::eventually;
use crate::proc;
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// An attached `strace`.
#[derive(Debug)]
pub struct Strace {
    child: Child,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

/// How often each system call was entered, by thread and name.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    calls: BTreeMap<(u32, String), u64>,
    timed_out: u64,
}

impl Counts {
    /// Calls of this name by any thread.
    #[must_use]
    pub fn of(&self, name: &str) -> u64 {
        self.sum(|_, call| call == name)
    }

    /// All calls of all threads.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.sum(|_, _| true)
    }

    /// Calls that ended because their time was over.
    #[must_use]
    pub fn timed_out(&self) -> u64 {
        self.timed_out
    }

    /// All calls of one thread.
    #[must_use]
    pub fn by_thread(&self, thread: u32) -> u64 {
        self.sum(|tid, _| tid == thread)
    }

    /// Calls that send or receive, by any thread.
    #[must_use]
    pub fn messages(&self) -> u64 {
        const MESSAGES: [&str; 8] = [
            "recvmsg", "recvfrom", "recvmmsg", "sendmsg", "sendto", "sendmmsg", "readv", "writev",
        ];
        self.sum(|_, call| MESSAGES.contains(&call))
    }

    fn sum(&self, wanted: impl Fn(u32, &str) -> bool) -> u64 {
        let counts = self
            .calls
            .iter()
            .filter(|((tid, call), _)| wanted(*tid, call));
        counts.map(|(_, count)| count).sum()
    }
}

impl Strace {
    /// Attaches to all threads of a process, and returns once it is attached.
    ///
    /// # Panics
    ///
    /// When strace is not installed or not allowed.
    #[must_use]
    pub fn attach(pid: u32) -> Strace {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = folder.path().join("log");
        let messages = folder.path().join("messages");
        let out = fs::File::create(&messages).expect("a file in it");
        let child = Command::new("strace")
            .args(["-f", "-o"])
            .arg(&log)
            .args(["-p", &pid.to_string()])
            .stdin(Stdio::null())
            .stderr(out)
            .spawn();
        let mut child = child.unwrap_or_else(|error| {
            panic!("cannot run strace ({error}): install the package `strace`")
        });
        eventually("strace is attached", || {
            let said = fs::read_to_string(&messages).unwrap_or_default();
            if let Ok(Some(status)) = child.try_wait() {
                panic!("strace ended at once ({status}): {said}");
            }
            said.contains("attached").then_some(())
        });
        Strace {
            child,
            log,
            _folder: folder,
        }
    }

    /// Detaches and counts.
    ///
    /// # Panics
    ///
    /// When strace does not end.
    #[must_use]
    pub fn detach(mut self) -> Counts {
        proc::signal(self.child.id(), Signal::INT);
        self.child.wait().expect("strace ends");
        let text = fs::read(&self.log).unwrap_or_default();
        let mut counts = Counts::default();
        for line in String::from_utf8_lossy(&text).lines() {
            counts.timed_out += u64::from(line.contains("ETIMEDOUT"));
            if let Some(call) = entered(line) {
                *counts.calls.entry(call).or_default() += 1;
            }
        }
        counts
    }
}

/// `1234  futex(0x…` is a call of thread 1234; `… resumed>` and signals are none.
fn entered(line: &str) -> Option<(u32, String)> {
    let (thread, rest) = line.split_once(' ')?;
    let (name, _) = rest.trim_start().split_once('(')?;
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    (is_name && !name.is_empty()).then_some((thread.parse().ok()?, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::entered;

    #[test]
    fn calls_are_counted_where_they_begin() {
        let of = |line| entered(line).map(|(_, name)| name);
        assert_eq!(of("12  futex(0x7f, FUTEX_WAIT").as_deref(), Some("futex"));
        assert_eq!(of("12  <... futex resumed>) = 0"), None);
        assert_eq!(of("12  --- SIGCONT {si_signo=SIGCONT} ---"), None);
        assert_eq!(of("12  +++ exited with 0 +++"), None);
    }
}
