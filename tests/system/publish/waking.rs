//! Publisher and broker wake each other, and a frame costs the broker's loop nothing.
//!
//! Owns the look at how waits end; never measures how soon.

use super::{BARS, broker};
use std::sync::atomic::Ordering::Relaxed;
use streamem_sys::{Mapping, ReadOnly};
use streamem_tests::strace::{Counts, Strace};
use streamem_tests::{Broker, Consumer, eventually};
use streamem_wire::{Newest, header};

const FRAMES: u64 = 100;

/// What a process calls while so many frames of a stream pass.
fn traced(broker: &Broker, stream: &str, pid: u32) -> Counts {
    let mut wire = broker.connect();
    let grant = wire.subscribe(stream, 1);
    let ring = Mapping::new(grant.fd("ring"), 4096, ReadOnly).expect("a ring");
    let newest = || {
        let head = Newest::unpack(ring.words()[header::HEAD].load(Relaxed));
        head.map_or(0, |newest| newest.sequence.0)
    };
    eventually("frames come", || (newest() > 0).then_some(()));
    let trace = Strace::attach(pid);
    let first = newest();
    eventually("enough frames have passed", || {
        (newest() >= first + FRAMES).then_some(())
    });
    trace.detach()
}

/// It waited and did not have to be its own alarm clock.
fn assert_woken(counts: &Counts) {
    assert!(
        counts.of("futex") >= FRAMES / 2,
        "it was not traced: {counts:?}"
    );
    assert!(
        counts.timed_out() < 5,
        "it was left to time out: {counts:?}"
    );
}

#[test]
fn submissions_wake_the_broker_and_cost_its_loop_nothing() {
    let broker = broker();
    let _publisher = Consumer::start(&broker.socket(), "edges", &[BARS]);
    let counts = traced(&broker, "edges", broker.pid());
    assert_woken(&counts);
    assert!(
        counts.by_thread(broker.pid()) < FRAMES / 4,
        "the loop has a part in it: {counts:?}"
    );
    assert!(counts.messages() < 10, "frames cost messages: {counts:?}");
}

#[test]
fn grants_wake_a_publisher_that_has_nothing_in_hand() {
    let broker = broker();
    let as_fast_as_can_be = "publish=pattern://bars?size=160x120&rate=0";
    let options = [as_fast_as_can_be, "slots=1"];
    let publisher = Consumer::start(&broker.socket(), "edges", &options);
    let counts = traced(&broker, "edges", publisher.pid());
    assert_woken(&counts);
}
