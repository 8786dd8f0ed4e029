//! Publications: how a client comes to fill a stream, and what becomes of it when it goes.
//!
//! Owns the order in which rights, quotas and memory are asked for; never takes a frame, which the
//! publication's own thread does.

use super::Broker;
use super::methods::{Answer, Answered, arguments, no_descriptor, not_permitted, once, parameters};
use super::tell::event;
use crate::access::Right;
use crate::session::{Handover, Undo};
use crate::stream::{BROUGHT_MAX, Prepared, Publisher, published_slot_bytes};
use crate::streams::{Begun, Plan, no_such_publication, no_such_stream};
use rustix::fs::{SealFlags, fcntl_get_seals, fstat};
use serde_json::Map;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use streamem_sys::file::is_dma_buf;
use streamem_wire::message::{
    Bring, Change, Event, OfPublication, Permit, Publish, Quota, StreamInfo,
};
use streamem_wire::varlink::Call;
use streamem_wire::{IN_HAND_MAX, Layout, PublicationId, Reason, Refusal, SessionId, StreamName};

/// Descriptors the broker opens for a publication: each of page, ring and pool twice.
const DESCRIPTORS: u64 = 6;
/// What a stream needs beside the slots in its publisher's hand: the newest frame, and one lease.
const BESIDE_IN_HAND: u32 = 2;

fn bad(parameter: &str, message: String) -> Refusal {
    Refusal::new(Reason::InvalidParameter, parameter, message)
}

/// Whether readers can be given this as a slot: it must be long enough, stay so, and not be theirs to
/// write.
fn check_slot(fd: BorrowedFd<'_>, slot_bytes: u64) -> Result<(), String> {
    let stat = fstat(fd).map_err(|error| format!("cannot be looked at: {error}"))?;
    let has = u64::try_from(stat.st_size).unwrap_or(0);
    if has < slot_bytes {
        return Err(format!(
            "has {has} bytes, and a slot has {slot_bytes}: make it as long"
        ));
    }
    let wanted = SealFlags::SHRINK | SealFlags::FUTURE_WRITE;
    match fcntl_get_seals(fd) {
        Ok(seals) if seals.contains(wanted) => Ok(()),
        Ok(_) => Err(
            "is not sealed: map it, then add F_SEAL_SHRINK and F_SEAL_FUTURE_WRITE, then bring it"
                .into(),
        ),
        Err(_) if is_dma_buf(fd) => Ok(()),
        Err(_) => Err("is neither a memfd nor a DMA-BUF: bring one of these".into()),
    }
}

impl Broker {
    pub(super) fn publish(&mut self, id: SessionId, call: &Call) -> Answered {
        let wanted: Publish = arguments(call)?;
        let is_worker = self.check_filler(id, &wanted)?;
        let publisher = self.permit_publish(id, &wanted.stream, is_worker)?;
        if !(1..=IN_HAND_MAX).contains(&usize::try_from(wanted.slots).unwrap_or(0)) {
            let message = format!("slots is {}; it can be 1 to {IN_HAND_MAX}", wanted.slots);
            return Err(bad("slots", message));
        }
        let most = self.config.pool.slots_max;
        let slots_max = if wanted.own {
            u32::try_from(BROUGHT_MAX).unwrap_or(most)
        } else {
            wanted.slots_max.min(most)
        };
        let least = wanted.slots + BESIDE_IN_HAND;
        if slots_max < least {
            let message = format!(
                "slots_max is {slots_max}; with {} slots in hand it can be {least} to {most}",
                wanted.slots
            );
            return Err(bad("slots_max", message));
        }
        let layout = self.layout_wished_for(id, &wanted)?;
        self.streams.may_begin(&wanted.stream, &layout)?;
        if is_worker {
            self.check_pace(id, &wanted.stream)?;
        }
        let pool_bytes = published_slot_bytes(&layout) as u64 * u64::from(slots_max);
        let amount = Quota {
            subscriptions: 1,
            descriptors: DESCRIPTORS + if wanted.own { BROUGHT_MAX as u64 } else { 0 },
            bytes: if wanted.own { 0 } else { pool_bytes },
            ..Quota::default()
        };
        let charge = if is_worker {
            self.accounts.nothing()
        } else {
            self.accounts.charge(publisher.uid, amount)?
        };
        let name = wanted.stream;
        let plan = Plan {
            publisher,
            stream: name.clone(),
            layout,
            slots: wanted.slots,
            slots_max,
            own: wanted.own,
            charge,
        };
        let prepared = self.streams.prepare(plan).map(|publication| publication.id);
        let publication = prepared.map_err(|error| {
            Refusal::new(Reason::OutOfResources, name.as_str(), error.to_string())
        })?;
        let answer = self.hand_to_publisher(id, publication);
        match &answer {
            Ok(_) => self.expect_memory(id),
            Err(_) => drop(self.streams.unpublish(publication, "")),
        }
        answer
    }

    fn permit_publish(
        &self,
        id: SessionId,
        name: &StreamName,
        is_worker: bool,
    ) -> Result<Publisher, Refusal> {
        let Some(session) = self.sessions.get(&id) else {
            return Err(no_such_stream(name));
        };
        let (pid, uid) = (session.peer.pid, session.peer.uid);
        let may = |right| is_worker || self.may(session, name, right);
        if !may(Right::Publish) || !may(Right::See) {
            return Err(not_permitted(uid, Right::Publish, name));
        }
        Ok(Publisher {
            session: id,
            pid,
            uid,
        })
    }

    fn layout_wished_for(&self, id: SessionId, wanted: &Publish) -> Result<Layout, Refusal> {
        let name = &wanted.stream;
        match (&wanted.like, &wanted.layout) {
            (Some(_), Some(_)) => {
                let message = "`like` and `layout` were both given: leave one of them out";
                Err(bad("layout", message.to_owned()))
            }
            (Some(like), None) => {
                self.permit(id, like, Right::See)?;
                let stream = self.streams.get(like);
                let layout = stream.map(|stream| stream.layout().clone());
                layout.ok_or_else(|| no_such_stream(like))
            }
            (None, Some(wish)) => wish
                .layout()
                .map_err(|why| Refusal::new(Reason::BadLayout, name.as_str(), why.to_string())),
            (None, None) => {
                let stream = self.streams.get(name);
                let awaited = stream.and_then(|stream| stream.awaited_layout());
                awaited.ok_or_else(|| {
                    let message =
                        "it is not said how the frames lie: name a stream with `like`, or give a `layout`";
                    bad("layout", message.to_owned())
                })
            }
        }
    }

    fn hand_to_publisher(&self, id: SessionId, publication: PublicationId) -> Answered {
        let publication = self.streams.publication_of(id, publication)?;
        let name = &publication.stream;
        let copy = |fd: BorrowedFd<'_>| {
            fd.try_clone_to_owned()
                .map_err(|error| no_descriptor(name.as_str(), error))
        };
        let mut fds = vec![copy(publication.desk.page.given())?];
        if let Prepared::There(memory) = &publication.prepared
            && let Some(pool) = memory.pool.made()
        {
            fds.push(copy(pool.owned())?);
        }
        let source = crate::source::from_process(publication.publisher.pid);
        let newest = self.streams.newest(name);
        let permit = Permit {
            publication: publication.id,
            stream: publication.describe_stream(source.as_str(), newest),
            page: 0,
            pool: (fds.len() > 1).then_some(1),
        };
        let handover = Handover {
            fds,
            undo: Undo::Publication(publication.id),
        };
        Ok(Answer::Once(parameters(&permit), Some(handover)))
    }

    /// Descriptors are only taken from a session that is to bring some.
    fn expect_memory(&mut self, id: SessionId) {
        let awaits = self
            .streams
            .publications()
            .any(|held| held.publisher.session == id && held.awaits_memory());
        if let Some(session) = self.sessions.get_mut(&id) {
            session.expect_descriptors(if awaits { BROUGHT_MAX } else { 0 });
        }
    }

    pub(super) fn bring(&mut self, id: SessionId, call: &Call) -> Answered {
        let brought = self
            .sessions
            .get_mut(&id)
            .map(|session| session.take_brought())
            .unwrap_or_default();
        let Bring { publication, slots } = arguments(call)?;
        let held = self.streams.publication_of(id, publication)?;
        if !held.awaits_memory() {
            return Err(no_such_publication(
                publication,
                "waits for no memory: call Begin, or publish with `own` to bring some",
            ));
        }
        let name = held.stream.clone();
        let least = usize::try_from(held.slots + BESIDE_IN_HAND).unwrap_or(BROUGHT_MAX);
        if !(least..=BROUGHT_MAX).contains(&slots.len()) {
            let message = format!(
                "{} slots are brought; with {} in hand it can be {least} to {BROUGHT_MAX}",
                slots.len(),
                held.slots
            );
            return Err(bad("slots", message));
        }
        let fds = in_order(brought, &slots)?;
        let slot_bytes = published_slot_bytes(&held.layout) as u64;
        for (slot, fd) in fds.iter().enumerate() {
            check_slot(fd.as_fd(), slot_bytes).map_err(|why| {
                let message = format!("the descriptor brought as slot {slot} {why}");
                Refusal::new(Reason::BadMemory, name.as_str(), message)
            })?;
        }
        self.streams.bring(publication, fds).map_err(|error| {
            Refusal::new(Reason::OutOfResources, name.as_str(), error.to_string())
        })?;
        self.expect_memory(id);
        Ok(Answer::Once(Map::new(), None))
    }

    pub(super) fn begin(&mut self, id: SessionId, call: &Call) -> Answered {
        let OfPublication { publication } = arguments(call)?;
        let held = self.streams.publication_of(id, publication)?;
        let (name, pid) = (held.stream.clone(), held.publisher.pid);
        let access = self.config.access.clone();
        let begun = self.streams.begin(publication, access);
        self.expect_memory(id);
        match begun? {
            Begun::New => self.announce(&name),
            Begun::Again => self.tell_stream(Change::Changed, "stream-renewed", &name, None),
        }
        self.tell(Event {
            stream: Some(name.clone()),
            session: Some(id),
            pid: Some(pid),
            ..event("published")
        });
        let stream = self.streams.get(&name);
        once(&StreamInfo {
            stream: stream.ok_or_else(|| no_such_stream(&name))?.describe(),
        })
    }

    pub(super) fn unpublish(&mut self, id: SessionId, call: &Call) -> Answered {
        let OfPublication { publication } = arguments(call)?;
        let pid = self.streams.publication_of(id, publication)?.publisher.pid;
        let why = format!("its publisher (pid {pid}) is done");
        self.end_publication(publication, &why);
        self.expect_memory(id);
        Ok(Answer::Once(Map::new(), None))
    }

    /// A publisher is gone, or done.
    pub(super) fn end_publication(&mut self, id: PublicationId, why: &str) {
        let Some(name) = self.streams.unpublish(id, why) else {
            return;
        };
        let lost = Some(why.to_owned());
        self.tell_stream(Change::Changed, "stream-lost", &name, lost);
        self.tell(Event {
            stream: Some(name.clone()),
            ..event("unpublished")
        });
        self.remove_abandoned(&name);
    }

    /// Removes a stream that nobody fills, reads or configured.
    pub(super) fn remove_abandoned(&mut self, name: &StreamName) {
        let stream = self.streams.get(name);
        if stream.is_some_and(|stream| stream.is_abandoned()) {
            self.remove(name);
        }
    }
}

/// The descriptors that came, by the places the call gives for the slots.
fn in_order(brought: Vec<OwnedFd>, slots: &[u32]) -> Result<Vec<OwnedFd>, Refusal> {
    let (came, named) = (brought.len(), slots.len());
    let mut places: Vec<Option<OwnedFd>> = brought.into_iter().map(Some).collect();
    let taken = slots.iter().map(|place| {
        let place = usize::try_from(*place).ok()?;
        places.get_mut(place)?.take()
    });
    let taken: Option<Vec<OwnedFd>> = taken.collect();
    taken.ok_or_else(|| {
        let message = format!(
            "{named} slots are named and {came} descriptors came: name each descriptor that is sent beside the call \
             once, by its place"
        );
        bad("slots", message)
    })
}
