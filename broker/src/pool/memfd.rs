//! Memory from memfd: anonymous files that live exactly as long as somebody uses them.
//!
//! Owns the order of things: size, seal against resizing, map, then seal against everybody else;
//! never gives away a descriptor that can write, except that of a page a client is to write and that of
//! a pool that is lent to its publisher and not sealed yet.

use super::{Allocator, Memory, PoolError, Protection, Request};
use memfd::{FileSeal, HugetlbSize, MemfdOptions};
use rustix::fs::{Mode, OFlags, SealFlags, fchmod, fcntl_add_seals, ftruncate, open};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use streamem_sys::{Mapping, Writable, file};
use tracing::warn;

const PAGE_BYTES: usize = 4096;
const HUGE_PAGE_BYTES: usize = 2 << 20;

/// The allocator that works everywhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memfd;

impl Allocator for Memfd {
    fn allocate(&self, request: &Request) -> Result<Memory, PoolError> {
        if request.huge {
            match make(request, true, nothing_else) {
                Ok(memory) => return Ok(memory),
                Err(error) => warn!(
                    "{error}; using ordinary pages. To have huge ones, raise vm.nr_hugepages by {}",
                    request.bytes.div_ceil(HUGE_PAGE_BYTES)
                ),
            }
        }
        make(request, false, nothing_else)
    }
}

/// Only bytes that are mapped.
fn nothing_else(_: BorrowedFd<'_>) -> Result<Vec<OwnedFd>, PoolError> {
    Ok(Vec::new())
}

/// Makes memory, and `parts` of it before it is sealed.
pub(super) fn make(
    request: &Request,
    huge: bool,
    parts: impl FnOnce(BorrowedFd<'_>) -> Result<Vec<OwnedFd>, PoolError>,
) -> Result<Memory, PoolError> {
    let page_bytes = if huge { HUGE_PAGE_BYTES } else { PAGE_BYTES };
    let bytes = request.bytes.next_multiple_of(page_bytes);
    let failed = |action, remedy| {
        move |cause: io::Error| PoolError::System {
            name: request.name.clone(),
            bytes,
            action,
            cause,
            remedy,
        }
    };
    let hugetlb = huge.then_some(HugetlbSize::Huge2MB);
    let options = MemfdOptions::new()
        .allow_sealing(true)
        .close_on_exec(true)
        .hugetlb(hugetlb);
    let memfd = options.create(&request.name).map_err(|error| {
        let memfd::Error::Create(cause) = error else {
            return failed("memfd_create", "")(io::ErrorKind::Other.into());
        };
        failed("memfd_create", "")(cause)
    })?;
    ftruncate(memfd.as_file(), bytes as u64).map_err(|e| {
        failed(
            "sizing it",
            " (raise LimitFSIZE= of the service, or lower [pool] slots_max)",
        )(e.into())
    })?;
    let seal = |seals: &[FileSeal]| {
        memfd.add_seals(seals).map_err(|error| {
            let memfd::Error::AddSeals(cause) = error else {
                return failed("sealing it", "")(io::ErrorKind::Other.into());
            };
            failed("sealing it", "")(cause)
        })
    };
    seal(&[FileSeal::SealShrink, FileSeal::SealGrow])?;
    let map = Mapping::new(memfd.as_file(), bytes, Writable).map_err(|cause| PoolError::Map {
        name: request.name.clone(),
        cause,
    })?;
    let parts = parts(memfd.as_file().as_fd())?;
    if request.protection == Protection::Sealed {
        seal(&[FileSeal::SealFutureWrite])?;
    }
    if request.protection != Protection::Lent {
        seal(&[FileSeal::SealSeal])?;
    }
    let owned = OwnedFd::from(memfd.into_file());
    let given = give(&owned, request.protection).map_err(failed("opening it for clients", ""))?;
    Ok(Memory {
        map,
        kind: "memfd",
        protection: request.protection,
        huge,
        parts,
        owned,
        given,
    })
}

/// Goes on with memory a former broker made, as its service manager kept it.
pub fn adopt(owned: OwnedFd, name: &str, protection: Protection) -> Result<Memory, PoolError> {
    let failed = |action| {
        move |cause: io::Error| PoolError::System {
            name: name.to_owned(),
            bytes: 0,
            action,
            cause,
            remedy: "",
        }
    };
    let (bytes, _) = file::size_and_inode(&owned).map_err(|e| failed("fstat")(e.into()))?;
    let bytes =
        usize::try_from(bytes).map_err(|_| failed("fstat")(io::ErrorKind::InvalidData.into()))?;
    let map = Mapping::new(&owned, bytes, Writable).map_err(|cause| PoolError::Map {
        name: name.to_owned(),
        cause,
    })?;
    let given = give(&owned, protection).map_err(failed("opening it for clients"))?;
    let huge = rustix::fs::fstat(&owned).is_ok_and(|stat| {
        usize::try_from(stat.st_blksize).is_ok_and(|block| block >= HUGE_PAGE_BYTES)
    });
    Ok(Memory {
        map,
        kind: "memfd",
        protection,
        huge,
        parts: Vec::new(),
        owned,
        given,
    })
}

/// Why lent memory cannot be sealed.
#[derive(Debug, thiserror::Error)]
#[error(
    "the pool bears the seals {found:?} where it must bear {LENT_SEALS:?}: leave its seals alone, and publish again"
)]
pub struct Unsealed {
    found: Vec<String>,
}

const LENT_SEALS: [&str; 4] = ["seal", "shrink", "grow", "future-write"];

/// Seals memory that was lent: who has it mapped goes on writing, nobody maps it for writing again.
/// The publisher could have sealed it too, so what counts is how it is in the end.
pub fn seal(memory: &mut Memory) -> Result<(), Unsealed> {
    let wanted = SealFlags::FUTURE_WRITE | SealFlags::SEAL;
    let _refused_if_sealed_already = fcntl_add_seals(&memory.owned, wanted);
    let found = file::seals(&memory.owned).unwrap_or_default();
    if found != LENT_SEALS {
        return Err(Unsealed { found });
    }
    memory.protection = Protection::Sealed;
    Ok(())
}

fn give(owned: &OwnedFd, protection: Protection) -> io::Result<OwnedFd> {
    if protection == Protection::Shared {
        return owned.try_clone();
    }
    fchmod(owned, Mode::RUSR)?;
    let path = format!("/proc/self/fd/{}", owned.as_fd().as_raw_fd());
    Ok(open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(protection: Protection) -> Request {
        Request::plain("test".into(), 5000, protection)
    }

    #[test]
    fn sealed_memory_is_sealed_and_given_read_only() {
        let memory = Memfd.allocate(&request(Protection::Sealed)).unwrap();
        assert_eq!(memory.map.len(), 8192);
        let seals = file::seals(memory.given()).unwrap();
        assert_eq!(seals, ["seal", "shrink", "grow", "future-write"]);
        assert!(file::is_read_only(memory.given()).unwrap());
        assert!(Mapping::new(memory.owned(), 8192, Writable).is_err());
    }

    #[test]
    fn lent_memory_is_mapped_by_its_publisher_and_by_nobody_after() {
        let mut memory = Memfd.allocate(&request(Protection::Lent)).unwrap();
        let publisher = Mapping::new(memory.owned(), 8192, Writable).unwrap();
        seal(&mut memory).unwrap();
        publisher.words()[0].store(7, std::sync::atomic::Ordering::Relaxed);
        assert!(Mapping::new(memory.owned(), 8192, Writable).is_err());
        assert_eq!(memory.protection, Protection::Sealed);
    }

    #[test]
    fn lent_memory_whose_seals_were_closed_early_is_refused() {
        let mut memory = Memfd.allocate(&request(Protection::Lent)).unwrap();
        fcntl_add_seals(memory.owned(), SealFlags::SEAL).unwrap();
        let refused = seal(&mut memory).unwrap_err().to_string();
        assert!(refused.contains("future-write"), "{refused}");
    }

    #[test]
    fn guarded_memory_can_be_adopted_by_its_owner() {
        let first = Memfd.allocate(&request(Protection::Guarded)).unwrap();
        first.map.words()[3].store(7, std::sync::atomic::Ordering::Relaxed);
        let kept = first.owned().try_clone_to_owned().unwrap();
        drop(first);
        let second = adopt(kept, "test", Protection::Guarded).unwrap();
        assert_eq!(
            second.map.words()[3].load(std::sync::atomic::Ordering::Relaxed),
            7
        );
        assert!(file::is_read_only(second.given()).unwrap());
    }

    #[test]
    fn what_is_given_of_guarded_memory_cannot_be_mapped_for_writing() {
        let memory = Memfd.allocate(&request(Protection::Guarded)).unwrap();
        assert!(Mapping::new(memory.given(), 8192, Writable).is_err());
        assert!(Mapping::new(memory.given(), 8192, streamem_sys::ReadOnly).is_ok());
    }
}
