//! Memory a publisher brings: looked at before it is handed on, and never mapped by the broker.
//!
//! Owns descriptors that are right, and some that are not.

use super::raw::layout;
use super::{BARS, assert_honest, broker, reader, take};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use serde_json::json;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use streamem_sys::socket;
use streamem_tests::{Answer, Broker, Consumer, Wire, proc};

fn memfd(bytes: u64, seals: SealFlags) -> OwnedFd {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = memfd_create("brought", flags).expect("a memfd");
    ftruncate(&file, bytes).expect("a size");
    fcntl_add_seals(&file, seals).expect("seals");
    file
}

fn right() -> SealFlags {
    SealFlags::SHRINK | SealFlags::FUTURE_WRITE
}

fn bring(wire: &mut Wire, publication: &serde_json::Value, files: &[OwnedFd]) -> Answer {
    let places: Vec<usize> = (0..files.len()).collect();
    let fds: Vec<BorrowedFd<'_>> = files.iter().map(AsFd::as_fd).collect();
    let call = json!({
        "method": "io.streamem.Bring",
        "parameters": {"publication": publication, "slots": places},
    });
    let bytes = format!("{call}\0").into_bytes();
    let sent = socket::send(wire.socket(), &bytes, &fds).expect("it is sent");
    assert_eq!(sent, bytes.len());
    wire.receive().expect("an answer")
}

fn publish(broker: &Broker) -> (Wire, serde_json::Value) {
    let mut wire = broker.connect();
    let asked = json!({"stream": "edges", "layout": layout(), "own": true});
    let permit = wire.call("Publish", asked).ok();
    assert!(permit["pool"].is_null(), "{permit}");
    (wire, permit["publication"].clone())
}

#[test]
fn frames_in_brought_memory_reach_three_readers_whole() {
    let broker = broker();
    let options = [BARS, "own=12"];
    let publisher = Consumer::start(&broker.socket(), "edges", &options);
    assert_eq!(broker.stream("edges")["pool"], "brought");
    let mut readers = [
        reader(&broker, "edges", &["mode=every", "depth=3"]),
        reader(&broker, "edges", &["mode=latest"]),
        reader(&broker, "edges", &["mode=latest", "leases=3", "hold=2"]),
    ];
    readers.iter_mut().for_each(|reader| take(reader, 30));
    for reader in readers {
        assert_honest(&reader.finish());
    }
    let mapped = proc::mappings(broker.pid());
    assert!(
        mapped.iter().all(|map| !map.name.contains("test-slot")),
        "the broker maps what was brought"
    );
    assert_eq!(publisher.finish()["errors"], json!([]));
}

#[test]
fn brought_memory_that_does_not_hold_what_it_must_is_refused() {
    let broker = broker();
    let file = |bytes, seals| memfd(bytes, seals);
    let plain = || OwnedFd::from(tempfile::tempfile().expect("a file"));
    let long_plain = || {
        let file = plain();
        ftruncate(&file, 4096).expect("a size");
        file
    };
    let (mut wire, publication) = publish(&broker);
    let bad: [(&str, OwnedFd); 5] = [
        ("too small", file(4095, right())),
        ("not sealed at all", file(4096, SealFlags::empty())),
        ("can shrink", file(4096, SealFlags::FUTURE_WRITE)),
        ("readers could write", file(4096, SealFlags::SHRINK)),
        ("an ordinary file", long_plain()),
    ];
    for (what, bad) in bad {
        let mut files: Vec<OwnedFd> = (0..5).map(|_| file(4096, right())).collect();
        files[3] = bad;
        let answer = bring(&mut wire, &publication, &files);
        assert_eq!(answer.refused(), "BadMemory", "{what}: {answer:?}");
        assert!(answer.parameters["message"].to_string().contains("slot 3"));
    }
    let too_few: Vec<OwnedFd> = (0..3).map(|_| file(4096, right())).collect();
    let answer = bring(&mut wire, &publication, &too_few);
    assert_eq!(answer.refused(), "InvalidParameter");
    let call = json!({"publication": publication, "slots": [0, 1, 2, 3]});
    assert_eq!(wire.call("Bring", call).refused(), "InvalidParameter");
    let begun = wire.call("Begin", json!({ "publication": publication }));
    assert_eq!(begun.refused(), "NoSuchPublication");

    let good: Vec<OwnedFd> = (0..5).map(|_| file(4096, right())).collect();
    bring(&mut wire, &publication, &good).ok();
    wire.call("Begin", json!({ "publication": publication }))
        .ok();
    let held = proc::descriptors(broker.pid());
    let brought = held.values().filter(|name| name.contains("brought"));
    assert_eq!(brought.count(), 5, "what was refused is closed");
}

#[test]
fn descriptors_beside_a_publication_that_brings_none_end_the_session() {
    let broker = broker();
    let mut wire = broker.connect();
    let asked = json!({"stream": "edges", "layout": layout()});
    let permit = wire.call("Publish", asked).ok();
    let file = memfd(4096, right());
    let call = json!({
        "method": "io.streamem.Bring",
        "parameters": {"publication": permit["publication"], "slots": [0]},
    });
    let bytes = format!("{call}\0").into_bytes();
    socket::send(wire.socket(), &bytes, &[file.as_fd()]).expect("it is sent");
    assert!(wire.receive().is_none(), "the session goes on");
    assert!(broker.is_alive());
}
