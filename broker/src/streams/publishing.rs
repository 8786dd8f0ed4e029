//! Publications among the streams: how one is prepared, begins and ends.
//!
//! Owns all publications; never asks whether somebody may publish, and never charges.

use super::{StreamError, Streams};
use crate::access::Access;
use crate::config::{PoolConfig, StreamConfig};
use crate::pool::{PoolError, Protection};
use crate::quota::Charge;
use crate::source::{self, SourceUri, hl2ss};
use crate::stream::{Desk, Prepared, Publication, Publisher, Stream, StreamMemory};
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use streamem_wire::{
    Generation, Layout, PublicationId, Reason, Refusal, Sequence, SessionId, StreamName,
};

/// Those who fill streams from outside, or are about to.
#[derive(Debug, Default)]
pub struct Publications {
    by_id: BTreeMap<PublicationId, Publication>,
    begun: u64,
}

/// What a publication is to be.
#[derive(Debug)]
pub struct Plan {
    /// Whose.
    pub publisher: Publisher,
    /// Of which stream.
    pub stream: StreamName,
    /// How its frames lie.
    pub layout: Layout,
    /// Slots in its hand.
    pub slots: u32,
    /// The most slots of the stream.
    pub slots_max: u32,
    /// Whether it brings its memory.
    pub own: bool,
    /// What its user is charged.
    pub charge: Charge,
}

/// What a publication that has begun did to its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It is new.
    New,
    /// It was lost, and goes on.
    Again,
}

/// Why a stream of this source has no frames at first.
fn waits(source: &SourceUri) -> String {
    let why = if hl2ss::is_device(source) {
        "its worker is being started"
    } else {
        "it waits for its publisher"
    };
    why.to_owned()
}

/// The refusal for a number that is no publication of this session, or not at that point.
#[must_use]
pub fn no_such_publication(id: PublicationId, why: &str) -> Refusal {
    let message = format!("publication {id} {why}");
    Refusal::new(Reason::NoSuchPublication, id.to_string(), message)
}

fn bad_layout(name: &StreamName, wanted: &Layout, promised: &Layout) -> Refusal {
    let message = format!(
        "stream {:?} is configured to have frames of {}, and {} was to be published: publish what is configured, or \
         change the stream's source in the configuration",
        name.as_str(),
        promised.summary(),
        wanted.summary()
    );
    Refusal::new(Reason::BadLayout, name.as_str(), message)
}

/// Whether frames of this layout are what was promised; a rate that was not said is any.
fn keeps(promised: &Layout, wanted: &Layout) -> bool {
    let mut wanted = wanted.clone();
    if promised.rate == 0.0 {
        wanted.rate = 0.0;
    }
    wanted == *promised
}

impl Streams {
    /// Whether a stream of that name could be published with this layout.
    pub fn may_begin(&self, name: &StreamName, layout: &Layout) -> Result<(), Refusal> {
        let Some(stream) = self.get(name) else {
            return Ok(());
        };
        if !stream.is_free_to_publish() {
            let message = format!(
                "stream {:?} has a source already, {}: end that first, or choose another name",
                name.as_str(),
                stream.config.source
            );
            return Err(Refusal::new(Reason::StreamExists, name.as_str(), message));
        }
        match stream.awaited_layout() {
            Some(promised) if !keeps(&promised, layout) => Err(bad_layout(name, layout, &promised)),
            _ => Ok(()),
        }
    }

    /// Makes what a publication needs; nobody but its publisher sees any of it yet.
    pub fn prepare(&mut self, plan: Plan) -> Result<&Publication, PoolError> {
        let generation = self.next_generation(&plan.stream);
        let id = PublicationId(self.publications.begun + 1);
        let desk = Arc::new(Desk::new(&self.allocator, id, generation)?);
        let prepared = if plan.own {
            Prepared::Awaited
        } else {
            let (name, layout) = (&plan.stream, &plan.layout);
            let memory =
                StreamMemory::lend(&self.allocator, name, layout, plan.slots_max, generation)?;
            Prepared::There(memory)
        };
        let publication = Publication {
            id,
            publisher: plan.publisher,
            stream: plan.stream,
            layout: plan.layout,
            generation,
            slots: plan.slots,
            slots_max: plan.slots_max,
            own: plan.own,
            desk,
            prepared,
            charge: plan.charge,
        };
        self.publications.begun += 1;
        Ok(self.publications.by_id.entry(id).or_insert(publication))
    }

    pub(super) fn next_generation(&self, name: &StreamName) -> Generation {
        let before = self.get(name).map_or(0, |stream| stream.generation().0);
        Generation(before.wrapping_add(1))
    }

    /// The publication of this session with this number.
    pub fn publication_of(
        &self,
        session: SessionId,
        id: PublicationId,
    ) -> Result<&Publication, Refusal> {
        let found = self.publications.by_id.get(&id);
        found
            .filter(|publication| publication.publisher.session == session)
            .ok_or_else(|| {
                let why = "is none of this session: it may have ended; publish again";
                no_such_publication(id, why)
            })
    }

    /// All publications.
    pub fn publications(&self) -> impl Iterator<Item = &Publication> {
        self.publications.by_id.values()
    }

    /// The publications of a session.
    #[must_use]
    pub fn published_by(&self, session: SessionId) -> Vec<PublicationId> {
        self.publications()
            .filter(|publication| publication.publisher.session == session)
            .map(|publication| publication.id)
            .collect()
    }

    /// Gives a publication the slots it brought.
    pub fn bring(&mut self, id: PublicationId, slots: Vec<OwnedFd>) -> Result<(), PoolError> {
        match self.publications.by_id.get_mut(&id) {
            Some(publication) => publication.take_brought(&self.allocator, slots),
            None => Ok(()),
        }
    }

    /// Lets a publication fill its stream, with these rules if the stream is new.
    pub fn begin(&mut self, id: PublicationId, access: Access) -> Result<Begun, Refusal> {
        let Some(mut publication) = self.publications.by_id.remove(&id) else {
            return Err(no_such_publication(id, "has ended: publish again"));
        };
        let prepared = std::mem::replace(&mut publication.prepared, Prepared::Awaited);
        let begun = match prepared {
            Prepared::There(memory) => self.take_up(&mut publication, memory, access),
            before => {
                let why = match before {
                    Prepared::Begun(_) => "has begun already: fill the slots it is granted",
                    _ => "has no memory yet: bring it first",
                };
                publication.prepared = before;
                Err(no_such_publication(id, why))
            }
        };
        // One whose memory cannot be used is over; one that only came at the wrong moment is not.
        if begun.is_ok() || publication.source().is_some() || publication.own {
            self.publications.by_id.insert(id, publication);
        }
        begun
    }

    fn take_up(
        &mut self,
        publication: &mut Publication,
        mut memory: StreamMemory,
        access: Access,
    ) -> Result<Begun, Refusal> {
        let name = publication.stream.clone();
        self.may_begin(&name, &publication.layout)?;
        if self.next_generation(&name) != publication.generation {
            let why = "is overtaken: somebody else published this stream meanwhile; publish again";
            return Err(no_such_publication(publication.id, why));
        }
        memory
            .seal()
            .map_err(|why| Refusal::new(Reason::BadMemory, name.as_str(), why.to_string()))?;
        self.sources += 1;
        let source = self.sources;
        let from = source::from_process(publication.publisher.pid);
        let begun = match self.by_name.get_mut(&name) {
            Some(stream) => {
                stream
                    .admit_publication(publication)
                    .map_err(|why| Refusal::new(Reason::PoolFull, name.as_str(), why))?;
                if stream.awaited_layout().is_none() {
                    stream.config.source = from;
                }
                stream.take_up(publication, memory);
                Begun::Again
            }
            None => {
                let config = StreamConfig::of(from);
                let layout = publication.layout.clone();
                let pool = PoolConfig {
                    pretouch: false,
                    ..PoolConfig::default()
                };
                let stream = Stream::new(name.clone(), config, access, layout, memory, &pool);
                self.by_name.insert(name.clone(), stream);
                Begun::New
            }
        };
        self.forget_publication(&name);
        if let Some(stream) = self.by_name.get_mut(&name) {
            let attached = stream.attach_publication(publication, source, &self.reports);
            if let Err(error) = attached {
                let error = StreamError::Thread(error);
                stream.wait_for_publisher(error.to_string());
                return Err(error.refusal(&name));
            }
        }
        publication.prepared = Prepared::Begun(source);
        Ok(begun)
    }

    /// Ends a publication. Returns its stream, if it filled one.
    pub fn unpublish(&mut self, id: PublicationId, why: &str) -> Option<StreamName> {
        let publication = self.publications.by_id.remove(&id)?;
        let source = publication.source()?;
        let stream = self.by_name.get_mut(&publication.stream)?;
        if stream.source != source {
            return None;
        }
        stream.wait_for_publisher(why.to_owned());
        Some(publication.stream)
    }

    /// The publication that fills a stream as this source.
    #[must_use]
    pub fn publication_as(&self, source: u64) -> Option<PublicationId> {
        self.publications()
            .find(|publication| publication.source() == Some(source))
            .map(|publication| publication.id)
    }

    /// The stream has another source now.
    pub(super) fn forget_publication(&mut self, name: &StreamName) {
        self.publications
            .by_id
            .retain(|_, held| held.stream != *name || held.source().is_none());
    }

    /// A stream that is there and waits for somebody to fill it.
    pub(super) fn await_publisher(
        &mut self,
        name: &StreamName,
        config: StreamConfig,
        access: Access,
        pool: &PoolConfig,
    ) -> Result<(), StreamError> {
        let layout = source::awaited_layout(&config.source)?;
        let memory = self.awaiting_memory(name, &layout, pool, Generation(1))?;
        let why = waits(&config.source);
        let mut stream = Stream::new(name.clone(), config, access, layout, memory, pool);
        stream.wait_for_publisher(why);
        self.made += 1;
        stream.made = self.made;
        self.store.forget_memory(name);
        self.by_name.insert(name.clone(), stream);
        Ok(())
    }

    /// A stream that had another source, or waited for another layout, waits for this one.
    pub(super) fn await_publisher_anew(
        &mut self,
        name: &StreamName,
        source: &SourceUri,
        pool: &PoolConfig,
    ) -> Result<(), StreamError> {
        let layout = source::awaited_layout(source)?;
        let generation = self.next_generation(name);
        let memory = self.awaiting_memory(name, &layout, pool, generation)?;
        self.made += 1;
        if let Some(stream) = self.by_name.get_mut(name) {
            stream.made = self.made;
            stream.renew(layout, memory, pool);
            stream.come_from(source.clone());
            stream.wait_for_publisher(waits(source));
        }
        self.store.forget_memory(name);
        self.forget_publication(name);
        Ok(())
    }

    /// Nobody will write to it; it is there so that readers can join and be told to renew.
    fn awaiting_memory(
        &self,
        name: &StreamName,
        layout: &Layout,
        pool: &PoolConfig,
        generation: Generation,
    ) -> Result<StreamMemory, PoolError> {
        StreamMemory::make(
            &self.allocator,
            name,
            layout,
            pool,
            generation,
            Protection::Sealed,
        )
    }

    /// The newest frame of a stream that may not be there.
    #[must_use]
    pub fn newest(&self, name: &StreamName) -> Sequence {
        self.get(name).map_or(Sequence::NONE, Stream::newest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use streamem_wire::Format;

    #[test]
    fn a_rate_that_was_not_promised_may_be_any() {
        let with_rate = |rate| Layout::video(Format::Gray8, 8, 8, rate).unwrap();
        assert!(keeps(&with_rate(0.0), &with_rate(30.0)));
        assert!(!keeps(&with_rate(25.0), &with_rate(30.0)));
        assert!(!keeps(
            &with_rate(0.0),
            &Layout::video(Format::Gray8, 8, 9, 0.0).unwrap()
        ));
    }
}
