//! Bytes from a client, in pieces of any size, as the broker reads them.
//!
//! Owns the pieces; whatever comes out must go back in as it came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use streamem_wire::message::{AddStream, Grant, Listing, OfStream, OfSubscription, Subscribe};
use streamem_wire::varlink::{CALL_BYTES_MAX, Call, Inbox, Reply, encode};
use streamem_wire::{Reason, Refusal};

fn parameters(call: &Call) {
    let value = || Value::Object(call.parameters.clone());
    let _ = serde_json::from_value::<Subscribe>(value());
    let _ = serde_json::from_value::<OfStream>(value());
    let _ = serde_json::from_value::<OfSubscription>(value());
    let _ = serde_json::from_value::<AddStream>(value());
}

fn results(reply: &Reply) {
    let value = || Value::Object(reply.parameters.clone());
    let _ = serde_json::from_value::<Grant>(value());
    let _ = serde_json::from_value::<Listing>(value());
    if let Some(refusal) = Refusal::of(reply) {
        let again = Refusal::of(&refusal.reply());
        assert!(refusal.reason == Reason::Unknown || again == Some(refusal));
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((piece, bytes)) = input.split_first() else {
        return;
    };
    let mut calls = Inbox::new(CALL_BYTES_MAX);
    let mut replies = Inbox::new(CALL_BYTES_MAX);
    for piece in bytes.chunks(usize::from(*piece) + 1) {
        calls.push(piece);
        while let Ok(Some(call)) = calls.take::<Call>() {
            parameters(&call);
            let mut again = Inbox::new(usize::MAX);
            again.push(&encode(&call));
            let again = again.take::<Call>().ok().flatten();
            assert_eq!(again.map(|again| again.method), Some(call.method));
        }
        replies.push(piece);
        while let Ok(Some(reply)) = replies.take::<Reply>() {
            results(&reply);
        }
    }
});
