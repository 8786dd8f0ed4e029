//! Opening an io_uring shut: created disabled, probed, restricted to the operations that are needed, enabled.
//!
//! Owns the way there and the errors that tell why a system refuses it; never submits.

pub use io_uring;

use io_uring::IoUring;
use io_uring::register::{Probe, Restriction};
use std::io;

/// An operation that cannot be done without: its number, its name, and the version of Linux that brought it.
pub type Needed = (u8, &'static str, &'static str);

/// Why there is no ring.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// An administrator or a container switched it off.
    #[error(
        "io_uring is not allowed here: {cause}. Outside a container set kernel.io_uring_disabled=0 \
         (sysctl); in a container run with a seccomp profile that allows io_uring_setup, \
         io_uring_enter and io_uring_register"
    )]
    NotAllowed {
        /// What the kernel said.
        cause: io::Error,
    },
    /// The kernel is too old to have it.
    #[error("this kernel has no io_uring; Streamem needs Linux 5.15 or newer")]
    Missing,
    /// The kernel has it without something that is needed.
    #[error(
        "this kernel's io_uring has no {operation}, which came with Linux {since}; Streamem needs 5.15 or newer"
    )]
    MissingOperation {
        /// Its name.
        operation: &'static str,
        /// The version that has it.
        since: &'static str,
    },
    /// Something else.
    #[error("io_uring: {action} failed: {cause}{}", streamem_sys::remedy(cause))]
    System {
        /// What was tried.
        action: &'static str,
        /// What the kernel said.
        cause: io::Error,
    },
}

impl RingError {
    /// An error of the system while something was done.
    pub fn system(action: &'static str) -> impl Fn(io::Error) -> RingError {
        move |cause| RingError::System { action, cause }
    }

    fn of_setup(cause: io::Error) -> RingError {
        match cause
            .raw_os_error()
            .map(rustix::io::Errno::from_raw_os_error)
        {
            Some(rustix::io::Errno::PERM | rustix::io::Errno::ACCESS) => {
                RingError::NotAllowed { cause }
            }
            Some(rustix::io::Errno::NOSYS) => RingError::Missing,
            _ => RingError::System {
                action: "setup",
                cause,
            },
        }
    }
}

/// Who uses the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// The thread that opens it, which is quicker where the kernel knows how.
    ThisThread,
    /// One thread after another.
    AnyThread,
}

/// Opens the ring, for a thread with the newest set-up the kernel knows.
pub fn open(entries: u32, needed: &[Needed], user: User) -> Result<IoUring, RingError> {
    let ring = create(entries, user)?;
    let mut probe = Probe::new();
    ring.submitter()
        .register_probe(&mut probe)
        .map_err(RingError::system("probing its operations"))?;
    for &(code, operation, since) in needed {
        if !probe.is_supported(code) {
            return Err(RingError::MissingOperation { operation, since });
        }
    }
    restrict(&ring, needed)?;
    Ok(ring)
}

fn create(entries: u32, user: User) -> Result<IoUring, RingError> {
    if user == User::ThisThread {
        let mut newest = IoUring::builder();
        newest
            .setup_r_disabled()
            .setup_single_issuer()
            .setup_defer_taskrun();
        if let Ok(ring) = newest.build(entries) {
            return Ok(ring);
        }
    }
    let mut oldest = IoUring::builder();
    oldest.setup_r_disabled();
    oldest.build(entries).map_err(RingError::of_setup)
}

fn restrict(ring: &IoUring, needed: &[Needed]) -> Result<(), RingError> {
    let mut allowed: Vec<Restriction> = needed
        .iter()
        .map(|&(code, _, _)| Restriction::sqe_op(code))
        .collect();
    ring.submitter()
        .register_restrictions(&mut allowed)
        .map_err(RingError::system("restricting it"))?;
    ring.submitter()
        .register_enable_rings()
        .map_err(RingError::system("enabling it"))
}
