//! A reader that takes frames as they come, keeps some for odd times, and looks at every pixel twice.
//!
//! Owns its frames; never goes easy on the writer.

use super::failure::Failure;
use super::picture::Reference;
use super::reading::builder;
use super::words::Words;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};
use streamem::Frame;

const A_WHILE: Duration = Duration::from_secs(1);

/// Reads for so many seconds.
pub fn run(socket: &Path, words: &Words<'_>) -> Result<Value, Failure> {
    let reference = Reference::read(words.text("reference").unwrap_or_default());
    let reference = reference.map_err(|error| Failure::test(error.to_string()))?;
    let is_whole = |frame: &Frame| {
        reference.is_whole(frame.bytes(), frame.source_sequence(), frame.captured_ns())
    };
    let seconds = words.number("seconds")?.unwrap_or(1);
    let leases: u64 = words.number("leases")?.unwrap_or(2);
    let mut chance: u64 = words.number("seed")?.unwrap_or(1);
    let mut odd = |below: u64| {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        chance % below
    };
    let mut subscription = builder(socket, words.at(1)?, words)?.open()?;
    let (mut frames, mut torn, mut changed, mut backwards, mut last) = (0, 0, 0, 0, 0);
    let mut held: Vec<Frame> = Vec::new();
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        let Some(frame) = subscription.next(A_WHILE)? else {
            continue;
        };
        frames += 1;
        torn += u64::from(!is_whole(&frame));
        backwards += u64::from(frame.sequence() <= last);
        last = frame.sequence();
        held.push(frame);
        while held.len() as u64 > odd(leases) {
            let place = usize::try_from(odd(held.len() as u64)).unwrap_or(0);
            changed += u64::from(!is_whole(&held.swap_remove(place)));
        }
        if odd(20) == 0 {
            std::thread::sleep(Duration::from_micros(odd(5000)));
        }
    }
    changed += held.iter().filter(|frame| !is_whole(frame)).count() as u64;
    Ok(json!({"frames": frames, "torn": torn, "changed": changed, "backwards": backwards}))
}
