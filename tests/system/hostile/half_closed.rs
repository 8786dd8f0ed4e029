//! Peers that say they will send no more, and stay: each is answered, and then its session ends.
//!
//! Owns the half-closed sockets; the loop's system calls are counted, never timed.

use super::Scene;
use serde_json::json;
use std::net::Shutdown;
use std::time::Duration;
use streamem_tests::strace::Strace;
use streamem_tests::{Wire, eventually};

/// System calls of the loop in some seconds in which nothing is asked of it: its own clock ticks, and
/// attaching is noticed. A loop that spins makes thousands.
const CALLS_MAX: u64 = 60;

fn sessions(scene: &Scene) -> usize {
    let inspection = scene.broker.inspect();
    inspection["sessions"].as_array().map_or(0, Vec::len)
}

fn half_close(wire: &Wire) {
    let half = wire.socket().shutdown(Shutdown::Write);
    half.expect("the broker is there");
}

fn assert_the_loop_rests(scene: &Scene) {
    let trace = Strace::attach(scene.broker.pid());
    std::thread::sleep(Duration::from_secs(1));
    let counts = trace.detach();
    assert!(counts.all() > 0, "the broker was not traced: {counts:?}");
    let calls = counts.by_thread(scene.broker.pid());
    assert!(calls < CALLS_MAX, "the loop made {calls} calls: {counts:?}");
}

#[test]
fn a_half_closed_peer_gets_its_replies_and_then_the_session_ends() {
    let scene = Scene::open();
    let mut wire = scene.broker.connect();
    for _ in 0..3 {
        wire.send(&json!({"method": "io.streamem.Ping"}));
    }
    half_close(&wire);
    for _ in 0..3 {
        let pong = wire.receive().expect("a reply").ok();
        assert_eq!(pong["pid"], scene.broker.pid(), "{pong}");
    }
    assert!(wire.receive().is_none(), "the session goes on");
    scene.assert_nothing_happened();
}

#[test]
fn a_half_closed_peer_that_watches_or_waits_has_its_session_ended() {
    let scene = Scene::open();
    let calls = [
        json!({"method": "io.streamem.List", "more": true}),
        json!({"method": "io.streamem.Monitor", "more": true}),
        json!({"method": "io.streamem.Subscribe", "parameters": {"stream": "x", "wait": true}}),
    ];
    let mut halves: Vec<Wire> = Vec::new();
    for call in &calls {
        for is_sent_before in [true, false] {
            let mut wire = scene.broker.connect();
            wire.send(call);
            if is_sent_before {
                scene.broker.ask("Ping", json!({}));
            }
            half_close(&wire);
            halves.push(wire);
        }
    }
    eventually("only the witness and who asks are left", || {
        (sessions(&scene) == 2).then_some(())
    });
    for half in &mut halves {
        while half.receive().is_some() {}
    }
    assert_the_loop_rests(&scene);
    scene.assert_nothing_happened();
}

#[test]
fn a_half_closed_peer_that_reads_late_costs_the_loop_nothing_and_gets_everything() {
    const CALLS: usize = 400;
    let scene = Scene::open();
    let mut late = scene.broker.connect();
    late.send_bytes(&b"{\"method\":\"io.streamem.Inspect\"}\0".repeat(CALLS));
    half_close(&late);
    assert_eq!(
        sessions(&scene),
        3,
        "the witness, the late one and who asks"
    );
    assert_the_loop_rests(&scene);
    for answered in 0..CALLS {
        let answer = late.receive();
        answer.unwrap_or_else(|| panic!("hung up after {answered} replies"));
    }
    assert!(late.receive().is_none(), "the session goes on");
    scene.assert_nothing_happened();
}

#[test]
fn a_half_closed_peer_that_goes_without_reading_leaves_nothing_behind() {
    let scene = Scene::open();
    let mut deaf = scene.broker.connect();
    deaf.socket().set_nonblocking(true).expect("a socket");
    while deaf.send_bytes(b"{\"method\":\"io.streamem.Inspect\"}\0") {}
    half_close(&deaf);
    drop(deaf);
    scene.assert_nothing_happened();
}
