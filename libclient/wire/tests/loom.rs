//! The lease protocol under loom: every interleaving, and every stale value the memory model allows.
//!
//! Owns the model of a slot's bytes and of the kernel's futex; never copies the protocol itself,
//! except in the controls, which break it on purpose to show that the model would notice.
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test -p streamem-wire --test loom --release`.
#![cfg(loom)]

use loom::sync::atomic::AtomicU64;
use loom::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use loom::sync::{Condvar, Mutex};
use std::sync::Arc;
use streamem_wire::lease::{self, Refused, Stamp};
use streamem_wire::{
    Generation, LEASE_PAGE_WORDS, LeasePage, Newest, Ring, RingShape, Sequence, Slot, lease_word,
    page, record,
};

#[path = "loom/submission.rs"]
mod submission;

const GENERATION: Generation = Generation(7);

fn words(count: usize) -> Vec<AtomicU64> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

fn frame(sequence: u64, slot: u16) -> Newest {
    Newest {
        sequence: Sequence(sequence),
        slot: Slot(slot),
    }
}

/// A ring with two slots, the bytes of those slots (a word each: the frame it was filled for), and
/// a lease page for each reader.
struct World {
    shape: RingShape,
    ring: Vec<AtomicU64>,
    slots: Vec<AtomicU64>,
    pages: Vec<Vec<AtomicU64>>,
}

impl World {
    /// With frame 1 in slot 0 and frame 2, the newest, in slot 1.
    fn with_two_frames(readers: usize) -> Arc<World> {
        let world = World::empty(readers);
        world.fill_and_publish(frame(1, 0));
        world.fill_and_publish(frame(2, 1));
        Arc::new(world)
    }

    fn empty(readers: usize) -> World {
        let shape = RingShape::new(GENERATION, 2, 64, 0);
        World {
            shape,
            ring: words(shape.words()),
            slots: words(2),
            pages: (0..readers).map(|_| words(LEASE_PAGE_WORDS)).collect(),
        }
    }

    fn ring(&self) -> Ring<'_> {
        Ring::new(&self.ring, self.shape).unwrap()
    }

    fn page(&self, reader: usize) -> LeasePage<'_> {
        LeasePage::new(&self.pages[reader], 1).unwrap()
    }

    fn lease_place(&self, reader: usize) -> &AtomicU64 {
        &self.page(reader).leases()[0]
    }

    fn fill_and_publish(&self, frame: Newest) {
        self.slots[frame.slot.index()].store(frame.sequence.0, Relaxed);
        lease::publish(&self.ring(), frame, &Stamp::default(), &[]);
    }

    fn somebody_holds(&self, slot: Slot) -> bool {
        (0..self.pages.len()).any(|reader| lease::holds(&self.page(reader), GENERATION, slot))
    }

    /// Writer: makes `frame` the newest unless its slot is leased.
    fn write(&self, frame: Newest) -> bool {
        let is_ours = lease::reclaim(&self.ring(), frame.slot, || self.somebody_holds(frame.slot));
        if is_ours {
            self.fill_and_publish(frame);
        }
        is_ours
    }

    /// Reader, lease held: the bytes are those of the frame, at the first and at the last look.
    fn assert_unchanged(&self, held: Newest) {
        let bytes = &self.slots[held.slot.index()];
        assert_eq!(
            bytes.load(Relaxed),
            held.sequence.0,
            "bytes of another frame"
        );
        assert_eq!(
            bytes.load(Relaxed),
            held.sequence.0,
            "bytes changed while leased"
        );
    }

    /// Reader: leases `wanted` by the means given, looks at it, releases it.
    fn read(&self, reader: usize, wanted: Newest, lease: LeaseFn) -> Result<(), Refused> {
        let place = self.lease_place(reader);
        lease(&self.ring(), place, wanted)?;
        self.assert_unchanged(wanted);
        lease::release(place);
        Ok(())
    }
}

type LeaseFn = fn(&Ring<'_>, &AtomicU64, Newest) -> Result<(), Refused>;
type WriteFn = fn(&World, Newest) -> bool;

fn one_reader_one_writer(lease: LeaseFn, write: WriteFn) {
    loom::model(move || {
        let world = World::with_two_frames(1);
        let reader = {
            let world = Arc::clone(&world);
            loom::thread::spawn(move || world.read(0, frame(1, 0), lease))
        };
        write(&world, frame(3, 0));
        let _ = reader.join().unwrap();
    });
}

#[test]
fn leased_bytes_never_change() {
    one_reader_one_writer(lease::lease, World::write);
}

#[test]
fn leased_bytes_never_change_while_the_writer_goes_round() {
    loom::model(|| {
        let world = World::with_two_frames(1);
        let reader = {
            let world = Arc::clone(&world);
            loom::thread::spawn(move || {
                let newest = lease::newest(&world.ring()).expect("there are frames");
                let _ = world.read(0, newest, lease::lease);
            })
        };
        assert!(
            world.write(frame(3, 0)) || world.write(frame(3, 1)),
            "one lease, two slots"
        );
        world.write(frame(4, 1));
        reader.join().unwrap();
    });
}

#[test]
fn leased_bytes_never_change_for_either_of_two_readers() {
    loom::model(|| {
        let world = World::with_two_frames(2);
        let readers: Vec<_> = (0..2)
            .map(|reader| {
                let world = Arc::clone(&world);
                loom::thread::spawn(move || {
                    let _ = world.read(reader, frame(1, 0), lease::lease);
                })
            })
            .collect();
        world.write(frame(3, 0));
        readers
            .into_iter()
            .for_each(|reader| reader.join().unwrap());
    });
}

#[test]
fn a_frame_found_leased_is_put_back_and_stays_readable() {
    loom::model(|| {
        let world = World::with_two_frames(2);
        let held = frame(1, 0);
        lease::lease(&world.ring(), world.lease_place(0), held).expect("nobody writes yet");
        let other = {
            let world = Arc::clone(&world);
            loom::thread::spawn(move || {
                let _ = world.read(1, held, lease::lease);
            })
        };
        assert!(
            !world.write(frame(3, 0)),
            "a leased slot was given to the writer"
        );
        world.assert_unchanged(held);
        other.join().unwrap();
        assert_eq!(
            world.read(1, held, lease::lease),
            Ok(()),
            "the frame was not put back"
        );
    });
}

#[test]
fn a_refused_reader_leaves_no_lease_behind() {
    loom::model(|| {
        let world = World::with_two_frames(1);
        let reader = {
            let world = Arc::clone(&world);
            loom::thread::spawn(move || {
                let _ = world.read(0, frame(1, 0), lease::lease);
            })
        };
        world.write(frame(3, 0));
        reader.join().unwrap();
        assert!(world.write(frame(4, 0)), "a lease was left behind");
    });
}

/// The kernel's futex: compares and goes to sleep under one lock, which the waker takes too.
#[derive(Default)]
struct Futex {
    lock: Mutex<()>,
    sleepers: Condvar,
}

impl Futex {
    fn wait(&self, word: &AtomicU64, expected: u32) {
        let guard = self.lock.lock().unwrap();
        if word.load(Relaxed) == u64::from(expected) {
            drop(self.sleepers.wait(guard).unwrap());
        }
    }

    fn wake(&self) {
        let _guard = self.lock.lock().unwrap();
        self.sleepers.notify_all();
    }
}

fn publish_meets_wait(before_wake: fn(), announce: fn(&LeasePage<'_>) -> u32) {
    loom::model(move || {
        let world = Arc::new(World::empty(1));
        let futex = Arc::new(Futex::default());
        let reader = {
            let (world, futex) = (Arc::clone(&world), Arc::clone(&futex));
            loom::thread::spawn(move || {
                let page = world.page(0);
                while lease::newest(&world.ring()).is_none() {
                    let expected = announce(&page);
                    if lease::newest(&world.ring()).is_none() {
                        futex.wait(page.word(page::WAKE), expected);
                    }
                    lease::end_wait(&page);
                }
            })
        };
        world.fill_and_publish(frame(1, 0));
        before_wake();
        if lease::must_wake(&world.page(0)) {
            futex.wake();
        }
        reader.join().unwrap();
    });
}

#[test]
fn no_wake_up_is_lost() {
    publish_meets_wait(lease::before_wake, lease::announce_wait);
}

fn lease_without_fence(ring: &Ring<'_>, place: &AtomicU64, wanted: Newest) -> Result<(), Refused> {
    let record = ring.record(wanted.slot).ok_or(Refused::NoSuchSlot)?;
    place.store(lease_word(ring.shape().generation, wanted.slot), Relaxed);
    if record[record::SEQUENCE].load(Acquire) == wanted.sequence.0 {
        return Ok(());
    }
    place.store(0, Release);
    Err(Refused::Stale)
}

fn lease_without_second_look(
    ring: &Ring<'_>,
    place: &AtomicU64,
    wanted: Newest,
) -> Result<(), Refused> {
    place.store(lease_word(ring.shape().generation, wanted.slot), Relaxed);
    loom::sync::atomic::fence(SeqCst);
    Ok(())
}

fn write_without_fence(world: &World, frame: Newest) -> bool {
    let ring = world.ring();
    let record = ring.record(frame.slot).expect("there are two slots");
    record[record::SEQUENCE].store(0, Relaxed);
    let is_ours = !world.somebody_holds(frame.slot);
    if is_ours {
        world.fill_and_publish(frame);
    }
    is_ours
}

fn announce_without_fence(lease_page: &LeasePage<'_>) -> u32 {
    lease_page.word(page::WAITING).store(1, Relaxed);
    u32::try_from(lease_page.word(page::WAKE).load(Relaxed)).unwrap()
}

#[test]
#[should_panic = "bytes"]
fn control_without_the_readers_fence_the_model_sees_bytes_change() {
    one_reader_one_writer(lease_without_fence, World::write);
}

#[test]
#[should_panic = "bytes"]
fn control_without_the_writers_fence_the_model_sees_bytes_change() {
    one_reader_one_writer(lease::lease, write_without_fence);
}

#[test]
#[should_panic = "bytes"]
fn control_without_the_second_look_the_model_sees_bytes_change() {
    one_reader_one_writer(lease_without_second_look, World::write);
}

#[test]
#[should_panic = "deadlock"]
fn control_without_the_writers_fence_the_model_sees_a_lost_wake_up() {
    publish_meets_wait(|| (), lease::announce_wait);
}

#[test]
#[should_panic = "deadlock"]
fn control_without_the_waiters_fence_the_model_sees_a_lost_wake_up() {
    publish_meets_wait(lease::before_wake, announce_without_fence);
}
