//! A reader that waits is woken by each frame, and costs nothing while there is none.
//!
//! Owns the look at how its waits end; never measures how soon.

use super::{bars, take};
use streamem_tests::strace::Strace;
use streamem_tests::{Broker, Consumer, eventually};

#[test]
fn a_waiting_reader_is_woken_and_not_left_to_time_out() {
    let broker = Broker::with_config(&bars("size=160x120&rate=50"));
    let mut reader = Consumer::start(&broker.socket(), "cam", &["mode=every", "depth=100"]);
    take(&mut reader, 5);
    let newest = || broker.stream("cam")["newest"].as_u64().expect("a number");
    let trace = Strace::attach(reader.pid());
    let first = newest();
    eventually("100 frames have passed", || {
        (newest() >= first + 100).then_some(())
    });
    let counts = trace.detach();
    assert!(counts.of("futex") >= 50, "it was not traced: {counts:?}");
    assert!(
        counts.timed_out() < 5,
        "it was left to time out: {counts:?}"
    );
}
