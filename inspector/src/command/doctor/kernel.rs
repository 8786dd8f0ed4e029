//! What the kernel must have for shared memory to be handed around safely.
//!
//! Owns trying each feature; what is made for a trial is gone when it ends.

use super::check::Check;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, getpid, pidfd_open};
use rustix::thread::{MembarrierCommand, membarrier};
use std::os::fd::OwnedFd;

const AREA: &str = "kernel";

pub fn checks() -> Vec<Check> {
    vec![
        version(),
        sealing(),
        read_only_sealing(),
        pidfd(),
        fence(membarrier(MembarrierCommand::GlobalExpedited)),
    ]
}

/// Linux 5.15 is what the broker is made for.
fn version() -> Check {
    let name = rustix::system::uname();
    let release = name.release().to_string_lossy().into_owned();
    match parsed(&release) {
        Some(version) if version < (5, 15) => Check::wrong(
            AREA,
            "version",
            release,
            "the broker needs Linux 5.15 or newer; update the kernel",
        ),
        _ => Check::good(AREA, "version", format!("{release} (5.15 is needed)")),
    }
}

fn parsed(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn trial_memfd(flags: MemfdFlags) -> Result<OwnedFd, Errno> {
    memfd_create("streamem-doctor", flags | MemfdFlags::CLOEXEC)
}

fn sealed(seals: SealFlags) -> Result<(), Errno> {
    let file = trial_memfd(MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&file, 4096)?;
    fcntl_add_seals(&file, seals)
}

fn sealing() -> Check {
    match sealed(SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL) {
        Ok(()) => Check::good(AREA, "memfd sealing", "works (3.17)"),
        Err(error) => Check::wrong(
            AREA,
            "memfd sealing",
            error.to_string(),
            "shared memory could be cut short under its readers; enable CONFIG_MEMFD_CREATE, or let the seccomp profile allow memfd_create",
        ),
    }
}

fn read_only_sealing() -> Check {
    match sealed(SealFlags::FUTURE_WRITE) {
        Ok(()) => Check::good(AREA, "F_SEAL_FUTURE_WRITE", "works (5.1)"),
        Err(error) => Check::wrong(
            AREA,
            "F_SEAL_FUTURE_WRITE",
            error.to_string(),
            "clients could write to frames; use Linux 5.1 or newer",
        ),
    }
}

fn pidfd() -> Check {
    match pidfd_open(getpid(), PidfdFlags::empty()) {
        Ok(_) => Check::good(AREA, "pidfd_open", "works (5.3)"),
        Err(error) => Check::note(
            AREA,
            "pidfd_open",
            error.to_string(),
            "comes with Linux 5.3; container profiles may forbid it; nothing in the way of frames needs it",
        ),
    }
}

/// Python's fence, wherever taking a lock is none.
fn fence(tried: Result<(), Errno>) -> Check {
    let name = "membarrier";
    match tried {
        Ok(()) => Check::good(AREA, name, "works (4.16)"),
        Err(error) => Check::note(
            AREA,
            name,
            error.to_string(),
            "only Python's clients need it, on arm64 and in builds without locks to fence with: let the seccomp profile allow membarrier, and use Linux 4.16 or newer",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Outcome;
    use super::*;

    #[test]
    fn releases_are_read_whatever_follows_the_numbers() {
        assert_eq!(parsed("6.18.0-rc1+"), Some((6, 18)));
        assert_eq!(parsed("5.15.148-tegra"), Some((5, 15)));
        assert_eq!(parsed("strange"), None);
    }

    #[test]
    fn a_refused_fence_is_noted_with_what_to_allow() {
        let refused = fence(Err(Errno::PERM));
        assert_eq!(refused.state, Outcome::Note);
        assert!(refused.remedy.unwrap().contains("allow membarrier"));
        assert_eq!(fence(Ok(())).state, Outcome::Good);
    }

    #[test]
    fn what_this_project_is_tested_on_is_good_enough() {
        let wrong: Vec<Check> = checks()
            .into_iter()
            .filter(|check| check.state == Outcome::Wrong)
            .collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
