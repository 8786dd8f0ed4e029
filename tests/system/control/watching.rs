//! Calls with several replies: streams and events as they come.
//!
//! Owns the watchers; the streams come and go by other sessions' calls.

use serde_json::{Value, json};
use streamem_tests::{Broker, Consumer, Wire};

const SOURCE: &str = "pattern://bars?size=160x120&rate=30";

fn next(wire: &mut Wire) -> Value {
    let answer = wire.receive().expect("the broker goes on");
    assert!(answer.continues, "{answer:?}");
    answer.ok()
}

fn next_change(wire: &mut Wire, change: &str, stream: &str) -> Value {
    loop {
        let listing = next(wire);
        let streams = listing["streams"].as_array().expect("a list");
        let found = streams.iter().any(|entry| entry["name"] == stream);
        if listing["change"] == change && found {
            return listing;
        }
    }
}

fn next_event(wire: &mut Wire, event: &str) -> Value {
    loop {
        let said = next(wire);
        if said["event"] == event {
            return said;
        }
    }
}

#[test]
fn streams_are_seen_to_appear_and_vanish() {
    let broker = Broker::start();
    let mut watcher = broker.connect();
    let present = watcher.call_more("List", json!({}));
    assert!(present.continues, "{present:?}");
    assert_eq!(present.parameters["change"], "present");
    assert_eq!(
        present.parameters["streams"].as_array().map(Vec::len),
        Some(2)
    );

    broker.ask("AddStream", json!({"stream": "extra", "source": SOURCE}));
    next_change(&mut watcher, "appeared", "extra");
    let _reader = Consumer::start(&broker.socket(), "extra", &[]);
    let changed = next_change(&mut watcher, "changed", "extra");
    assert_eq!(changed["streams"][0]["subscriptions"], 1, "{changed}");
    broker.ask("RemoveStream", json!({"stream": "extra"}));
    next_change(&mut watcher, "vanished", "extra");
}

#[test]
fn without_more_a_list_is_one_reply() {
    let broker = Broker::start();
    let answer = broker.connect().call("List", json!({}));
    assert!(!answer.continues, "{answer:?}");
    assert_eq!(answer.ok()["change"], "present");
}

#[test]
fn events_are_told_as_they_happen() {
    let broker = Broker::start();
    let mut watcher = broker.connect();
    watcher.send(&json!({"method": "io.streamem.Monitor", "more": true}));
    broker.ask("AddStream", json!({"stream": "extra", "source": SOURCE}));
    assert_eq!(next_event(&mut watcher, "stream-added")["stream"], "extra");
    let mut reader = Consumer::start(&broker.socket(), "extra", &[]);
    let subscribed = next_event(&mut watcher, "subscribed");
    assert_eq!(subscribed["pid"], reader.pid(), "{subscribed}");
    reader.kill9();
    next_event(&mut watcher, "session-closed");
    broker.ask("RemoveStream", json!({"stream": "extra"}));
    assert_eq!(
        next_event(&mut watcher, "stream-removed")["stream"],
        "extra"
    );
}

#[test]
fn a_reader_can_wait_for_a_stream_that_does_not_exist_yet() {
    let broker = Broker::start();
    let mut waiting = broker.connect();
    let call = json!({"stream": "later", "wait": true});
    waiting.send(&json!({"method": "io.streamem.Subscribe", "parameters": call}));
    let mut command = Consumer::command(&broker.socket(), "later", &["wait=1"]);
    let mut reader = Consumer::spawn(&mut command);
    broker.ask("AddStream", json!({"stream": "later", "source": SOURCE}));
    let grant = waiting.receive().expect("an answer");
    assert_eq!(grant.fds.len(), 3, "{grant:?}");
    reader.expect("opened");
    streamem_tests::eventually("frames come", || (reader.count("frames") > 3).then_some(()));
}

#[test]
fn a_reader_that_waits_survives_removal_and_one_that_does_not_is_told() {
    let broker = Broker::start();
    let add = || broker.ask("AddStream", json!({"stream": "extra", "source": SOURCE}));
    add();
    let mut patient = Consumer::start(&broker.socket(), "extra", &["wait=1"]);
    let mut ordinary = Consumer::spawn(&mut Consumer::command(&broker.socket(), "extra", &[]));
    ordinary.expect("opened");
    broker.ask("RemoveStream", json!({"stream": "extra"}));
    let complaint = ordinary.line().expect("a last word");
    assert_eq!(complaint["is"], "error", "{complaint}");
    let text = complaint["message"].as_str().unwrap_or_default();
    assert!(text.contains("StreamEnded"), "{complaint}");
    add();
    let before = patient.count("frames");
    streamem_tests::eventually("frames come again", || {
        (patient.count("frames") > before + 3).then_some(())
    });
}
