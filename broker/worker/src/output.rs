//! A stream that is filled: its publication, and the slots in hand.
//!
//! Owns which slots may be written; never decides what is written there.

use crate::held::Held;
use crate::teller::Teller;
use std::os::fd::OwnedFd;
use std::sync::Weak;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use streamem::{Error, Granted, Layout, Publisher, SideData, clock, flags};
use streamem_codec::{Planes, Target};
use streamem_hl2ss::{Pose, Ticks};
use streamem_orders::Wish;
use streamem_wire::StreamName;

/// The broker always has a slot for who fills a stream; it only takes a moment to grant it.
const GRANT_TIME: Duration = Duration::from_millis(20);
/// Two: one to fill while the other is being published.
const IN_HAND: u32 = 2;
/// What decodes in place also looks at so many pictures it decoded before, and a spare.
const IN_HAND_DECODING: u32 = 8;
/// What a decoder may hold of them: two are left to fill by turns.
const LENT_MAX: usize = IN_HAND_DECODING as usize - 2;

/// Some streams have a frame a second.
const STARVED: Duration = Duration::from_secs(5);

/// What is said of a frame besides its bytes.
#[derive(Debug, Default)]
pub struct Said {
    /// When it was captured, on the clock here; when it arrived, where that is not known.
    pub captured_ns: u64,
    /// The same by the device's clock.
    pub ticks: Ticks,
    /// The number of its packet.
    pub number: u64,
    /// How many bytes are used, if not all.
    pub used: Option<usize>,
    /// It is damaged.
    pub is_damaged: bool,
    /// It can be decoded without those before it.
    pub is_key: bool,
    /// Where the camera or the rig was.
    pub pose: Option<Pose>,
    /// What else is known.
    pub side: Vec<SideData>,
}

/// A stream to fill.
#[derive(Debug)]
pub struct Output {
    /// Tells it from another of the same name.
    pub id: u64,
    /// Which.
    pub stream: StreamName,
    /// How.
    pub wish: Wish,
    /// How its frames lie.
    pub layout: Layout,
    teller: Teller,
    socket: Option<OwnedFd>,
    publisher: Option<Publisher>,
    /// Slots by their number that a decoder may still look at.
    held: Vec<Weak<Held>>,
    /// Granted, but held.
    aside: Vec<Granted>,
    /// Its readers were told the calibration.
    pub is_calibrated: bool,
    /// Frames that found no slot.
    pub dropped: u64,
    gap: bool,
    /// Why there are no frames, as the broker was told.
    why_lost: Option<String>,
    newest: Instant,
    /// The packet of the newest frame.
    packet: u64,
}

impl Output {
    /// A stream that is to be published over this socket.
    pub fn new(
        stream: StreamName,
        wish: Wish,
        layout: Layout,
        socket: OwnedFd,
        teller: Teller,
    ) -> Self {
        static OUTPUTS: AtomicU64 = AtomicU64::new(0);
        Self {
            id: OUTPUTS.fetch_add(1, Relaxed),
            stream,
            wish,
            layout,
            teller,
            socket: Some(socket),
            publisher: None,
            held: Vec::new(),
            aside: Vec::new(),
            is_calibrated: false,
            dropped: 0,
            gap: false,
            why_lost: None,
            newest: Instant::now(),
            packet: 0,
        }
    }

    /// There are no frames now.
    pub fn lose(&mut self, why: &str) {
        if self.why_lost.as_deref() != Some(why) {
            self.teller.lost(&self.stream, why);
            self.why_lost = Some(why.to_owned());
        }
    }

    /// Whether packets come and nothing becomes of them.
    pub fn is_starved(&self) -> bool {
        self.newest.elapsed() > STARVED
    }

    fn publisher(&mut self) -> Option<&mut Publisher> {
        if let Some(socket) = self.socket.take() {
            let in_hand = if self.wish.is_decoded_in_place() {
                IN_HAND_DECODING
            } else {
                IN_HAND
            };
            let publish = streamem::publish(self.stream.as_str());
            // How many the stream may have is the broker's configuration's to say.
            let publish = publish.slots(in_hand).slots_max(u32::MAX);
            match publish.over(socket).open() {
                Ok(publisher) => self.publisher = Some(publisher),
                Err(why) => self.lose(&why.to_string()),
            }
        }
        self.publisher.as_mut()
    }

    /// Publishes, if that was not done yet.
    pub fn prepare(&mut self) {
        self.publisher();
    }

    /// A slot that may be written. Without one the frame is lost, which is counted.
    pub fn take(&mut self) -> Option<Granted> {
        let taken = self.find(GRANT_TIME);
        if taken.is_none() {
            self.miss();
        }
        taken
    }

    /// A slot for a decoder, which may look at it for long. None if it would hold too many: those it holds are in hand
    /// when they are granted again, and there must be others for copies of what it decodes elsewhere.
    pub fn lend(&mut self) -> Option<Granted> {
        let held = self.held.iter().filter(|weak| weak.strong_count() > 0);
        if held.count() >= LENT_MAX {
            return None;
        }
        self.find(GRANT_TIME)
    }

    fn find(&mut self, longest: Duration) -> Option<Granted> {
        let held = std::mem::take(&mut self.held);
        let is_free = |granted: &Granted| {
            let weak = held.get(granted.index());
            weak.is_none_or(|weak| weak.strong_count() == 0)
        };
        let mut found = None;
        if let Some(place) = self.aside.iter().position(is_free) {
            found = Some(self.aside.swap_remove(place));
        }
        while found.is_none() {
            let Some(publisher) = self.publisher() else {
                break;
            };
            match publisher.take(longest) {
                Ok(Some(granted)) if is_free(&granted) => found = Some(granted),
                Ok(Some(granted)) => self.aside.push(granted),
                Ok(None) => break,
                // It is counted by the broker, and the slot is granted again.
                Err(Error::Rejected(why)) => {
                    self.teller.trouble(Some(&self.stream), why.to_string())
                }
                Err(_) => {
                    self.publisher = None;
                    self.aside.clear();
                    break;
                }
            }
        }
        self.held = held;
        found
    }

    /// A frame was lost that had no slot.
    pub fn miss(&mut self) {
        self.dropped += 1;
        self.gap = true;
    }

    /// Nothing became of a packet, unless its frame is out already.
    pub fn miss_packet(&mut self, number: u64) {
        if self.packet != number {
            self.miss();
        }
    }

    /// The bytes of a slot in hand.
    pub fn bytes(&mut self, granted: &mut Granted) -> &mut [u8] {
        match &mut self.publisher {
            Some(publisher) => publisher.bytes_mut(granted),
            None => &mut [],
        }
    }

    /// A slot in hand as a place for a decoder, which holds it as long as it looks at it.
    pub fn target(&mut self, granted: &Granted, planes: Planes) -> Option<Target> {
        let (target, held) = Held::target(self.publisher.as_ref()?, granted, planes)?;
        let index = granted.index();
        if self.held.len() <= index {
            self.held.resize_with(index + 1, Weak::new);
        }
        *self.held.get_mut(index)? = held;
        Some(target)
    }

    /// Puts a slot back that was not filled.
    pub fn give_back(&mut self, granted: Granted) {
        self.aside.push(granted);
    }

    /// Publishes a slot.
    pub fn submit(&mut self, granted: Granted, said: &Said) {
        let Some(mut slot) = self.publisher.as_mut().and_then(|held| held.fill(granted)) else {
            return;
        };
        slot.captured_ns(said.captured_ns);
        slot.source_clock(clock::HOLOLENS, said.ticks.0);
        slot.source_sequence(said.number);
        if let Some(used) = said.used {
            slot.used_bytes(used);
        }
        let mut marks = 0;
        for (is_so, mark) in [
            (said.is_damaged, flags::BROKEN),
            (said.is_key, flags::KEY),
            (std::mem::take(&mut self.gap), flags::GAP),
        ] {
            marks |= if is_so { mark } else { 0 };
        }
        slot.flags(marks);
        let pose = said.pose.filter(Pose::is_located);
        let mut side: Vec<SideData> = pose
            .map(|pose| SideData::Pose(pose.0))
            .into_iter()
            .collect();
        side.extend(said.side.iter().cloned());
        slot.side_data(&side);
        match slot.submit() {
            Ok(()) => {
                self.newest = Instant::now();
                self.packet = said.number;
                if self.why_lost.take().is_some() {
                    self.teller.live(&self.stream);
                }
            }
            Err(why) => self.teller.trouble(Some(&self.stream), why.to_string()),
        }
    }
}
