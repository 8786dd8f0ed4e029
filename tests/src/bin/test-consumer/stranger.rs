//! Clients that do not behave: with the raw wire, since the client crate would not let them.
//!
//! Owns the misbehaviour; never lies about what it achieved.

use crate::options::Options;
use serde_json::{Map, Value, json};
use std::sync::atomic::Ordering::Relaxed;
use streamem_sys::{Mapping, Writable};
use streamem_tests::{Wire, attack};
use streamem_wire::{LEASE_PAGE_BYTES, page};

fn connect(options: &Options) -> Result<Wire, String> {
    Wire::try_connect(&options.socket).map_err(|error| error.to_string())
}

/// Tries everything to write to the ring and the pool.
pub fn attack(options: &Options) -> Result<(), String> {
    let mut wire = connect(options)?;
    let grant = wire.subscribe(&options.stream, 2);
    let mut outcomes = Map::new();
    for role in ["ring", "pool"] {
        for (attempt, failure) in attack::every_way_to_write(grant.fd(role)) {
            let outcome = failure.map_or("succeeded".to_owned(), |errno| errno.to_string());
            outcomes.insert(format!("{role}: {attempt}"), Value::String(outcome));
        }
    }
    println!("{}", json!({"is": "attacked", "outcomes": outcomes}));
    Ok(())
}

/// Writes nonsense over the whole lease page, for ever.
pub fn scribble(options: &Options) -> Result<(), String> {
    let mut wire = connect(options)?;
    let grant = wire.subscribe(&options.stream, 4);
    let lease_page = Mapping::new(grant.fd("lease"), LEASE_PAGE_BYTES, Writable)
        .map_err(|error| error.to_string())?;
    println!("{}", json!({"is": "opened", "pid": std::process::id()}));
    let mut noise = 0x9e37_79b9_7f4a_7c15_u64;
    let generation = grant.parameters["stream"]["generation"].as_u64();
    let slots = grant.parameters["stream"]["slots"].as_u64().unwrap_or(1);
    loop {
        for (at, word) in lease_page.words().iter().enumerate() {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            let looks_like_a_lease = generation.unwrap_or(0) << 32 | (noise % slots + 1);
            let nonsense = if at >= page::LEASES && noise & 1 == 0 {
                looks_like_a_lease
            } else {
                noise
            };
            word.store(nonsense, Relaxed);
        }
    }
}

/// Makes the calls it was given, one after the other, and prints all answers to each.
pub fn call(options: &Options) -> Result<(), String> {
    let mut wire = connect(options)?;
    for call in options.all("call") {
        let call: Value = serde_json::from_str(call).map_err(|error| error.to_string())?;
        wire.send(&call);
        loop {
            let answer = wire.receive().ok_or("the broker hung up")?;
            let said = json!({
                "is": "answer",
                "error": answer.error,
                "parameters": answer.parameters,
                "fds": answer.fds.len(),
            });
            println!("{said}");
            if !answer.continues {
                break;
            }
        }
    }
    Ok(())
}
