//! What Streamem promises, each promise a test of that name on real processes.
//!
//! Owns the promises of README's "What it promises"; never asserts how long anything takes.

mod clean_death;
mod fds_once;
mod flat_publish;
mod generation;
mod honest_time;
mod isolation;
mod latest_or_every;
mod no_tearing;
mod one_write;
mod read_only;
mod untrusted_page;
mod waking;

use serde_json::Value;
use streamem_tests::Consumer;

/// A configuration with one stream of test pictures called `cam`, and room for many readers.
fn bars(parameters: &str) -> String {
    format!(
        "[pool]\nslots_max = 1024\n\
         [quota]\nsessions = 1000\nsubscriptions = 1000\nleases = 4000\ndescriptors = 8000\n\
         [access]\nsee = [\"everyone\"]\nread = [\"everyone\"]\n\
         [stream.cam]\nsource = \"pattern://bars?{parameters}\"\n"
    )
}

/// Lets a consumer go on until it has taken as many more frames.
fn take(consumer: &mut Consumer, frames: u64) -> Value {
    let before = consumer.count("frames");
    streamem_tests::eventually("the consumer has taken more frames", || {
        let report = consumer.report();
        let now = report["frames"].as_u64().unwrap_or(0);
        (now >= before + frames).then_some(report)
    })
}

/// What must be so for every reader, fast or slow.
fn assert_honest(report: &Value) {
    for fault in ["torn", "changed", "backwards", "miscounted", "timeless"] {
        assert_eq!(report[fault], 0, "{fault} in {report}");
    }
}

/// What must be so for a reader of every frame that keeps up.
fn assert_complete(report: &Value) {
    assert_honest(report);
    assert_eq!(report["missed"], 0, "{report}");
    let number = |key: &str| report[key].as_u64().unwrap_or(0);
    assert_eq!(
        number("last") - number("first") + 1,
        number("frames"),
        "{report}"
    );
}
