//! When a decoder that failed is forgiven, and where the next one goes on.
//!
//! Owns a parent and a stream decoded from it for each test; what is decoded is no picture.

use super::super::STAYED_UP_NS;
use super::*;
use crate::access::Access;
use crate::config::{PoolConfig, StreamConfig};
use crate::pool::{Memfd, Protection};
use crate::source::Filled;
use crate::stream::{Frame, Terms};
use streamem_wire::message::Mode;
use streamem_wire::{Generation, StreamName, SubscriptionId};

const TERMS: Terms = Terms {
    mode: Mode::Latest,
    depth: 1,
    leases: 1,
};

fn stream(name: &str, source: &str, layout: Layout) -> Stream {
    let name = StreamName::new(name).unwrap();
    let pool = PoolConfig {
        slots_max: 8,
        ..PoolConfig::default()
    };
    let (generation, protection) = (Generation(1), Protection::Sealed);
    let memory = StreamMemory::make(&Memfd, &name, &layout, &pool, generation, protection).unwrap();
    let config = StreamConfig::of(source.parse().unwrap());
    Stream::new(name, config, Access::default(), layout, memory, &pool)
}

fn family() -> (Stream, Stream) {
    let jpeg = Layout::packet(Format::Mjpeg, 16, 16, 30.0, 4096).unwrap();
    let picture = Layout::video(Format::Bgr24, 16, 16, 30.0).unwrap();
    (
        stream("cam", "publish://?format=mjpeg&size=16x16", jpeg),
        stream("picture", "decode://cam", picture),
    )
}

fn decode(of: &mut Stream, parent: &Stream, reports: &Reports) {
    let wish = of.decodes().unwrap();
    let parent = parent.as_parent(&wish).unwrap();
    let seat = Seat::ours(&Memfd, SubscriptionId(1), TERMS).unwrap();
    of.decode(&wish, &parent, seat, 7, reports).unwrap();
}

/// Waits until the decoder has lost so many frames.
fn has_lost(of: &Stream, frames: u64) -> bool {
    let until_ns = monotonic_ns() + 20_000_000_000;
    while of.figures().counters.dropped_by_source < frames && monotonic_ns() < until_ns {
        std::thread::yield_now();
    }
    of.figures().counters.dropped_by_source == frames
}

fn put_garbage(into: &Stream) {
    let seats = {
        let mut core = lock(&into.core);
        core.begin(1, ONE_IN_HAND);
        let claimed = core.claim(1).unwrap();
        let filled = Filled {
            used_bytes: 5,
            source_clock: 0,
            clock_domain: 0,
            flags: 0,
        };
        let frame = Frame {
            claimed,
            filled,
            number: 1,
            captured_ns: 1,
            by_source: 0,
        };
        core.publish(1, &frame, &[]).unwrap()
    };
    seats.wake();
}

fn rest(of: &mut Stream) {
    of.rest();
    while of.is_being_left() {
        std::thread::yield_now();
    }
}

#[test]
fn one_that_was_decoded_for_long_is_forgiven() {
    let reports = Reports::new().unwrap();
    let (parent, mut picture) = family();
    picture.losses = 4;
    decode(&mut picture, &parent, &reports);
    let since_ns = picture.attached_ns.expect("it is known since when");
    picture.attached_ns = Some(since_ns - 2 * STAYED_UP_NS);
    picture.lose("it failed".to_owned());
    assert_eq!(picture.losses, 1);
}

#[test]
fn the_next_decoder_goes_on_where_the_one_before_it_was() {
    let reports = Reports::new().unwrap();
    let (parent, mut picture) = family();
    put_garbage(&parent);
    decode(&mut picture, &parent, &reports);
    assert!(has_lost(&picture, 1));
    // Somebody still reads it, so nothing is withdrawn.
    picture.decoding.has_pictures = false;
    rest(&mut picture);
    put_garbage(&parent);
    put_garbage(&parent);
    decode(&mut picture, &parent, &reports);
    // Only one that goes on after the first knows that there was one between.
    assert!(has_lost(&picture, 3));
    rest(&mut picture);
    // For who comes now everything is new.
    picture.decoding.has_pictures = true;
    picture.rest();
    decode(&mut picture, &parent, &reports);
    assert!(has_lost(&picture, 4));
}
