//! Which frame comes next, and how many were lost before it.
//!
//! Owns the place in the stream that a reader has come to; never waits and never holds a frame.

use crate::error::{Error, Fault};
use std::sync::atomic::Ordering::Acquire;
use streamem_wire::message::Mode;
use streamem_wire::{Newest, Ring, Sequence, lease, record};

/// How often a reader that was overtaken looks again before it says that there is nothing.
const ROUNDS: usize = 8;

/// The place a reader has come to.
#[derive(Debug)]
pub(crate) struct Cursor {
    mode: Mode,
    seen: Option<Sequence>,
}

/// A frame that was leased, and how many were lost before it.
#[derive(Debug)]
pub(crate) struct Taken<L> {
    pub(crate) lease: L,
    pub(crate) found: Newest,
    pub(crate) missed: u64,
}

impl Cursor {
    /// A reader that begins now: with the newest frame there is, else with the one after `newest`,
    /// which is what the broker said when it granted the subscription.
    pub(crate) fn beginning(mode: Mode, ring: &Ring<'_>, newest: Sequence) -> Cursor {
        let before = match lease::newest(ring) {
            Some(found) => Sequence(found.sequence.0 - 1),
            None => newest,
        };
        let seen = (mode == Mode::Every).then_some(before);
        Cursor { mode, seen }
    }

    /// Whether this frame is one the reader has not come to yet.
    pub(crate) fn is_ahead(&self, sequence: Sequence) -> bool {
        self.seen.is_none_or(|seen| sequence > seen)
    }

    /// Takes the next frame, if there is one. `lease` is to lease the frame it is given, or to say
    /// with `None` that the writer was faster.
    pub(crate) fn take<L>(
        &mut self,
        ring: &Ring<'_>,
        mut lease: impl FnMut(Newest) -> Result<Option<L>, Error>,
    ) -> Result<Option<Taken<L>>, Error> {
        for _ in 0..ROUNDS {
            let newest = match lease::newest(ring) {
                Some(newest) if self.is_ahead(newest.sequence) => newest,
                _ => return Ok(None),
            };
            let taken = match (self.mode, self.seen) {
                (Mode::Every, Some(seen)) => oldest_after(ring, seen, newest, &mut lease)?,
                _ => lease(newest)?.map(|lease| (newest, lease)),
            };
            if let Some((found, lease)) = taken {
                let missed = self.pass(found.sequence);
                return Ok(Some(Taken {
                    lease,
                    found,
                    missed,
                }));
            }
        }
        Ok(None)
    }

    /// Takes the newest frame, come to already or not; only a reader of the newest moves on with it.
    pub(crate) fn take_newest<L>(
        &mut self,
        ring: &Ring<'_>,
        mut lease: impl FnMut(Newest) -> Result<Option<L>, Error>,
    ) -> Result<Option<Taken<L>>, Error> {
        for _ in 0..ROUNDS {
            let Some(found) = lease::newest(ring) else {
                return Ok(None);
            };
            if let Some(lease) = lease(found)? {
                let moves = self.mode == Mode::Latest && self.is_ahead(found.sequence);
                let missed = if moves { self.pass(found.sequence) } else { 0 };
                return Ok(Some(Taken {
                    lease,
                    found,
                    missed,
                }));
            }
        }
        Ok(None)
    }

    fn pass(&mut self, sequence: Sequence) -> u64 {
        let before = self.seen.replace(sequence);
        before.map_or(0, |before| sequence.since(before).saturating_sub(1))
    }
}

/// Leases the oldest frame after `seen` that is still to be had, up to `newest`.
fn oldest_after<L>(
    ring: &Ring<'_>,
    seen: Sequence,
    newest: Newest,
    lease: &mut impl FnMut(Newest) -> Result<Option<L>, Error>,
) -> Result<Option<(Newest, L)>, Error> {
    let remembered = newest
        .sequence
        .0
        .saturating_sub(ring.shape().history as u64);
    for sequence in seen.0.max(remembered)..newest.sequence.0 {
        let Some(found) = available(ring, Sequence(sequence).next())? else {
            continue;
        };
        if let Some(lease) = lease(found)? {
            return Ok(Some((found, lease)));
        }
    }
    Ok(None)
}

/// Leases the newest `count` frames that follow each other without a gap, oldest first.
pub(crate) fn take_clip<L>(
    ring: &Ring<'_>,
    count: usize,
    mut lease: impl FnMut(Newest) -> Result<Option<L>, Error>,
) -> Result<Vec<(Newest, L)>, Error> {
    let Some(newest) = lease::newest(ring) else {
        return Ok(Vec::new());
    };
    let count = count.min(ring.shape().history) as u64;
    let mut clip = Vec::new();
    for sequence in newest.sequence.0.saturating_sub(count)..newest.sequence.0 {
        let leased = match available(ring, Sequence(sequence).next())? {
            Some(found) => lease(found)?.map(|lease| (found, lease)),
            None => None,
        };
        match leased {
            Some(leased) => clip.push(leased),
            None => clip.clear(),
        }
    }
    Ok(clip)
}

/// Where a frame is, if it is still there; spares the fence of a lease that would be refused.
fn available(ring: &Ring<'_>, sequence: Sequence) -> Result<Option<Newest>, Error> {
    let Some(found) = lease::find(ring, sequence) else {
        return Ok(None);
    };
    let record = ring.record(found.slot).ok_or(Fault::NoSuchSlot)?;
    Ok((record[record::SEQUENCE].load(Acquire) == sequence.0).then_some(found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::sync::atomic::AtomicU64;
    use streamem_wire::lease::{Stamp, publish};
    use streamem_wire::{Generation, RingShape, Slot};

    const SLOTS: u16 = 4;

    struct Stream {
        words: Vec<AtomicU64>,
        shape: RingShape,
        published: u64,
    }

    impl Stream {
        fn new() -> Stream {
            let shape = RingShape::new(Generation(1), usize::from(SLOTS), 8, 0);
            let words = (0..shape.words()).map(|_| AtomicU64::new(0)).collect();
            Stream {
                words,
                shape,
                published: 0,
            }
        }

        fn ring(&self) -> Ring<'_> {
            Ring::new(&self.words, self.shape).unwrap()
        }

        /// Into one slot after the other, as if nobody held any.
        fn publish(&mut self, count: u64) {
            for _ in 0..count {
                self.published += 1;
                let frame = Newest {
                    sequence: Sequence(self.published),
                    slot: Slot(u16::try_from(self.published % u64::from(SLOTS)).unwrap()),
                };
                publish(&self.ring(), frame, &Stamp::default(), &[]);
            }
        }

        fn cursor(&self, mode: Mode) -> Cursor {
            Cursor::beginning(mode, &self.ring(), Sequence::NONE)
        }

        fn next(&self, cursor: &mut Cursor) -> Option<(u64, u64)> {
            let taken = cursor.take(&self.ring(), |_| Ok(Some(()))).unwrap();
            taken.map(|taken| (taken.found.sequence.0, taken.missed))
        }
    }

    #[test]
    fn a_reader_of_an_empty_ring_goes_on_where_the_stream_was() {
        let mut stream = Stream::new();
        let mut cursor = Cursor::beginning(Mode::Every, &stream.ring(), Sequence(6));
        stream.published = 6;
        stream.publish(1);
        assert_eq!(stream.next(&mut cursor), Some((7, 0)));
    }

    #[test]
    fn a_refused_lease_leads_to_the_next_frame_and_counts_as_missed() {
        let mut stream = Stream::new();
        let mut cursor = stream.cursor(Mode::Every);
        stream.publish(3);
        let refuse_first = |wanted: Newest| Ok((wanted.sequence > Sequence(1)).then_some(()));
        let taken = cursor.take(&stream.ring(), refuse_first).unwrap().unwrap();
        assert_eq!((taken.found.sequence.0, taken.missed), (2, 1));
    }

    #[test]
    fn a_ring_that_always_refuses_is_given_up() {
        for mode in [Mode::Latest, Mode::Every] {
            let mut stream = Stream::new();
            let mut cursor = stream.cursor(mode);
            stream.publish(9);
            assert!(
                cursor
                    .take::<()>(&stream.ring(), |_| Ok(None))
                    .unwrap()
                    .is_none()
            );
            assert!(
                cursor
                    .take_newest::<()>(&stream.ring(), |_| Ok(None))
                    .unwrap()
                    .is_none()
            );
            let clip = take_clip::<()>(&stream.ring(), 3, |_| Ok(None)).unwrap();
            assert!(clip.is_empty());
            assert!(stream.next(&mut cursor).is_some(), "the place was kept");
        }
    }

    #[test]
    fn no_frame_is_passed_over_when_none_can_be_leased() {
        let mut stream = Stream::new();
        let mut cursor = stream.cursor(Mode::Every);
        stream.publish(2);
        let full = cursor.take::<()>(&stream.ring(), |_| {
            Err(Error::LeasesExhausted {
                held: 1,
                leases: 1,
                wanted: 1,
            })
        });
        assert!(full.is_err());
        assert_eq!(stream.next(&mut cursor), Some((1, 0)));
    }

    proptest! {
        /// Whatever the rhythm: what is taken and what is missed are all there was.
        #[test]
        fn taken_and_missed_are_all_there_was(steps in proptest::collection::vec((0u64..9, 0usize..5), 1..60)) {
            for mode in [Mode::Latest, Mode::Every] {
                let mut stream = Stream::new();
                let mut cursor = stream.cursor(mode);
                stream.publish(1);
                prop_assert_eq!(stream.next(&mut cursor), Some((1, 0)));
                let (mut last, mut missed, mut taken) = (1, 0, 1);
                for (published, looks) in &steps {
                    stream.publish(*published);
                    for _ in 0..*looks {
                        let Some((sequence, gap)) = stream.next(&mut cursor) else {
                            prop_assert_eq!(last, stream.published);
                            break;
                        };
                        prop_assert_eq!(sequence, last + gap + 1);
                        let kept = stream.published.saturating_sub(u64::from(SLOTS));
                        let due = if mode == Mode::Every { kept.max(last) + 1 } else { stream.published };
                        prop_assert_eq!(sequence, due);
                        (last, missed, taken) = (sequence, missed + gap, taken + 1);
                    }
                }
                prop_assert_eq!(taken + missed, last);
            }
        }

        #[test]
        fn any_ring_can_be_read(words in proptest::collection::btree_map(0usize..400, any::<u64>(), 0..200)) {
            let stream = Stream::new();
            let words: BTreeMap<usize, u64> = words;
            for (at, word) in words {
                if let Some(place) = stream.words.get(at) {
                    place.store(word, std::sync::atomic::Ordering::Relaxed);
                }
            }
            for mode in [Mode::Latest, Mode::Every] {
                let mut cursor = stream.cursor(mode);
                let bounded = |wanted: Newest| Ok((wanted.slot.0 < SLOTS).then_some(()));
                let _ = cursor.take(&stream.ring(), bounded);
                let _ = cursor.take_newest(&stream.ring(), bounded);
                if let Ok(clip) = take_clip(&stream.ring(), 100, bounded) {
                    prop_assert!(clip.windows(2).all(|pair| pair[0].0.sequence.next() == pair[1].0.sequence));
                }
            }
        }
    }
}
