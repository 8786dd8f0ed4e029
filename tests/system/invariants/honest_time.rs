//! honest_time: every frame says when it was captured and published, and what its source's clock said.
//!
//! Owns the comparison with this process's own clock; never says how far apart the times may be.

use std::time::Duration;
use streamem::Subscription;
use streamem_sys::clock::monotonic_ns;
use streamem_tests::Broker;
use streamem_wire::clock;
use streamemd::source::pattern::bars;

const CONFIG: &str = "
[stream.cam]
source = \"pattern://bars?size=320x240&rate=60\"
[stream.mic]
source = \"pattern://randmic\"
";

fn subscribe(broker: &Broker, stream: &str) -> Subscription {
    let builder = Subscription::builder(stream).socket(broker.socket());
    builder.every(64).leases(2).open().expect("a subscription")
}

#[test]
fn honest_time() {
    let broker = Broker::with_config(CONFIG);
    let mut pictures = subscribe(&broker, "cam");
    let mut captured_before = 0;
    for _ in 0..30 {
        let frame = pictures
            .next(Duration::from_secs(20))
            .expect("no error")
            .expect("a frame");
        let now = monotonic_ns();
        let (captured, published) = (frame.captured_ns(), frame.published_ns());
        assert!(captured_before < captured, "capture times go on");
        assert!(
            captured <= published && published <= now,
            "{captured} {published} {now}"
        );
        let strip = bars::check(frame.layout(), frame.bytes()).expect("a whole picture");
        assert_eq!(frame.source_clock(), (clock::MONOTONIC, strip.made_ns));
        assert!(strip.made_ns <= published, "{strip:?} {published}");
        captured_before = captured;
    }
    let mut sounds = subscribe(&broker, "mic");
    let mut before: Option<(u64, u64)> = None;
    for _ in 0..10 {
        let frame = sounds
            .next(Duration::from_secs(20))
            .expect("no error")
            .expect("a block");
        let (domain, samples) = frame.source_clock();
        assert_eq!(domain, clock::SAMPLES);
        if let Some((sequence, samples_before)) = before {
            let blocks = frame.sequence() - sequence;
            assert_eq!(
                samples - samples_before,
                blocks * 1024,
                "the sample index goes on"
            );
        }
        before = Some((frame.sequence(), samples));
    }
}
