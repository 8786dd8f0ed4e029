//! Streams decoded from another: how one follows its parent, and when it is decoded at all.
//!
//! Owns these turns of a stream's life; never decodes.

use super::decoding::{self, Decoder, Effort, Follower, Job, Last};
use super::{Core, Lost, ONE_IN_HAND, Pool, Reports, Seat, Stream, StreamMemory, lock};
use crate::source::decode::Wish;
use std::io;
use std::sync::{Arc, Mutex, Weak};
use streamem_sys::clock::monotonic_ns;
use streamem_wire::{Format, Layout};

/// What is said before it was looked for.
const LOOKING: &str = "the stream it is decoded from is being looked for";

/// Most bytes of a picture whose size only its publisher says, who pays for compressed ones.
const UNPROMISED_MAX: u64 = 64 << 20;

/// What a decoded stream knows of its parent.
#[derive(Debug, Default)]
pub(super) struct Decoding {
    /// It waits for the parent, and not for its own decoder.
    awaits_parent: bool,
    /// The memory its decoder reads.
    follows: Weak<StreamMemory>,
    /// The frame of that memory that was taken last for those who read now.
    last: Arc<Last>,
    effort: Arc<Effort>,
    /// The last decoder there was.
    decoder: Option<Decoder>,
    /// Something may have been decoded that is in its slots.
    has_pictures: bool,
}

/// A stream that can be decoded now.
#[derive(Debug)]
pub struct Parent {
    core: Arc<Mutex<Core>>,
    memory: Arc<StreamMemory>,
    /// How the pictures lie that are made of it.
    pub picture: Layout,
}

impl Parent {
    /// Whether the broker can read its frames where they are.
    #[must_use]
    pub fn is_mapped(&self) -> bool {
        self.memory.pool.made().is_some()
    }
}

impl Stream {
    /// What it is decoded from, if it is.
    #[must_use]
    pub fn decodes(&self) -> Option<Wish> {
        Wish::of_decoded(&self.config.source)
    }

    /// It as the parent of what is wished, or why it cannot be that now.
    pub fn as_parent(&self, wish: &Wish) -> Result<Parent, String> {
        let name = self.name.as_str();
        if let Some(lost) = &self.lost {
            return Err(format!(
                "stream {name:?}, which it is decoded from, is lost: {}",
                lost.why
            ));
        }
        if self.layout.format != Format::Mjpeg {
            return Err(format!(
                "stream {name:?}, which it is decoded from, has {}, and only mjpeg can be decoded: name a stream of \
                 JPEG pictures, or give that one's source format=mjpeg",
                self.layout.format
            ));
        }
        let picture = wish.picture(&self.layout).map_err(|why| {
            format!(
                "stream {name:?} cannot be decoded into {}: {why}",
                wish.format
            )
        })?;
        if self.awaited_layout().is_none() && self.is_published() && picture.bytes > UNPROMISED_MAX
        {
            return Err(format!(
                "the pictures of stream {name:?}, which it is decoded from, would have {} MiB each, and its publisher \
                 alone says so, who may have {} MiB: name their size in the configuration, \
                 `source = \"publish://?format=mjpeg&size={}x{}\"` for that stream",
                picture.bytes >> 20,
                UNPROMISED_MAX >> 20,
                picture.width,
                picture.height
            ));
        }
        let memory = self.memory();
        match &memory.pool {
            Pool::Brought(_) => Err(format!(
                "the publisher of stream {name:?} brought its memory, which the broker never looks into: publish in \
                 memory of the broker"
            )),
            pool if pool.made().is_none() && !self.could_copy() => Err(format!(
                "the frames of stream {name:?} lie in memory of devices, which the broker does not look into: give its \
                 source fill=copy, or leave that to the broker"
            )),
            _ => Ok(Parent {
                core: Arc::clone(&self.core),
                memory,
                picture,
            }),
        }
    }

    /// Nothing is decoded until the parent was looked at.
    pub(super) fn await_parent(&mut self) {
        self.decoding.awaits_parent = true;
        self.rest();
        let why = self
            .lost
            .take()
            .map_or_else(|| LOOKING.to_owned(), |lost| lost.why);
        self.say_lost(why);
    }

    /// The parent gives nothing, for this reason. Whether that is news.
    pub fn lose_parent(&mut self, why: String) -> bool {
        self.decoding.awaits_parent = true;
        self.rest();
        let is_news = self.why_lost() != Some(&why);
        if is_news {
            self.say_lost(why);
        }
        is_news
    }

    /// The parent is there, and all it needs. Whether that is news.
    pub fn find_parent(&mut self) -> bool {
        let is_news = std::mem::take(&mut self.decoding.awaits_parent);
        if is_news {
            self.say_live();
        }
        is_news
    }

    /// Whether it could not be decoded, and the time to try it again has not come.
    #[must_use]
    pub fn is_put_off(&self) -> bool {
        let lost = self.lost.as_ref();
        lost.is_some_and(|Lost { retry_ns, .. }| *retry_ns != u64::MAX)
    }

    /// Whether somebody is to be given pictures.
    #[must_use]
    pub fn is_to_decode(&self) -> bool {
        !self.readers.is_empty() && !self.is_put_off()
    }

    /// Whether frames of this parent are decoded into it just now.
    #[must_use]
    pub fn follows(&self, parent: &Parent) -> bool {
        self.runs()
            && self
                .decoding
                .follows
                .ptr_eq(&Arc::downgrade(&parent.memory))
    }

    /// Whether the last decoder has not left its parent yet, or may still be writing into a slot. Another would be
    /// promised what this one still has.
    #[must_use]
    pub fn is_being_left(&self) -> bool {
        let decoder = self.decoding.decoder.as_ref();
        !self.runs() && decoder.is_some_and(|decoder| !decoder.has_left())
    }

    /// Ends decoding. Who comes later is not to be given what is old by then.
    pub fn rest(&mut self) {
        if self.worker.take().is_some() {
            self.decoding.decoder.iter().for_each(Decoder::wake);
            self.source = 0;
            lock(&self.core).begin(0, ONE_IN_HAND);
            // It is said of a decoder, and there is none now.
            if !self.decoding.awaits_parent && self.lost.is_some() {
                self.say_live();
            }
        }
        if self.readers.is_empty() && std::mem::take(&mut self.decoding.has_pictures) {
            lock(&self.core).withdraw();
            self.decoding.last = Arc::default();
        }
    }

    /// Decodes frames of this parent from now on; the seat at it was admitted.
    pub fn decode(
        &mut self,
        wish: &Wish,
        parent: &Parent,
        seat: Seat,
        source: u64,
        reports: &Reports,
    ) -> io::Result<()> {
        let core = self.begin(source, ONE_IN_HAND);
        let follows = Arc::downgrade(&parent.memory);
        if !self.decoding.follows.ptr_eq(&follows) {
            self.decoding.last = Arc::default();
        }
        let last = Arc::clone(&self.decoding.last);
        let (of_parent, memory) = (Arc::clone(&parent.core), Arc::clone(&parent.memory));
        let job = Job {
            name: self.name.clone(),
            parent: wish.parent.clone(),
            layout: self.layout.clone(),
            follower: Follower::new(of_parent, memory, Arc::new(seat), last),
            effort: Arc::clone(&self.decoding.effort),
        };
        let (worker, decoder) = decoding::start(job, source, core, reports)?;
        self.worker = Some(worker);
        self.attached_ns = Some(monotonic_ns());
        self.decoding.has_pictures = true;
        self.decoding.decoder = Some(decoder);
        self.decoding.follows = follows;
        Ok(())
    }

    pub(super) fn describe_decoding(&self) -> Option<String> {
        let wish = self.decodes()?;
        Some(match self.decoding.effort.describe() {
            Some(effort) => format!("decoding {} ({effort})", wish.parent),
            None => format!("decoding {}", wish.parent),
        })
    }
}

#[cfg(test)]
mod tests;
