//! Who reads: how readers join and leave, and how they are given back after a restart.
//!
//! Owns what a reader may pin; never looks at a frame.

use super::{Streams, no_such_stream};
use crate::config::PoolConfig;
use crate::pool::Protection;
use crate::quota::Charge;
use crate::store::KeptReader;
use crate::stream::{Bell, Owner, Reader, Seat, Stream, Terms};
use std::sync::Arc;
use streamem_wire::message::Quota;
use streamem_wire::{Generation, Reason, Refusal, SessionId, StreamName, SubscriptionId};
use tracing::warn;

impl Streams {
    /// Adds a reader to a stream.
    pub fn join(
        &mut self,
        name: &StreamName,
        owner: Owner,
        terms: Terms,
        bell: Option<Bell>,
        charge: Charge,
        pool: &PoolConfig,
    ) -> Result<SubscriptionId, Refusal> {
        let limited = (owner.uid != 0 && owner.uid != rustix::process::getuid().as_raw())
            .then_some(owner.uid);
        self.admit(name, terms, limited, pool)
            .map_err(|why| Refusal::new(Reason::PoolFull, name.as_str(), why))?;
        let Some(stream) = self.by_name.get_mut(name) else {
            return Err(no_such_stream(name));
        };
        self.subscriptions += 1;
        let id = SubscriptionId(self.subscriptions);
        let seat = Seat::new(&self.allocator, id, terms, bell).map_err(|error| {
            Refusal::new(Reason::OutOfResources, name.as_str(), error.to_string())
        })?;
        let reader = Reader {
            owner,
            handed: stream.generation(),
            seat: Arc::new(seat),
            imports: false,
            charge: Some(charge),
        };
        if !stream.is_published() {
            self.store.keep_reader(name, &reader);
        }
        stream.join(reader);
        Ok(id)
    }

    /// Whether one more reader with these terms can be kept; a camera whose slots are few is made to have
    /// more before a reader is refused.
    pub(super) fn admit(
        &mut self,
        name: &StreamName,
        terms: Terms,
        limited: Option<u32>,
        pool: &PoolConfig,
    ) -> Result<(), String> {
        let Some(stream) = self.by_name.get_mut(name) else {
            return Ok(());
        };
        let refused = match stream.admit(terms, limited) {
            Err(why) if stream.could_copy() => why,
            admitted => return admitted,
        };
        let could = stream.admit_to(pool.slots_max, terms, limited);
        could.map_err(|_| refused)?;
        self.have_copied(name, "its slots are too few for those who read it");
        Ok(())
    }

    /// Has the frames of a camera copied from now on, for this reason.
    pub(super) fn have_copied(&mut self, name: &StreamName, why: &str) {
        let stream = self.by_name.get_mut(name);
        // Once it is on its way to copying, others who come need not send it there again.
        if stream.is_some_and(|stream| stream.copy_instead(why))
            && let Err(why) = self.retry(name)
            && let Some(stream) = self.by_name.get_mut(name)
        {
            stream.lose(why.to_string());
        }
    }

    /// Gives a subscription from before a restart back to its owner.
    pub fn resume(
        &mut self,
        name: &StreamName,
        id: SubscriptionId,
        owner: Owner,
        charge: impl FnOnce(Terms) -> Result<Charge, Refusal>,
    ) -> Result<bool, Refusal> {
        let reader = self
            .by_name
            .get_mut(name)
            .and_then(|stream| stream.reader_mut(id));
        let Some(reader) = reader.filter(|reader| {
            reader.owner.session.is_none()
                && reader.owner.pid == owner.pid
                && reader.owner.uid == owner.uid
        }) else {
            return Ok(false);
        };
        reader.charge = Some(charge(reader.seat.terms)?);
        reader.owner = owner;
        Ok(true)
    }

    /// Ends a subscription. Returns the name of its stream.
    pub fn leave(&mut self, id: SubscriptionId) -> Option<StreamName> {
        let (name, reader) = self
            .by_name
            .iter_mut()
            .find_map(|(name, stream)| stream.leave(id).map(|reader| (name.clone(), reader)))?;
        self.store.forget_reader(&name, &reader);
        Some(name)
    }

    /// A reader has not got the newest memory after all.
    pub fn hand_again(&mut self, id: SubscriptionId) {
        let mut streams = self.by_name.values_mut();
        if let Some(reader) = streams.find_map(|stream| stream.reader_mut(id)) {
            reader.handed = Generation(0);
        }
    }

    /// The subscriptions of a session.
    #[must_use]
    pub fn readers_of(&self, session: SessionId) -> Vec<SubscriptionId> {
        self.by_name
            .values()
            .flat_map(|stream| stream.readers_of(session))
            .collect()
    }

    /// The stream a subscription belongs to.
    #[must_use]
    pub fn of_subscription(&self, id: SubscriptionId) -> Option<&Stream> {
        self.by_name
            .values()
            .find(|stream| stream.reader(id).is_some())
    }
}

/// What a reader with these terms can pin, and the descriptors it is handed.
#[must_use]
pub fn amount(slot_bytes: u64, terms: Terms, fds: u64) -> Quota {
    let slots = u64::from(terms.leases) + u64::from(terms.depth).saturating_sub(1);
    Quota {
        sessions: 0,
        subscriptions: 1,
        leases: terms.leases.into(),
        descriptors: fds,
        bytes: slots * slot_bytes,
    }
}

/// A reader a former broker had; none if its page is not what it should be.
pub(super) fn adopt_reader(kept: KeptReader) -> Option<Reader> {
    let legal = (1..=streamem_wire::LEASES_MAX).contains(&usize::try_from(kept.terms.leases).ok()?);
    match crate::pool::adopt(kept.page, "lease page", Protection::Shared) {
        Ok(page) if legal && page.map.len() >= streamem_wire::LEASE_PAGE_BYTES => {
            let seat = Seat {
                id: kept.id,
                terms: kept.terms,
                page,
                bell: kept.bell,
                is_ours: false,
            };
            Some(Reader {
                owner: kept.owner,
                handed: Generation(0),
                seat: Arc::new(seat),
                imports: false,
                charge: None,
            })
        }
        Ok(_) => None,
        Err(error) => {
            warn!("subscription {} is not gone on with: {error}", kept.id);
            None
        }
    }
}
