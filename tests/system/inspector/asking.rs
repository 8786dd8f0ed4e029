//! `list`, `info`, `top`, `fds`, `doctor`: what there is, by words and as JSON.
//!
//! Owns the questions; never changes anything in the broker.

use super::{Outcome, broker, streamem, streamem_at};
use rustix::process::geteuid;
use serde_json::Value;
use std::os::unix::process::CommandExt;
use std::process::Command;
use streamem_tests::binaries::program;
use streamem_tests::consumer::NOBODY;
use streamem_tests::{Broker, Consumer};

#[test]
fn list_shows_every_stream() {
    let broker = broker();
    let text = streamem(&broker, &["list"]).ok();
    for expected in ["cam", "mic", "imu", "320x240", "pattern://sine"] {
        assert!(text.contains(expected), "{expected} is not in:\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "colour in spite of NO_COLOR");
    let listing = streamem(&broker, &["list", "--json"]).json();
    assert_eq!(
        listing["streams"].as_array().map(Vec::len),
        Some(3),
        "{listing}"
    );
}

#[test]
fn info_shows_one_stream() {
    let broker = broker();
    let text = streamem(&broker, &["info", "cam"]).ok();
    for expected in ["320x240", "sealed", "copies", "memfd"] {
        assert!(text.contains(expected), "{expected} is not in:\n{text}");
    }
    let stream = streamem(&broker, &["info", "cam", "--json"]).json();
    assert_eq!(stream["name"], "cam", "{stream}");
    assert_eq!(stream["layout"]["width"], 320, "{stream}");
}

#[test]
fn top_shows_every_consumer() {
    let broker = broker();
    let mut reader = Consumer::start(&broker.socket(), "cam", &["hold=2", "leases=4"]);
    streamem_tests::eventually("frames come", || (reader.count("frames") > 5).then_some(()));
    let text = streamem(&broker, &["top", "--once"]).ok();
    assert!(
        text.contains(&reader.pid().to_string()),
        "the reader is not in:\n{text}"
    );
    let report = streamem(&broker, &["top", "--once", "--json"]).json();
    let streams = report["streams"].as_array().expect("a list");
    let cam = streams
        .iter()
        .find(|stream| stream["name"] == "cam")
        .expect("it is there");
    let consumers = cam["consumers"].as_array().expect("a list");
    assert_eq!(consumers.len(), 1, "{cam}");
    assert_eq!(consumers[0]["pid"], reader.pid(), "{cam}");
    assert!(cam["rate"].as_f64() > Some(0.0), "{cam}");
}

#[test]
fn fds_are_verified_in_the_broker_and_in_every_reader() {
    let broker = broker();
    let mut reader = Consumer::start(&broker.socket(), "cam", &[]);
    streamem_tests::eventually("frames come", || (reader.count("frames") > 1).then_some(()));
    let text = streamem(&broker, &["fds", "cam"]).ok();
    for expected in ["ring", "pool", "lease", "verified", "future-write"] {
        assert!(text.contains(expected), "{expected} is not in:\n{text}");
    }
    assert!(!text.contains("mic"), "another stream is in:\n{text}");
    let report = streamem(&broker, &["fds", "cam", "--json"]).json();
    let descriptors = report["descriptors"].as_array().expect("a list");
    let pool = descriptors
        .iter()
        .find(|entry| entry["role"] == "pool")
        .expect("a pool");
    assert_eq!(pool["broker"]["verdict"], "verified", "{pool}");
    assert_eq!(pool["holders"][0]["pid"], reader.pid(), "{pool}");
    assert_eq!(pool["holders"][0]["verdict"], "verified", "{pool}");
}

fn checked<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().expect("a list");
    let found = checks.iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {report}"))
}

/// What the doctor says of the way of frames to a user who is no administrator.
fn test_frame_for_nobody(config: &str) -> Value {
    assert!(
        geteuid().is_root(),
        "trying what another user may do needs root: run `sudo make test`"
    );
    let broker = Broker::with_config(config);
    let mut command = Command::new(program("streamem"));
    command.arg("--socket").arg(broker.socket());
    command.args(["doctor", "--json"]).uid(NOBODY).gid(NOBODY);
    let report = Outcome::of(&command.output().expect("streamem runs")).json();
    checked(&report, "test frame").clone()
}

#[test]
fn doctor_reads_what_is_there_where_no_stream_may_be_added() {
    let access = "[access]\nsee = [\"everyone\"]\nread = [\"everyone\"]\n";
    let serving = |source| format!("{access}[stream.only]\nsource = \"{source}\"\n");
    for (source, said) in [
        ("pattern://sine", "not looked at"),
        ("pattern://bars?size=320x240&rate=30", "are what was sent"),
    ] {
        let frame = test_frame_for_nobody(&serving(source));
        assert_eq!(frame["state"], "good", "{frame}");
        let found = frame["found"].as_str().expect("a sentence");
        assert!(found.contains(said) && found.contains("only"), "{found}");
    }
    let closed = serving("pattern://sine") + "[stream.only.access]\nread = [\"user:root\"]\n";
    let frame = test_frame_for_nobody(&closed);
    assert_eq!(frame["state"], "note", "{frame}");
}

#[test]
fn doctor_finds_a_good_broker_good_and_a_missing_one_wrong() {
    let broker = broker();
    let report = streamem(&broker, &["doctor", "--json"]).json();
    for name in ["test frame", "opcodes", "restrictions"] {
        assert_eq!(checked(&report, name)["state"], "good", "{report}");
    }
    assert_eq!(
        broker.inspect()["streams"].as_array().map(Vec::len),
        Some(3),
        "it leaves a stream"
    );

    let nowhere = broker.folder().join("nowhere");
    let outcome = streamem_at(&nowhere, &["doctor"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(
        outcome.out.contains("start one with"),
        "no remedy: {outcome:?}"
    );
}

#[test]
fn exit_codes_tell_done_from_wrong_from_usage() {
    let broker = broker();
    let nowhere = broker.folder().join("nowhere");
    assert_eq!(streamem_at(&nowhere, &["list"]).code, Some(1));
    let cases: [(&[&str], i32); 8] = [
        (&["list"], 0),
        (&["info", "none"], 1),
        (&["info", "../none"], 2),
        (&["info"], 2),
        (&["dance"], 2),
        (&["watch", "cam", "--count", "0"], 2),
        (&["grab", "cam", "-o", "x.bmp"], 2),
        (&["--help"], 0),
    ];
    for (words, code) in cases {
        let outcome = streamem(&broker, words);
        assert_eq!(outcome.code, Some(code), "{words:?}: {outcome:?}");
        let said = !(outcome.out.is_empty() && outcome.complaint.is_empty());
        assert!(said, "{words:?} says nothing");
    }
}
