//! Memory of this process as DMA-BUFs, made as the broker makes it.
//!
//! Owns one buffer at a time, which the test can write as well; how they are made is the broker's.

use std::fs::File;
use std::os::fd::OwnedFd;
use streamemd::pool::{Allocator, Protection, Request, Udmabuf};

const PAGE: u64 = 4096;

/// Memory that devices can import, and the file to look at it through.
#[derive(Debug)]
pub struct Imported {
    pub file: File,
    pub dma_buf: OwnedFd,
    pub bytes: u32,
}

/// At least so many bytes, all zero.
pub fn new(bytes: u32) -> Imported {
    let size = u64::from(bytes).next_multiple_of(PAGE);
    let whole = usize::try_from(size).expect("64 bits");
    let request = Request {
        parts: std::iter::once(0..size).collect(),
        ..Request::plain("imported".to_owned(), whole, Protection::Guarded)
    };
    let allocator = Udmabuf::open().expect("/dev/udmabuf");
    let mut memory = allocator.allocate(&request).expect("memory");
    let file = memory.owned().try_clone_to_owned().expect("a descriptor");
    Imported {
        file: File::from(file),
        dma_buf: memory.parts.pop().expect("one part"),
        bytes: u32::try_from(size).expect("less than 4 GiB"),
    }
}
