//! latest_or_every: a subscription chooses the newest or each, gaps are counted, the last N are one
//! call.
//!
//! Owns fast and slow readers of one stream.

use super::{assert_complete, assert_honest, bars, take};
use streamem_tests::{Broker, Consumer, eventually};

#[test]
fn latest_or_every() {
    let broker = Broker::with_config(&bars("size=160x120&rate=50"));
    let start = |options: &[&str]| Consumer::start(&broker.socket(), "cam", options);
    let mut every = start(&["mode=every", "depth=100"]);
    let mut slow_every = start(&["mode=every", "depth=4", "slow_ms=150"]);
    let mut slow_latest = start(&["mode=latest", "slow_ms=150"]);

    take(&mut every, 5);
    every.stop();
    let newest = || broker.stream("cam")["newest"].as_u64().expect("a number");
    let first = newest();
    eventually("30 frames have passed", || {
        (newest() >= first + 30).then_some(())
    });
    every.resume();
    assert_complete(&take(&mut every, 100));
    for slow in [&mut slow_every, &mut slow_latest] {
        let report = take(slow, 10);
        assert_honest(&report);
        assert!(
            report["missed"].as_u64() > Some(0),
            "a slow reader misses frames: {report}"
        );
        assert_eq!(report["missed"], report["missed_in_all"], "{report}");
    }
}

#[test]
fn the_last_frames_are_one_call() {
    let broker = Broker::with_config(&bars("size=160x120&rate=50"));
    let options = ["mode=every", "depth=20", "leases=12", "history=8"];
    let mut reader = Consumer::start(&broker.socket(), "cam", &options);
    take(&mut reader, 20);
    reader.tell("clip 8");
    let clip = reader.expect("clip");
    let sequences: Vec<u64> = clip["sequences"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(serde_json::Value::as_u64)
        .collect();
    assert_eq!(sequences.len(), 8, "{clip}");
    let newest = sequences[7];
    assert_eq!(
        sequences,
        (newest - 7..=newest).collect::<Vec<_>>(),
        "oldest first, no gap"
    );
}
