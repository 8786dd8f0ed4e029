//! The Streamem specification as code: what is said on the socket and laid out in shared memory.
//!
//! Owns every name and number both sides must agree on, and the lease protocol itself; contains no
//! unsafe code and does no I/O. Mapping memory and passing descriptors is `streamem-sys`.
//!
//! # A subscription from beginning to end
//!
//! ```text
//! client                              broker
//!   | Subscribe {stream, mode, …}        |   varlink over a Unix socket
//!   |----------------------------------->|
//!   |   Grant + ring, pool, lease fds    |   once; the ring and the pool are read-only
//!   |<-----------------------------------|
//!   | maps all three                     |
//!   |                                    |   from here on no message:
//!   | waits on its futex . . . . . . . . |   publishes: record, history, head; wakes those who wait
//!   | leases the newest slot             |
//!   | reads pixels in place              |   sees the lease, writes into other slots
//!   | releases                           |
//!   |                                    |
//!   | ring.state == Retired              |   the memory was renewed
//!   | Renew ---------------------------->|
//!   |<--------------- Grant + ring, pool |
//! ```
//!
//! # A publication from beginning to end
//!
//! ```text
//! publisher                           broker
//!   | Publish {stream, layout, …}        |
//!   |----------------------------------->|
//!   |   Permit + page, writable pool fds |
//!   |<-----------------------------------|
//!   | maps both                          |
//!   | Begin ---------------------------->|   seals the pool: no further writable mapping, ever
//!   |                                    |   from here on no message:
//!   | waits on its futex . . . . . . . . |   grants slots in the submission page
//!   | fills one, submits it, kicks       |   copies the entry, checks it, publishes
//! ```
//!
//! Read in this order: [`format`](Format), [`Layout`], [`Ring`], [`LeasePage`], [`lease`],
//! [`SubmissionPage`], [`submission`], [`message`], [`varlink`].

mod format;
mod id;
mod layout;
pub mod lease;
mod lease_page;
pub mod message;
mod name;
mod refusal;
mod ring;
mod side;
pub mod stamp_strip;
pub mod submission;
mod submission_entry;
mod submission_page;
mod sync;
pub mod varlink;
mod wish;

pub use format::{Format, Kind, NoSuchFormat};
pub use id::{Generation, PublicationId, Sequence, SessionId, Slot, SubscriptionId};
pub use layout::{Array, BadLayout, Colour, FRAME_BYTES_MAX, Field, Layout, Plane, SIDE_MAX};
pub use lease_page::{
    LEASE_MAGIC, LEASE_PAGE_BYTES, LEASE_PAGE_WORDS, LEASES_MAX, LeasePage, lease_word, page,
};
pub use name::{BadName, NAME_BYTES_MAX, StreamName};
pub use refusal::{Reason, Refusal};
pub use ring::{
    BadPage, HEADER_WORDS, Newest, PAGE_VERSION, RECORD_WORDS, RING_MAGIC, Ring, RingShape,
    RingState, SIDE_BYTES_MAX, SLOTS_MAX, header, record,
};
pub use side::{Optics, SideData, clock, flags, side_kind};
pub use submission_page::{
    ENTRIES_MAX, IN_HAND_MAX, SUBMISSION_MAGIC, SUBMISSION_PAGE_BYTES, SUBMISSION_PAGE_WORDS,
    SubmissionPage, submission_words,
};
pub use wish::{BadWish, LayoutWish, RATE_MAX, SAMPLE_RATE_MAX};
