//! Subscriptions: how a client comes to read a stream, and what it is handed.
//!
//! Owns the order in which rights, quotas, slots and descriptors are asked for; a subscription that
//! fails half-way leaves nothing behind.

use super::Broker;
use super::methods::{Answer, Answered, arguments, no_descriptor, parameters};
use super::tell::event;
use crate::access::Right;
use crate::session::{Handover, Pending, Session, Undo};
use crate::stream::{Bell, Owner, Pool, Stream, Terms};
use crate::streams::amount;
use serde_json::Map;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use streamem_sys::file::is_dma_buf;
use streamem_sys::socket::FDS_MAX;
use streamem_wire::message::{Change, Event, Grant, OfSubscription, Subscribe};
use streamem_wire::varlink::Call;
use streamem_wire::{
    LEASES_MAX, Reason, Refusal, SLOTS_MAX, SessionId, StreamName, SubscriptionId,
};

/// Most slots that are given as DMA-BUFs beside ring, pool, lease page and eventfd.
const IMPORTED_MAX: usize = FDS_MAX - 4;

/// What a descriptor is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Ring,
    Pool,
    DmaBuf,
    Lease,
    Eventfd,
}

fn out_of_range(parameter: &str, value: u32, most: usize) -> Refusal {
    let message = format!("{parameter} is {value}; it can be 1 to {most}");
    Refusal::new(Reason::InvalidParameter, parameter, message)
}

impl Broker {
    pub(super) fn subscribe(&mut self, id: SessionId, call: &Call) -> Answered {
        let wanted: Subscribe = arguments(call)?;
        if !(1..=LEASES_MAX).contains(&usize::try_from(wanted.leases).unwrap_or(0)) {
            return Err(out_of_range("leases", wanted.leases, LEASES_MAX));
        }
        if !(1..=SLOTS_MAX).contains(&usize::try_from(wanted.depth).unwrap_or(0)) {
            return Err(out_of_range("depth", wanted.depth, SLOTS_MAX));
        }
        self.grant(id, wanted)
    }

    fn grant(&mut self, id: SessionId, wanted: Subscribe) -> Answered {
        if let Err(refusal) = self.permit_memory(id, &wanted.stream) {
            if refusal.reason == Reason::NoSuchStream && wanted.wait {
                if let Some(session) = self.sessions.get_mut(&id) {
                    session.pending = Some(Pending::Subscribe(wanted));
                }
                return Ok(Answer::Later);
            }
            return Err(refusal);
        }
        if wanted.dma_buf {
            self.permit(id, &wanted.stream, Right::Import)?;
        }
        let Some(session) = self.sessions.get(&id) else {
            return Ok(Answer::Later);
        };
        let owner = Owner {
            session: Some(id),
            pid: session.peer.pid,
            uid: session.peer.uid,
        };
        if let Some(subscription) = wanted.resume
            && let Some(answer) = self.resume(subscription, owner, &wanted)?
        {
            return Ok(answer);
        }
        let name = &wanted.stream;
        if wanted.dma_buf {
            self.is_importable(name)?;
        }
        let terms = Terms {
            mode: wanted.mode,
            depth: wanted.depth,
            leases: wanted.leases,
        };
        let slot_bytes = self.streams.get(name).map_or(0, Stream::slot_bytes);
        let amount = amount(slot_bytes, terms, self.descriptors_for(&wanted));
        let charge = self.accounts.charge(owner.uid, amount)?;
        let bell = wanted.eventfd.then(Bell::new);
        let bell = bell
            .transpose()
            .map_err(|e| no_descriptor("an eventfd", e.into()))?;
        let subscription =
            self.streams
                .join(name, owner, terms, bell, charge, &self.config.pool)?;
        self.note_import(subscription, &wanted);
        let answer = self.hand_over(subscription, false, Undo::Subscription, &|_| true);
        match &answer {
            Ok(_) => {
                self.tell_stream(Change::Changed, "", name, None);
                self.tell(Event {
                    stream: Some(name.clone()),
                    session: Some(id),
                    subscription: Some(subscription),
                    pid: Some(owner.pid),
                    ..event("subscribed")
                });
            }
            Err(_) => drop(self.streams.leave(subscription)),
        }
        answer
    }

    /// Checks that the session may be given the stream's memory as it is now.
    fn permit_memory(&self, id: SessionId, name: &StreamName) -> Result<(), Refusal> {
        let stream = self.streams.get(name);
        let is_for_devices = stream.is_some_and(|stream| stream.memory().pool.is_for_devices());
        Right::to_be_given(is_for_devices)
            .iter()
            .try_for_each(|right| self.permit(id, name, *right))
    }

    /// Checks that the stream's slots are DMA-BUFs. Of one that is lost nobody knows what it will have.
    fn is_importable(&self, name: &StreamName) -> Result<(), Refusal> {
        let Some(stream) = self
            .streams
            .get(name)
            .filter(|stream| stream.why_lost().is_none())
        else {
            return Ok(());
        };
        let pool = &stream.memory().pool;
        let beside = pool.dma_bufs(stream.memory().shape().slots);
        let beside = beside.map_or(0, <[OwnedFd]>::len);
        let is_itself = !pool.each().is_empty() && pool.each().iter().all(is_dma_buf);
        let why = if beside > IMPORTED_MAX {
            format!(
                "has {beside} slots, and {IMPORTED_MAX} go into a message: lower `device_slots` under [pool] in \
                 the configuration"
            )
        } else if beside == 0 && !is_itself {
            format!(
                "lies in memory of the kind {}, which no device imports: give it a camera that fills slots by \
                 import, each in one buffer, or subscribe without dma_buf",
                pool.kind()
            )
        } else {
            return Ok(());
        };
        let message = format!("stream {:?} {why}", name.as_str());
        Err(Refusal::new(Reason::NoDmaBuf, name.as_str(), message))
    }

    /// How many descriptors a reader is charged for. Slots as DMA-BUFs may come later.
    fn descriptors_for(&self, wanted: &Subscribe) -> u64 {
        let stream = self.streams.get(&wanted.stream);
        let slots = stream
            .filter(|_| wanted.dma_buf)
            .map_or(0, Stream::device_slots);
        3 + u64::from(wanted.eventfd) + u64::from(slots)
    }

    fn note_import(&mut self, id: SubscriptionId, wanted: &Subscribe) {
        let stream = self.streams.get_mut(&wanted.stream);
        if let Some(reader) = stream.and_then(|stream| stream.reader_mut(id)) {
            reader.imports = wanted.dma_buf;
        }
    }

    fn resume(
        &mut self,
        id: SubscriptionId,
        owner: Owner,
        wanted: &Subscribe,
    ) -> Result<Option<Answer>, Refusal> {
        let name = &wanted.stream;
        let slot_bytes = self.streams.get(name).map_or(0, Stream::slot_bytes);
        let accounts = &self.accounts;
        let fds = self.descriptors_for(wanted);
        let charge = |terms| accounts.charge(owner.uid, amount(slot_bytes, terms, fds));
        if !self.streams.resume(name, id, owner, charge)? {
            return Ok(None);
        }
        self.claim_back(id);
        self.note_import(id, wanted);
        self.tell(Event {
            stream: Some(name.clone()),
            session: owner.session,
            subscription: Some(id),
            pid: Some(owner.pid),
            ..event("resumed")
        });
        self.hand_over(id, true, Undo::Subscription, &|role| role == Role::Eventfd)
            .map(Some)
    }

    pub(super) fn renew(&mut self, id: SessionId, call: &Call) -> Answered {
        let OfSubscription { subscription } = arguments(call)?;
        self.own(id, subscription)?;
        let name = self
            .streams
            .of_subscription(subscription)
            .map(|stream| stream.name.clone());
        if let Some(name) = &name {
            self.permit_memory(id, name)?;
        }
        let stream = name.and_then(|name| self.streams.get_mut(&name));
        // Descriptors go once for each generation, however often they are asked for.
        let is_newer = stream.is_some_and(|stream| {
            let generation = stream.generation();
            let reader = stream.reader_mut(subscription);
            reader.is_some_and(|reader| {
                std::mem::replace(&mut reader.handed, generation) != generation
            })
        });
        self.hand_over(subscription, false, Undo::Renewal, &|role| {
            is_newer && matches!(role, Role::Ring | Role::Pool | Role::DmaBuf)
        })
    }

    pub(super) fn unsubscribe(&mut self, id: SessionId, call: &Call) -> Answered {
        let OfSubscription { subscription } = arguments(call)?;
        self.own(id, subscription)?;
        self.end_subscription(subscription);
        Ok(Answer::Once(Map::new(), None))
    }

    fn own(&self, id: SessionId, subscription: SubscriptionId) -> Result<(), Refusal> {
        let reader = self
            .streams
            .of_subscription(subscription)
            .and_then(|stream| stream.reader(subscription));
        if reader.is_some_and(|reader| reader.owner.session == Some(id)) {
            return Ok(());
        }
        let message = format!(
            "this session has no subscription {subscription}: its stream may have been removed; subscribe again"
        );
        Err(Refusal::new(
            Reason::NoSuchSubscription,
            subscription.to_string(),
            message,
        ))
    }

    /// The descriptors of a subscription, as far as they are wanted.
    fn hand_over(
        &self,
        id: SubscriptionId,
        resumed: bool,
        undo: fn(SubscriptionId) -> Undo,
        wanted: &dyn Fn(Role) -> bool,
    ) -> Answered {
        let found = self
            .streams
            .of_subscription(id)
            .and_then(|stream| Some((stream, stream.reader(id)?)));
        let Some((stream, reader)) = found else {
            return Err(Refusal::new(
                Reason::NoSuchSubscription,
                id.to_string(),
                format!("subscription {id} has ended: subscribe again"),
            ));
        };
        let seat = &reader.seat;
        let mut fds = Vec::new();
        let mut add = |role, fd: Option<BorrowedFd<'_>>| -> Result<Option<u32>, Refusal> {
            let Some(fd) = fd.filter(|_| wanted(role)) else {
                return Ok(None);
            };
            let copy = fd
                .try_clone_to_owned()
                .map_err(|e| no_descriptor(stream.name.as_str(), e))?;
            fds.push(copy);
            Ok(u32::try_from(fds.len() - 1).ok())
        };
        let memory = stream.memory();
        let ring = add(Role::Ring, Some(memory.ring.given()))?;
        let (pool, slots) = match &memory.pool {
            Pool::Made(made) => (add(Role::Pool, Some(made.given()))?, None),
            each => {
                let slots = each
                    .each()
                    .iter()
                    .filter_map(|slot| add(Role::Pool, Some(slot.as_fd())).transpose());
                let slots: Vec<u32> = slots.collect::<Result<_, Refusal>>()?;
                (None, (!slots.is_empty()).then_some(slots))
            }
        };
        // A right that was taken away since is not handed out any more.
        let imports = reader.imports
            && reader
                .owner
                .session
                .is_some_and(|session| self.permit(session, &stream.name, Right::Import).is_ok());
        let dma_bufs = memory
            .pool
            .dma_bufs(memory.shape().slots)
            .filter(|dma_bufs| imports && dma_bufs.len() <= IMPORTED_MAX)
            .unwrap_or_default();
        let dma_bufs = dma_bufs
            .iter()
            .filter_map(|slot| add(Role::DmaBuf, Some(slot.as_fd())).transpose());
        let dma_bufs: Vec<u32> = dma_bufs.collect::<Result<_, Refusal>>()?;
        let lease = add(Role::Lease, Some(seat.page.given()))?;
        let eventfd = add(
            Role::Eventfd,
            seat.bell.as_ref().map(|bell| bell.theirs.as_fd()),
        )?;
        let grant = Grant {
            subscription: id,
            resumed,
            stream: stream.describe(),
            ring,
            pool,
            slots,
            dma_bufs: (!dma_bufs.is_empty()).then_some(dma_bufs),
            lease,
            eventfd,
        };
        let handover = (!fds.is_empty()).then(|| Handover {
            fds,
            undo: undo(id),
        });
        Ok(Answer::Once(parameters(&grant), handover))
    }

    /// Takes back what was promised to a session and could not be sent.
    pub(super) fn undo_undelivered(&mut self, id: SessionId) {
        let session = self.sessions.get_mut(&id);
        for undo in session.map(Session::take_undelivered).unwrap_or_default() {
            match undo {
                Undo::Subscription(subscription) => self.end_subscription(subscription),
                Undo::Renewal(subscription) => self.streams.hand_again(subscription),
                Undo::Nothing => {}
                Undo::Publication(publication) => {
                    self.end_publication(publication, "its publisher could not be reached");
                }
            }
        }
    }

    /// Gives those who wait for a stream what they asked for.
    pub(super) fn serve_pending(&mut self) {
        let waiting: Vec<SessionId> = self
            .sessions
            .values()
            .filter(|session| matches!(session.pending, Some(Pending::Subscribe(_))))
            .map(|session| session.id)
            .collect();
        for id in waiting {
            let session = self.sessions.get_mut(&id);
            let Some(Pending::Subscribe(wanted)) =
                session.and_then(|session| session.pending.take())
            else {
                continue;
            };
            self.touched.insert(id);
            let answered = self.grant(id, wanted);
            let replied = self.send_answer(id, answered);
            if let Err(over) = replied.and_then(|()| self.answer_calls(id)) {
                self.end_session(id, &over);
            }
        }
    }
}
