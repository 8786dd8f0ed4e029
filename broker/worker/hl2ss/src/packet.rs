//! A stream of bytes as packets: header, payload, and perhaps a pose.
//!
//! Owns the few bytes of header and pose that came in part; never holds a payload, which may be received to where
//! it is wanted.

use crate::error::{Malformed, Misplaced};
use crate::pose::Pose;
use crate::request::{Answer, Request};
use crate::stream::Stream;
use crate::time::Ticks;

/// What a packet begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// When what is in it was taken.
    pub ticks: Ticks,
    /// How long the payload is; within the bounds of the stream.
    pub payload_bytes: u32,
}

impl Header {
    /// How long one is on the wire.
    pub const BYTES: usize = 12;

    fn of(bytes: &[u8; Self::BYTES]) -> Self {
        let [a, b, c, d, e, f, g, h, size @ ..] = *bytes;
        Self {
            ticks: Ticks(u64::from_le_bytes([a, b, c, d, e, f, g, h])),
            payload_bytes: u32::from_le_bytes(size),
        }
    }
}

/// What should be received next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// This many bytes make the next thing whole; feed them. More may be received and fed too.
    Bytes(usize),
    /// This many bytes of payload are missing. They may be fed, or received to their place and said to be there
    /// with [`Packets::placed`].
    Payload {
        /// Where in the payload they belong.
        at: u32,
        /// How many.
        bytes: u32,
    },
    /// Nothing: feed (also an empty piece), and the end of the packet is told, or again what was wrong.
    End,
}

/// What was found in the bytes that were fed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// A packet begins.
    Header(Header),
    /// A part of its payload.
    Payload {
        /// Where in the payload it belongs.
        at: u32,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// The packet is whole; with its pose, if the stream has one.
    End(Option<Pose>),
}

#[derive(Debug, Clone)]
enum State {
    Header { filled: usize },
    Payload { at: u32, whole: u32 },
    Pose { filled: usize },
    Broken(Malformed),
}

/// Reads packets of one connection.
///
/// A header is fed, the payload received straight to where it is wanted, and the pose fed together with the next
/// header:
///
/// ```
/// use streamem_hl2ss::{Event, Packets, Wants, request};
/// # let (head, payload) = ([9, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0], [1, 2, 3, 4]);
/// let mut packets = Packets::of(&request::Microphone::RawStereo.stream()).expect("packets come back");
/// let mut piece = &head[..];
/// while let Some(event) = packets.feed(&mut piece)? {
///     assert!(matches!(event, Event::Header(header) if header.ticks.0 == 9));
/// }
/// let mut slot = [0; 4];
/// if let Wants::Payload { at: 0, bytes } = packets.wants() {
///     slot.copy_from_slice(&payload); // Or recv(socket, &mut slot).
///     packets.placed(bytes)?;
/// }
/// assert_eq!(packets.feed(&mut &[][..])?, Some(Event::End(None)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Packets {
    stream: Stream,
    posed: bool,
    state: State,
    head: [u8; Header::BYTES],
    pose: [u8; Pose::BYTES],
}

impl Packets {
    /// Those that answer this request; `None` if something else does.
    #[must_use]
    pub fn of(request: &Request) -> Option<Self> {
        match request.answer() {
            Answer::Packets { posed } => Some(Self {
                stream: request.stream(),
                posed,
                state: State::Header { filled: 0 },
                head: [0; Header::BYTES],
                pose: [0; Pose::BYTES],
            }),
            _ => None,
        }
    }

    /// What to receive next. Never more than one thing's worth, so that who receives just this has no rest.
    #[must_use]
    pub fn wants(&self) -> Wants {
        match self.state {
            State::Header { filled } => Wants::Bytes(Header::BYTES - filled),
            State::Payload { at, whole } if at < whole => Wants::Payload {
                at,
                bytes: whole - at,
            },
            State::Payload { .. } if self.posed => Wants::Bytes(Pose::BYTES),
            State::Pose { filled } => Wants::Bytes(Pose::BYTES - filled),
            State::Payload { .. } | State::Broken(_) => Wants::End,
        }
    }

    /// Takes one thing from the front of `piece`. `None` when the piece is used up; call it until then.
    ///
    /// # Errors
    ///
    /// The header has a length this stream cannot have. Nothing can be found after that: every later call says
    /// the same.
    pub fn feed<'a>(&mut self, piece: &mut &'a [u8]) -> Result<Option<Event<'a>>, Malformed> {
        match &mut self.state {
            State::Broken(error) => Err(error.clone()),
            State::Header { filled } => {
                fill(&mut self.head, filled, piece);
                if *filled < Header::BYTES {
                    return Ok(None);
                }
                self.begin().map(Event::Header).map(Some)
            }
            State::Payload { at, whole } if *at < *whole => {
                let missing = usize::try_from(*whole - *at).unwrap_or(usize::MAX);
                let (bytes, rest) = piece.split_at(missing.min(piece.len()));
                *piece = rest;
                if bytes.is_empty() {
                    return Ok(None);
                }
                let began = *at;
                *at = at.saturating_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
                Ok(Some(Event::Payload { at: began, bytes }))
            }
            State::Payload { .. } if self.posed => {
                self.state = State::Pose { filled: 0 };
                self.feed(piece)
            }
            State::Payload { .. } => Ok(Some(self.end(None))),
            State::Pose { filled } => {
                fill(&mut self.pose, filled, piece);
                if *filled < Pose::BYTES {
                    return Ok(None);
                }
                let pose = Pose::of(&self.pose);
                Ok(Some(self.end(Some(pose))))
            }
        }
    }

    /// Says that so many bytes of payload were received to where they belong.
    ///
    /// # Errors
    ///
    /// So many are not missing; nothing was counted.
    pub fn placed(&mut self, bytes: u32) -> Result<(), Misplaced> {
        let wanted = match self.wants() {
            Wants::Payload { bytes, .. } => bytes,
            _ => 0,
        };
        if bytes > wanted {
            let placed = bytes;
            return Err(Misplaced { placed, wanted });
        }
        if let State::Payload { at, .. } = &mut self.state {
            *at += bytes;
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<Header, Malformed> {
        let header = Header::of(&self.head);
        let bounds = self.stream.payload_bytes();
        if !bounds.contains(&header.payload_bytes) {
            let error = Malformed::Length {
                stream: self.stream,
                bytes: header.payload_bytes,
                least: *bounds.start(),
                most: *bounds.end(),
            };
            self.state = State::Broken(error.clone());
            return Err(error);
        }
        self.state = State::Payload {
            at: 0,
            whole: header.payload_bytes,
        };
        Ok(header)
    }

    fn end(&mut self, pose: Option<Pose>) -> Event<'static> {
        self.state = State::Header { filled: 0 };
        Event::End(pose)
    }
}

/// Moves what is missing from the front of `piece` into `place`.
fn fill(place: &mut [u8], filled: &mut usize, piece: &mut &[u8]) {
    let empty = &mut place[*filled..];
    let (bytes, rest) = piece.split_at(empty.len().min(piece.len()));
    empty[..bytes.len()].copy_from_slice(bytes);
    *filled += bytes.len();
    *piece = rest;
}
