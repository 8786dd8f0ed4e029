//! What a worker gives up before it looks at the first byte from a network.
//!
//! Owns the walls and their order; never starts a process, never opens what the worker needs, and never decides
//! whether the walls that stand are enough: that is said in [`Walls`], for the log.
//!
//! A worker decodes what strangers sent. Whoever takes it over by that should find a process that can compute,
//! fill the memory it was given and talk on the sockets it was given, and nothing else:
//!
//! ```no_run
//! use std::os::fd::AsFd;
//! use streamem_sandbox::{Keep, enter};
//!
//! # let (device, publisher) = std::os::unix::net::UnixStream::pair()?;
//! // Before anything else in `main`, when there is one thread yet, and every ring is made.
//! let walls = enter(&Keep { descriptors: &[device.as_fd(), publisher.as_fd()], threads: 23 })?;
//! eprintln!("{walls}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod failure;
pub mod layer;
mod walls;

pub use failure::SandboxError;
pub use walls::{Missing, Wall, Walls};

use std::os::fd::BorrowedFd;

/// What stays.
#[derive(Clone, Copy, Debug)]
pub struct Keep<'a> {
    /// The descriptors beside 0, 1 and 2; every other one is closed, whoever thinks to own it.
    pub descriptors: &'a [BorrowedFd<'a>],
    /// How many threads there will be at most, this one included, and those the kernel starts for a ring.
    pub threads: u32,
}

/// Gives everything up but what is in `keep`, for good.
///
/// The process must have one thread. Its standard input is the control socket: where that has hung up, nobody is
/// there to work for. From here on the process dies with the *thread* that started it, which should therefore live
/// as long as the worker may. What comes after may start threads, allocate, compute, wait, and send and receive on
/// the descriptors it has. Rings of io_uring must be made before, and should be restricted to what they are for:
/// no filter of system calls sees what is asked of a ring. Sockets that are kept should be connected ones.
///
/// # Errors
/// What could not be given up and must be; the process is in no state to go on then.
pub fn enter(keep: &Keep<'_>) -> Result<Walls, SandboxError> {
    let mut walls = Walls::default();
    layer::process::alone()?;
    layer::process::first_to_go();
    layer::descriptors::close_others(keep.descriptors)?;
    layer::identity::nobody(&mut walls)?;
    layer::namespaces::leave(&mut walls);
    layer::limits::lower(keep.threads, &walls)?;
    layer::identity::no_privileges(&mut walls)?;
    layer::files::forbid(&mut walls);
    layer::process::tie_to_parent()?;
    layer::calls::filter(&mut walls)?;
    Ok(walls)
}
