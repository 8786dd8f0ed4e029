//! What the end of a machine means, from what it wrote and how QEMU ended.
//!
//! Owns that judgement; never looks at a clock or a process.

use std::fmt;
use streamem_vm_init::{complaint, plan};

/// How a boot ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The program ran, and this is its exit status.
    Exit(u8),
    /// The program ran, and the kernel complained.
    Complaint,
    /// The program had no test of that name.
    NoTest,
    /// The kernel panicked.
    Crash,
    /// `vm-init` could not do its part.
    Unable(String),
    /// QEMU ended, and nobody said why.
    Reset,
    /// The time was over.
    Hang,
}

/// What QEMU did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qemu {
    /// It ended with this status.
    Ended(i32),
    /// It was ended, since the time was over.
    TookTooLong,
}

impl End {
    pub(crate) fn parse(word: &str) -> Option<End> {
        match word {
            "complaint" => Some(End::Complaint),
            "crash" => Some(End::Crash),
            "hang" => Some(End::Hang),
            _ => Some(End::Exit(word.strip_prefix("exit-")?.parse().ok()?)),
        }
    }

    /// Judges.
    #[must_use]
    pub fn of(log: &str, qemu: Qemu) -> End {
        let said = |mark: &str| log.lines().rev().find_map(|line| line.strip_prefix(mark));
        if log.lines().any(|line| line.starts_with(plan::COMPLAINT)) {
            return End::Complaint;
        }
        if log.lines().any(complaint::is_on_console) {
            return End::Crash;
        }
        if let Some(reason) = said(plan::UNABLE) {
            return End::Unable(reason.to_owned());
        }
        let exit = said(plan::EXIT).and_then(|code| code.trim().parse::<u8>().ok());
        match (exit, qemu) {
            (_, Qemu::TookTooLong) => End::Hang,
            (Some(0), _) if log.lines().any(|line| line == "running 0 tests") => End::NoTest,
            (Some(code), Qemu::Ended(status)) if status == qemu_status(code) => End::Exit(code),
            _ => End::Reset,
        }
    }
}

/// QEMU's device for ending it makes this of a byte; the highest bit is lost.
fn qemu_status(code: u8) -> i32 {
    i32::from(code.wrapping_shl(1) | 1)
}

impl fmt::Display for End {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Exit(0) => write!(out, "passed"),
            End::Exit(code) => write!(out, "failed with status {code}"),
            End::Complaint => write!(out, "the kernel complained"),
            End::NoTest => write!(out, "there was no test to run"),
            End::Crash => write!(out, "the kernel crashed"),
            End::Unable(what) => write!(out, "the machine was not ready: cannot {what}"),
            End::Reset => write!(out, "QEMU ended without saying why"),
            End::Hang => write!(out, "was ended when its time was over"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_marker_must_agree() {
        assert_eq!(End::of("ok\nvm: exit 0\n", Qemu::Ended(1)), End::Exit(0));
        assert_eq!(End::of("vm: exit 101\n", Qemu::Ended(203)), End::Exit(101));
        assert_eq!(End::of("vm: exit 0\n", Qemu::Ended(0)), End::Reset);
        assert_eq!(End::of("vm: exit 0\n", Qemu::Ended(3)), End::Reset);
        assert_eq!(End::of("", Qemu::Ended(1)), End::Reset);
        assert_eq!(End::of("", Qemu::Ended(0)), End::Reset);
    }

    #[test]
    fn a_test_that_is_not_there_has_not_passed() {
        let nothing = "running 0 tests\nvm: exit 0\n";
        assert_eq!(End::of(nothing, Qemu::Ended(1)), End::NoTest);
    }

    #[test]
    fn a_kernel_that_complains_is_worse_than_any_status() {
        let complained = "vm: the kernel complains: WARNING: CPU: 0\nvm: exit 0\n";
        assert_eq!(End::of(complained, Qemu::Ended(1)), End::Complaint);
        let panicked = "[    3.100000] Kernel panic - not syncing: Fatal exception\n";
        assert_eq!(End::of(panicked, Qemu::Ended(0)), End::Crash);
    }

    #[test]
    fn what_was_not_ready_and_what_took_too_long_are_told_apart() {
        let unable = "vm: cannot load vivid: no such file\nvm: exit 125\n";
        let reason = "load vivid: no such file".to_owned();
        assert_eq!(End::of(unable, Qemu::Ended(251)), End::Unable(reason));
        assert_eq!(End::of("vm: exit 0\n", Qemu::TookTooLong), End::Hang);
    }
}
