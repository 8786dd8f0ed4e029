//! What comes of a kernel or a container that refuses a wall.
//!
//! Owns refusing them, by a filter as a container has it; what must be there stops the worker, the rest is said.

use super::child::{self, End, Within, run};
use libtest_mimic::{Failed, Trial};
use rustix::io::Errno;
use seccompiler::{SeccompAction, SeccompFilter, apply_filter};
use std::fs;

const MANDATORY: &[(&str, child::Deed, &str)] = &[
    (
        "without_capset",
        |w| without(w, &[libc::SYS_capset], libc::EPERM),
        "to drop capabilities is refused",
    ),
    (
        "without_seccomp",
        |w| without(w, &[libc::SYS_seccomp], libc::ENOSYS),
        "no filter of system calls",
    ),
];

const DESIRABLE: &[(&str, child::Deed, &str)] = &[
    (
        "without_unshare",
        |w| without(w, &[libc::SYS_unshare], libc::EPERM),
        "without namespaces (Operation not permitted",
    ),
    (
        "without_mount",
        |w| without(w, &[libc::SYS_mount], libc::EPERM),
        "without empty root (it cannot be mounted",
    ),
    (
        "without_landlock",
        |w| without(w, &[libc::SYS_landlock_create_ruleset], libc::ENOSYS),
        "without landlock (this kernel has none",
    ),
    (
        "with_landlock_off",
        |w| without(w, &[libc::SYS_landlock_create_ruleset], libc::EOPNOTSUPP),
        "without landlock (it is not enabled",
    ),
    (
        "without_pivot_root",
        |w| without(w, &[libc::SYS_pivot_root], libc::EINVAL),
        "empty root, no capabilities",
    ),
    ("as_in_the_service", as_in_the_service, "without namespaces"),
];

fn without(within: Within, calls: &[i64], errno: i32) -> Result<(), Errno> {
    let refuse = SeccompAction::Errno(errno.unsigned_abs());
    let arch = std::env::consts::ARCH
        .try_into()
        .expect("a machine we know");
    let rules = calls.iter().map(|&call| (call, Vec::new())).collect();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch).expect("a filter");
    let program: seccompiler::BpfProgram = filter.try_into().expect("a program");
    apply_filter(&program).expect("a filter that stands");
    let walls = within.build(&[]);
    assert!(walls.to_string().contains("seccomp"), "{walls}");
    // Whatever is missing, a file cannot be opened.
    match fs::read("/proc/self/status") {
        Err(error) => Err(Errno::from_io_error(&error).expect("an errno")),
        Ok(_) => Ok(()),
    }
}

/// What `RestrictNamespaces=yes` and `SystemCallFilter=~@privileged` leave of it, for who has no privileges.
fn as_in_the_service(within: Within) -> Result<(), Errno> {
    let refused = [
        libc::SYS_unshare,
        libc::SYS_capset,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_setrlimit,
    ];
    without(within, &refused, libc::EPERM)
}

pub fn deed(name: &str) -> Option<child::Deed> {
    let all = MANDATORY.iter().chain(DESIRABLE);
    all.into_iter().find(|row| row.0 == name).map(|row| row.1)
}

/// Their groups of calls do not have these.
fn our_services_allow_the_filter() -> Result<(), Failed> {
    let needed = "SystemCallFilter=seccomp landlock_create_ruleset landlock_restrict_self";
    let units = [
        include_str!("../../../../systemd/streamemd.service"),
        include_str!("../../../../systemd/user/streamemd.service"),
    ];
    if units
        .iter()
        .all(|unit| unit.lines().any(|line| line == needed))
    {
        Ok(())
    } else {
        Err("a worker could not start in one of our services".into())
    }
}

pub fn trials() -> Vec<Trial> {
    let stops = MANDATORY
        .iter()
        .map(|&(name, _, word)| Trial::test(name, move || said(name, End::Failed, word)));
    let goes_on = DESIRABLE.iter().map(|&(name, _, word)| {
        Trial::test(name, move || said(name, super::refused(Errno::PERM), word))
    });
    let units = Trial::test(
        "our_services_allow_the_filter",
        our_services_allow_the_filter,
    );
    stops.chain(goes_on).chain([units]).collect()
}

fn said(name: &str, wanted: End, word: &str) -> Result<(), Failed> {
    let (end, said) = run(name, Within::All);
    if end == wanted && said.contains(word) {
        Ok(())
    } else {
        Err(format!(
            "{name} ended with {end:?}, not with {wanted:?} and {word:?}; it said:\n{said}"
        )
        .into())
    }
}
