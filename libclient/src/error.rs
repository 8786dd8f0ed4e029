//! What can go wrong for a client, sorted by whose fault it is.
//!
//! Owns the sentences, each with the cause and the next step; never decides what to do about them.

use std::io;
use std::path::PathBuf;
use std::time::Duration;
use streamem_sys::MapError;
use streamem_wire::submission::Rejection;
use streamem_wire::varlink::BadMessage;
use streamem_wire::{BadName, BadPage, Refusal, SIDE_BYTES_MAX};

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name can be no stream's.
    #[error(transparent)]
    BadName(#[from] BadName),
    /// Nobody answers where the broker should be.
    #[error("no broker at {}: {cause}; {}", socket.display(), remedy(cause))]
    NoBroker {
        /// Where it was looked for.
        socket: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The broker took the connection and went silent.
    #[error(
        "the broker at {} did not answer in {seconds} s; see whether it is stopped or overloaded",
        socket.display()
    )]
    NoAnswer {
        /// Where it is.
        socket: PathBuf,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The connection ended.
    #[error(
        "the broker at {} hung up; it was stopped, or it closed this session and says why in its log",
        socket.display()
    )]
    HungUp {
        /// Where it was.
        socket: PathBuf,
    },
    /// The broker does not want to; its sentence says why and what to do.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The stream was removed.
    #[error("the stream {stream} has ended; open it with wait(true) to go on when it comes again")]
    StreamEnded {
        /// Which stream.
        stream: String,
    },
    /// The stream that was waited for is not there.
    #[error(
        "the stream {stream} did not come within {patience:?}; see `streamem list`, or wait longer"
    )]
    StreamAbsent {
        /// Which stream.
        stream: String,
        /// How long it was waited for.
        patience: Duration,
    },
    /// This program holds as many frames as it asked to be allowed to.
    #[error(
        "{held} of the {leases} frames this subscription may hold are held and {wanted} more are \
         wanted; drop a frame, or ask for more with leases()"
    )]
    LeasesExhausted {
        /// Frames that are held now.
        held: usize,
        /// Frames that may be held at a time.
        leases: usize,
        /// Frames that were to be had.
        wanted: usize,
    },
    /// What was submitted was not published.
    #[error("a frame was not published: {}; {}", .0, after_rejection(*.0))]
    Rejected(#[from] Rejection),
    /// A frame that is longer than those of its stream.
    #[error(
        "the frame is said to have {bytes} bytes, and its slot has {most}: say how many were written"
    )]
    TooLong {
        /// How many were said.
        bytes: u64,
        /// How many there can be.
        most: u64,
    },
    /// Side-data that does not fit beside a frame.
    #[error(
        "{bytes} bytes of side-data were to go with a frame, which can have {SIDE_BYTES_MAX}: send less"
    )]
    SideData {
        /// How many there were.
        bytes: usize,
    },
    /// Somebody else fills the stream now, or it was removed or changed.
    #[error(
        "the broker ended the publication of stream {stream}; it is published again with the next slot"
    )]
    PublicationEnded {
        /// Which stream.
        stream: String,
    },
    /// Descriptors sent by the broker did not arrive.
    #[error(
        "the broker sent {promised} descriptors and {arrived} arrived; this process is at its limit of \
         open files, raise RLIMIT_NOFILE (ulimit -n)"
    )]
    DescriptorsLost {
        /// How many the reply names.
        promised: usize,
        /// How many came.
        arrived: usize,
    },
    /// What the broker said or handed over is not what the specification says.
    #[error("{0}; broker and client are of different versions, or that is no Streamem broker")]
    Protocol(#[from] Fault),
    /// The system would not do it.
    #[error("{doing} failed: {cause}{}", streamem_sys::remedy(cause))]
    System {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        cause: io::Error,
    },
}

/// How the broker broke the specification.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// What came is no message.
    #[error(transparent)]
    Message(#[from] BadMessage),
    /// The results of a method are not what they should be.
    #[error("the results of {method} cannot be read: {cause}")]
    Results {
        /// Which method.
        method: String,
        /// What is wrong with them.
        cause: serde_json::Error,
    },
    /// A shared page is not what it should be.
    #[error("the {what} cannot be used: {cause}")]
    Page {
        /// `ring` or `lease page`.
        what: &'static str,
        /// What is wrong with it.
        cause: BadPage,
    },
    /// Shared memory is too short, or could be cut short.
    #[error("the {what} cannot be used: {cause}")]
    Memory {
        /// `ring`, `pool` or `lease page`.
        what: &'static str,
        /// What is wrong with it.
        cause: MapError,
    },
    /// Planes or array of a frame would lie outside its slot.
    #[error("a frame of this stream would not fit in its slot of {slot_bytes} bytes")]
    Layout {
        /// Bytes of a slot.
        slot_bytes: usize,
    },
    /// Reply and ring speak of different incarnations of the memory.
    #[error("the reply speaks of generation {said}, the ring of {found}")]
    Generation {
        /// According to the reply.
        said: u32,
        /// According to the ring.
        found: u32,
    },
    /// A descriptor is absent that this client does not have yet.
    #[error("the reply brings no {0}")]
    Absent(&'static str),
    /// More descriptors than any reply has.
    #[error("a reply brings more than {0} descriptors")]
    TooManyDescriptors(usize),
    /// The ring names a slot the pool does not have.
    #[error("the ring names a slot that the pool does not have")]
    NoSuchSlot,
}

fn after_rejection(why: Rejection) -> &'static str {
    match why {
        Rejection::NotGranted | Rejection::Stale => "fill the slots you are given and no others",
        Rejection::TooLong => "say how many bytes were written",
        Rejection::SideTooLong => "send less of it",
        Rejection::Overrun => "let nobody else write to the submission page",
    }
}

fn remedy(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::PermissionDenied => {
            "its socket is for members of a group (the system's broker: `adduser USER streamem`, as root, \
             and log in anew)"
        }
        io::ErrorKind::InvalidInput => "give the path of a socket that is shorter than 108 bytes",
        _ => {
            "start one with `streamemd`, or name its socket: by the option `socket`, else by STREAMEM_SOCKET"
        }
    }
}

impl Error {
    pub(crate) fn system(doing: &'static str, cause: impl Into<io::Error>) -> Error {
        let cause = cause.into();
        Error::System { doing, cause }
    }

    pub(crate) fn memory(what: &'static str, cause: MapError) -> Error {
        match cause {
            MapError::Kernel(call, errno) => Error::system(call, errno),
            cause => Fault::Memory { what, cause }.into(),
        }
    }

    pub(crate) fn page(what: &'static str) -> impl Fn(BadPage) -> Error {
        move |cause| Fault::Page { what, cause }.into()
    }

    /// Whether the broker is not there, now or any more, and may well come back.
    pub(crate) fn is_absence(&self) -> bool {
        matches!(
            self,
            Error::NoBroker { .. } | Error::HungUp { .. } | Error::NoAnswer { .. }
        )
    }
}
