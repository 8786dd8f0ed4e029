//! flat_publish: a frame costs the broker's loop at most one system call, for 1 reader and for 100.
//!
//! Owns readers that never wait and readers that always do; never reads a frame.

use super::bars;
use std::sync::atomic::Ordering::Relaxed;
use streamem_sys::{Mapping, ReadOnly, Writable};
use streamem_tests::strace::{Counts, Strace};
use streamem_tests::{Answer, Broker, Wire, eventually};
use streamem_wire::{LEASE_PAGE_BYTES, Newest, header, page};

const FRAMES: u64 = 200;
const READERS: [usize; 3] = [1, 10, 100];

struct Reader {
    grant: Answer,
    lease_page: Mapping<Writable>,
    _wire: Wire,
}

fn reader(broker: &Broker, waits: bool) -> Reader {
    let mut wire = broker.connect();
    let grant = wire.subscribe("cam", 1);
    let lease_page = Mapping::new(grant.fd("lease"), LEASE_PAGE_BYTES, Writable).expect("a page");
    lease_page.words()[page::WAITING].store(u64::from(waits), Relaxed);
    Reader {
        grant,
        lease_page,
        _wire: wire,
    }
}

impl Reader {
    fn woken(&self) -> u64 {
        self.lease_page.words()[page::WAKE].load(Relaxed)
    }
}

/// System calls for each frame.
#[derive(Debug)]
struct Cost {
    by_the_loop: f64,
    by_all: f64,
}

impl Cost {
    fn of(counts: &Counts, frames: u64, main_thread: u32) -> Cost {
        #[allow(clippy::cast_precision_loss, reason = "both are small")]
        let for_each = |calls: u64| calls as f64 / frames as f64;
        Cost {
            by_the_loop: for_each(counts.by_thread(main_thread)),
            by_all: for_each(counts.all()),
        }
    }
}

fn cost(readers: usize, wait: bool) -> Cost {
    let broker = Broker::with_config(&bars("size=160x120&rate=100"));
    let readers: Vec<Reader> = (0..readers).map(|_| reader(&broker, wait)).collect();
    let ring = readers.first().expect("at least one").grant.fd("ring");
    let ring = Mapping::new(ring, 4096, ReadOnly).expect("a ring");
    let head = || Newest::unpack(ring.words()[header::HEAD].load(Relaxed));
    let newest = || head().map_or(0, |newest| newest.sequence.0);
    eventually("frames come", || (newest() > 0).then_some(()));

    let trace = Strace::attach(broker.pid());
    let woken: Vec<u64> = readers.iter().map(Reader::woken).collect();
    let first = newest();
    eventually("enough frames have passed", || {
        (newest() >= first + FRAMES).then_some(())
    });
    let frames = newest() - first;
    let counts = trace.detach();

    for (reader, before) in readers.iter().zip(woken) {
        let woken = reader.woken() - before;
        let expected = if wait { frames } else { 0 };
        assert!(
            woken + 2 >= expected,
            "woken {woken} times for {frames} frames"
        );
        assert!(
            wait || woken == 0,
            "a reader that does not wait was woken {woken} times"
        );
    }
    assert!(
        counts.all() >= frames,
        "the broker was not traced: {counts:?}"
    );
    assert!(counts.messages() < 10, "frames cost messages: {counts:?}");
    Cost::of(&counts, frames, broker.pid())
}

#[test]
fn flat_publish() {
    let costs = READERS.map(|readers| cost(readers, true));
    for cost in &costs {
        assert!(
            cost.by_the_loop < 1.5,
            "the loop pays more than one call: {costs:?}"
        );
    }
    assert!(
        costs[2].by_the_loop < costs[0].by_the_loop + 0.5,
        "it grows: {costs:?}"
    );
    for (cost, readers) in costs.iter().zip([1.0, 10.0, 100.0]) {
        assert!(
            cost.by_all < 3.5 + readers,
            "more than a wake for each: {costs:?}"
        );
    }
}

#[test]
fn flat_publish_readers_that_do_not_wait_cost_nothing() {
    let costs = READERS.map(|readers| cost(readers, false).by_all);
    assert!(costs.iter().all(|cost| *cost < 3.5), "{costs:?}");
    assert!(costs[2] < costs[0] + 0.5, "it grows: {costs:?}");
}
