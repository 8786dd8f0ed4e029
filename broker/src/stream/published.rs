//! Streams that are filled from outside the broker: how a publication takes one up and leaves it.
//!
//! Owns these turns of a stream's life; never asks whether somebody may.

use super::core::ONE_IN_HAND;
use super::silence::Silence;
use super::{Lost, Publication, Reports, RingState, Stream, StreamMemory, intake, lock};
use crate::config::PoolConfig;
use crate::source;
use std::io;
use streamem_wire::{Layout, Sequence};

/// What a published stream is made with: neither huge pages nor slots touched ahead of time.
const POOL: PoolConfig = PoolConfig {
    slots_max: 0,
    device_slots: 0,
    huge_pages: false,
    pretouch: false,
};

impl Stream {
    /// Whether it is filled from outside the broker.
    #[must_use]
    pub fn is_published(&self) -> bool {
        source::is_published(&self.config.source)
    }

    /// The layout a publisher must bring, where the configuration says so.
    #[must_use]
    pub fn awaited_layout(&self) -> Option<Layout> {
        source::awaited_layout(&self.config.source).ok()
    }

    /// Whether nobody fills it, nobody reads it, and nobody said that it shall be there.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.is_published()
            && !self.runs()
            && self.readers.is_empty()
            && self.awaited_layout().is_none()
    }

    /// Whether a publisher may take it up.
    #[must_use]
    pub fn is_free_to_publish(&self) -> bool {
        self.is_published() && self.lost.is_some()
    }

    /// How its frames lie.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The newest frame.
    #[must_use]
    pub fn newest(&self) -> Sequence {
        lock(&self.core).newest()
    }

    /// Whether its readers could be kept with the memory of this publication.
    pub fn admit_publication(&self, publication: &Publication) -> Result<(), String> {
        let needed = lock(&self.core).slots_needed_by(publication.slots);
        if needed <= publication.slots_max {
            return Ok(());
        }
        Err(format!(
            "stream {:?} has readers who need {needed} slots with {} in the publisher's hand, and there would be {}: \
             publish with more (`slots_max`, or bring more)",
            self.name.as_str(),
            publication.slots,
            publication.slots_max,
        ))
    }

    /// Goes on with the memory of a publication; readers are told to ask for it.
    pub fn take_up(&mut self, publication: &Publication, memory: StreamMemory) {
        self.renew(publication.layout.clone(), memory, &POOL);
    }

    /// Lets a publication fill it from now on.
    pub fn attach_publication(
        &mut self,
        publication: &Publication,
        number: u64,
        reports: &Reports,
    ) -> io::Result<()> {
        let core = self.begin(number, publication.slots);
        // Whoever fills it from a device says itself when there is something from there.
        let says_itself = source::hl2ss::is_device(&self.config.source);
        let rate = if says_itself { 0.0 } else { self.layout.rate };
        let silence = Silence::of(rate);
        self.worker = Some(intake::start(publication, number, core, silence, reports)?);
        if says_itself {
            self.say(RingState::Lost);
        } else {
            self.lost = None;
            self.wake();
        }
        Ok(())
    }

    /// Nobody fills it any more; what the publisher had in hand falls back. It waits for another.
    pub fn wait_for_publisher(&mut self, why: String) {
        self.worker = None;
        lock(&self.core).begin(0, ONE_IN_HAND);
        self.say_lost(why);
    }

    /// Nothing comes from its publisher, who may go on.
    pub fn say_lost(&mut self, why: String) {
        self.lost = Some(Lost {
            why,
            retry_ns: u64::MAX,
        });
        self.say(RingState::Lost);
    }

    /// Its publisher goes on.
    pub fn say_live(&mut self) {
        self.lost = None;
        self.say(RingState::Live);
    }
}
