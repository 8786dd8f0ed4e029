//! One subscription as the loop knows it: whose it is, what it is charged, and its seat.
//!
//! Owns the charge; never looks at leases, which is the seat's.

use super::seat::Seat;
use crate::quota::Charge;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use streamem_wire::message::Subscription;
use streamem_wire::{Generation, Sequence, SessionId, StreamName, page};

/// The largest number a reader of JSON can be expected to hold.
const NUMBER_MAX: u64 = (1 << 53) - 1;

/// Whose a reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The session; none while it waits for its owner after a restart.
    pub session: Option<SessionId>,
    /// The process.
    pub pid: u32,
    /// Its user.
    pub uid: u32,
}

/// A subscription.
#[derive(Debug)]
pub struct Reader {
    /// Whose it is.
    pub owner: Owner,
    /// Its place at the stream.
    pub seat: Arc<Seat>,
    /// The memory it was handed last.
    pub handed: Generation,
    /// Whether it is to be given the slots as DMA-BUFs too, where they are.
    pub imports: bool,
    /// What its user is charged for it; none while it waits for its owner.
    pub charge: Option<Charge>,
}

impl Reader {
    /// The reader as the inspector sees it; what it says of itself is passed on as it is.
    #[must_use]
    pub fn describe(&self, stream: &StreamName, newest: Sequence) -> Subscription {
        let view = self.seat.view();
        // A client may write anything there; what is passed on stays a number others can read.
        let said = |at: usize| view.word(at).load(Relaxed).min(NUMBER_MAX);
        let last_sequence = Sequence(said(page::LAST_SEQUENCE));
        Subscription {
            subscription: self.seat.id,
            session: self.owner.session,
            pid: self.owner.pid,
            stream: stream.clone(),
            mode: self.seat.terms.mode,
            depth: self.seat.terms.depth,
            leases: self.seat.terms.leases,
            held: self.seat.held(),
            taken: said(page::TAKEN),
            last_sequence,
            last_taken_ns: said(page::LAST_TAKEN_NS),
            missed: said(page::MISSED),
            refused: said(page::REFUSED),
            behind: newest.since(last_sequence),
            waiting: said(page::WAITING) != 0,
        }
    }
}
