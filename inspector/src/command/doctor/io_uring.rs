//! Whether io_uring is allowed here, why not, and whether a broker can close its ring as it must.
//!
//! Owns the trial, made as the broker makes its ring; only the broker needs io_uring, so a refusal here
//! matters where a broker is to run.

use super::check::Check;
use ::io_uring::register::Restriction;
use ::io_uring::{IoUring, Probe, opcode};
use rustix::io::Errno;
use std::fs;
use std::io;
use std::path::Path;

const AREA: &str = "io_uring";
const ENTRIES: u32 = 8;
/// What the broker cannot do without, and the kernel that brought each.
const NEEDED: [(&str, u8, &str); 5] = [
    ("POLL_ADD", opcode::PollAdd::CODE, "5.1"),
    ("POLL_REMOVE", opcode::PollRemove::CODE, "5.1"),
    ("ACCEPT", opcode::Accept::CODE, "5.5"),
    ("TIMEOUT", opcode::Timeout::CODE, "5.4"),
    ("READ", opcode::Read::CODE, "5.6"),
];

/// All checks; a broker that answers proves that io_uring works where it runs.
pub fn checks(broker_answers: bool) -> Vec<Check> {
    match IoUring::new(ENTRIES) {
        Ok(ring) => vec![
            Check::good(AREA, "allowed", "yes"),
            opcodes(&ring, broker_answers),
            restrictions(restricted(), broker_answers),
        ],
        Err(error) => vec![refused(&error, broker_answers)],
    }
}

fn opcodes(ring: &IoUring, broker_answers: bool) -> Check {
    let name = "opcodes";
    let mut probe = Probe::new();
    if let Err(error) = ring.submitter().register_probe(&mut probe) {
        let found = format!("cannot be asked for: {error}");
        return bad(name, found, registering(&error), broker_answers);
    }
    let listed = |of: Vec<&(&str, u8, &str)>| -> String {
        let all = of
            .iter()
            .map(|(name, _, since)| format!("{name} ({since})"));
        all.collect::<Vec<_>>().join(", ")
    };
    let (there, missing): (Vec<_>, Vec<_>) = NEEDED
        .iter()
        .partition(|(_, code, _)| probe.is_supported(*code));
    if missing.is_empty() {
        return Check::good(AREA, name, listed(there));
    }
    let found = format!("no {}", listed(missing));
    bad(name, found, KERNEL, broker_answers)
}

/// A ring that is made disabled, may do only what is needed, and is enabled.
fn restricted() -> io::Result<()> {
    let ring: IoUring = IoUring::builder().setup_r_disabled().build(ENTRIES)?;
    let mut allowed = NEEDED.map(|(_, code, _)| Restriction::sqe_op(code));
    ring.submitter().register_restrictions(&mut allowed)?;
    ring.submitter().register_enable_rings()
}

fn restrictions(tried: io::Result<()>, broker_answers: bool) -> Check {
    let name = "restrictions";
    match tried {
        Ok(()) => Check::good(AREA, name, "a ring can be restricted to these (5.10)"),
        Err(error) => {
            let found = format!("a ring cannot be restricted: {error}");
            bad(name, found, registering(&error), broker_answers)
        }
    }
}

const KERNEL: &str = "the broker cannot start; use Linux 5.15 or newer";

fn registering(error: &io::Error) -> &'static str {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::PERM | Errno::ACCESS | Errno::NOSYS) => {
            "the broker cannot start; let the seccomp filter allow io_uring_register too"
        }
        _ => KERNEL,
    }
}

/// Wrong where a broker may have to be started, and a note where one shows that it can be.
fn bad(name: &str, found: String, remedy: &str, broker_answers: bool) -> Check {
    if broker_answers {
        let remedy =
            format!("clients do not need it, and the broker has it; for a broker here: {remedy}");
        Check::note(AREA, name, found, remedy)
    } else {
        Check::wrong(AREA, name, found, remedy)
    }
}

fn refused(error: &io::Error, broker_answers: bool) -> Check {
    let read = |path: &str| fs::read_to_string(path).ok();
    let (cause, remedy) = reason(
        error,
        read("/proc/sys/kernel/io_uring_disabled").as_deref(),
        read("/proc/self/status").as_deref(),
        Path::new("/.dockerenv").exists() || Path::new("/run/.containerenv").exists(),
    );
    bad("allowed", cause, remedy, broker_answers)
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
            "let the filter allow io_uring_setup, io_uring_enter and io_uring_register; in SystemCallFilter= of a systemd unit they are in @aio",
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
    use super::super::check::Outcome;
    use super::*;

    #[test]
    fn the_cause_of_a_refusal_is_named_and_its_remedy() {
        let (free, filtered) = ("Seccomp:\t0\n", "Name:\tx\nSeccomp:\t2\n");
        let (perm, nosys) = (Errno::PERM, Errno::NOSYS);
        let off = "sysctl kernel.io_uring_disabled=0";
        let calls = "io_uring_setup, io_uring_enter and io_uring_register";
        for (errno, sysctl, status, in_container, wanted, remedied) in [
            (perm, Some("2\n"), free, false, "disabled is 2", off),
            (perm, Some("1\n"), free, false, "disabled is 1", off),
            (perm, Some("0\n"), filtered, true, "container's", calls),
            (perm, None, filtered, false, "a seccomp filter", calls),
            (perm, None, filtered, false, "a seccomp filter", "@aio"),
            (nosys, None, filtered, false, "a seccomp filter", calls),
            (nosys, None, free, false, "CONFIG_IO_URING", "5.15"),
            (
                Errno::NOMEM,
                Some("0\n"),
                free,
                false,
                "locked",
                "ulimit -l",
            ),
            (perm, Some("0\n"), free, false, "no:", "security module"),
        ] {
            let error = io::Error::from(errno);
            let (cause, remedy) = reason(&error, sysctl, Some(status), in_container);
            assert!(cause.contains(wanted), "{cause}");
            assert!(remedy.contains(remedied), "{cause}: {remedy}");
        }
    }

    #[test]
    fn what_is_needed_is_what_the_broker_needs() {
        let broker = include_str!("../../../../broker/src/engine/mod.rs");
        let (_, list) = broker.split_once("const NEEDED").unwrap();
        let (list, _) = list.split_once("];").unwrap();
        let lines: Vec<&str> = list.lines().filter(|line| line.contains("CODE")).collect();
        assert_eq!(lines.len(), NEEDED.len(), "{lines:?}");
        for (name, _, since) in NEEDED {
            let entry = format!("\"{name}\", \"{since}\"");
            assert!(lines.iter().any(|line| line.contains(&entry)), "{entry}");
        }
    }

    #[test]
    fn a_ring_that_cannot_be_restricted_is_told_by_its_cause() {
        let told = |errno: Errno| restrictions(Err(errno.into()), false);
        for (errno, remedy) in [(Errno::INVAL, "5.15"), (Errno::PERM, "io_uring_register")] {
            let check = told(errno);
            assert_eq!(check.state, Outcome::Wrong, "{check:?}");
            assert!(check.remedy.unwrap().contains(remedy));
        }
        assert_eq!(restrictions(Ok(()), false).state, Outcome::Good);
    }

    #[test]
    fn a_refusal_is_wrong_only_where_no_broker_answers() {
        let error = io::Error::from(Errno::PERM);
        assert_eq!(refused(&error, true).state, Outcome::Note);
        assert_eq!(refused(&error, false).state, Outcome::Wrong);
    }
}
