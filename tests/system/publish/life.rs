//! How a published stream is lost, goes on, and goes.
//!
//! Owns the ends of publishers: finished, killed, stopped, and left alone by a broker that restarts.

use super::{assert_honest, broker, publisher, reader, state_becomes, take};
use streamem_tests::{Broker, eventually};

fn is_there(broker: &Broker, stream: &str) -> bool {
    let streams = broker.ask("List", serde_json::json!({}))["streams"].clone();
    let streams = streams.as_array().cloned().unwrap_or_default();
    streams.iter().any(|entry| entry["name"] == stream)
}

fn is_gone(broker: &Broker, stream: &str) {
    eventually("the stream is gone", || {
        (!is_there(broker, stream)).then_some(())
    });
    assert_eq!(broker.inspect()["publications"], serde_json::json!([]));
}

#[test]
fn a_publisher_killed_in_the_middle_leaves_its_readers_what_they_hold() {
    let broker = broker();
    let mut publisher_one = publisher(&broker, "edges");
    let mut holder = reader(&broker, "edges", &["leases=3", "mode=every"]);
    take(&mut holder, 10);
    holder.tell("hold");
    holder.expect("holding");
    publisher_one.kill9();
    let why = state_becomes(&broker, "edges", "lost");
    let pid = publisher_one.pid();
    assert!(
        why.contains("has gone") && why.contains(&pid.to_string()),
        "{why}"
    );
    let generation = broker.stream("edges")["generation"].as_u64();

    let _publisher_two = publisher(&broker, "edges");
    state_becomes(&broker, "edges", "live");
    take(&mut holder, 20);
    holder.tell("release");
    assert_eq!(holder.expect("released")["changed"], 0);
    let renewed = broker.stream("edges")["generation"].as_u64();
    assert_eq!(renewed, generation.map(|generation| generation + 1));
    assert_honest(&holder.finish());
}

#[test]
fn a_stream_without_publisher_and_readers_goes() {
    let broker = broker();
    let mut publisher_one = publisher(&broker, "edges");
    publisher_one.kill9();
    is_gone(&broker, "edges");

    let publisher_two = publisher(&broker, "edges");
    let mut last = reader(&broker, "edges", &[]);
    take(&mut last, 5);
    let _report = publisher_two.finish();
    let why = state_becomes(&broker, "edges", "lost");
    assert!(why.contains("is done"), "{why}");
    assert_honest(&last.finish());
    is_gone(&broker, "edges");
}

#[test]
fn a_publisher_that_is_stopped_is_missed_and_welcomed_back() {
    let broker = broker();
    let mut stopped = publisher(&broker, "edges");
    let mut holder = reader(&broker, "edges", &["leases=3"]);
    take(&mut holder, 10);
    holder.tell("hold");
    holder.expect("holding");
    stopped.stop();
    let why = state_becomes(&broker, "edges", "lost");
    assert!(why.contains("is silent"), "{why}");
    let mut other = reader(&broker, "cam", &["mode=every", "depth=50"]);
    take(&mut other, 20);
    assert_eq!(other.finish()["missed"], 0);
    stopped.resume();
    state_becomes(&broker, "edges", "live");
    take(&mut holder, 20);
    holder.tell("release");
    assert_eq!(holder.expect("released")["changed"], 0);
    assert_honest(&holder.finish());
    assert_eq!(stopped.report()["errors"], serde_json::json!([]));
}

#[test]
fn a_stopped_publisher_that_was_replaced_is_told() {
    let broker = broker();
    let mut stopped = publisher(&broker, "edges");
    let mut reading = reader(&broker, "edges", &[]);
    take(&mut reading, 5);
    stopped.stop();
    state_becomes(&broker, "edges", "lost");
    let _successor = publisher(&broker, "edges");
    stopped.resume();
    eventually("it is told that its publication has ended", || {
        let errors = stopped.report()["errors"].to_string();
        errors.contains("has a source already").then_some(())
    });
    take(&mut reading, 20);
    assert_honest(&reading.finish());
}

#[test]
fn publisher_and_readers_go_on_after_the_broker_was_killed() {
    let mut broker = broker();
    let mut publisher = publisher(&broker, "edges");
    let mut reading = reader(&broker, "edges", &["wait=1"]);
    take(&mut reading, 10);
    broker.kill9();
    broker.restart();
    take(&mut reading, 20);
    let report = reading.finish();
    assert_eq!(
        (&report["torn"], &report["changed"]),
        (&0.into(), &0.into())
    );
    assert_eq!(publisher.report()["errors"], serde_json::json!([]));
}

#[test]
fn what_was_submitted_before_the_end_is_published() {
    let broker = broker();
    let mut last = reader(&broker, "cam", &[]);
    take(&mut last, 1);
    let publisher = publisher(&broker, "edges");
    let mut every = reader(&broker, "edges", &["mode=every", "depth=16"]);
    take(&mut every, 10);
    let submitted = publisher.finish()["submitted"].as_u64();
    eventually("the reader has the last frame", || {
        (every.report()["last"].as_u64() == submitted).then_some(())
    });
    assert_honest(&every.finish());
}

#[test]
fn an_administrator_can_remove_a_published_stream() {
    let broker = broker();
    let mut publisher = publisher(&broker, "edges");
    broker.ask("RemoveStream", serde_json::json!({"stream": "edges"}));
    eventually("the publisher publishes it anew", || {
        let told = publisher.report()["errors"].to_string();
        (told.contains("ended the publication") && is_there(&broker, "edges")).then_some(())
    });
}
