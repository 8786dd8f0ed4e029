//! Memory of a heap or a graphics card that devices can write: a DMA-BUF for each slot.
//!
//! Owns what every maker of such memory must keep to: a descriptor readers cannot write with, of the right
//! size. Never maps any.

use super::PoolError;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use streamem_sys::{Mapping, ReadOnly, file};

/// A way to come by a DMA-BUF.
pub trait Maker: fmt::Debug {
    /// What is made here, by the name on the wire.
    fn kind(&self) -> &'static str;

    /// Where it is made, as people know it.
    fn place(&self) -> String;

    /// So many DMA-BUFs, zeroed, each by a descriptor for reading only.
    fn make(&self, bytes: u64, count: usize) -> io::Result<Vec<OwnedFd>>;
}

/// Slots that are DMA-BUFs, which devices write and readers cannot.
#[derive(Debug)]
pub struct Allotted {
    /// What they are made of.
    pub kind: &'static str,
    /// A descriptor for each, which readers are given.
    pub slots: Vec<OwnedFd>,
}

impl Allotted {
    /// How much memory they are.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let sizes = self.slots.iter().map(file::size_and_inode);
        sizes.flatten().map(|(bytes, _)| bytes).sum()
    }
}

/// So many slots of so many bytes. All their memory is there when this returns, which takes time.
pub fn allot(
    maker: &dyn Maker,
    name: &str,
    bytes: usize,
    slots: usize,
) -> Result<Allotted, PoolError> {
    let failed = |cause: io::Error| PoolError::System {
        name: name.to_owned(),
        bytes: bytes.saturating_mul(slots),
        action: "making a DMA-BUF for each slot",
        remedy: remedy(&cause),
        cause,
    };
    let made = maker.make(bytes as u64, slots).map_err(failed)?;
    for slot in &made {
        let is_right = file::is_read_only(slot).map_err(|why| failed(why.into()))?;
        if !is_right || !file::is_dma_buf(slot) {
            let why = "its maker gave one that readers could write with; use another memory=";
            return Err(failed(io::Error::other(why)));
        }
        // There is memory no processor may read, for films; and this says whether it is large enough.
        Mapping::new(slot, bytes, ReadOnly).map_err(|cause| PoolError::Map {
            name: name.to_owned(),
            cause,
        })?;
    }
    Ok(Allotted {
        kind: maker.kind(),
        slots: made,
    })
}

fn remedy(cause: &io::Error) -> &'static str {
    match cause.raw_os_error() {
        Some(libc::ENOMEM) => {
            " (all slots of such a pool are there at once: lower [pool] device_slots, or use another memory=)"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{MemfdFlags, memfd_create};

    /// One who does not keep to it.
    #[derive(Debug)]
    struct Careless;

    impl Maker for Careless {
        fn kind(&self) -> &'static str {
            "careless"
        }

        fn place(&self) -> String {
            "nowhere".to_owned()
        }

        fn make(&self, bytes: u64, count: usize) -> io::Result<Vec<OwnedFd>> {
            let one = || {
                let file = memfd_create("careless", MemfdFlags::CLOEXEC)?;
                rustix::fs::ftruncate(&file, bytes)?;
                Ok(file)
            };
            (0..count).map(|_| one()).collect()
        }
    }

    #[test]
    fn what_readers_could_write_is_refused() {
        let refused = allot(&Careless, "cam", 4096, 3).unwrap_err().to_string();
        assert!(refused.contains("could write"), "{refused}");
        assert!(refused.contains("memory="), "{refused}");
    }
}
