//! The list of streams as C functions.
//!
//! Owns the handles of lists and their texts; never subscribes.
//!
//! # Safety
//!
//! The addresses a function is called with are only handed on to `memory`, under the conditions the
//! header names. The texts handed out belong to the list and are good until it is released.
#![allow(unsafe_code)]

use super::failure::{Failure, status, value};
use super::handle::Table;
use super::memory::{self, Place};
use crate::client::Client;
use rustix::io::Errno;
use std::ffi::{CString, c_char, c_int};
use std::path::Path;
use std::ptr::{null, null_mut};

/// The streams there were when it was asked for. May be used by several threads.
pub struct StreamsHandle(());

#[derive(Debug)]
struct Streams {
    names: Vec<CString>,
    json: CString,
}

static STREAMS: Table<Streams> = Table::new("list of streams");

/// Asks the broker which streams there are.
///
/// `socket` is the path of its socket, or NULL for the usual places; it is not kept. On success 0 is
/// returned, and `streams` is the caller's, to be given back with streamem_streams_release; otherwise
/// it is NULL. Waits for at most 10 seconds.
///
/// -EINVAL: an argument cannot be. -ECONNREFUSED: no broker. -EACCES: its socket is not open to this
/// user. -ETIMEDOUT: it does not answer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamem_list(
    socket: *const c_char,
    streams: *mut *mut StreamsHandle,
) -> c_int {
    status(|| {
        // SAFETY: the header asks for a place.
        let place = unsafe { Place::new(streams, "list of streams") }?;
        place.put(null_mut());
        // SAFETY: the header asks for a C string, or NULL.
        let socket = unsafe { memory::text_if_any(socket, "path of the socket") }?;
        let listing = Client::connect(socket.map(Path::new))?.list()?;
        let json = serde_json::to_string(&listing);
        let json = json.map_err(|cause| Failure::new(Errno::IO, cause.to_string()))?;
        let names = listing.iter().map(|stream| text(stream.name.as_str()));
        place.put(STREAMS.insert(Streams {
            names: names.collect::<Result<_, _>>()?,
            json: text(&json)?,
        }));
        Ok(0)
    })
}

/// How many streams are in the list.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_streams_count(streams: *const StreamsHandle) -> c_int {
    status(|| {
        let count = STREAMS.get(streams)?.names.len();
        Ok(c_int::try_from(count).unwrap_or(c_int::MAX))
    })
}

/// The name of one of them, by its place in the list; NULL if there are not as many. It belongs to
/// the list and is good until that is released.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_streams_name(
    streams: *const StreamsHandle,
    index: usize,
) -> *const c_char {
    value(null(), || {
        let streams = STREAMS.get(streams)?;
        let count = streams.names.len();
        let name = streams.names.get(index);
        let name = name.ok_or_else(|| {
            Failure::argument(format!("there is no stream {index} in a list of {count}"))
        })?;
        Ok(name.as_ptr())
    })
}

/// All that the broker says of the streams, as a JSON array: layout, memory, counters. It belongs to
/// the list and is good until that is released. NULL if that is no list.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_streams_json(streams: *const StreamsHandle) -> *const c_char {
    value(null(), || Ok(STREAMS.get(streams)?.json.as_ptr()))
}

/// Gives a list back, with its texts. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_streams_release(streams: *mut StreamsHandle) -> c_int {
    status(|| STREAMS.remove(streams).map(|()| 0))
}

fn text(text: &str) -> Result<CString, Failure> {
    CString::new(text)
        .map_err(|_| Failure::new(Errno::PROTO, "the broker sent a text with a NUL in it"))
}
