//! Clients that do not read what they are told: bounded in what they cost, and served when they do.
//!
//! Owns the deaf; what is bounded is memory and what is kept for them, never time.

use super::Scene;
use serde_json::{Value, json};
use std::io::{ErrorKind, Write};
use streamem_tests::{Wire, proc};

const MIB: u64 = 1 << 20;

/// Sends one call again and again until the broker takes no more. Returns how many whole ones went.
fn ask_without_end(wire: &Wire, call: &[u8]) -> usize {
    let calls: Vec<u8> = call.repeat(100);
    let mut socket = wire.socket();
    socket.set_nonblocking(true).expect("a socket");
    let mut sent = 0;
    loop {
        match socket.write(&calls[sent % calls.len()..]) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => panic!("the broker hung up: {error}"),
        }
        // A broker that never says stop is not one that is bounded.
        assert!(sent < 64 << 20, "{sent} bytes of calls were taken");
    }
    socket.set_nonblocking(false).expect("a socket");
    sent / call.len()
}

/// Two events for everybody who monitors.
fn make_events(busy: &mut Wire) {
    let grant = busy.subscribe("cam", 1);
    let subscription = grant.parameters["subscription"].clone();
    let ended = busy.call("Unsubscribe", json!({ "subscription": subscription }));
    ended.ok();
}

fn monitor(scene: &Scene) -> Wire {
    let mut wire = scene.broker.connect();
    let first = wire.call_more("Monitor", json!({}));
    assert!(first.continues, "{first:?}");
    wire
}

fn is_about(event: &Value, what: &str) -> bool {
    event["event"] == what
}

#[test]
fn replies_nobody_reads_are_few_and_all_come_when_they_are_read() {
    let scene = Scene::open();
    let before = proc::memory(scene.broker.pid(), "Pss");
    let mut deaf: Vec<(Wire, usize)> = (0..16)
        .map(|_| {
            let wire = scene.broker.connect();
            let asked = ask_without_end(&wire, b"{\"method\":\"io.streamem.Inspect\"}\0");
            (wire, asked)
        })
        .collect();
    let all: usize = deaf.iter().map(|(_, asked)| asked).sum();
    assert!(all > 5_000, "only {all} calls were asked");
    scene.broker.ask("Ping", json!({}));
    let grown = proc::memory(scene.broker.pid(), "Pss").saturating_sub(before);
    assert!(grown < 8 * MIB, "unread replies take {grown} bytes");

    let (reader, asked) = &mut deaf[0];
    for answered in 0..*asked {
        let answer = reader.receive();
        let answer = answer.unwrap_or_else(|| panic!("hung up after {answered} of {asked}"));
        assert!(answer.error.is_none(), "{answer:?}");
    }
    drop(deaf);
    scene.assert_nothing_happened();
}

#[test]
fn a_watcher_that_reads_late_is_told_everything_in_order() {
    let scene = Scene::open();
    let mut late = monitor(&scene);
    let mut busy = scene.broker.connect();
    for _ in 0..400 {
        make_events(&mut busy);
    }
    scene.broker.ask("Ping", json!({}));
    let mut last = 0;
    for what in ["subscribed", "unsubscribed"].iter().cycle().take(800) {
        let event = loop {
            let answer = late.receive().expect("it is told on");
            let event = answer.ok();
            if !is_about(&event, "session-opened") && !is_about(&event, "session-closed") {
                break event;
            }
        };
        assert!(is_about(&event, what), "{what} was expected: {event}");
        let subscription = event["subscription"].as_u64().expect("a number");
        assert!(subscription >= last, "{event} after {last}");
        last = subscription;
    }
    drop((late, busy));
    scene.assert_nothing_happened();
}

#[test]
fn a_watcher_that_never_reads_is_closed_before_it_costs_much() {
    let scene = Scene::open();
    let before = proc::memory(scene.broker.pid(), "Pss");
    let mut deaf: Vec<Wire> = (0..8).map(|_| monitor(&scene)).collect();
    let mut busy = scene.broker.connect();
    let is_closed = || scene.broker.log().contains("bytes unread");
    let mut rounds = 0;
    while !is_closed() {
        assert!(rounds < 10_000, "nobody was closed after {rounds} rounds");
        make_events(&mut busy);
        rounds += 1;
    }
    let grown = proc::memory(scene.broker.pid(), "Pss").saturating_sub(before);
    assert!(grown < 16 * MIB, "unread events take {grown} bytes");
    for wire in &mut deaf {
        while wire.receive().is_some() {}
    }
    drop((deaf, busy));
    scene.assert_nothing_happened();
}
