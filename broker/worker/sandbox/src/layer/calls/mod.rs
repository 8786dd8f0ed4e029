//! The filter of system calls.
//!
//! Owns how the lists become filters; which calls are in them stands in `allowed.rs` and `fatal.rs`.
//!
//! What is not allowed fails with `EPERM` and does not kill: the C library and the decoders try things they can do
//! without (where are we, how many processors are there), each version others, and a worker killed for that would
//! be a camera lost in the field by an update. The unmistakable kills, since nobody executes a program by accident
//! here. `clone3` is said not to exist: what it is asked for lies in memory, where a filter cannot look, and the C
//! library then uses `clone`.

mod allowed;
mod fatal;

use crate::{SandboxError, Wall, Walls};
use seccompiler::{SeccompAction, SeccompFilter, SeccompRule, apply_filter};
use std::collections::BTreeMap;

#[cfg(target_arch = "x86_64")]
const ARCH: seccompiler::TargetArch = seccompiler::TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const ARCH: seccompiler::TargetArch = seccompiler::TargetArch::aarch64;

/// A call's number, and the rules of which one must be met; none of them means whatever its arguments are.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Installs it. Of several filters the strictest answer counts, and of two like ones the one installed last.
///
/// # Errors
/// There is none then.
pub fn filter(walls: &mut Walls) -> Result<(), SandboxError> {
    let refuse = |errno: i32| SeccompAction::Errno(errno.unsigned_abs());
    let unknown = Rules::from([(libc::SYS_clone3, Vec::new())]);
    install(
        fatal::rules(),
        SeccompAction::Allow,
        SeccompAction::KillProcess,
    )?;
    install(unknown, SeccompAction::Allow, refuse(libc::ENOSYS))?;
    install(allowed::rules()?, refuse(libc::EPERM), SeccompAction::Allow)?;
    walls.stands(Wall::Calls);
    Ok(())
}

fn install(rules: Rules, otherwise: SeccompAction, met: SeccompAction) -> Result<(), SandboxError> {
    let filter = SeccompFilter::new(rules, otherwise, met, ARCH)?;
    let program: seccompiler::BpfProgram = filter.try_into()?;
    Ok(apply_filter(&program)?)
}
