//! Subscriptions as C functions.
//!
//! Owns the handles of subscriptions and who may use one at a time; never waits longer than it is
//! told to.
//!
//! # Safety
//!
//! The addresses a function is called with are only handed on to `memory`, under the conditions the
//! header names.
#![allow(unsafe_code)]

use super::failure::{Failure, status, value};
use super::frame::{FrameHandle, hand_out};
use super::handle::Table;
use super::layout::FrameLayout;
use super::memory::{self, Growing, Place};
use super::options::Options;
use crate::frame::Frame;
use crate::subscription::{StreamState, Subscription};
use std::ffi::{c_char, c_int};
use std::os::fd::{AsFd, AsRawFd};
use std::ptr::null_mut;
use std::sync::Mutex;
use std::time::Duration;

/// One reader of one stream.
///
/// A subscription is used by one thread at a time; a call during another's gives -EBUSY.
pub struct SubscriptionHandle(());

static SUBSCRIPTIONS: Table<Mutex<Subscription>> = Table::new("subscription");

/// streamem_subscription_state: frames come.
pub const STREAMEM_LIVE: c_int = 0;
/// streamem_subscription_state: the source is gone for now, and frames may come again.
pub const STREAMEM_LOST: c_int = 1;
/// streamem_subscription_state: the stream's memory is being renewed.
pub const STREAMEM_RENEWED: c_int = 2;
/// streamem_subscription_state: the stream was removed.
pub const STREAMEM_ENDED: c_int = 3;
/// streamem_subscription_state: the broker is gone; it is called again and again.
pub const STREAMEM_DISCONNECTED: c_int = 4;

/// Subscribes to a stream.
///
/// `options` may be NULL: the newest frames, from the broker at the usual place. Neither text is kept.
/// On success 0 is returned, and `subscription` is the caller's, to be ended with
/// streamem_unsubscribe; otherwise it is NULL.
///
/// -EINVAL: an argument cannot be. -ECONNREFUSED: no broker. -EACCES: its socket is not open to this
/// user. -ENOENT: no such stream. -EPERM: this user may not read it, or not import it. -EOPNOTSUPP: no
/// device can import its memory. -ETIME: it did not come within `wait_ms`. -EDQUOT, -ENOSPC: this
/// user, or the stream, has no room for one more reader. -E2BIG: `options` is of a newer version and
/// not zero there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamem_subscribe(
    stream: *const c_char,
    options: *const Options,
    subscription: *mut *mut SubscriptionHandle,
) -> c_int {
    status(|| {
        // SAFETY: the header asks for a place.
        let place = unsafe { Place::new(subscription, "subscription") }?;
        place.put(null_mut());
        // SAFETY: the header asks for a C string.
        let stream = unsafe { memory::text(stream, "name of the stream") }?;
        let options = if options.is_null() {
            Options::EMPTY
        } else {
            // SAFETY: it is a struct, since it is not NULL.
            unsafe { memory::read(options, "options") }?
        };
        // SAFETY: the path in it is a C string or NULL.
        let builder = unsafe { options.builder(stream) }?;
        place.put(SUBSCRIPTIONS.insert(Mutex::new(builder.open()?)));
        Ok(0)
    })
}

/// Ends a subscription, with all its descriptors. Frames taken from it stay valid. NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_unsubscribe(subscription: *mut SubscriptionHandle) -> c_int {
    status(|| SUBSCRIPTIONS.remove(subscription).map(|()| 0))
}

/// Takes the next frame, and waits for it for at most `timeout_ms`; 0 only looks.
///
/// Returns 1 and a frame, which is the caller's, to be given back with streamem_frame_release; or 0
/// and NULL if none came in that time, which is also so while the broker or the source is away.
///
/// -EINVAL: an argument cannot be; there is no waiting for ever. -ENOBUFS: as many frames are held as
/// may be; release one, or ask for more `leases`. -ENODEV: the stream has ended. -EBUSY: another
/// thread uses the subscription.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamem_next(
    subscription: *mut SubscriptionHandle,
    timeout_ms: c_int,
    frame: *mut *mut FrameHandle,
) -> c_int {
    // SAFETY: as the header asks.
    unsafe {
        take(subscription, frame, |reader| {
            Ok(match memory::timeout(timeout_ms)? {
                Duration::ZERO => reader.try_next()?,
                time => reader.next(time)?,
            })
        })
    }
}

/// Takes the next frame if it is there. As streamem_next with 0: what to call when the descriptor of
/// the subscription is readable, until it returns 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamem_try_next(
    subscription: *mut SubscriptionHandle,
    frame: *mut *mut FrameHandle,
) -> c_int {
    // SAFETY: as the header asks.
    unsafe { streamem_next(subscription, 0, frame) }
}

/// Takes the newest frame there is, taken before or not. Returns as streamem_next; never waits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamem_latest(
    subscription: *mut SubscriptionHandle,
    frame: *mut *mut FrameHandle,
) -> c_int {
    // SAFETY: as the header asks.
    unsafe { take(subscription, frame, |reader| Ok(reader.latest()?)) }
}

/// Takes the newest `count` frames, oldest first, into `frames`, which has room for that many.
///
/// Returns how many there are, which is fewer when there are not as many yet; each is the caller's,
/// to be given back with streamem_frame_release. Ask for them to be kept with `history`. Never waits.
/// Fails as streamem_next.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamem_clip(
    subscription: *mut SubscriptionHandle,
    frames: *mut *mut FrameHandle,
    count: usize,
) -> c_int {
    status(|| {
        // SAFETY: the header asks for room for `count`, and a clip has no more.
        let place_at = |at| unsafe { Place::new(frames.wrapping_add(at), "frames") };
        place_at(0)?;
        let clip = SUBSCRIPTIONS.with(subscription, |reader| Ok(reader.clip(count)?))?;
        let length = c_int::try_from(clip.len()).unwrap_or(c_int::MAX);
        for (at, frame) in clip.into_iter().enumerate() {
            place_at(at)?.put(hand_out(frame));
        }
        Ok(length)
    })
}

/// What has become of the stream: STREAMEM_LIVE and the numbers after it.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_subscription_state(subscription: *const SubscriptionHandle) -> c_int {
    status(|| {
        SUBSCRIPTIONS.with(subscription, |reader| {
            Ok(match reader.state() {
                StreamState::Live => STREAMEM_LIVE,
                StreamState::Lost => STREAMEM_LOST,
                StreamState::Renewed => STREAMEM_RENEWED,
                StreamState::Ended => STREAMEM_ENDED,
                StreamState::Disconnected => STREAMEM_DISCONNECTED,
            })
        })
    })
}

/// The descriptor an event loop watches for reading: it becomes readable when streamem_try_next may
/// have something, if `eventfd` was asked for, and when the broker went away or is to be called again.
///
/// It belongs to the subscription: watch it, do not read or close it. It stays the same until
/// streamem_unsubscribe, which closes it.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_subscription_fd(subscription: *const SubscriptionHandle) -> c_int {
    status(|| SUBSCRIPTIONS.with(subscription, |reader| Ok(reader.as_fd().as_raw_fd())))
}

/// How many frames were published and not taken, all in all.
#[unsafe(no_mangle)]
pub extern "C" fn streamem_subscription_missed(subscription: *const SubscriptionHandle) -> u64 {
    value(0, || {
        SUBSCRIPTIONS.with(subscription, |reader| Ok(reader.missed()))
    })
}

/// Writes how the stream's frames lie now; a frame knows its own. `layout` is the caller's, with its
/// `struct_size` set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn streamem_subscription_layout(
    subscription: *const SubscriptionHandle,
    layout: *mut FrameLayout,
) -> c_int {
    status(|| {
        let found =
            SUBSCRIPTIONS.with(subscription, |reader| Ok(FrameLayout::of(reader.layout())))?;
        // SAFETY: the header asks for a struct.
        unsafe { memory::write(layout, &found, "layout") }?;
        Ok(0)
    })
}

/// Takes a frame out of a subscription into the caller's place.
unsafe fn take(
    subscription: *const SubscriptionHandle,
    place: *mut *mut FrameHandle,
    work: impl FnOnce(&mut Subscription) -> Result<Option<Frame>, Failure>,
) -> c_int {
    status(|| {
        // SAFETY: as this function's caller promises.
        let place = unsafe { Place::new(place, "frame") }?;
        place.put(null_mut());
        let Some(frame) = SUBSCRIPTIONS.with(subscription, work)? else {
            return Ok(0);
        };
        place.put(hand_out(frame));
        Ok(1)
    })
}
