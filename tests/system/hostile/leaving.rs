//! Readers whose session the broker closes, and who have not noticed yet.
//!
//! Owns the lease they hold; the bytes under it must not change before they know.

use super::Scene;
use serde_json::Value;
use std::sync::atomic::Ordering::Relaxed;
use streamem_sys::{Mapping, ReadOnly, Writable};
use streamem_tests::{Answer, Wire, eventually};
use streamem_wire::{
    LEASE_PAGE_BYTES, LeasePage, Newest, Ring, RingShape, Sequence, Slot, lease, record,
};

struct Held {
    ring: Mapping<ReadOnly>,
    shape: RingShape,
    frame: Newest,
}

impl Held {
    /// Leases the newest frame, as a client does.
    fn take(grant: &Answer) -> Held {
        let bytes = |role| {
            streamem_sys::file::size_and_inode(grant.fd(role))
                .expect("fstat")
                .0
        };
        let whole = |role| usize::try_from(bytes(role)).expect("it fits");
        let ring = Mapping::new(grant.fd("ring"), whole("ring"), ReadOnly).expect("a ring");
        let page = Mapping::new(grant.fd("lease"), LEASE_PAGE_BYTES, Writable).expect("a page");
        let shape = RingShape::read(ring.words(), bytes("pool")).expect("a ring");
        let frame = eventually("a frame is leased", || {
            let view = Ring::new(ring.words(), shape).expect("a ring");
            let newest = lease::newest(&view)?;
            let places = LeasePage::new(page.words(), 1).expect("a page");
            lease::lease(&view, &places.leases()[0], newest).ok()?;
            Some(newest)
        });
        Held { ring, shape, frame }
    }

    fn in_slot(&self, slot: Slot) -> Sequence {
        let view = Ring::new(self.ring.words(), self.shape).expect("a ring");
        let record = view.record(slot).expect("a slot");
        Sequence(record[record::SEQUENCE].load(Relaxed))
    }
}

fn subscriptions(scene: &Scene) -> Vec<Value> {
    let inspection = scene.broker.inspect();
    inspection["subscriptions"]
        .as_array()
        .cloned()
        .expect("a list")
}

/// A reader that holds a frame and is told to go.
fn close_one_that_holds(scene: &Scene) -> (Wire, Held) {
    let mut wire = scene.broker.connect();
    let held = Held::take(&wire.subscribe("cam", 1));
    assert!(wire.send_bytes(b"nonsense\0"));
    assert!(wire.receive().is_none(), "it was not told");
    (wire, held)
}

#[test]
fn what_a_closed_session_holds_stays_until_it_hangs_up() {
    let mut scene = Scene::open();
    let (wire, held) = close_one_that_holds(&scene);
    let before = scene.witness.count("frames");
    eventually("the witness goes on", || {
        (scene.witness.count("frames") > before + 50).then_some(())
    });
    assert_eq!(held.in_slot(held.frame.slot), held.frame.sequence);
    assert_eq!(subscriptions(&scene).len(), 2);
    drop(wire);
    eventually("the slot is used again", || {
        (held.in_slot(held.frame.slot) != held.frame.sequence).then_some(())
    });
    assert_eq!(subscriptions(&scene).len(), 1);
    scene.assert_nothing_happened();
}

#[test]
fn a_closed_session_that_never_hangs_up_is_let_go_in_the_end() {
    let scene = Scene::open();
    let (wire, _held) = close_one_that_holds(&scene);
    eventually("its time is up", || {
        (subscriptions(&scene).len() == 1).then_some(())
    });
    drop(wire);
    scene.assert_nothing_happened();
}
