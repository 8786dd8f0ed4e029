//! Readers beside each other: what one does changes nothing for another.
//!
//! Owns readers that read, stop and die.

use super::{LEASES, Pipeline, Server, assert_complete, numbers, steady_broker};
use rustix::process::Signal;
use streamem_tests::{Broker, eventually, proc};

/// How many frames the readers hold, each of them.
fn held(broker: &Broker) -> Vec<u64> {
    let inspection = broker.inspect();
    let subscriptions = inspection["subscriptions"].as_array().expect("a list");
    let held = subscriptions.iter().map(|one| one["held"].as_u64());
    held.map(|held| held.expect("a number")).collect()
}

#[test]
fn one_reader_gets_every_picture() {
    let broker = steady_broker();
    let server = Server::start(&broker, "cam");
    let mut reader = Pipeline::start(&server, "one", "num-buffers=30", "");
    assert!(reader.wait_for_end().success());
    let pictures = reader.pictures();
    assert_eq!(pictures.len(), 30);
    assert_complete(&pictures);
}

#[test]
fn of_three_readers_one_that_is_stopped_holds_up_nobody() {
    let broker = steady_broker();
    let server = Server::start(&broker, "cam");
    let readers = ["one", "two", "three"].map(|name| Pipeline::plain(&server, name));
    readers
        .iter()
        .for_each(|reader| reader.wait_for_pictures(5));

    let [one, two, stopped] = &readers;
    proc::signal(stopped.pid(), Signal::STOP);
    eventually("the stopped reader holds all it may", || {
        held(&broker).contains(&(LEASES as u64)).then_some(())
    });
    let before = stopped.pictures().len();
    for reader in [one, two] {
        reader.wait_for_pictures(reader.pictures().len() + 30);
        assert_complete(&reader.pictures());
    }
    let counters = &broker.stream("cam")["counters"];
    assert_eq!(counters["dropped_no_slot"], 0, "{counters}");

    proc::signal(stopped.pid(), Signal::CONT);
    stopped.wait_for_pictures(before + 30);
    let numbers = numbers(&stopped.pictures());
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
}

#[test]
fn what_a_killed_reader_held_comes_back() {
    let broker = steady_broker();
    let server = Server::start(&broker, "cam");
    let other = Pipeline::plain(&server, "other");
    let killed = Pipeline::plain(&server, "killed");
    killed.wait_for_pictures(5);
    proc::signal(killed.pid(), Signal::STOP);
    eventually("the stopped reader holds all it may", || {
        held(&broker).contains(&(LEASES as u64)).then_some(())
    });
    proc::signal(killed.pid(), Signal::KILL);
    eventually("its subscription is gone", || {
        (held(&broker).len() == 1).then_some(())
    });
    other.wait_for_pictures(other.pictures().len() + 5);
    assert_complete(&other.pictures());
}
