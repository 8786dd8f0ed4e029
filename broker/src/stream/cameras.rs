//! Streams of cameras: how one is opened, gets its memory, and is tried again.
//!
//! Owns these turns of a stream's life; never talks to a driver.

use super::camera::{self, Ready, Way, in_hand};
use super::{Filling, Lost, Reports, Stream, StreamMemory, lock};
use crate::source::Source;
use crate::source::v4l2::{Camera, Fill, SCHEME, Wish};
use std::io;
use std::sync::{Arc, Weak};
use streamem_sys::clock::monotonic_ns;
use streamem_wire::{Layout, RingState};

/// What is said while a camera is being opened.
const OPENING: &str = "its camera is being opened";

impl Stream {
    pub(super) fn open_camera(
        &mut self,
        wish: Wish,
        source: u64,
        reports: &Reports,
    ) -> io::Result<()> {
        self.worker = None;
        self.filling.camera = Weak::new();
        let pool = &self.memory().pool;
        let is_one = pool.made().is_some() && !pool.for_drivers().is_empty();
        let has = is_one.then(|| self.layout.clone());
        let wanted = camera::Wanted {
            name: self.name.clone(),
            wish,
            set: self.config.controls.clone(),
            avoid: self.filling.avoid.clone(),
            slots: self.device_slots,
            protection: self.protection,
            has,
        };
        self.worker = Some(camera::open(wanted, source, reports)?);
        self.source = source;
        // What readers are promised meanwhile must hold when the driver has its slots again.
        let usual = in_hand(self.memory().is_filled_by());
        let mut core = lock(&self.core);
        let in_hand = usual.max(core.in_hand());
        core.begin(source, in_hand);
        drop(core);
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
        match ready.way {
            Way::Import(ref made) => made.is_none(),
            Way::Export(_) => false,
            Way::Copy => {
                let is_for_copies = self.memory().is_filled_by() == Fill::Copy;
                is_for_copies && self.layout == ready.camera.layout
            }
        }
    }

    /// Whether its readers could be kept with so many slots.
    pub fn admit_camera(&self, fill: Fill, in_hand: u32, slots: u32) -> Result<(), String> {
        let needed = lock(&self.core).slots_needed_by(in_hand);
        if needed <= slots {
            return Ok(());
        }
        let remedy = match fill {
            Fill::Export => "which is all the driver has",
            Fill::Import if slots < self.device_slots => "which is all that go into a message",
            _ => "raise `device_slots` under [pool] in the configuration",
        };
        Err(format!(
            "readers need {needed} slots and there would be {slots}: {remedy}"
        ))
    }

    /// Slots of a pool that its camera writes into.
    #[must_use]
    pub fn device_slots(&self) -> u32 {
        self.device_slots
    }

    /// Goes on with this memory; readers are told to ask for it.
    pub fn refit(&mut self, layout: Layout, memory: StreamMemory) {
        lock(&self.core).renew(memory, false);
        self.layout = layout;
        self.wake();
    }

    /// Lets an open camera fill it from now on.
    pub fn attach_camera(
        &mut self,
        ready: Ready,
        source: u64,
        reports: &Reports,
    ) -> io::Result<()> {
        self.filling = Filling {
            by: Some(ready.way.fill()),
            note: ready.note.clone(),
            camera: Arc::downgrade(&ready.camera),
            avoid: std::mem::take(&mut self.filling.avoid),
        };
        let core = self.begin(source, ready.in_hand);
        let name = self.name.as_str();
        self.worker = Some(camera::start(ready, source, name, core, reports)?);
        self.lost = None;
        self.attached_ns = Some(monotonic_ns());
        self.wake();
        Ok(())
    }

    /// Slots cannot be filled in this way, for this reason.
    pub fn avoid(&mut self, fill: Fill, why: String) {
        if !self
            .filling
            .avoid
            .iter()
            .any(|(avoided, _)| *avoided == fill)
        {
            self.filling.avoid.push((fill, why));
        }
    }

    /// Another camera, or another wish: what did not work with the former may work now.
    pub fn forget_filling(&mut self) {
        self.filling = Filling::default();
    }

    /// Something was plugged in: it is tried soon if it is not the camera, or not ready yet.
    pub fn hope(&mut self) {
        self.losses = 0;
    }

    /// Whether it has a camera that is not there, and nobody looks for it just now.
    #[must_use]
    pub fn misses_its_camera(&self) -> bool {
        !self.runs() && self.config.source.scheme() == SCHEME
    }

    /// Its camera, if it is open.
    #[must_use]
    pub fn camera(&self) -> Option<Arc<Camera>> {
        self.filling.camera.upgrade()
    }

    /// Has frames copied from the next opening on, for this reason. Whether that is news.
    pub fn copy_instead(&mut self, why: &str) -> bool {
        let before = self.filling.avoid.len();
        for fill in [Fill::Import, Fill::Export] {
            self.avoid(fill, why.to_owned());
        }
        self.filling.avoid.len() > before
    }

    /// Whether it has only a few slots, and could have more were frames copied.
    #[must_use]
    pub fn could_copy(&self) -> bool {
        let is_free = matches!(Source::of(&self.config.source), Ok(Source::Camera(wish)) if wish.fill.is_none());
        is_free && self.filling.by.is_some_and(|fill| fill != Fill::Copy)
    }

    /// Why nothing comes from its source.
    #[must_use]
    pub fn why_lost(&self) -> Option<&str> {
        self.lost.as_ref().map(|lost| lost.why.as_str())
    }

    /// How often the broker writes a frame's bytes after its source has.
    pub(super) fn copies(&self) -> u32 {
        // What is to be decoded is copied, so that nobody can change it meanwhile.
        let decoded = u32::from(self.decodes().is_some());
        self.filling.by.map_or(decoded, Fill::copies)
    }

    pub(super) fn describe_filling(&self) -> Option<String> {
        if let Some(decoding) = self.describe_decoding() {
            return Some(decoding);
        }
        let by = self.filling.by?.name();
        Some(match self.filling.note.as_str() {
            "" => by.to_owned(),
            note => format!("{by} ({note})"),
        })
    }
}
