//! Read frames of a Streamem broker where they lie.
//!
//! Owns what a Rust program needs to subscribe to streams, to publish one, and to ask a broker about them; never
//! copies a frame, and never lets a reader disturb another.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! fn main() -> Result<(), streamem::Error> {
//!     let mut sub = streamem::subscribe("randcam")?;
//!     while let Some(frame) = sub.next(Duration::from_secs(1))? {
//!         let pixels: &[u8] = frame.bytes(); // the broker's own memory, read-only, leased
//!         println!("{} {:?} {} {}", frame.sequence(), frame.age(), frame.missed(), pixels.len());
//!     } // drop releases
//!     Ok(())
//! }
//! ```
//!
//! A [`Frame`] is held until it is dropped, and its bytes cannot be used after that; this does not
//! compile:
//!
//! ```compile_fail,E0505
//! # use std::time::Duration;
//! # fn main() -> Result<(), streamem::Error> {
//! let mut sub = streamem::subscribe("randcam")?;
//! if let Some(frame) = sub.next(Duration::from_secs(1))? {
//!     let pixels = frame.bytes();
//!     drop(frame);
//!     println!("{}", pixels[0]);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The broker is looked for at `$STREAMEM_SOCKET`; else at `$XDG_RUNTIME_DIR/streamem.sock`,
//! `/run/streamem/streamem.sock` and `/tmp/streamem-UID/streamem.sock`. When it goes away, a
//! subscription goes on by itself as soon as it is back.
//!
//! Read in this order: [`Subscription`], [`Builder`], [`Frame`], [`Layout`], [`Publisher`], [`Client`],
//! [`Error`].
#![deny(missing_docs)]

mod builder;
mod calibration;
mod client;
mod connection;
mod cursor;
mod deadline;
mod error;
#[cfg(feature = "capi")]
mod ffi;
mod frame;
mod lease;
mod link;
mod mapping;
mod place;
mod pool;
mod publisher;
mod replies;
mod subscription;
mod view;
mod watch;

pub use builder::Builder;
pub use calibration::{Calibration, Table};
pub use client::Client;
pub use error::{Error, Fault};
pub use frame::Frame;
pub use publisher::{Granted, Publisher, PublisherBuilder, SlotMemory, SlotMut};
pub use replies::Replies;
pub use streamem_wire::{
    Array, BadName, BadPage, Colour, Field, Format, Kind, Layout, LayoutWish, Optics, Plane,
    Reason, Refusal, SideData, StreamName, clock, flags, message, side_kind,
};
pub use subscription::{StreamState, Subscription};

/// A stream that this program fills, once it is [`open`](PublisherBuilder::open)ed.
///
/// ```no_run
/// # use std::time::Duration;
/// # fn fill(captured_ns: u64) -> Result<(), streamem::Error> {
/// let mut publisher = streamem::publish("edges").like("randcam").open()?;
/// while let Some(mut slot) = publisher.slot(Duration::from_secs(1))? {
///     slot.bytes_mut().fill(0);       // the slot itself: this is the only time the frame is written
///     slot.captured_ns(captured_ns);  // else the moment of publishing
///     slot.submit()?;
/// }
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn publish(stream: &str) -> PublisherBuilder {
    PublisherBuilder::new(stream)
}

/// The newest frames of a stream, from the broker at the usual place.
pub fn subscribe(stream: &str) -> Result<Subscription, Error> {
    Subscription::builder(stream).open()
}
