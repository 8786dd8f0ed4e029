//! `add`, `remove`, `monitor`, `generate`: what the command changes, in the broker and on disk.
//!
//! Owns the changes; looks at them through another connection.

use super::{broker, streamem};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use streamem_tests::binaries::program;

#[test]
fn a_stream_is_added_and_removed() {
    let broker = broker();
    streamem(&broker, &["add", "extra", "pattern://rand?size=64x64"]).ok();
    assert_eq!(broker.stream("extra")["layout"]["width"], 64);
    let again = streamem(&broker, &["add", "extra", "pattern://imu"]);
    assert_eq!(again.code, Some(1), "{again:?}");
    let bad = streamem(&broker, &["add", "bad", "pattern://bars?size=1x"]);
    assert_eq!(bad.code, Some(1), "{bad:?}");
    assert!(bad.complaint.contains("size"), "{bad:?}");
    streamem(&broker, &["remove", "extra"]).ok();
    let gone = broker.connect().call("Info", json!({"stream": "extra"}));
    assert_eq!(gone.refused(), "NoSuchStream");
    assert_eq!(streamem(&broker, &["remove", "extra"]).code, Some(1));
}

#[test]
fn monitor_prints_events_as_they_happen() {
    let broker = broker();
    let mut monitor = Command::new(program("streamem"))
        .arg("--socket")
        .arg(broker.socket())
        .args(["monitor", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("streamem runs");
    let out = BufReader::new(monitor.stdout.take().expect("a pipe"));
    let mut events = out.lines().map_while(Result::ok).map(|line| {
        serde_json::from_str::<Value>(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    });
    events.next().expect("it begins to watch");
    streamem(&broker, &["add", "extra", "pattern://imu"]).ok();
    let added = events.find(|event| event["event"] == "stream-added");
    assert_eq!(added.expect("an event")["stream"], "extra");
    monitor.kill().expect("it is our child");
    monitor.wait().expect("it is our child");
}

#[test]
fn completions_and_manual_pages_are_generated() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let broker = broker();
    let place = folder.path().to_str().expect("plain letters");
    let made = streamem(&broker, &["generate", place, "--json"]).json();
    let made = made.as_array().expect("a list");
    assert!(made.len() > 10, "{made:?}");
    for path in made {
        let path = Path::new(path.as_str().expect("a path"));
        let text = std::fs::read_to_string(path).expect("a file");
        assert!(text.len() > 100, "{path:?} is empty");
        if path.extension() == Some("1".as_ref()) {
            let name = path.file_stem().and_then(|name| name.to_str());
            let title = format!(".TH {} 1 2", name.expect("plain letters"));
            let begins = text.lines().any(|line| line.starts_with(&title));
            assert!(begins, "no {title:?} in {path:?}");
        }
    }
}
