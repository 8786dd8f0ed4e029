//! The two references: the smallest ring, woken by one futex for all or by one eventfd for each.
//!
//! They own nothing a product needs (rights, reconnection, generations, timeouts of a wait): they are the floor that
//! the others are divided by.

use crate::clock::now_ns;
use crate::peer::handover::{Handover, take};
use crate::peer::ring::Ring;
use crate::peer::{Consumer, Held, Peer, Producer, Stage};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;
use rustix::thread::futex;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering::{Acquire, SeqCst};
use std::time::Duration;

/// How the consumers are woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference {
    /// Reference 1: one broadcast `FUTEX_WAKE`.
    Futex,
    /// Reference 2: one `write` to an eventfd per consumer.
    Eventfds,
}

impl Peer for Reference {
    fn name(&self) -> &'static str {
        match self {
            Self::Futex => "futex",
            Self::Eventfds => "eventfds",
        }
    }

    fn about(&self) -> &'static str {
        match self {
            Self::Futex => "Reference: ring, one futex for all",
            Self::Eventfds => "Reference: ring, an eventfd for each",
        }
    }

    fn bears_hundred(&self) -> bool {
        true
    }

    fn producer(&self, stage: &Stage) -> io::Result<Box<dyn Producer>> {
        Ok(Box::new(RingProducer {
            ring: Ring::create()?,
            admission: Some((Handover::open(&stage.folder)?, stage.consumers)),
            eventfds: (*self == Self::Eventfds).then(Vec::new),
            sequence: 0,
        }))
    }

    fn consumer(&self, stage: &Stage) -> io::Result<Box<dyn Consumer>> {
        let expected = 2 + usize::from(*self == Self::Eventfds);
        let mut descriptors = take(&stage.folder, expected)?.into_iter();
        let (Some(control), Some(pixels)) = (descriptors.next(), descriptors.next()) else {
            return Err(io::Error::other("another number of descriptors"));
        };
        Ok(Box::new(RingConsumer {
            ring: Ring::join(control, pixels)?,
            eventfd: descriptors.next(),
            index: stage.index,
            seen: 0,
        }))
    }
}

struct RingProducer {
    ring: Ring,
    /// Consumers are let in before the first frame, so that nobody connects while it is measured.
    admission: Option<(Handover, usize)>,
    eventfds: Option<Vec<OwnedFd>>,
    sequence: u64,
}

impl RingProducer {
    fn wake(&self) -> io::Result<()> {
        match &self.eventfds {
            None => {
                futex::wake(
                    &self.ring.control().word,
                    futex::Flags::empty(),
                    i32::MAX.cast_unsigned(),
                )?;
            }
            Some(eventfds) => {
                for eventfd in eventfds {
                    rustix::io::write(eventfd, &1_u64.to_ne_bytes())?;
                }
            }
        }
        Ok(())
    }
}

impl Producer for RingProducer {
    fn admit(&mut self) -> io::Result<()> {
        let Some((handover, consumers)) = self.admission.take() else {
            return Ok(());
        };
        for _ in 0..consumers {
            let mut descriptors = self.ring.descriptors().to_vec();
            if let Some(eventfds) = &mut self.eventfds {
                let fresh = eventfd(0, EventfdFlags::CLOEXEC)?;
                eventfds.push(fresh);
                descriptors.extend(eventfds.last().map(AsFd::as_fd));
            }
            handover.give(&descriptors)?;
        }
        Ok(())
    }

    fn publish(&mut self, fill: &mut dyn FnMut(&mut [u8])) -> io::Result<bool> {
        let Some(slot) = self.ring.claim() else {
            return Ok(false);
        };
        fill(self.ring.slot_mut(slot));
        self.sequence += 1;
        self.ring.publish(slot, self.sequence);
        self.wake()?;
        Ok(true)
    }
}

impl Drop for RingProducer {
    fn drop(&mut self) {
        // Waits have no timeout here: the last wake lets consumers see that the run is over.
        self.ring.control().word.fetch_add(1, SeqCst);
        let _ = self.wake();
    }
}

struct RingConsumer {
    ring: Ring,
    eventfd: Option<OwnedFd>,
    index: usize,
    seen: u64,
}

impl Consumer for RingConsumer {
    fn next(&mut self, _timeout: Duration, look: &mut dyn FnMut(&Held<'_>)) -> io::Result<()> {
        let word = self.ring.control().word.load(Acquire);
        if let Some(sequence) = self.ring.take(self.index, self.seen, now_ns(), look) {
            self.seen = sequence;
            return Ok(());
        }
        let woken = match &self.eventfd {
            None => futex::wait(&self.ring.control().word, futex::Flags::empty(), word, None),
            Some(eventfd) => rustix::io::read(eventfd, &mut [0; 8]).map(|_| ()),
        };
        match woken {
            Ok(()) | Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(sequence) = self.ring.take(self.index, self.seen, now_ns(), look) {
            self.seen = sequence;
        }
        Ok(())
    }
}
