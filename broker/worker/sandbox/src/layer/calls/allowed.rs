//! The calls that are left. None of them takes a path, and none makes a socket.
//!
//! Owns the list; an argument is looked at where it decides what a call is.

use super::Rules;
use rustix::process::getpid;
use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::SeccompCmpOp::{Eq, MaskedEq};
use seccompiler::{BackendError, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompRule};

/// Whatever their arguments are.
const FREELY: [i64; 54] = [
    // Descriptors there are.
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwrite64,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_ftruncate,
    libc::SYS_ppoll,
    libc::SYS_eventfd2,
    // Sockets there are. They are connected.
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_shutdown,
    libc::SYS_getsockopt,
    // Rings there are.
    libc::SYS_io_uring_enter,
    // Memory.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_getrandom,
    // Threads, and ending.
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_rseq,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getcpu,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getppid,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Signals of its own.
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigsuspend,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    // Time.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    // Who it is and how it fares.
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getrusage,
    libc::SYS_times,
    libc::SYS_sysinfo,
];

/// What newer machines have only in a more general form.
#[cfg(target_arch = "x86_64")]
const OF_THIS_MACHINE: [i64; 2] = [libc::SYS_poll, libc::SYS_time];
#[cfg(target_arch = "aarch64")]
const OF_THIS_MACHINE: [i64; 0] = [];

const DESCRIPTOR_COMMANDS: [i32; 7] = [
    libc::F_GETFD,
    libc::F_SETFD,
    libc::F_GETFL,
    libc::F_SETFL,
    libc::F_DUPFD_CLOEXEC,
    libc::F_ADD_SEALS,
    libc::F_GET_SEALS,
];

/// A thread shares memory and signals and lives in no namespace of its own.
const THREAD: i32 = libc::CLONE_VM | libc::CLONE_SIGHAND | libc::CLONE_THREAD;
const NO_THREAD: i32 = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_PTRACE;

pub(super) fn rules() -> Result<Rules, BackendError> {
    let free = FREELY.into_iter().chain(OF_THIS_MACHINE);
    let mut rules: Rules = free.map(|call| (call, Vec::new())).collect();
    // Said not to exist by a filter of its own, whose word counts only where this one has nothing against it.
    rules.insert(libc::SYS_clone3, Vec::new());

    let not_executable = all(vec![without(2, libc::PROT_EXEC)?])?;
    rules.insert(libc::SYS_mprotect, vec![not_executable.clone()]);
    let plain = all(vec![
        without(2, libc::PROT_EXEC)?,
        without(3, libc::MAP_HUGETLB)?,
    ])?;
    rules.insert(libc::SYS_mmap, vec![plain]);

    // Huge pages are the machine's, and in no limit of ours.
    let no_others = !(libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING | libc::MFD_NOEXEC_SEAL);
    let no_others = condition(1, Dword, MaskedEq(no_others.into()), 0)?;
    rules.insert(libc::SYS_memfd_create, vec![all(vec![no_others])?]);

    let commands = DESCRIPTOR_COMMANDS.into_iter();
    let commands = commands.map(|command| all(vec![is(1, Dword, bits(command))?]));
    rules.insert(libc::SYS_fcntl, commands.collect::<Result<_, _>>()?);

    // Where something is sent was decided by who connected the socket; a first message that connects is none.
    let connected = all(vec![without(2, libc::MSG_FASTOPEN)?])?;
    rules.insert(libc::SYS_sendmsg, vec![connected]);
    let nowhere_else = all(vec![is(4, Qword, 0)?, without(3, libc::MSG_FASTOPEN)?])?;
    rules.insert(libc::SYS_sendto, vec![nowhere_else]);

    let decides = SeccompCmpOp::MaskedEq(bits(THREAD | NO_THREAD));
    let thread = all(vec![condition(0, Dword, decides, bits(THREAD))?])?;
    rules.insert(libc::SYS_clone, vec![thread]);

    let naming = all(vec![is(0, Dword, bits(libc::PR_SET_NAME))?])?;
    rules.insert(libc::SYS_prctl, vec![naming]);

    let asking_for_its_own = all(vec![is(0, Dword, 0)?, is(2, Qword, 0)?])?;
    rules.insert(libc::SYS_prlimit64, vec![asking_for_its_own]);

    // To abort.
    let own = bits(getpid().as_raw_nonzero().get());
    rules.insert(libc::SYS_tgkill, vec![all(vec![is(0, Dword, own)?])?]);
    Ok(rules)
}

/// The bits of an argument the kernel takes as an `int`.
fn bits(argument: i32) -> u64 {
    argument.cast_unsigned().into()
}

fn all(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions)
}

fn is(
    argument: u8,
    length: SeccompCmpArgLen,
    value: u64,
) -> Result<SeccompCondition, BackendError> {
    condition(argument, length, Eq, value)
}

fn without(argument: u8, flag: i32) -> Result<SeccompCondition, BackendError> {
    condition(argument, Dword, MaskedEq(bits(flag)), 0)
}

fn condition(
    argument: u8,
    length: SeccompCmpArgLen,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, length, operator, value)
}
