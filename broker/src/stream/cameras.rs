//! Streams of cameras: how one is opened, gets its memory, and is tried again.
//!
//! Owns these turns of a stream's life; never talks to a driver.

use super::camera::{self, Ready, Way, in_hand};
use super::{Filling, Losses, Lost, Stream, StreamMemory, lock};
use crate::source::v4l2::{Fill, Wish};
use std::io;
use streamem_sys::clock::monotonic_ns;
use streamem_wire::{Layout, RingState};

/// What is said while a camera is being opened.
const OPENING: &str = "its camera is being opened";

impl Stream {
    pub(super) fn open_camera(
        &mut self,
        wish: Wish,
        source: u64,
        losses: &Losses,
    ) -> io::Result<()> {
        self.worker = None;
        let avoid = self.filling.avoid.clone();
        self.worker = Some(camera::open(wish, avoid, source, losses)?);
        self.source = source;
        lock(&self.core).begin(source, super::ONE_IN_HAND);
        // What was said of it before is more than that it is tried again.
        let why = self
            .lost
            .take()
            .map_or_else(|| OPENING.to_owned(), |lost| lost.why);
        self.lost = Some(Lost {
            why,
            retry_ns: u64::MAX,
        });
        self.say(RingState::Lost);
        Ok(())
    }

    /// Whether the memory there is does for this camera.
    #[must_use]
    pub fn suits(&self, ready: &Ready) -> bool {
        let is_for_devices = self.memory().is_written_by_devices();
        let wants_devices = matches!(ready.way, Way::Import(_));
        self.layout == ready.camera.layout && is_for_devices == wants_devices
    }

    /// Whether its readers could be kept with so many slots.
    pub fn admit_camera(&self, fill: Fill, slots: u32) -> Result<(), String> {
        let needed = lock(&self.core).slots_needed_by(in_hand(fill));
        if needed <= slots {
            return Ok(());
        }
        Err(format!(
            "readers need {needed} slots and devices are given {slots}: raise `device_slots` under [pool] in the configuration"
        ))
    }

    /// Goes on with this memory; readers are told to ask for it.
    pub fn refit(&mut self, layout: Layout, memory: StreamMemory) {
        lock(&self.core).renew(memory, false);
        self.layout = layout;
        self.wake();
    }

    /// Lets an open camera fill it from now on.
    pub fn attach_camera(&mut self, ready: Ready, source: u64, losses: &Losses) -> io::Result<()> {
        self.filling = Filling {
            by: Some(ready.way.fill()),
            note: ready.note.clone(),
            avoid: self.filling.avoid.take(),
        };
        let core = self.begin(source, in_hand(ready.way.fill()));
        let name = self.name.as_str();
        self.worker = Some(camera::start(ready, source, name, core, losses)?);
        self.lost = None;
        self.attached_ns = monotonic_ns();
        self.wake();
        Ok(())
    }

    /// Slots cannot be filled in this way, for this reason.
    pub fn avoid(&mut self, fill: Fill, why: String) {
        self.filling.avoid = Some((fill, why));
    }

    /// Why nothing comes from its source.
    #[must_use]
    pub fn why_lost(&self) -> Option<&str> {
        self.lost.as_ref().map(|lost| lost.why.as_str())
    }

    pub(super) fn describe_filling(&self) -> Option<String> {
        let by = self.filling.by?.name();
        Some(match self.filling.note.as_str() {
            "" => by.to_owned(),
            note => format!("{by} ({note})"),
        })
    }
}
