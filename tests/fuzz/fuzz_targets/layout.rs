//! A layout as it comes over the socket, with anything in it.
//!
//! Owns nothing; one that fits must not reach outside its slot.
#![no_main]

use libfuzzer_sys::fuzz_target;
use streamem_wire::Layout;

fuzz_target!(|input: (u32, &[u8])| {
    let (slot_bytes, json) = input;
    let Ok(layout) = serde_json::from_slice::<Layout>(json) else {
        return;
    };
    let _ = (layout.summary(), layout.digest());
    if !layout.fits(u64::from(slot_bytes)) {
        return;
    }
    assert!(layout.bytes <= u64::from(slot_bytes));
    for plane in &layout.planes {
        let end = plane
            .stride
            .checked_mul(plane.rows)
            .and_then(|all| all.checked_add(plane.offset));
        assert!(end.is_some_and(|end| end <= layout.bytes));
    }
    if let Some(array) = &layout.array {
        let last = array
            .shape
            .iter()
            .zip(&array.strides)
            .map(|(n, stride)| (n - 1) * stride);
        assert!(last.sum::<u64>() < layout.bytes.max(1));
    }
});
