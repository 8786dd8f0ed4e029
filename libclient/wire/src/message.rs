//! What is said on the socket: parameters and results of the methods of `io.streamem`.
//!
//! Owns the types, which mirror `io.streamem.varlink` word by word; never decides anything.

use crate::id::{Generation, Sequence, SessionId, SubscriptionId};
use crate::layout::Layout;
use crate::name::StreamName;
use serde::{Deserialize, Serialize};

mod controls;
mod device;
mod publishing;

pub use controls::{Control, ControlList, Controls, MenuItem};
pub use device::{Calibrated, Calibration, Network, Table};
pub use publishing::{Bring, OfPublication, Permit, Publication, Publish};

/// The interface's own name.
pub const INTERFACE: &str = "io.streamem";
/// The interface every varlink service has.
pub const SERVICE_INTERFACE: &str = "org.varlink.service";
/// The specification of the interface, as served by introspection.
pub const INTERFACE_DESCRIPTION: &str = include_str!("io.streamem.varlink");
/// The specification of varlink's own interface.
pub const SERVICE_DESCRIPTION: &str = include_str!("org.varlink.service.varlink");

/// Which frames a subscription is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The newest there is; those in between are counted as missed.
    #[default]
    Latest,
    /// Each in order, as long as the reader is at most `depth` behind.
    Every,
}

/// What became of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Frames come, or will.
    Live,
    /// The source is gone for now.
    Lost,
}

/// Counters of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// Frames published.
    pub published: u64,
    /// Frames for which no slot was free.
    pub dropped_no_slot: u64,
    /// Frames the source lost.
    pub dropped_by_source: u64,
    /// Slots found leased when they were to be reused.
    pub held_at_reuse: u64,
    /// Leases refused to readers.
    pub refused_leases: u64,
}

/// A stream as a client sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stream {
    /// What a client asks for.
    pub name: StreamName,
    /// Where it comes from.
    pub source: String,
    /// What became of it.
    pub state: State,
    /// Why it is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How its frames lie.
    pub layout: Layout,
    /// Which incarnation of its memory is current.
    pub generation: Generation,
    /// What the memory is: `memfd`, or `brought` by its publisher.
    pub pool: String,
    /// What keeps a client from writing to it: `sealed`, `guarded`, or nothing but its publisher:
    /// `brought`.
    pub protection: String,
    /// Slots the current subscriptions need, and the most there can be.
    pub slots: u32,
    /// See `slots`.
    pub slots_max: u32,
    /// Bytes of a slot.
    pub slot_bytes: u64,
    /// Copies of a frame's bytes after the source wrote them.
    pub copies: u32,
    /// How a camera's frames come into slots: `import`, `export` or `copy`, and why in no better way. Of a
    /// decoded stream, what is decoded and how long that takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filled: Option<String>,
    /// How it does on its way here, if it comes over a network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// The newest frame.
    pub newest: Sequence,
    /// How many subscriptions it has.
    pub subscriptions: u32,
    /// Its counters.
    pub counters: Counters,
}

/// `Ping`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pong {
    /// Version of the broker.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// CLOCK_MONOTONIC there.
    pub now_ns: u64,
    /// When it started, by that clock.
    pub started_ns: u64,
}

/// What a reply to `List` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// These streams are there.
    Present,
    /// These came.
    Appeared,
    /// Something about these is new.
    Changed,
    /// These went.
    Vanished,
}

/// `List`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listing {
    /// What this reply tells.
    pub change: Change,
    /// Of which streams.
    pub streams: Vec<Stream>,
}

/// Parameters that name a stream: `Info`, `RemoveStream`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfStream {
    /// Its name.
    pub stream: StreamName,
}

/// Result of `Info`, `AddStream`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamInfo {
    /// The stream.
    pub stream: Stream,
}

/// Parameters of `AddStream`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddStream {
    /// What it shall be called.
    pub stream: StreamName,
    /// Its source, as a URI.
    pub source: String,
}

/// Parameters of `Subscribe`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscribe {
    /// To which stream.
    pub stream: StreamName,
    /// Which frames.
    #[serde(default)]
    pub mode: Mode,
    /// How many of the last frames are kept for this reader.
    #[serde(default = "one")]
    pub depth: u32,
    /// How many frames it may hold at a time.
    #[serde(default = "two")]
    pub leases: u32,
    /// Whether it wants a descriptor that becomes readable at every frame, and is read like an eventfd.
    #[serde(default)]
    pub eventfd: bool,
    /// Whether it wants each slot as a DMA-BUF too, to import it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dma_buf: bool,
    /// Whether to wait for the stream if it does not exist yet.
    #[serde(default)]
    pub wait: bool,
    /// The subscription this client had before the broker was restarted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<SubscriptionId>,
}

fn one() -> u32 {
    1
}

fn two() -> u32 {
    2
}

impl Subscribe {
    /// The newest frames of `stream`, two of them at a time.
    #[must_use]
    pub fn to(stream: StreamName) -> Subscribe {
        Subscribe {
            stream,
            mode: Mode::Latest,
            depth: one(),
            leases: two(),
            eventfd: false,
            dma_buf: false,
            wait: false,
            resume: None,
        }
    }
}

/// Parameters that name a subscription: `Unsubscribe`, `Renew`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfSubscription {
    /// Its number.
    pub subscription: SubscriptionId,
}

/// Result of `Subscribe` and `Renew`. The numbers are places among the descriptors sent beside the
/// reply; what is absent the client has already.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grant {
    /// The subscription.
    pub subscription: SubscriptionId,
    /// Whether the subscription asked for by `resume` goes on with the memory it had.
    #[serde(default)]
    pub resumed: bool,
    /// The stream with its layout and generation.
    pub stream: Stream,
    /// The ring, to be mapped read-only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring: Option<u32>,
    /// The pool, to be mapped read-only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<u32>,
    /// Instead of a pool, a descriptor for each slot, each to be mapped read-only on first use: the
    /// memory was brought by the stream's publisher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<Vec<u32>>,
    /// Beside a pool, each slot of it as a DMA-BUF: it was asked for, and this memory has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dma_bufs: Option<Vec<u32>>,
    /// The lease page, to be mapped for writing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<u32>,
    /// The descriptor that becomes readable at every frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eventfd: Option<u32>,
}

/// A session as the inspector sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its number.
    pub session: SessionId,
    /// The process that connected.
    pub pid: u32,
    /// As whom.
    pub uid: u32,
    /// See `uid`.
    pub gid: u32,
    /// What the process is called.
    pub command: String,
    /// Since when, CLOCK_MONOTONIC.
    pub connected_ns: u64,
    /// Whether this is the one asking.
    pub own: bool,
}

/// A subscription as the inspector sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its number.
    pub subscription: SubscriptionId,
    /// Whose; absent while it waits for its owner after a restart of the broker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The owner's process.
    pub pid: u32,
    /// To which stream.
    pub stream: StreamName,
    /// Which frames.
    pub mode: Mode,
    /// How many frames are kept for it.
    pub depth: u32,
    /// How many it may hold.
    pub leases: u32,
    /// How many it holds.
    pub held: u32,
    /// Frames it took, as it says.
    pub taken: u64,
    /// The newest of them.
    pub last_sequence: Sequence,
    /// When it took that.
    pub last_taken_ns: u64,
    /// Frames it missed, as it says.
    pub missed: u64,
    /// Leases it was refused, as it says.
    pub refused: u64,
    /// How many frames it is behind the newest.
    pub behind: u64,
    /// Whether it waits for a frame.
    pub waiting: bool,
}

/// A pool as the inspector sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Of which stream.
    pub stream: StreamName,
    /// Which incarnation.
    pub generation: Generation,
    /// What it is made of: `memfd`, …
    pub kind: String,
    /// `sealed` or `guarded`.
    pub protection: String,
    /// Whether it has huge pages.
    pub huge: bool,
    /// Slots in use and reserved.
    pub slots: u32,
    /// See `slots`.
    pub slots_max: u32,
    /// Distance between slots.
    pub slot_bytes: u64,
    /// Address space.
    pub reserved_bytes: u64,
    /// Memory.
    pub committed_bytes: u64,
    /// How the number of slots comes about, a term each.
    pub sum: Vec<Term>,
}

/// A term of a pool's size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// What for.
    pub reason: String,
    /// How many slots.
    pub slots: u32,
}

/// A descriptor as the inspector sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    /// `ring`, `pool`, `slot`, `lease`, `eventfd` or `submission`.
    pub role: String,
    /// Of which stream.
    pub stream: StreamName,
    /// Of which subscription, for leases and eventfds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<SubscriptionId>,
    /// Its number in the broker.
    pub number: i32,
    /// `memfd` or `socket`.
    pub kind: String,
    /// Size of the file.
    pub bytes: u64,
    /// Seals it bears.
    pub seals: Vec<String>,
    /// What tells it from any other file.
    pub inode: u64,
    /// Who made the memory.
    pub exporter: String,
    /// Sessions that were handed it.
    pub handed_to: Vec<Holder>,
}

/// A session that was handed a descriptor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Which session.
    pub session: SessionId,
    /// Its process.
    pub pid: u32,
    /// `read` or `write`.
    pub access: String,
}

/// An account as the inspector sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Whose.
    pub uid: u32,
    /// What is used, in the order sessions, subscriptions, leases, descriptors, bytes.
    pub used: Quota,
    /// What may be used.
    pub limit: Quota,
}

/// Amounts of what a user is held to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Connections.
    pub sessions: u64,
    /// Subscriptions of all of them.
    pub subscriptions: u64,
    /// Leases those may hold.
    pub leases: u64,
    /// Descriptors handed out.
    pub descriptors: u64,
    /// Bytes those leases can pin.
    pub bytes: u64,
}

/// `Inspect`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// The broker.
    pub broker: Pong,
    /// Streams the asker may see.
    pub streams: Vec<Stream>,
    /// Sessions: all for an administrator, else the asker's user's.
    pub sessions: Vec<Session>,
    /// Their subscriptions.
    pub subscriptions: Vec<Subscription>,
    /// The pools of those streams.
    pub pools: Vec<Pool>,
    /// And their descriptors.
    pub descriptors: Vec<Descriptor>,
    /// Those who publish to them, of those sessions.
    #[serde(default)]
    pub publications: Vec<Publication>,
    /// Accounts: all for an administrator, else the asker's user's.
    pub accounts: Vec<Account>,
}

/// `Monitor`: something happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, CLOCK_MONOTONIC.
    pub at_ns: u64,
    /// `monitoring` (the first, which says that the events that follow are all there are),
    /// `stream-added`, `stream-removed`, `stream-lost`, `stream-live`, `stream-renewed`, `session-opened`,
    /// `session-closed`, `subscribed`, `resumed`, `unsubscribed`, `published`, `unpublished`, `reloaded`.
    pub event: String,
    /// Which stream it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamName>,
    /// Which session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// Which subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<SubscriptionId>,
    /// The process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// A sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Result of `org.varlink.service.GetInfo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceInfo {
    /// Who makes it.
    pub vendor: String,
    /// What it is.
    pub product: String,
    /// Which version.
    pub version: String,
    /// Where to read more.
    pub url: String,
    /// What it speaks.
    pub interfaces: Vec<String>,
}
