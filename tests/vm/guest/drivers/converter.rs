//! Devices that convert frames (vim2m) or code them (vicodec): they have the queues of a camera, and are none.
//!
//! Owns that they are refused by name and never become streams of themselves.

use crate::scene::{broker_with, why_lost};
use serde_json::json;
use std::fs;
use streamem_tests::{Broker, eventually};

fn nodes() -> Vec<String> {
    let entries = fs::read_dir("/sys/class/video4linux").expect("there are some");
    let names = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut nodes: Vec<String> = names.filter(|name| name.starts_with("video")).collect();
    nodes.sort();
    nodes
}

#[test]
fn converter_is_refused_by_name() {
    let nodes = nodes();
    assert!(
        nodes.len() >= 3,
        "one of vim2m, and a coder and a decoder: {nodes:?}"
    );
    for node in nodes {
        let broker = broker_with(&format!("v4l2:///dev/{node}"));
        let why = why_lost(&broker, |why| why.contains("gives no frames of its own"));
        assert!(why.contains(&node), "{why}");
    }
}

#[test]
fn converter_does_not_become_a_stream_by_rule() {
    let config = "[hotplug]\nmatch = \"*\"\nname = \"cam-{name}\"\n\
                  [stream.other]\nsource = \"pattern://imu\"\n";
    let broker = Broker::with_config(config);
    let streams = eventually("the broker answers", || {
        broker.ask("List", json!({}))["streams"].as_array().cloned()
    });
    let names: Vec<&str> = streams
        .iter()
        .filter_map(|stream| stream["name"].as_str())
        .collect();
    assert_eq!(names, ["other"]);
}
