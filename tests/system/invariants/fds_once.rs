//! fds_once: descriptors cross the socket once; a frame costs no message.
//!
//! Owns the count on the reader's side and the look into its socket; never counts time.

use super::{bars, take};
use serde_json::json;
use streamem_tests::strace::Strace;
use streamem_tests::{Answer, Broker, Consumer, eventually, proc};

#[test]
fn fds_once() {
    let broker = Broker::with_config(&bars("size=160x120&rate=100"));
    let mut silent = broker.connect();
    let grant = silent.subscribe("cam", 2);
    assert_eq!(grant.fds.len(), 3, "ring, pool and lease page: {grant:?}");
    let mut consumer = Consumer::start(&broker.socket(), "cam", &["mode=every", "depth=64"]);
    take(&mut consumer, 5);
    let before = [
        proc::descriptors(consumer.pid()),
        proc::descriptors(broker.pid()),
    ];

    let trace = Strace::attach(consumer.pid());
    let newest = || broker.stream("cam")["newest"].as_u64().expect("a number");
    let first = newest();
    streamem_tests::eventually("100 frames have passed", || {
        (newest() >= first + 100).then_some(())
    });
    let counts = trace.detach();

    let report = take(&mut consumer, 1);
    assert!(report["frames"].as_u64() >= Some(100), "{report}");
    assert!(
        counts.of("futex") > 0,
        "the reader was not traced at all: {counts:?}"
    );
    assert_eq!(counts.messages(), 0, "a frame cost a message: {counts:?}");
    assert!(
        !silent.has_unread(),
        "the broker sent a message that nobody asked for"
    );
    let after = [
        proc::descriptors(consumer.pid()),
        proc::descriptors(broker.pid()),
    ];
    assert_eq!(before[0], after[0], "the reader's descriptors");
    assert_eq!(
        before[1].len(),
        after[1].len(),
        "the broker's: {before:?} {after:?}"
    );
}

#[test]
fn fds_once_for_each_generation_however_often_they_are_asked_for() {
    let broker = Broker::with_config(&bars("size=160x120&rate=100"));
    let mut wire = broker.connect();
    let grant = wire.subscribe("cam", 2);
    let renew = json!({"subscription": grant.parameters["subscription"]});
    let assert_brings = |answer: Answer, count: usize| {
        assert!(answer.error.is_none(), "{answer:?}");
        assert_eq!(answer.fds.len(), count, "{answer:?}");
        for role in ["ring", "pool"] {
            assert_eq!(answer.parameters[role].is_u64(), count > 0, "{answer:?}");
        }
    };
    assert_brings(wire.call("Renew", renew.clone()), 0);
    for size in ["320x240", "160x120"] {
        let before = broker.stream("cam")["generation"].clone();
        broker.rewrite_config(&bars(&format!("size={size}&rate=100")));
        broker.hangup();
        eventually("the memory is renewed", || {
            (broker.stream("cam")["generation"] != before).then_some(())
        });
        assert_brings(wire.call("Renew", renew.clone()), 2);
        assert_brings(wire.call("Renew", renew.clone()), 0);
    }
}
