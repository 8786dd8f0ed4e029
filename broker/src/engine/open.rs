//! Opening an io_uring shut: created disabled, probed, restricted to what the loop uses, enabled.
//!
//! Owns the list of operations and the errors that tell why a system refuses them; never submits.

use io_uring::register::{Probe, Restriction};
use io_uring::{IoUring, opcode};
use std::io;

/// Submissions that fit in one system call; more only take a second one.
const ENTRIES: u32 = 256;

/// Operations the loop cannot do without, and the kernel that brought each.
const NEEDED: &[(u8, &str, &str)] = &[
    (opcode::PollAdd::CODE, "POLL_ADD", "5.1"),
    (opcode::PollRemove::CODE, "POLL_REMOVE", "5.1"),
    (opcode::Accept::CODE, "ACCEPT", "5.5"),
    (opcode::Timeout::CODE, "TIMEOUT", "5.4"),
    (opcode::Read::CODE, "READ", "5.6"),
];

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
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

impl EngineError {
    pub(super) fn system(action: &'static str) -> impl Fn(io::Error) -> EngineError {
        move |cause| EngineError::System { action, cause }
    }

    fn of_setup(cause: io::Error) -> EngineError {
        match cause
            .raw_os_error()
            .map(rustix::io::Errno::from_raw_os_error)
        {
            Some(rustix::io::Errno::PERM | rustix::io::Errno::ACCESS) => {
                EngineError::NotAllowed { cause }
            }
            Some(rustix::io::Errno::NOSYS) => EngineError::Missing,
            _ => EngineError::System {
                action: "setup",
                cause,
            },
        }
    }
}

/// Opens the ring with the newest set-up the kernel knows.
pub(super) fn open() -> Result<IoUring, EngineError> {
    let ring = create()?;
    let mut probe = Probe::new();
    ring.submitter()
        .register_probe(&mut probe)
        .map_err(EngineError::system("probing its operations"))?;
    for &(code, operation, since) in NEEDED {
        if !probe.is_supported(code) {
            return Err(EngineError::MissingOperation { operation, since });
        }
    }
    restrict(&ring)?;
    Ok(ring)
}

fn create() -> Result<IoUring, EngineError> {
    let mut newest = IoUring::builder();
    newest
        .setup_r_disabled()
        .setup_single_issuer()
        .setup_defer_taskrun();
    if let Ok(ring) = newest.build(ENTRIES) {
        return Ok(ring);
    }
    let mut oldest = IoUring::builder();
    oldest.setup_r_disabled();
    oldest.build(ENTRIES).map_err(EngineError::of_setup)
}

fn restrict(ring: &IoUring) -> Result<(), EngineError> {
    let mut allowed: Vec<Restriction> = NEEDED
        .iter()
        .map(|&(code, _, _)| Restriction::sqe_op(code))
        .collect();
    ring.submitter()
        .register_restrictions(&mut allowed)
        .map_err(EngineError::system("restricting it"))?;
    ring.submitter()
        .register_enable_rings()
        .map_err(EngineError::system("enabling it"))
}
