//! A socket that listens before the broker does, and after it.
//!
//! Owns the socket, as the service manager would.

use serde_json::json;
use std::process::Command;
use streamem_tests::{Broker, Consumer, Wire, binaries, eventually};

const CONFIG: &str = "[stream.cam]\nsource = \"pattern://bars?size=160x120&rate=50\"\n";

#[test]
fn a_socket_handed_over_is_listened_on_and_left_in_place() {
    let mut broker = Broker::plan().config(CONFIG).socket_activated().start();
    broker.connect().subscribe("cam", 2);
    assert!(broker.terminate().success());
    assert!(broker.socket().exists(), "the manager's socket was removed");
    let mut early = Wire::connect(&broker.socket());
    early.send(&json!({"method": "io.streamem.Info", "parameters": {"stream": "cam"}}));
    broker.restart();
    let answer = early.receive().expect("who connected before is answered");
    assert_eq!(answer.ok()["stream"]["name"], "cam");
}

#[test]
fn a_socket_on_the_command_line_that_is_not_used_is_named() {
    let plan = Broker::plan().config(CONFIG).socket_activated();
    let broker = plan.argument("--socket").argument("/elsewhere").start();
    let (log, used) = (broker.log(), broker.socket().display().to_string());
    assert!(log.contains("/elsewhere") && log.contains(&used), "{log}");
}

#[test]
fn readers_go_on_over_a_restart() {
    let mut broker = Broker::plan().config(CONFIG).socket_activated().start();
    let mut reader = Consumer::start(&broker.socket(), "cam", &["wait=1"]);
    assert!(broker.terminate().success());
    broker.restart();
    let before = reader.count("frames");
    eventually("frames come again", || {
        (reader.count("frames") > before + 10).then_some(())
    });
}

#[test]
fn what_the_service_manager_says_wrongly_is_named() {
    for (fds, names, blamed) in [
        ("many", "a", "LISTEN_FDS=\"many\""),
        ("1", "a:b", "LISTEN_FDNAMES=\"a:b\""),
        ("900", "", "LISTEN_FDNAMES=\"\""),
    ] {
        let started = Command::new("sh")
            .args(["-c", "LISTEN_PID=$$ exec \"$0\" --check"])
            .arg(binaries::program("streamemd"))
            .env("LISTEN_FDS", fds)
            .env("LISTEN_FDNAMES", names)
            .output()
            .expect("streamemd runs");
        let said = String::from_utf8_lossy(&started.stderr).into_owned();
        assert!(!started.status.success(), "{fds} {names} was borne");
        assert!(said.contains(blamed), "{said}");
    }
}
