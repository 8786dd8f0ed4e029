//! A broker and its readers on this kernel, as whoever runs the test.
//!
//! Owns the shortest way from a source to a reader; the invariants have their own boot.

use std::process::Command;
use std::time::Duration;
use streamem::Subscription;
use streamem_tests::{Broker, Consumer, binaries, eventually};

const PATIENCE: Duration = Duration::from_secs(30);
const BARS: &str = "[stream.bars]\nsource = \"pattern://bars?size=640x480&rate=30\"\n\
                    [stream.randcam]\nsource = \"pattern://rand\"\n";

#[test]
fn frames_reach_a_reader_in_this_process() {
    let broker = Broker::with_config(BARS);
    for stream in ["randcam", "bars"] {
        let builder = Subscription::builder(stream).socket(broker.socket());
        let mut subscription = builder.every(8).open().expect("it may be read");
        let mut last = 0;
        for _ in 0..30 {
            let frame = subscription.next(PATIENCE).expect("the broker lives");
            let frame = frame.expect("frames come");
            assert!(frame.sequence() > last && !frame.bytes().is_empty());
            last = frame.sequence();
        }
    }
}

#[test]
fn frames_reach_another_process_whole() {
    let broker = Broker::with_config(BARS);
    let mut consumer = Consumer::start(
        &broker.socket(),
        "bars",
        &["mode=every", "depth=64", "check=bars"],
    );
    eventually("it has 30 frames", || {
        (consumer.count("frames") >= 30).then_some(())
    });
    let report = consumer.finish();
    assert_eq!(
        (&report["torn"], &report["changed"]),
        (&0.into(), &0.into()),
        "{report}"
    );
}

#[test]
fn the_doctor_finds_nothing_wrong() {
    let broker = Broker::with_config(BARS);
    let doctor = Command::new(binaries::program("streamem"))
        .arg("--socket")
        .arg(broker.socket())
        .arg("doctor")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&doctor.stdout);
    assert!(doctor.status.success() && said.contains("good"), "{said}");
}
