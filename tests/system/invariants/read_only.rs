//! read_only: a client cannot change a frame or a ring.
//!
//! Owns the attackers, each a process of its own; what they try is in the fixture's `attack`.

use super::bars;
use serde_json::Value;
use std::os::unix::process::CommandExt;
use std::process::Command;
use streamem_tests::broker::Plan;
use streamem_tests::consumer::NOBODY;
use streamem_tests::notify::NotifySocket;
use streamem_tests::{Broker, Consumer};

fn attacked_by(user: u32, broker: &Broker) -> Value {
    let mut command = Consumer::command_as(user, &broker.socket(), "cam", &["attack=1"]);
    Consumer::spawn(&mut command).expect("attacked")["outcomes"].clone()
}

fn successes(outcomes: &Value) -> Vec<&String> {
    let outcomes = outcomes.as_object().expect("an object");
    assert_eq!(outcomes.len(), 16, "an attempt was not made: {outcomes:?}");
    let successes = outcomes
        .iter()
        .filter(|(_, outcome)| *outcome == "succeeded");
    successes.map(|(attempt, _)| attempt).collect()
}

fn plan() -> Plan {
    Broker::plan().config(&bars("size=160x120&rate=30"))
}

#[test]
fn read_only_sealed_pools_cannot_be_written_by_another_user() {
    let broker = plan().start();
    assert_eq!(broker.stream("cam")["protection"], "sealed");
    let outcomes = attacked_by(NOBODY, &broker);
    assert_eq!(successes(&outcomes), Vec::<&String>::new(), "{outcomes}");
}

#[test]
fn read_only_sealed_pools_cannot_be_written_by_root() {
    let broker = plan().start();
    let outcomes = attacked_by(0, &broker);
    let harmless = ["pool: fchmod", "ring: fchmod"];
    let harmful = successes(&outcomes)
        .into_iter()
        .filter(|way| !harmless.contains(&way.as_str()));
    assert_eq!(
        harmful.collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "{outcomes}"
    );
}

#[test]
fn read_only_guarded_pools_cannot_be_written_by_another_user() {
    let manager = NotifySocket::open();
    let broker = plan().notify(&manager).argument("--fd-store").start();
    assert_eq!(broker.stream("cam")["protection"], "guarded");
    let outcomes = attacked_by(NOBODY, &broker);
    assert_eq!(successes(&outcomes), Vec::<&String>::new(), "{outcomes}");
}

#[test]
fn read_only_guarded_pools_yield_to_root_only_by_reopening() {
    let manager = NotifySocket::open();
    let broker = plan().notify(&manager).argument("--fd-store").start();
    let outcomes = attacked_by(0, &broker);
    let reopened = "write through a reopened descriptor";
    let known = |way: &str| way.ends_with("fchmod") || way.ends_with(reopened);
    let harmful = successes(&outcomes).into_iter().filter(|way| !known(way));
    assert_eq!(
        harmful.collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "{outcomes}"
    );
}

#[test]
fn read_only_another_user_cannot_reach_what_it_was_not_handed() {
    let broker = plan().start();
    let _reader = Consumer::start(&broker.socket(), "cam", &[]);
    let list = |user: u32| {
        let folder = format!("/proc/{}/fd", broker.pid());
        let output = Command::new("ls")
            .arg("-l")
            .arg(folder)
            .uid(user)
            .gid(user)
            .output();
        String::from_utf8_lossy(&output.expect("ls runs").stdout).into_owned()
    };
    assert!(
        list(0).contains("streamem-lease"),
        "the lease page has another name by now"
    );
    assert_eq!(list(NOBODY).matches("streamem").count(), 0);
}
