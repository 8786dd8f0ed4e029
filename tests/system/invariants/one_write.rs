//! one_write: a frame's bytes are written once, into the very memory the client looks at.
//!
//! Owns the proof by identity; never trusts what the broker says without the kernel's word.

use super::{bars, take};
use std::time::Duration;
use streamem_tests::{Broker, Consumer, proc};

#[test]
fn one_write() {
    let broker = Broker::with_config(&bars("size=3840x2160&rate=10&format=rgb24"));
    let mut consumer = Consumer::start(&broker.socket(), "cam", &["check=bars"]);
    let report = take(&mut consumer, 3);
    let inspection = broker.inspect();
    let descriptors = inspection["descriptors"].as_array().expect("a list");
    let pool = descriptors.iter().find(|entry| entry["role"] == "pool");
    let pool = pool.unwrap_or_else(|| panic!("no pool in {inspection}"));
    let inode = pool["inode"].as_u64().expect("a number");
    let number = u32::try_from(pool["number"].as_u64().expect("a number")).expect("a small one");
    assert_eq!(
        proc::inode(broker.pid(), number),
        Some(inode),
        "the broker's descriptor"
    );

    let mut wire = broker.connect();
    let grant = wire.subscribe("cam", 2);
    let (_, received) = streamem_sys::file::size_and_inode(grant.fd("pool")).expect("fstat");
    assert_eq!(received, inode, "the descriptor a client is handed");

    let address = report["address"].as_u64().expect("a number");
    let seen = proc::mappings(consumer.pid())
        .into_iter()
        .find(|mapped| (mapped.start..mapped.end).contains(&address))
        .expect("the bytes a client looks at belong to a mapped file");
    assert_eq!(seen.inode, inode, "the bytes a client looks at: {seen:?}");
    assert_eq!(seen.access, "r--s", "{seen:?}");
    let written = proc::mappings(broker.pid());
    assert!(
        written
            .iter()
            .any(|mapped| mapped.inode == inode && mapped.access == "rw-s"),
        "the broker does not write there: {written:?}"
    );

    assert_eq!(broker.stream("cam")["copies"], 0);
    let frame_bytes = 3840 * 2160 * 3;
    for (who, pid) in [
        ("the broker", broker.pid()),
        ("the consumer", consumer.pid()),
    ] {
        let private = most_private_memory(pid);
        assert!(private > 0, "{who} has no memory at all, which cannot be");
        assert!(
            private < frame_bytes,
            "{who} has {private} bytes of its own: room for a copy"
        );
    }
}

/// Looked at often, over several frames, so that a copy that is soon thrown away is seen too.
fn most_private_memory(pid: u32) -> u64 {
    let looks = (0..200).map(|_| {
        std::thread::sleep(Duration::from_millis(3));
        proc::memory(pid, "Anonymous")
    });
    looks.max().unwrap_or(0)
}
