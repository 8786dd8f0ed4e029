//! The wire protocol of the HoloLens' sensors: what is said to the device, and what its bytes mean.
//!
//! Owns requests, packets and payloads, commands, calibrations and the device's time, as functions; never opens a
//! socket, never decodes a picture, never starts a thread, and chooses nothing that was not asked for.
//!
//! The device listens on a port for each [`Stream`], serves one client at a time on it, and closes the connection
//! without a word when it does not like a request. So a [`Request`] is refused here, with a sentence, before it is
//! sent. What comes back is [`Packets`], which end when the client closes:
//!
//! ```no_run
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//! use streamem_hl2ss::{Event, GreyCamera, Packets, payload, request};
//!
//! let request = request::Grey::new(GreyCamera::LeftFront).stream()?;
//! let mut packets = Packets::of(&request).expect("a stream has packets");
//! let mut socket = TcpStream::connect(("192.0.2.7", request.stream().port()))?;
//! socket.write_all(request.bytes())?;
//! let (mut piece, mut whole) = (vec![0; 1 << 16], Vec::new());
//! loop {
//!     let received = socket.read(&mut piece)?;
//!     let mut rest = &piece[..received];
//!     while let Some(event) = packets.feed(&mut rest)? {
//!         match event {
//!             Event::Header(_) => whole.clear(),
//!             Event::Payload { bytes, .. } => whole.extend_from_slice(bytes),
//!             Event::End(pose) => {
//!                 let grey = payload::Grey::of(&whole)?;
//!                 println!("{} bytes, exposed {} ns, at {pose:?}", grey.picture.len(), grey.exposure_ns);
//!             }
//!         }
//!     }
//! #   break;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A payload can also be received straight to where it is wanted: see [`Packets::placed`].

pub mod access_unit;
mod bytes;
pub mod calibration;
pub mod clock;
pub mod depth;
pub mod devices;
mod encoding;
mod error;
mod format;
mod mixed_reality;
mod packet;
pub mod payload;
mod pose;
pub mod remote;
pub mod request;
mod setting;
mod sound;
mod stream;
mod time;
mod version;
pub mod zdepth;

pub use encoding::{Encoding, Profile};
pub use error::{DepthFault, Malformed, Misplaced, Refused, TooOld, WrongSize};
pub use format::VideoFormat;
pub use mixed_reality::{Hardware, MixedReality, Perspective};
pub use packet::{Event, Header, Packets, Wants};
pub use pose::Pose;
pub use remote::Command;
pub use request::{Answer, Request};
pub use setting::{Acquisition, Setting};
pub use sound::{Aac, AacLevel, AacRate};
pub use stream::{GreyCamera, PoseOf, Sensor, Stream};
pub use time::{Ticks, UtcOffset};
pub use version::Version;
