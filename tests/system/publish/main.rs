//! Streams that are filled from outside the broker, by publishers that behave and by some that do not.
//!
//! Owns the publishers; every test but those of the layout of the page goes through real processes.

mod brought;
mod frames;
mod hostile;
mod life;
mod memory;
mod raw;
mod rights;
mod waking;

use serde_json::Value;
use streamem_tests::{Broker, Consumer, eventually};

const BARS: &str = "publish=pattern://bars?size=320x240&rate=60";

/// A broker with a stream of its own, whose readers must not notice anything.
fn broker() -> Broker {
    Broker::with_config(
        "[stream.cam]\nsource = \"pattern://bars?size=160x120&rate=50\"\n\
         [access]\nsee = [\"everyone\"]\nread = [\"everyone\"]\n",
    )
}

fn publisher(broker: &Broker, stream: &str) -> Consumer {
    Consumer::start(&broker.socket(), stream, &[BARS])
}

fn reader(broker: &Broker, stream: &str, options: &[&str]) -> Consumer {
    let mut all = vec!["check=bars"];
    all.extend(options);
    Consumer::start(&broker.socket(), stream, &all)
}

/// Lets a consumer go on until it has taken as many more frames.
fn take(consumer: &mut Consumer, frames: u64) {
    let before = consumer.count("frames");
    eventually("the consumer has taken more frames", || {
        (consumer.count("frames") >= before + frames).then_some(())
    });
}

/// What must be so for every reader.
fn assert_honest(report: &Value) {
    for fault in ["torn", "changed", "backwards", "miscounted", "timeless"] {
        assert_eq!(report[fault], 0, "{fault} in {report}");
    }
}

/// Waits until the stream is in this state; why it is, if it says so.
fn state_becomes(broker: &Broker, stream: &str, state: &str) -> String {
    eventually("the stream is in that state", || {
        let now = broker.stream(stream);
        (now["state"] == state).then(|| now["why"].as_str().unwrap_or_default().to_owned())
    })
}
