//! Whether io_uring is allowed here, why not, and what it can do.
//!
//! Owns the probe; only the broker needs io_uring, so a refusal here matters where a broker is to run.

use super::check::Check;
use ::io_uring::{IoUring, Probe, opcode};
use rustix::io::Errno;
use std::fs;
use std::io;
use std::path::Path;

const AREA: &str = "io_uring";
/// Newest opcode asked about; a kernel without it is served by older ones.
const OPCODES: [(&str, u8, &str); 9] = [
    ("POLL_ADD", opcode::PollAdd::CODE, "5.1"),
    ("TIMEOUT", opcode::Timeout::CODE, "5.4"),
    ("ACCEPT", opcode::Accept::CODE, "5.5"),
    ("READ", opcode::Read::CODE, "5.6"),
    ("WRITE", opcode::Write::CODE, "5.6"),
    ("RECVMSG", opcode::RecvMsg::CODE, "5.3"),
    ("SENDMSG", opcode::SendMsg::CODE, "5.3"),
    ("FUTEX_WAKE", opcode::FutexWake::CODE, "6.7"),
    ("FUTEX_WAIT", opcode::FutexWait::CODE, "6.7"),
];

/// All checks; a broker that answers proves that io_uring works where it runs.
pub fn checks(broker_answers: bool) -> Vec<Check> {
    match IoUring::new(8) {
        Ok(ring) => allowed(&ring),
        Err(error) => vec![refused(&error, broker_answers)],
    }
}

fn allowed(ring: &IoUring) -> Vec<Check> {
    let mut checks = vec![Check::good(AREA, "allowed", "yes")];
    let mut probe = Probe::new();
    if let Err(error) = ring.submitter().register_probe(&mut probe) {
        checks.push(Check::wrong(
            AREA,
            "opcodes",
            format!("cannot be asked for: {error}"),
            "probing comes with Linux 5.6; use 5.15 or newer",
        ));
        return checks;
    }
    let (old, new): (Vec<_>, Vec<_>) = OPCODES
        .into_iter()
        .partition(|(_, _, since)| *since != "6.7");
    let missing = |of: &[(&str, u8, &str)]| -> Vec<String> {
        let absent = of.iter().filter(|(_, code, _)| !probe.is_supported(*code));
        absent
            .map(|(name, _, since)| format!("{name} ({since})"))
            .collect()
    };
    checks.push(match missing(&old) {
        none if none.is_empty() => Check::good(AREA, "opcodes", listed(&old)),
        some => Check::wrong(
            AREA,
            "opcodes",
            format!("no {}", some.join(", ")),
            "the broker cannot start; use Linux 5.15 or newer",
        ),
    });
    checks.push(match missing(&new) {
        none if none.is_empty() => Check::good(AREA, "futex opcodes", listed(&new)),
        some => Check::note(
            AREA,
            "futex opcodes",
            format!("no {}", some.join(", ")),
            "readers are woken by other system calls instead, which costs a little; they come with Linux 6.7",
        ),
    });
    checks.push(if ring.params().is_feature_skip_cqe_on_success() {
        Check::good(AREA, "CQE_SKIP", "there (5.17)")
    } else {
        Check::note(
            AREA,
            "CQE_SKIP",
            "absent",
            "each wake costs a completion; it comes with Linux 5.17",
        )
    });
    checks
}

fn listed(opcodes: &[(&str, u8, &str)]) -> String {
    let all = opcodes
        .iter()
        .map(|(name, _, since)| format!("{name} ({since})"));
    all.collect::<Vec<_>>().join(", ")
}

fn refused(error: &io::Error, broker_answers: bool) -> Check {
    let read = |path: &str| fs::read_to_string(path).ok();
    let (cause, remedy) = reason(
        error,
        read("/proc/sys/kernel/io_uring_disabled").as_deref(),
        read("/proc/self/status").as_deref(),
        Path::new("/.dockerenv").exists() || Path::new("/run/.containerenv").exists(),
    );
    if broker_answers {
        let remedy =
            format!("clients do not need it, and the broker has it; for a broker here: {remedy}");
        Check::note(AREA, "allowed", cause, remedy)
    } else {
        Check::wrong(AREA, "allowed", cause, remedy)
    }
}

fn reason(
    error: &io::Error,
    sysctl: Option<&str>,
    status: Option<&str>,
    in_container: bool,
) -> (String, &'static str) {
    let field = |name: &str| {
        let line = status?.lines().find_map(|line| line.strip_prefix(name));
        Some(line?.trim().to_owned())
    };
    let filtered = field("Seccomp:").is_some_and(|mode| mode == "2");
    match (sysctl.map(str::trim), filtered) {
        (Some("2"), _) => (
            format!("no: {error}; kernel.io_uring_disabled is 2, for everybody"),
            "sysctl kernel.io_uring_disabled=0",
        ),
        (Some("1"), _) => (
            format!(
                "no: {error}; kernel.io_uring_disabled is 1, for all but kernel.io_uring_group"
            ),
            "sysctl kernel.io_uring_disabled=0, or set kernel.io_uring_group to a group of the broker",
        ),
        _ if error.raw_os_error() == Some(Errno::NOSYS.raw_os_error()) && !filtered => (
            format!("no: {error}; the kernel was built without CONFIG_IO_URING"),
            "use a kernel with io_uring, 5.15 or newer",
        ),
        (_, true) if in_container => (
            format!("no: {error}; the container's seccomp profile forbids it"),
            "run the broker outside, or give its container a profile that allows io_uring_setup, io_uring_enter and io_uring_register",
        ),
        (_, true) => (
            format!("no: {error}; a seccomp filter forbids it"),
            "let the filter (SystemCallFilter= of a systemd unit, a sandbox) allow @io-uring",
        ),
        _ if error.raw_os_error() == Some(Errno::NOMEM.raw_os_error()) => (
            format!("no: {error}; the limit of locked memory is too low"),
            "raise it: ulimit -l 8192, or LimitMEMLOCK= of the unit",
        ),
        _ => (
            format!("no: {error}"),
            "see whether a security module (SELinux, AppArmor) forbids io_uring",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(errno: Errno, sysctl: Option<&str>, status: &str, in_container: bool) -> String {
        let error = io::Error::from(errno);
        reason(&error, sysctl, Some(status), in_container).0
    }

    #[test]
    fn the_cause_of_a_refusal_is_named() {
        let (free, filtered) = ("Seccomp:\t0\n", "Name:\tx\nSeccomp:\t2\n");
        for (errno, sysctl, status, in_container, wanted) in [
            (
                Errno::PERM,
                Some("2\n"),
                free,
                false,
                "io_uring_disabled is 2",
            ),
            (
                Errno::PERM,
                Some("1\n"),
                free,
                false,
                "io_uring_disabled is 1",
            ),
            (
                Errno::PERM,
                Some("0\n"),
                filtered,
                true,
                "container's seccomp",
            ),
            (Errno::PERM, None, filtered, false, "a seccomp filter"),
            (Errno::NOSYS, None, free, false, "CONFIG_IO_URING"),
            (Errno::NOMEM, Some("0\n"), free, false, "locked memory"),
        ] {
            let cause = cause(errno, sysctl, status, in_container);
            assert!(cause.contains(wanted), "{cause}");
        }
    }

    #[test]
    fn a_refusal_is_wrong_only_where_no_broker_answers() {
        use super::super::check::Outcome;
        let error = io::Error::from(Errno::PERM);
        assert_eq!(refused(&error, true).state, Outcome::Note);
        assert_eq!(refused(&error, false).state, Outcome::Wrong);
    }
}
