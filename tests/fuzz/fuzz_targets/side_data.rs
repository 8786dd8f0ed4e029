//! Side-data of a frame with anything in it.
//!
//! Owns nothing; blocks that were read are written and read again as they were.
#![no_main]

use libfuzzer_sys::fuzz_target;
use streamem_wire::SideData;

fuzz_target!(|bytes: &[u8]| {
    let blocks = SideData::decode_all(bytes);
    let mut again = Vec::new();
    blocks.iter().for_each(|block| block.encode(&mut again));
    let mut twice = Vec::new();
    for block in SideData::decode_all(&again) {
        block.encode(&mut twice);
    }
    assert_eq!(again, twice);
});
