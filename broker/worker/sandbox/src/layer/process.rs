//! What ties the process to its broker, and hides it from others.
//!
//! Owns the signal at the parent's death, and that neither a core nor a debugger shows what is in memory.

use crate::SandboxError;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    DumpableBehavior, Signal, set_dumpable_behavior, set_parent_process_death_signal,
};
use rustix::stdio::{dup2_stdout, stderr, stdin};
use std::fs;

/// A broker that runs out of memory loses its workers first. The most a process can ask for.
const FIRST_TO_GO: &str = "1000";

/// Fails if there is another thread. Who sees no `/proc` must know it otherwise.
///
/// # Errors
/// There is one.
pub fn alone() -> Result<(), SandboxError> {
    let threads = fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    if threads == 1 {
        Ok(())
    } else {
        Err(SandboxError::NotAlone(threads))
    }
}

/// Asks the kernel to end this process rather than the broker. One that does not let us is no reason to stop.
pub fn first_to_go() {
    let _ = fs::write("/proc/self/oom_score_adj", FIRST_TO_GO);
}

/// Dies with the parent from here on, and shows its memory to nobody. Every change of user or privileges undoes
/// both, so this comes after them.
///
/// # Errors
/// It is refused, or the parent is gone already: its end of the control socket went with it.
pub fn tie_to_parent() -> Result<(), SandboxError> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(SandboxError::refused(
        "to die with the broker",
        "prctl(PR_SET_PDEATHSIG)",
    ))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(SandboxError::refused(
        "to hide memory from debuggers",
        "prctl(PR_SET_DUMPABLE)",
    ))?;
    dup2_stdout(stderr()).map_err(SandboxError::refused("to have no standard output", "dup3"))?;
    let mut control = [PollFd::from_borrowed_fd(stdin(), PollFlags::empty())];
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    poll(&mut control, Some(&at_once)).map_err(SandboxError::refused(
        "to look at the control socket",
        "poll",
    ))?;
    if control[0].revents().contains(PollFlags::HUP) {
        return Err(SandboxError::Orphan);
    }
    Ok(())
}
