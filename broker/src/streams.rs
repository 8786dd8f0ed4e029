//! All streams of the broker: how they come, change and go, and who joins them.
//!
//! Owns the collection and what all streams share; never speaks to a client.

use crate::access::Access;
use crate::config::{Config, PoolConfig, StreamConfig};
use crate::pool::{Memfd, PoolError, Protection};
use crate::source::{self, BadSource, Source, SourceUri};
use crate::store::{Kept, KeptStream, Label, Store};
use crate::stream::{Reports, Stream, StreamMemory};
use std::collections::BTreeMap;
use streamem_wire::{Generation, Layout, Reason, Refusal, StreamName, SubscriptionId};
use tracing::info;

/// Why a stream could not be made.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// What was asked for cannot be.
    #[error(transparent)]
    Source(#[from] BadSource),
    /// There is no memory for it.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// One of that name is there.
    #[error("there is a stream \"{0}\" already: remove it first, or choose another name")]
    Exists(StreamName),
    /// Those who read it would be promised too much.
    #[error("{0}")]
    Promises(String),
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
            StreamError::Exists(_) => Reason::StreamExists,
            StreamError::Pool(_) | StreamError::Promises(_) | StreamError::Thread(_) => {
                Reason::OutOfResources
            }
        };
        Refusal::new(reason, stream.as_str(), self.to_string())
    }
}

mod cameras;
mod decoded;
mod publishing;
mod reading;

pub use decoded::Followed;
pub use publishing::{Begun, Plan, Publications, no_such_publication};
use reading::adopt_reader;
pub use reading::amount;

/// The collection.
#[derive(Debug)]
pub struct Streams {
    by_name: BTreeMap<StreamName, Stream>,
    sources: u64,
    made: u64,
    subscriptions: u64,
    publications: Publications,
    allocator: Memfd,
    protection: Protection,
    reports: Reports,
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
            made: 0,
            subscriptions: 0,
            publications: Publications::default(),
            allocator: Memfd,
            protection,
            reports: Reports::new()?,
            store,
        })
    }

    /// Where sources report their end.
    #[must_use]
    pub fn reports(&self) -> &Reports {
        &self.reports
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
        self.subscriptions = kept.newest.0;
        self.store.forget_all(&kept.useless);
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
        for (name, stream) in &kept.streams {
            info!(stream = %name, "no longer configured; its kept memory is let go");
            self.store.forget_memory(name);
            for reader in &stream.readers {
                self.store.forget_reader(name, reader);
            }
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
        if self.by_name.contains_key(name) {
            return Err(StreamError::Exists(name.clone()));
        }
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
        let found = Source::of(&config.source)?;
        self.check_parent(name, &found)?;
        let layout = found.layout()?;
        let mut readers = Vec::new();
        for kept in left.readers {
            let label = Label::from(&kept);
            match adopt_reader(kept) {
                Some(reader) => readers.push(reader),
                None => self.store.forget_reader(name, label),
            }
        }
        let restored = match (left.ring, left.pool) {
            (Some(ring), Some(memory)) => {
                StreamMemory::restore(ring, memory, name, &layout, pool, readers.len())
                    .inspect_err(|why| info!(stream = %name, "starting with new memory: {why}"))
                    .ok()
            }
            _ => None,
        };
        let went_on = restored.is_some();
        let memory = match restored {
            Some(memory) => memory,
            None => {
                let first = Generation(1);
                self.fresh_memory(name, &layout, pool, first)?
            }
        };
        let mut stream = Stream::new(name.clone(), config, access, layout, memory, pool);
        let mut orphans = Vec::new();
        for reader in readers {
            if went_on {
                orphans.push((reader.seat.id, reader.owner.pid));
                stream.join(reader);
            } else {
                self.store.forget_reader(name, Label::from(&reader));
            }
        }
        self.sources += 1;
        stream
            .attach(found, self.sources, &self.reports)
            .map_err(StreamError::Thread)?;
        if !went_on {
            self.store.keep_memory(name, &stream.memory());
        }
        self.by_name.insert(name.clone(), stream);
        Ok(orphans)
    }

    /// Memory that the broker itself writes.
    fn fresh_memory(
        &self,
        name: &StreamName,
        layout: &Layout,
        pool: &PoolConfig,
        generation: Generation,
    ) -> Result<StreamMemory, PoolError> {
        let protection = self.protection;
        StreamMemory::make(&self.allocator, name, layout, pool, generation, protection)
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
        let found = Source::of(source)?;
        self.check_parent(name, &found)?;
        let layout = found.layout()?;
        let generation = self.next_generation(name);
        let memory = self.fresh_memory(name, &layout, pool, generation)?;
        let Some(stream) = self.by_name.get_mut(name) else {
            return Ok(());
        };
        self.store.keep_memory(name, &memory);
        stream.renew(layout, memory, pool);
        stream.come_from(source.clone());
        stream.forget_filling();
        self.forget_publication(name);
        self.restart(name, found)
    }

    /// Tries the source of a lost stream again.
    pub fn retry(&mut self, name: &StreamName) -> Result<(), StreamError> {
        let Some(stream) = self.by_name.get(name) else {
            return Ok(());
        };
        let found = Source::of(&stream.config.source)?;
        self.restart(name, found)
    }

    fn restart(&mut self, name: &StreamName, found: Source) -> Result<(), StreamError> {
        let Some(stream) = self.by_name.get_mut(name) else {
            return Ok(());
        };
        self.sources += 1;
        stream
            .attach(found, self.sources, &self.reports)
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
