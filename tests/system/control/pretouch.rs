//! `pretouch`: memory is there before a frame needs it, and comes slot by slot.
//!
//! Owns looking at how much of a pool the kernel has committed; frames are counted, never time.

use std::os::fd::AsFd;
use streamem_tests::{Broker, eventually};

const LEASES: u32 = 40;

fn broker(pretouch: bool) -> Broker {
    Broker::with_config(&format!(
        "[pool]\nslots_max = 256\npretouch = {pretouch}\n\
         [stream.cam]\nsource = \"pattern://bars?size=160x120&rate=20\"\n"
    ))
}

fn newest(broker: &Broker) -> u64 {
    broker.stream("cam")["newest"].as_u64().expect("a number")
}

fn committed_bytes(pool: impl AsFd) -> u64 {
    let stat = rustix::fs::fstat(pool).expect("fstat");
    u64::try_from(stat.st_blocks).expect("a size") * 512
}

#[test]
fn slots_that_are_promised_are_committed_one_for_a_frame() {
    let broker = broker(true);
    let mut wire = broker.connect();
    let grant = wire.subscribe("cam", 1);
    let slot_bytes = grant.parameters["stream"]["slot_bytes"].as_u64();
    let slot_bytes = slot_bytes.expect("a size");
    let needed = || broker.stream("cam")["slots"].as_u64().expect("a number");
    let has = || committed_bytes(grant.fd("pool")) / slot_bytes;
    let wait_for = |slots| {
        eventually("every promised slot is committed", || {
            (has() >= slots).then_some(())
        });
    };
    let few = needed();
    wait_for(few);
    let before = newest(&broker);
    wire.subscribe("cam", LEASES);
    let many = needed();
    assert_eq!(many, few + u64::from(LEASES));
    wait_for(many);
    let frames = newest(&broker) - before;
    assert!(
        frames + 2 >= many - few,
        "{} slots were committed within {frames} frames",
        many - few
    );
    assert_eq!(has(), many, "more than is promised");
}

#[test]
fn without_it_a_slot_is_committed_when_a_frame_is_written_there() {
    let broker = broker(false);
    let mut wire = broker.connect();
    let grant = wire.subscribe("cam", LEASES);
    let first = newest(&broker);
    eventually("frames pass", || {
        (newest(&broker) > first + 20).then_some(())
    });
    let slot_bytes = grant.parameters["stream"]["slot_bytes"]
        .as_u64()
        .expect("a size");
    let has = committed_bytes(grant.fd("pool")) / slot_bytes;
    assert!(has <= 3, "{has} slots are committed where two are used");
}
