//! The pool a publisher fills: its own to write until the end, and nobody else's ever.
//!
//! Owns tampering with seals.

use super::raw::{Raw, layout};
use super::{broker, publisher};
use rustix::fs::{SealFlags, fcntl_add_seals};
use serde_json::{Value, json};
use std::sync::atomic::Ordering::Relaxed;
use streamem_sys::{Mapping, Writable};
use streamem_tests::consumer::NOBODY;
use streamem_tests::{Answer, Broker, Consumer, Wire};

fn publish(wire: &mut Wire) -> Answer {
    let permit = wire.call("Publish", json!({"stream": "edges", "layout": layout()}));
    assert!(permit.error.is_none(), "{permit:?}");
    permit
}

fn begin(wire: &mut Wire, permit: &Answer) -> Answer {
    let publication = permit.parameters["publication"].clone();
    wire.call("Begin", json!({ "publication": publication }))
}

fn attacked_by(user: u32, broker: &Broker) -> Vec<String> {
    let mut command = Consumer::command_as(user, &broker.socket(), "edges", &["attack=1"]);
    let outcomes = Consumer::spawn(&mut command).expect("attacked")["outcomes"].clone();
    let outcomes = outcomes.as_object().cloned().unwrap_or_default();
    assert_eq!(outcomes.len(), 16, "an attempt was not made: {outcomes:?}");
    let worked = |(_, outcome): &(&String, &Value)| **outcome == "succeeded";
    let successes = outcomes.iter().filter(worked);
    successes.map(|(attempt, _)| attempt.clone()).collect()
}

#[test]
fn readers_cannot_write_to_a_published_pool() {
    let broker = broker();
    let _publisher = publisher(&broker, "edges");
    assert_eq!(broker.stream("edges")["protection"], "sealed");
    assert_eq!(attacked_by(NOBODY, &broker), Vec::<String>::new());
    let harmless = ["pool: fchmod", "ring: fchmod"];
    let by_root = attacked_by(0, &broker);
    let harmful: Vec<_> = by_root
        .iter()
        .filter(|way| !harmless.contains(&way.as_str()))
        .collect();
    assert_eq!(harmful, Vec::<&String>::new());
}

#[test]
fn after_begin_not_even_the_publisher_maps_the_pool_again() {
    let broker = broker();
    let mut wire = broker.connect();
    let permit = publish(&mut wire);
    let mapped = Mapping::new(permit.fd("pool"), 4096, Writable).expect("before Begin it can");
    assert!(begin(&mut wire, &permit).error.is_none());
    mapped.words()[0].store(1, Relaxed);
    assert!(Mapping::new(permit.fd("pool"), 4096, Writable).is_err());
    assert!(rustix::io::pwrite(permit.fd("pool"), b"x", 0).is_err());
}

#[test]
fn a_pool_whose_seals_were_tampered_with_is_refused() {
    let broker = broker();
    for seals in [SealFlags::SEAL, SealFlags::SEAL | SealFlags::FUTURE_WRITE] {
        let mut wire = broker.connect();
        let permit = publish(&mut wire);
        fcntl_add_seals(permit.fd("pool"), seals).expect("it is ours to seal");
        let answer = begin(&mut wire, &permit);
        if seals == SealFlags::SEAL {
            assert_eq!(answer.refused(), "BadMemory", "{answer:?}");
        } else {
            assert!(answer.error.is_none(), "it is as it must be: {answer:?}");
        }
    }
    assert!(broker.is_alive());
}

#[test]
fn nobody_reads_a_stream_before_it_has_begun() {
    let broker = broker();
    let mut wire = broker.connect();
    let permit = publish(&mut wire);
    let too_early = broker
        .connect()
        .call("Subscribe", json!({"stream": "edges"}));
    assert_eq!(too_early.refused(), "NoSuchStream");
    assert!(begin(&mut wire, &permit).error.is_none());
    assert_eq!(begin(&mut wire, &permit).refused(), "NoSuchPublication");
    broker.connect().subscribe("edges", 1);
}

#[test]
fn what_goes_into_a_published_slot_later_hurts_only_that_stream() {
    let broker = broker();
    let mut raw = Raw::begin(&broker, "edges");
    let slot = raw.slot();
    raw.goes_on(slot);
    raw.pool
        .words()
        .iter()
        .for_each(|word| word.store(7, Relaxed));
    let next = raw.slot();
    raw.goes_on(next);
    assert!(broker.is_alive());
}
