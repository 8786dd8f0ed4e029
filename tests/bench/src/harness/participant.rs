//! What a participant does, the same for every peer: the producer's loop and the consumer's loop.
//!
//! It owns all measuring inside a process and writes it to the participant's desk. It never talks to the harness
//! in any other way.

use crate::clock::{Metronome, now_ns, sleep};
use crate::harness::ledger::{Desk, Ledger, Phase};
use crate::harness::picture::{self, Painter, Stamp};
use crate::peer::{Check, Consumer, Held, Producer};
use std::io;
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_millis(200);
/// The napper sleeps this long, every so many frames.
const NAP: Duration = Duration::from_secs(1);
const NAP_EVERY: u64 = 45;

/// Publishes at the rate of the ledger until it says stop.
pub fn produce(ledger: &Ledger, mut producer: Box<dyn Producer>) -> io::Result<()> {
    let desk = ledger.producer();
    let mut painter = Painter::new()?;
    desk.ready.store(1, Release);
    producer.admit()?;
    while ledger.phase() == Phase::Attach {
        sleep(Duration::from_millis(1));
    }
    let rate = u32::try_from(ledger.rate.load(Relaxed)).map_err(io::Error::other)?;
    let mut metronome = Metronome::new(rate);
    let mut sequence = 1;
    loop {
        if rate > 0 {
            metronome.tick();
        }
        let phase = ledger.phase();
        if phase == Phase::Stop {
            return Ok(());
        }
        let measuring = phase == Phase::Measure;
        let mut published_ns = 0;
        let published = producer.publish(&mut |frame| {
            painter.fill(frame, sequence);
            published_ns = now_ns();
            picture::stamp(
                frame,
                Stamp {
                    sequence,
                    published_ns,
                },
            );
        })?;
        if !published {
            desk.lost.fetch_add(u64::from(measuring), Relaxed);
            std::thread::yield_now();
            continue;
        }
        if measuring {
            desk.first.push(now_ns() - published_ns);
            desk.frames.fetch_add(1, Relaxed);
        }
        sequence += 1;
    }
}

/// Receives until the ledger says stop. `desk_number` counts from 1.
pub fn consume(
    ledger: &Ledger,
    desk_number: usize,
    mut consumer: Box<dyn Consumer>,
) -> io::Result<()> {
    let desk = &ledger.desks[desk_number];
    let mut watch = Watch {
        desk,
        check: (ledger.verify.load(Relaxed) == 1)
            .then(|| consumer.check())
            .transpose()?,
        napper: ledger.napper.load(Relaxed) == desk_number as u64,
        previous: None,
        first_ns: 0,
        first_sequence: 0,
    };
    desk.ready.store(1, Release);
    while ledger.phase() != Phase::Stop {
        consumer.next(TIMEOUT, &mut |held| {
            let now = now_ns();
            if ledger.phase() == Phase::Measure {
                watch.note(held, now);
            }
        })?;
    }
    Ok(())
}

/// What a consumer remembers between two frames.
struct Watch<'a> {
    desk: &'a Desk,
    check: Option<Check>,
    napper: bool,
    previous: Option<(u64, u64)>,
    first_ns: u64,
    first_sequence: u64,
}

impl Watch<'_> {
    fn note(&mut self, held: &Held<'_>, now: u64) {
        let desk = self.desk;
        desk.first.push(now.saturating_sub(held.published_ns));
        if let Some(awake_ns) = held.awake_ns {
            desk.second.push(now.saturating_sub(awake_ns));
        }
        match self.previous {
            None => (self.first_ns, self.first_sequence) = (now, held.sequence),
            Some((sequence, at_ns)) => {
                desk.lost
                    .fetch_add(held.sequence.saturating_sub(sequence + 1), Relaxed);
                desk.gap_ns.fetch_max(now - at_ns, Relaxed);
            }
        }
        desk.span_ns.store(now - self.first_ns, Relaxed);
        desk.passed
            .store(held.sequence.saturating_sub(self.first_sequence), Relaxed);
        self.previous = Some((held.sequence, now));
        let frames = desk.frames.fetch_add(1, Relaxed) + 1;
        if let Some(is_whole) = &mut self.check {
            let whole = is_whole(held);
            desk.torn.fetch_add(u64::from(!whole), Relaxed);
            if self.napper && whole && frames % NAP_EVERY == NAP_EVERY / 2 {
                sleep(NAP);
                desk.naps.fetch_add(1, Relaxed);
                desk.changed.fetch_add(u64::from(!is_whole(held)), Relaxed);
            }
        }
    }
}
