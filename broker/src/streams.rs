//! All streams of the broker: how they come, change and go, and who joins them.
//!
//! Owns the collection and what all streams share; never speaks to a client.

use crate::access::Access;
use crate::config::{Config, PoolConfig, StreamConfig};
use crate::pool::{Memfd, Protection};
use crate::quota::Charge;
use crate::source::{self, BadSource, Pattern, SourceUri};
use crate::store::{Kept, KeptReader, KeptStream, Store};
use crate::stream::{Bell, Losses, Owner, Reader, Seat, Stream, StreamMemory, Terms};
use std::collections::BTreeMap;
use std::sync::Arc;
use streamem_wire::message::Quota;
use streamem_wire::{Generation, Reason, Refusal, SessionId, StreamName, SubscriptionId};
use tracing::{info, warn};

/// Why a stream could not be made.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// What was asked for cannot be.
    #[error(transparent)]
    Source(#[from] BadSource),
    /// There is no memory for it.
    #[error(transparent)]
    Pool(#[from] crate::pool::PoolError),
    /// There is no thread for it.
    #[error("no thread for the source: {0} (raise TasksMax= of the service)")]
    Thread(std::io::Error),
}

impl StreamError {
    /// The error as a client is told it.
    #[must_use]
    pub fn refusal(&self, stream: &StreamName) -> Refusal {
        let reason = match self {
            StreamError::Source(_) => Reason::BadSource,
            StreamError::Pool(_) | StreamError::Thread(_) => Reason::OutOfResources,
        };
        Refusal::new(reason, stream.as_str(), self.to_string())
    }
}

mod publishing;

pub use publishing::{Begun, Plan, Publications, no_such_publication};

/// The collection.
#[derive(Debug)]
pub struct Streams {
    by_name: BTreeMap<StreamName, Stream>,
    sources: u64,
    subscriptions: u64,
    publications: Publications,
    allocator: Memfd,
    protection: Protection,
    losses: Losses,
    store: Store,
}

impl Streams {
    /// No stream yet.
    pub fn new(store: Store) -> rustix::io::Result<Streams> {
        let protection = if store.is_used() {
            Protection::Guarded
        } else {
            Protection::Sealed
        };
        Ok(Streams {
            by_name: BTreeMap::new(),
            sources: 0,
            subscriptions: 0,
            publications: Publications::default(),
            allocator: Memfd,
            protection,
            losses: Losses::new()?,
            store,
        })
    }

    /// Where sources report their end.
    #[must_use]
    pub fn losses(&self) -> &Losses {
        &self.losses
    }

    /// The stream of that name.
    #[must_use]
    pub fn get(&self, name: &StreamName) -> Option<&Stream> {
        self.by_name.get(name)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, name: &StreamName) -> Option<&mut Stream> {
        self.by_name.get_mut(name)
    }

    /// The stream whose source has this number.
    pub fn of_source(&mut self, source: u64) -> Option<&mut Stream> {
        self.by_name
            .values_mut()
            .find(|stream| stream.source == source)
    }

    /// All streams, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Stream> {
        self.by_name.values()
    }

    /// All streams, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.by_name.values_mut()
    }

    /// Makes the streams of the configuration, with the memory a former broker kept where it fits.
    /// Returns the subscriptions that wait for their owners.
    pub fn start(
        &mut self,
        config: &Config,
        mut kept: Kept,
    ) -> Result<Vec<(SubscriptionId, u32)>, (StreamName, StreamError)> {
        let mut orphans = Vec::new();
        for (name, stream) in &config.streams {
            let access = stream
                .access
                .clone()
                .unwrap_or_else(|| config.access.clone());
            let left = kept.streams.remove(name).unwrap_or_default();
            let ids = self
                .make(name, stream.clone(), access, &config.pool, left)
                .map_err(|error| (name.clone(), error))?;
            orphans.extend(ids);
        }
        for name in kept.streams.keys() {
            info!(stream = %name, "no longer configured; its kept memory is let go");
            self.store.forget_memory(name);
        }
        Ok(orphans)
    }

    /// Adds a stream.
    pub fn add(
        &mut self,
        name: &StreamName,
        config: StreamConfig,
        access: Access,
        pool: &PoolConfig,
    ) -> Result<(), StreamError> {
        self.make(name, config, access, pool, KeptStream::default())
            .map(|_| ())
    }

    fn make(
        &mut self,
        name: &StreamName,
        config: StreamConfig,
        access: Access,
        pool: &PoolConfig,
        left: KeptStream,
    ) -> Result<Vec<(SubscriptionId, u32)>, StreamError> {
        if source::is_published(&config.source) {
            self.await_publisher(name, config, access, pool)?;
            return Ok(Vec::new());
        }
        let pattern = source::open(&config.source)?;
        let layout = pattern.layout().clone();
        let restored = match (left.ring, left.pool) {
            (Some(ring), Some(memory)) => StreamMemory::restore(ring, memory, name, &layout, pool)
                .inspect_err(|why| info!(stream = %name, "starting with new memory: {why}"))
                .ok(),
            _ => None,
        };
        let went_on = restored.is_some();
        let memory = match restored {
            Some(memory) => memory,
            None => {
                let first = Generation(1);
                StreamMemory::make(&self.allocator, name, &layout, pool, first, self.protection)?
            }
        };
        if !went_on {
            self.store.keep_memory(name, &memory);
        }
        let mut stream = Stream::new(name.clone(), config, access, layout, memory, pool);
        let mut orphans = Vec::new();
        for reader in left.readers {
            self.subscriptions = self.subscriptions.max(reader.id.0);
            match adopt_reader(reader) {
                Some(reader) if went_on => {
                    orphans.push((reader.seat.id, reader.owner.pid));
                    stream.join(reader);
                }
                Some(reader) => self.store.forget_reader(name, &reader),
                None => {}
            }
        }
        self.sources += 1;
        stream
            .attach(pattern, self.sources, &self.losses)
            .map_err(StreamError::Thread)?;
        self.by_name.insert(name.clone(), stream);
        Ok(orphans)
    }

    /// Gives a stream another source; its readers stay and are told to ask for the new memory.
    pub fn change(
        &mut self,
        name: &StreamName,
        source: &SourceUri,
        pool: &PoolConfig,
    ) -> Result<(), StreamError> {
        if source::is_published(source) {
            return self.await_publisher_anew(name, source, pool);
        }
        let pattern = source::open(source)?;
        let Some(stream) = self.by_name.get_mut(name) else {
            return Ok(());
        };
        let layout = pattern.layout().clone();
        let generation = Generation(stream.generation().0.wrapping_add(1));
        let memory = StreamMemory::make(
            &self.allocator,
            name,
            &layout,
            pool,
            generation,
            self.protection,
        )?;
        self.store.keep_memory(name, &memory);
        stream.renew(layout, memory, pool);
        stream.config.source = source.clone();
        self.forget_publication(name);
        self.restart(name, pattern)
    }

    /// Tries the source of a lost stream again.
    pub fn retry(&mut self, name: &StreamName) -> Result<(), StreamError> {
        let Some(stream) = self.by_name.get(name) else {
            return Ok(());
        };
        let pattern = source::open(&stream.config.source)?;
        self.restart(name, pattern)
    }

    fn restart(&mut self, name: &StreamName, pattern: Box<dyn Pattern>) -> Result<(), StreamError> {
        let Some(stream) = self.by_name.get_mut(name) else {
            return Ok(());
        };
        self.sources += 1;
        stream
            .attach(pattern, self.sources, &self.losses)
            .map_err(StreamError::Thread)
    }

    /// Removes a stream; its readers find that it has ended.
    pub fn remove(&mut self, name: &StreamName) -> Option<Stream> {
        let mut stream = self.by_name.remove(name)?;
        self.forget_publication(name);
        stream.end();
        self.store.forget_memory(name);
        for reader in stream.readers() {
            self.store.forget_reader(name, reader);
        }
        Some(stream)
    }

    /// Adds a reader to a stream.
    pub fn join(
        &mut self,
        name: &StreamName,
        owner: Owner,
        terms: Terms,
        bell: Option<Bell>,
        charge: Charge,
    ) -> Result<SubscriptionId, Refusal> {
        let Some(stream) = self.by_name.get_mut(name) else {
            return Err(no_such_stream(name));
        };
        let limited = (owner.uid != 0 && owner.uid != rustix::process::getuid().as_raw())
            .then_some(owner.uid);
        stream
            .admit(terms, limited)
            .map_err(|why| Refusal::new(Reason::PoolFull, name.as_str(), why))?;
        self.subscriptions += 1;
        let id = SubscriptionId(self.subscriptions);
        let seat = Seat::new(&self.allocator, id, terms, bell).map_err(|error| {
            Refusal::new(Reason::OutOfResources, name.as_str(), error.to_string())
        })?;
        let reader = Reader {
            owner,
            handed: stream.generation(),
            seat: Arc::new(seat),
            charge: Some(charge),
        };
        if !stream.is_published() {
            self.store.keep_reader(name, &reader);
        }
        stream.join(reader);
        Ok(id)
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

/// The refusal for a name nobody has.
#[must_use]
pub fn no_such_stream(name: &StreamName) -> Refusal {
    let message = format!(
        "there is no stream {:?}; `streamem list` shows those there are",
        name.as_str()
    );
    Refusal::new(Reason::NoSuchStream, name.as_str(), message)
}

fn adopt_reader(kept: KeptReader) -> Option<Reader> {
    let legal = (1..=streamem_wire::LEASES_MAX).contains(&usize::try_from(kept.terms.leases).ok()?);
    match crate::pool::adopt(kept.page, "lease page", Protection::Shared) {
        Ok(page) if legal && page.map.len() >= streamem_wire::LEASE_PAGE_BYTES => {
            let seat = Seat {
                id: kept.id,
                terms: kept.terms,
                page,
                bell: kept.bell,
            };
            Some(Reader {
                owner: kept.owner,
                handed: Generation(0),
                seat: Arc::new(seat),
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
