//! What must be given up and cannot be.
//!
//! Owns the sentences; what is only desirable is never an error, but said in [`Walls`](crate::Walls).

use rustix::io::Errno;

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The caller's fault: walls are built around one thread.
    #[error(
        "the process has {0} threads already; enter the sandbox before the second one is started"
    )]
    NotAlone(usize),
    /// Nobody's fault: whom this process would work for is gone.
    #[error(
        "the control socket (standard input) has hung up: the broker is gone; nothing is to be done"
    )]
    Orphan,
    /// The kernel refuses what every process may do.
    #[error(
        "{what} is refused: {cause}; let the container's or the service's filter of system calls allow {call}"
    )]
    Refused {
        /// What was to be given up.
        what: &'static str,
        /// What the kernel says.
        cause: Errno,
        /// The system call it took.
        call: &'static str,
    },
    /// There are privileges left after all were dropped.
    #[error(
        "capabilities are left after all were dropped ({0}); this kernel cannot be trusted with a worker"
    )]
    Privileged(String),
    /// No filter of system calls.
    #[error(
        "no filter of system calls: {0}; use a kernel with CONFIG_SECCOMP_FILTER, and let the service's filter allow seccomp"
    )]
    Filter(#[from] seccompiler::Error),
}

impl SandboxError {
    pub(crate) fn refused(
        what: &'static str,
        call: &'static str,
    ) -> impl FnOnce(Errno) -> SandboxError {
        move |cause| SandboxError::Refused { what, cause, call }
    }
}

impl From<seccompiler::BackendError> for SandboxError {
    fn from(error: seccompiler::BackendError) -> SandboxError {
        SandboxError::Filter(error.into())
    }
}
