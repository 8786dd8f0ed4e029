//! Too much of what would be right in moderation.
//!
//! Owns the floods; quotas are raised so that they reach the engine.

use super::Scene;
use rustix::process::Signal;
use serde_json::json;
use std::os::unix::net::UnixStream;
use std::time::Instant;
use streamem_tests::{Broker, Wire, eventually, proc};

/// Lines on peers' faults the log may get in a second, and one that says how many were left out.
const LINES_A_SECOND: u64 = 11;

#[test]
fn thousands_of_connections_come_and_go() {
    let scene = Scene::open();
    for _ in 0..3000 {
        let _ = UnixStream::connect(scene.broker.socket());
    }
    scene.assert_nothing_happened();
}

#[test]
fn a_thousand_sessions_at_once_are_served() {
    let scene = Scene::open();
    let mut all: Vec<Wire> = (0..900).map(|_| scene.broker.connect()).collect();
    for wire in &mut all {
        wire.call("Ping", json!({})).ok();
    }
    drop(all);
    scene.assert_nothing_happened();
}

#[test]
fn a_client_that_never_reads_is_not_waited_for() {
    let scene = Scene::open();
    let call = b"{\"method\":\"io.streamem.Inspect\"}\0";
    let mut deaf: Vec<Wire> = (0..4).map(|_| scene.broker.connect()).collect();
    for wire in &mut deaf {
        wire.socket().set_nonblocking(true).expect("a socket");
        for _ in 0..20_000 {
            if !wire.send_bytes(call) {
                break;
            }
        }
    }
    let memory = streamem_tests::proc::memory(scene.broker.pid(), "Anonymous");
    assert!(
        memory < 64 << 20,
        "unread replies take {memory} bytes of the broker"
    );
    drop(deaf);
    scene.assert_nothing_happened();
}

#[test]
fn a_watcher_that_never_reads_is_not_waited_for() {
    let scene = Scene::open();
    let mut deaf = scene.broker.connect();
    deaf.send(&json!({"method": "io.streamem.Monitor", "more": true}));
    let mut busy = scene.broker.connect();
    for _ in 0..2000 {
        let grant = busy.subscribe("cam", 1);
        let subscription = grant.parameters["subscription"].clone();
        busy.call("Unsubscribe", json!({ "subscription": subscription }))
            .ok();
    }
    let memory = streamem_tests::proc::memory(scene.broker.pid(), "Anonymous");
    assert!(
        memory < 64 << 20,
        "unread events take {memory} bytes of the broker"
    );
    drop((deaf, busy));
    scene.assert_nothing_happened();
}

#[test]
fn a_session_that_watches_and_waits_a_thousandfold_is_not_waited_for() {
    let scene = Scene::open();
    let mut greedy = scene.broker.connect();
    greedy.socket().set_nonblocking(true).expect("a socket");
    let calls: [&[u8]; 3] = [
        b"{\"method\":\"io.streamem.Monitor\",\"more\":true}\0",
        b"{\"method\":\"io.streamem.List\",\"more\":true}\0",
        b"{\"method\":\"io.streamem.Subscribe\",\"parameters\":{\"stream\":\"x\",\"wait\":true}}\0",
    ];
    for call in calls.into_iter().cycle().take(6000) {
        if !greedy.send_bytes(call) {
            break;
        }
    }
    let mut busy = scene.broker.connect();
    for _ in 0..300 {
        let grant = busy.subscribe("cam", 1);
        let subscription = grant.parameters["subscription"].clone();
        busy.call("Unsubscribe", json!({ "subscription": subscription }))
            .ok();
    }
    let memory = streamem_tests::proc::memory(scene.broker.pid(), "Anonymous");
    assert!(
        memory < 64 << 20,
        "one session takes {memory} bytes of the broker"
    );
    drop((greedy, busy));
    scene.assert_nothing_happened();
}

/// Two ask as fast as they can at the same moment; each is answered before the other is done.
#[test]
fn who_asks_without_pause_leaves_others_their_turn() {
    const CALLS: usize = 200;
    let scene = Scene::open();
    let mut greedy = [scene.broker.connect(), scene.broker.connect()];
    for wire in &mut greedy {
        wire.call("Ping", json!({})).ok();
    }
    let pid = scene.broker.pid();
    proc::signal(pid, Signal::STOP);
    eventually("it is stopped", || {
        (proc::state(pid) == Some('T')).then_some(())
    });
    for wire in &mut greedy {
        assert!(wire.send_bytes(&b"{\"method\":\"io.streamem.Ping\"}\0".repeat(CALLS)));
    }
    proc::signal(pid, Signal::CONT);
    let [one, other] = greedy.each_mut().map(|wire| {
        let answers = (0..CALLS).map(|_| wire.receive().expect("an answer").ok());
        let moments: Vec<_> = answers.map(|pong| pong["now_ns"].as_u64()).collect();
        (moments[0], moments[CALLS - 1])
    });
    assert!(one.0 < other.1 && other.0 < one.1, "{one:?} {other:?}");
    drop(greedy);
    scene.assert_nothing_happened();
}

/// Has peers fail by the thousand; of each fault a line would be written, were there no limit.
fn fail_in_numbers(broker: &Broker, words: &str, fail: impl Fn()) {
    const FAULTS: u64 = 3000;
    let began = Instant::now();
    (0..FAULTS).for_each(|_| fail());
    eventually("it is said that more was left out", || {
        broker.log().contains("more faults of peers").then_some(())
    });
    let lines = broker
        .log()
        .lines()
        .filter(|line| line.contains(words))
        .count();
    let most = (began.elapsed().as_secs() + 2) * LINES_A_SECOND;
    assert!(lines > 0, "nothing is said of {words:?}");
    assert!(lines as u64 <= most, "{lines} lines where {most} may be");
}

#[test]
fn thousands_of_bad_messages_do_not_flood_the_log() {
    let scene = Scene::open();
    fail_in_numbers(&scene.broker, "session closed by us", || {
        let mut wire = scene.broker.connect();
        wire.send_bytes(b"hello\0");
        while wire.receive().is_some() {}
    });
    scene.assert_nothing_happened();
}

#[test]
fn thousands_of_clients_turned_away_do_not_flood_the_log() {
    let broker = Broker::with_config("[quota]\nsessions = 3\n");
    let mut held: Vec<Wire> = eventually("all places are taken", || {
        let mut three: Vec<Wire> = (0..3).map(|_| broker.connect()).collect();
        let is_served = |wire: &mut Wire| {
            wire.send_bytes(b"{\"method\":\"io.streamem.Ping\"}\0");
            wire.receive().is_some_and(|answer| answer.error.is_none())
        };
        three.iter_mut().all(is_served).then_some(three)
    });
    fail_in_numbers(&broker, "turned away", || {
        let mut wire = broker.connect();
        while wire.receive().is_some() {}
    });
    held[0].call("Ping", json!({})).ok();
}
