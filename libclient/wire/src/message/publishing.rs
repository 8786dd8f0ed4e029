//! What is said about publishing from outside the broker.
//!
//! Owns the types; never decides anything.

use super::Stream;
use crate::id::{PublicationId, Sequence, SessionId};
use crate::name::StreamName;
use crate::wish::LayoutWish;
use serde::{Deserialize, Serialize};

/// Parameters of `Publish`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// Which stream is to be filled.
    pub stream: StreamName,
    /// A stream whose layout is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<StreamName>,
    /// The layout, if it is not that of another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<LayoutWish>,
    /// Slots the publisher has in hand at a time.
    #[serde(default = "two")]
    pub slots: u32,
    /// The most slots the stream can have.
    #[serde(default = "thirty_two")]
    pub slots_max: u32,
    /// Whether the publisher brings the memory.
    #[serde(default)]
    pub own: bool,
}

fn two() -> u32 {
    2
}

fn thirty_two() -> u32 {
    32
}

impl Publish {
    /// As much as is usual; a layout is still to be said.
    #[must_use]
    pub fn to(stream: StreamName) -> Publish {
        Publish {
            stream,
            like: None,
            layout: None,
            slots: two(),
            slots_max: thirty_two(),
            own: false,
        }
    }
}

/// Result of `Publish`. The numbers are places among the descriptors sent beside the reply.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Permit {
    /// The publication.
    pub publication: PublicationId,
    /// The stream as it will be.
    pub stream: Stream,
    /// The submission page, to be mapped for writing.
    pub page: u32,
    /// The pool, to be mapped for writing before `Begin`; absent if the publisher brings its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<u32>,
}

/// Parameters of `Bring`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bring {
    /// The publication.
    pub publication: PublicationId,
    /// For each slot its place among the descriptors sent beside the call.
    pub slots: Vec<u32>,
}

/// Parameters that name a publication: `Begin`, `Unpublish`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfPublication {
    /// Its number.
    pub publication: PublicationId,
}

/// A publication as the inspector sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Its number.
    pub publication: PublicationId,
    /// Whose.
    pub session: SessionId,
    /// The publisher's process.
    pub pid: u32,
    /// Of which stream.
    pub stream: StreamName,
    /// Whether it has begun.
    pub begun: bool,
    /// Whether it brought its own memory.
    pub own: bool,
    /// Slots it may have in hand.
    pub slots: u32,
    /// Slots it has in hand.
    pub in_hand: u32,
    /// Submissions that were taken.
    pub taken: u64,
    /// Those of them that were rejected.
    pub rejected: u64,
    /// Why the last of those was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_rejection: Option<String>,
    /// How often it was made to pause because it flooded.
    pub floods: u64,
    /// The newest frame it published.
    pub last_sequence: Sequence,
}
