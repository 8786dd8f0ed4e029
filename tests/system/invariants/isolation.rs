//! isolation: no consumer makes another miss a frame, whatever happens to it.
//!
//! Owns ten consumers, of which three are stopped and three killed while they hold frames.

use super::{assert_complete, bars, take};
use streamem_tests::{Broker, Consumer, eventually};

#[test]
fn isolation() {
    let broker = Broker::with_config(&bars("size=160x120&rate=50"));
    let options = ["mode=every", "depth=100", "leases=4", "check=bars"];
    let mut all: Vec<Consumer> = (0..10)
        .map(|_| Consumer::start(&broker.socket(), "cam", &options))
        .collect();
    let (unlucky, fine) = all.split_at_mut(6);
    let (stopped, killed) = unlucky.split_at_mut(3);
    for reader in stopped.iter_mut().chain(killed.iter_mut()) {
        for _ in 0..2 {
            reader.tell("hold");
            reader.expect("holding");
        }
    }
    stopped.iter().for_each(Consumer::stop);
    killed.iter_mut().for_each(Consumer::kill9);
    eventually("the broker has cleared up after the killed", || {
        (broker.stream("cam")["subscriptions"] == 7).then_some(())
    });

    for reader in fine.iter_mut() {
        let report = take(reader, 150);
        assert_complete(&report);
    }
    let stream = broker.stream("cam");
    assert_eq!(
        stream["counters"]["dropped_no_slot"], 0,
        "the source was held up: {stream}"
    );

    for reader in stopped {
        reader.resume();
        reader.tell("release");
        let released = reader.expect("released");
        assert_eq!(released["count"], 2, "{released}");
        assert_eq!(
            released["changed"], 0,
            "what a stopped reader held was overwritten"
        );
        take(reader, 5);
    }
}
