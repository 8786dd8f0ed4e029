//! What a C program asks of a subscription.
//!
//! Owns the struct and its translation into a [`Builder`]; never opens anything.
//!
//! # Safety
//!
//! The struct is plain numbers and one address without padding, so any bytes are a value of it; that
//! the address, if there is one, leads to a C string is what the header asks of the caller.
#![allow(unsafe_code)]

use super::failure::Failure;
use super::memory::{Growing, text_if_any};
use crate::builder::Builder;
use std::ffi::c_char;
use std::mem::size_of;
use std::ptr::null;
use std::time::Duration;

/// The newest frame each time; those in between are counted as missed. The usual mode.
pub const STREAMEM_LATEST: u32 = 0;
/// Each frame in order, as long as the reader is at most `depth` behind.
pub const STREAMEM_EVERY: u32 = 1;

/// What is asked of a subscription. Begin with streamem_options_init() and change what is to be
/// different: 0 and NULL mean the usual.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// sizeof(streamem_options), as the caller was compiled.
    pub struct_size: usize,
    /// Path of the broker's socket; NULL looks at $STREAMEM_SOCKET and the usual places.
    pub socket: *const c_char,
    /// STREAMEM_LATEST or STREAMEM_EVERY.
    pub mode: u32,
    /// How many frames a reader of every frame may be behind; 0 is 1.
    pub depth: u32,
    /// How many frames are kept for streamem_clip.
    pub history: u32,
    /// How many frames may be held at a time; 0 is 2, or one more than `history`.
    pub leases: u32,
    /// 1 makes the subscription's descriptor readable with each frame, for an event loop.
    pub eventfd: u32,
    /// How long to wait for a stream that is not there, in milliseconds. With 0 that is an error at
    /// once, and so is the end of the stream later on; otherwise it is waited for then, too.
    pub wait_ms: u32,
    /// 1 makes each frame a DMA-BUF too (streamem_frame_dma_buf). Needs the right to import.
    pub dma_buf: u32,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: a usize first, an address and eight numbers of 4 bytes: no padding, and no forbidden values.
unsafe impl Growing for Options {
    const EMPTY: Options = Options {
        struct_size: size_of::<Options>(),
        socket: null(),
        mode: STREAMEM_LATEST,
        depth: 0,
        history: 0,
        leases: 0,
        eventfd: 0,
        wait_ms: 0,
        dma_buf: 0,
        reserved: 0,
    };
}

const _: () = assert!(size_of::<Options>() == 48);

impl Options {
    /// The subscription they ask for.
    pub(super) unsafe fn builder(&self, stream: &str) -> Result<Builder, Failure> {
        let mut builder = Builder::new(stream).history(self.history);
        builder = match self.mode {
            STREAMEM_LATEST => builder.latest(),
            STREAMEM_EVERY => builder.every(self.depth),
            other => {
                return Err(Failure::argument(format!(
                    "there is no mode {other}; use STREAMEM_LATEST or STREAMEM_EVERY"
                )));
            }
        };
        if self.leases > 0 {
            builder = builder.leases(self.leases);
        }
        // SAFETY: the header asks for a C string or NULL.
        if let Some(socket) = unsafe { text_if_any(self.socket, "path of the socket") }? {
            builder = builder.socket(socket);
        }
        if self.wait_ms > 0 {
            let patience = Duration::from_millis(self.wait_ms.into());
            builder = builder.wait(true).patience(patience);
        }
        if self.reserved != 0 {
            return Err(Failure::argument("reserved is not 0"));
        }
        builder = builder.dma_buf(flag(self.dma_buf, "dma_buf")?);
        Ok(builder.eventfd(flag(self.eventfd, "eventfd")?))
    }
}

fn flag(value: u32, what: &str) -> Result<bool, Failure> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Failure::argument(format!(
            "{what} is {other}; it is 0 or 1"
        ))),
    }
}
