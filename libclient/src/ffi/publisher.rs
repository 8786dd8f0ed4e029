//! Publishing as C functions.
//!
//! Owns the handles of publishers, and which of them has given a slot away; never fills one.
//!
//! # Safety
//!
//! The addresses a function is called with are only handed on to `memory`, under the conditions the
//! header names. The address of a slot's bytes that is handed out is good until the next call with its
//! publisher: until then nothing unmaps the memory.
#![allow(unsafe_code)]

use super::failure::{Failure, status};
use super::handle::Table;
use super::layout::FrameLayout;
use super::memory::{self, Growing, Place};
use super::publishing::{FrameStamp, PublishOptions};
use crate::publisher::Publisher;
use rustix::io::Errno;
use std::ffi::{c_char, c_int, c_void};
use std::ptr::null_mut;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Who fills a stream.
///
/// A publisher is used by one thread at a time; a call during another's gives -EBUSY. It goes on by
/// itself when the broker comes back.
pub struct PublisherHandle(());

#[derive(Debug)]
struct Publishing {
    publisher: Publisher,
    in_hand: bool,
}

static PUBLISHERS: Table<Mutex<Publishing>> = Table::new("publisher");

/// Becomes the source of a stream.
///
/// No text is kept. On success 0 is returned, and `publisher` is the caller's, to be ended with
/// streamem_unpublish; otherwise it is NULL.
///
/// -EINVAL: an argument cannot be. -ECONNREFUSED: no broker. -EACCES: its socket is not open to this
/// user. -EPERM: this user may not publish it. -EEXIST: the stream has a source. -ENOENT: there is no
/// stream to be like. -EDOM: frames cannot lie so, or the stream's must lie otherwise. -EDQUOT: this
/// user has no room for its memory. -E2BIG: `options` is of a newer version and not zero there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamem_publish(
    stream: *const c_char,
    options: *const PublishOptions,
    publisher: *mut *mut PublisherHandle,
) -> c_int {
    status(|| {
        // SAFETY: the header asks for a place.
        let place = unsafe { Place::new(publisher, "publisher") }?;
        place.put(null_mut());
        // SAFETY: the header asks for a C string.
        let stream = unsafe { memory::text(stream, "name of the stream") }?;
        // SAFETY: the header asks for a struct.
        let options: PublishOptions = unsafe { memory::read(options, "options") }?;
        // SAFETY: the texts in it are C strings or NULL.
        let builder = unsafe { options.builder(stream) }?;
        place.put(PUBLISHERS.insert(Mutex::new(Publishing {
            publisher: builder.open()?,
            in_hand: false,
        })));
        Ok(0)
    })
}

/// Takes the next slot to fill, and waits for it for at most `timeout_ms`; 0 only looks.
///
/// Returns 1, where its bytes are, and how many; or 0 and NULL if none came in that time, which is
/// also so while the broker is away. What was in it before may still be there. The bytes may be
/// written until the next call with this publisher; without streamem_submit that gives the same slot.
///
/// -EINVAL: an argument cannot be. -EBADMSG: a frame submitted before was not published. -EPIPE: the
/// broker ended the publication, and it is begun anew with the next call. -EBUSY: another thread uses
/// the publisher. Also what streamem_publish fails with, when the broker came back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamem_slot(
    publisher: *mut PublisherHandle,
    timeout_ms: c_int,
    bytes: *mut *mut c_void,
    size: *mut usize,
) -> c_int {
    status(|| {
        // SAFETY: the header asks for a place.
        let bytes = unsafe { Place::new(bytes, "bytes") }?;
        // SAFETY: the header asks for a place.
        let size = unsafe { Place::new(size, "size") }?;
        bytes.put(null_mut());
        size.put(0);
        let timeout = memory::timeout(timeout_ms)?;
        PUBLISHERS.with(publisher, |publishing| {
            publishing.in_hand = false;
            let Some(mut slot) = publishing.publisher.slot(timeout)? else {
                return Ok(0);
            };
            let room = slot.bytes_mut();
            size.put(room.len());
            bytes.put(room.as_mut_ptr().cast());
            publishing.in_hand = true;
            Ok(1)
        })
    })
}

/// Hands over the slot that streamem_slot gave; the broker publishes it at once. `stamp` may be NULL:
/// the whole slot, captured now. Nothing of it is kept.
///
/// -EINVAL: an argument cannot be, or there is no slot in hand. -EMSGSIZE: too much side-data.
/// -EBADMSG: a frame submitted before was not published; this one is still in hand.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamem_submit(
    publisher: *mut PublisherHandle,
    stamp: *const FrameStamp,
) -> c_int {
    status(|| {
        let stamp = if stamp.is_null() {
            FrameStamp::EMPTY
        } else {
            // SAFETY: it is a struct, since it is not NULL.
            unsafe { memory::read(stamp, "stamp") }?
        };
        PUBLISHERS.with(publisher, |publishing| {
            if !publishing.in_hand {
                return Err(Failure::argument(
                    "no slot is in hand; take one with streamem_slot",
                ));
            }
            // The slot in hand comes again, since it was not submitted.
            let slot = publishing.publisher.slot(Duration::ZERO)?;
            let mut slot = slot.ok_or_else(|| Failure::new(Errno::PIPE, "the slot has gone"))?;
            // SAFETY: the addresses in it are what the header asks for.
            unsafe { stamp.put(&mut slot) }?;
            slot.submit()?;
            publishing.in_hand = false;
            Ok(0)
        })
    })
}

/// Writes how the frames are to lie. `layout` is the caller's, with its `struct_size` set
/// (streamem_layout_init).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamem_publisher_layout(
    publisher: *const PublisherHandle,
    layout: *mut FrameLayout,
) -> c_int {
    status(|| {
        let found = PUBLISHERS.with(publisher, |publishing| {
            Ok(FrameLayout::of(publishing.publisher.layout()))
        })?;
        // SAFETY: the header asks for a struct.
        unsafe { memory::write(layout, &found, "layout") }?;
        Ok(0)
    })
}

/// Ends a publication: waits, for at most 10 seconds, until what was submitted is published. A slot in
/// hand falls back, and its bytes are gone. The handle stands for nothing from then on, whatever is
/// returned. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_unpublish(publisher: *mut PublisherHandle) -> c_int {
    status(|| {
        let publishing = PUBLISHERS.take(publisher)?.and_then(Arc::into_inner);
        if let Some(publishing) = publishing {
            let publishing = publishing.into_inner();
            let publishing = publishing.unwrap_or_else(PoisonError::into_inner);
            publishing.publisher.finish()?;
        }
        Ok(0)
    })
}
