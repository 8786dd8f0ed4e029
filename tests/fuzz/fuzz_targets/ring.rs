//! Shared pages with anything in them, as a client reads them: it does not trust the broker blindly.
//!
//! Owns the pages; every access must stay inside them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::atomic::AtomicU64;
use streamem_wire::{
    HEADER_WORDS, LEASE_PAGE_WORDS, LeasePage, Newest, RING_MAGIC, Ring, RingShape, Sequence, Slot,
    header, lease,
};

fn words(bytes: &[u8]) -> Vec<AtomicU64> {
    let word = |chunk: &[u8]| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        AtomicU64::new(u64::from_le_bytes(word))
    };
    bytes.chunks(8).map(word).collect()
}

fn read(ring: &Ring<'_>, place: &AtomicU64, wanted: Newest) {
    if lease::lease(ring, place, wanted).is_ok() {
        let stamp = lease::stamp(ring, wanted.slot);
        assert!(stamp.used_bytes <= ring.shape().slot_bytes as u64);
        let _ = streamem_wire::SideData::decode_all(&lease::side_data(ring, wanted.slot));
        lease::release(place);
    }
}

fuzz_target!(|input: (bool, u32, Vec<u8>)| {
    let (is_ring, pool_bytes, bytes) = input;
    let words = words(&bytes);
    if !is_ring {
        if let Ok(page) = LeasePage::read(&words) {
            assert!(words.len() >= LEASE_PAGE_WORDS && !page.leases().is_empty());
        }
        return;
    }
    if words.len() >= HEADER_WORDS {
        words[header::MAGIC].store(RING_MAGIC, std::sync::atomic::Ordering::Relaxed);
    }
    let Ok(shape) = RingShape::read(&words, u64::from(pool_bytes)) else {
        return;
    };
    assert!(shape.pool_bytes() as u64 <= u64::from(pool_bytes));
    let ring = Ring::new(&words, shape).expect("the shape was read from these words");
    let place = AtomicU64::new(0);
    let _ = ring.state();
    if let Some(newest) = lease::newest(&ring) {
        read(&ring, &place, newest);
        for back in 0..4 {
            let wanted = Sequence(newest.sequence.0.saturating_sub(back));
            if let Some(found) = lease::find(&ring, wanted) {
                read(&ring, &place, found);
            }
        }
    }
    for slot in [0, 1, u16::MAX] {
        let _ = lease::side_data(&ring, Slot(slot));
    }
});
