//! What can be asked of a descriptor without mapping it.
//!
//! Owns nothing; never changes the file.

use rustix::fs::{SealFlags, fcntl_get_seals, fcntl_getfl, fstat, fstatfs};
use rustix::io::Errno;
use std::os::fd::AsFd;

/// What the file system of DMA-BUFs is called in numbers.
const DMA_BUF_MAGIC: u64 = 0x444d_4142;

/// Size in bytes and inode of a file.
pub fn size_and_inode(file: impl AsFd) -> Result<(u64, u64), Errno> {
    let stat = fstat(file)?;
    Ok((u64::try_from(stat.st_size).unwrap_or(0), stat.st_ino))
}

/// The seals of a memfd, by the names people use for them.
pub fn seals(file: impl AsFd) -> Result<Vec<String>, Errno> {
    let seals = fcntl_get_seals(file)?;
    let named = [
        (SealFlags::SEAL, "seal"),
        (SealFlags::SHRINK, "shrink"),
        (SealFlags::GROW, "grow"),
        (SealFlags::WRITE, "write"),
        (SealFlags::FUTURE_WRITE, "future-write"),
    ];
    Ok(named
        .into_iter()
        .filter(|(seal, _)| seals.contains(*seal))
        .map(|(_, name)| name.to_owned())
        .collect())
}

/// Whether the file can never become shorter: a DMA-BUF keeps its length.
pub fn cannot_shrink(file: impl AsFd) -> Result<bool, Errno> {
    Ok(is_dma_buf(&file) || fcntl_get_seals(file)?.contains(SealFlags::SHRINK))
}

/// Whether it is memory that devices can import.
#[must_use]
pub fn is_dma_buf(file: impl AsFd) -> bool {
    fstatfs(file).is_ok_and(|found| u64::try_from(found.f_type) == Ok(DMA_BUF_MAGIC))
}

/// Whether this descriptor was opened for reading only.
pub fn is_read_only(file: impl AsFd) -> Result<bool, Errno> {
    use rustix::fs::OFlags;
    Ok(fcntl_getfl(file)? & OFlags::RWMODE == OFlags::RDONLY)
}
