//! What the broker and a worker say to each other: which streams are to be filled and how, and what became of it.
//!
//! Owns the messages, their way over a socket, and what follows from a wish alone; never decodes, never connects.
//!
//! A worker fills the streams of one device. It opens nothing itself: the broker connects to the device, and hands the
//! worker each connection, and for each stream a socket on which it may publish that stream and nothing else.
//!
//! ```text
//! broker                                       worker
//!                                              Missing, Ready   its walls stand, or which do not
//! Fill stream + socket                         Connect port     it wants a connection to the device
//! Connected port + socket  (or Unreachable)    Lost / Live      a stream has no frames, or has them again
//! Leave stream                                 Figures          how a stream does, once a second
//!                                              Done             nothing is left to do, and nothing is open
//! ```

mod channel;
mod layout;
mod message;
mod placement;
mod wish;

pub use channel::{Channel, ChannelError, Received};
pub use message::{Calibration, Figures, Notice, Order};
pub use placement::Placement;
pub use wish::{Ask, Part, Wish};
