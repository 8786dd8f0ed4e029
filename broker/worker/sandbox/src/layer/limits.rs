//! What even a worker that was taken over can use up.
//!
//! Owns the numbers; a limit is lowered and never raised.
//!
//! Not limited: the address space, since pools are mapped whole, slots that are never used included; and the size of
//! files, since a broker whose log is a file would have its workers killed by their first word beyond it. A worker
//! that fills one memfd after the other is ended by the service's `MemoryMax=`, and is the first to go there.

use crate::{SandboxError, Walls};
use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};

/// Memory of its own, slots not included, in which pictures are: stacks (2 MiB a thread), what a packet is gathered
/// in, and the reference pictures of a decoder. HEVC has 17 at most, which are 53 MiB at 1920x1080, and a headset
/// has one video camera. All of that stays below 400 MiB; a bomb is stopped before the machine swaps.
const OWN_MEMORY: u64 = 1 << 30;
/// Beside what was given: pools, rings and pages come with each publication, some of 60 descriptors.
const DESCRIPTORS: u64 = 4096;

/// Lowers them all.
///
/// # Errors
/// It is refused.
pub fn lower(threads: u32, walls: &Walls) -> Result<(), SandboxError> {
    umask(Mode::RWXG | Mode::RWXO);
    limit(Resource::Core, 0)?;
    limit(Resource::Memlock, 0)?;
    limit(Resource::Data, OWN_MEMORY)?;
    limit(Resource::Nofile, DESCRIPTORS)?;
    // Threads are counted for each user. Only in a namespace of users of its own this process is a user's only one.
    if walls.has_own_users() {
        limit(Resource::Nproc, threads.into())?;
    }
    Ok(())
}

fn limit(resource: Resource, most: u64) -> Result<(), SandboxError> {
    let before = getrlimit(resource);
    let lower = |old: Option<u64>| Some(old.map_or(most, |old| old.min(most)));
    let new = Rlimit {
        current: lower(before.current),
        maximum: lower(before.maximum),
    };
    setrlimit(resource, new).map_err(SandboxError::refused("a lower limit", "setrlimit"))
}
