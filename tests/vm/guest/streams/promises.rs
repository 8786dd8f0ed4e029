//! What is promised of every stream, with a camera.
//!
//! Owns readers that behave, and some that do not.

use crate::scene::{CAMERA, broker_with, is_live, lacks, next, subscribed};
use std::time::{Duration, Instant};
use streamem::{Subscription, flags};
use streamem_tests::{Consumer, eventually};

#[test]
fn a_reader_that_stands_still_costs_the_others_nothing() {
    let broker = broker_with(CAMERA);
    is_live(&broker);
    let options = ["mode=every", "depth=4", "leases=2"];
    let mut readers: Vec<Consumer> = (0..4)
        .map(|_| Consumer::start(&broker.socket(), "cam", &options))
        .collect();
    for reader in &mut readers {
        eventually("it reads", || (reader.count("frames") >= 5).then_some(()));
    }
    let still = readers.pop().expect("there are four");
    still.stop();
    for reader in &mut readers {
        let before = reader.report();
        eventually("it goes on", || {
            (reader.count("frames") >= before["frames"].as_u64()? + 40).then_some(())
        });
    }
    let dropped = broker.stream("cam")["counters"]["dropped_no_slot"].clone();
    still.resume();
    assert_eq!(dropped, 0, "the driver always had slots");
}

#[test]
fn where_the_driver_has_too_few_buffers_for_its_readers_frames_are_copied() {
    // On a kernel with udmabuf the pool is larger and fills up later.
    let readers = if lacks("udmabuf") { 6 } else { 12 };
    let broker = broker_with(CAMERA);
    let before = is_live(&broker);
    assert_eq!(before["copies"], 0, "{before}");
    let mut first = subscribed(&broker);
    let last = next(&mut first).sequence();
    let others: Vec<Subscription> = (0..readers).map(|_| subscribed(&broker)).collect();
    let after = eventually("it copies", || {
        let stream = broker.stream("cam");
        (stream["state"] == "live" && stream["copies"] == 1).then_some(stream)
    });
    assert!(
        after["filled"]
            .as_str()
            .is_some_and(|filled| filled.contains("too few")),
        "{after}"
    );
    for mut reader in others.into_iter().chain([first]) {
        assert!(next(&mut reader).sequence() >= last);
    }
}

#[test]
fn every_frame_of_half_a_minute_is_counted() {
    let broker = broker_with(CAMERA);
    is_live(&broker);
    let mut subscription = subscribed(&broker);
    let first = next(&mut subscription);
    let (first_sequence, first_number) = (first.sequence(), first.source_sequence());
    drop(first);
    let (begun, mut taken, mut missed, mut gaps) = (Instant::now(), 0, 0, 0);
    let (mut sequence, mut number) = (first_sequence, first_number);
    while begun.elapsed() < Duration::from_secs(30) {
        let frame = next(&mut subscription);
        assert_eq!(frame.sequence(), sequence + 1 + frame.missed());
        assert!(frame.source_sequence() > number);
        let is_next = frame.source_sequence() == number + 1;
        if frame.missed() == 0 {
            assert_eq!(
                frame.flags() & flags::GAP == 0,
                is_next,
                "frame {}",
                frame.sequence()
            );
            gaps += frame.source_sequence() - number - 1;
        }
        (sequence, number) = (frame.sequence(), frame.source_sequence());
        (taken, missed) = (taken + 1, missed + frame.missed());
    }
    assert_eq!(sequence - first_sequence, taken + missed);
    assert!(taken > 100, "{taken} frames in half a minute");
    let counters = broker.stream("cam")["counters"].clone();
    assert_eq!(counters["dropped_no_slot"], 0, "{counters}");
    let dropped = counters["dropped_by_source"].as_u64().expect("a number");
    assert!(dropped >= gaps, "{gaps} gaps were seen: {counters}");
    // What the driver counted is what was published and what it lost.
    assert!(
        number >= sequence && number - sequence <= dropped,
        "{number}, {sequence}: {counters}"
    );
}
