//! `streamem watch`: a line for each frame.
//!
//! Owns the columns of that line; never holds a frame longer than it takes to describe it.

use super::Broker;
use super::frame_line::FrameLine;
use crate::cli::Watch;
use crate::failure::Failure;
use crate::output::{Output, Tint, complain, units};
use std::time::Duration;

/// After so long without a frame a person wants to be told.
const SILENCE: Duration = Duration::from_secs(5);

pub fn run(broker: &Broker<'_>, asked: &Watch, output: &mut Output) -> Result<(), Failure> {
    let builder = broker.subscription(asked.stream.as_str()).wait(asked.wait);
    let builder = match asked.every {
        Some(depth) => builder.every(depth),
        None => builder.latest(),
    };
    let mut subscription = builder.open()?;
    if !output.json() {
        output.tinted_line("  SEQUENCE         AGE        SIZE  MISSED", Tint::Heading)?;
    }
    let mut left = asked.count;
    while left != Some(0) {
        let Some(frame) = subscription.next(SILENCE)? else {
            complain(&format!(
                "no frame of {} for {} s; waiting (see 'streamem info {}')",
                asked.stream,
                SILENCE.as_secs(),
                asked.stream
            ));
            continue;
        };
        let line = FrameLine::of(&frame);
        drop(frame);
        left = left.map(|count| count - 1);
        if output.json() {
            output.json_line(&line)?;
            continue;
        }
        let tint = if line.missed > 0 {
            Tint::Notable
        } else {
            Tint::Plain
        };
        output.tinted_line(&text(&line), tint)?;
    }
    Ok(())
}

fn text(line: &FrameLine) -> String {
    format!(
        "{:>10}  {:>10}  {:>10}  {:>6}",
        line.sequence,
        units::milliseconds(line.age_ns),
        units::size(line.bytes),
        line.missed
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stands_under_its_headings() {
        let line = FrameLine {
            sequence: 42,
            source_sequence: 42,
            captured_ns: 1,
            published_ns: 2,
            age_ns: 1_500_000,
            bytes: 2_764_800,
            missed: 3,
            flags: 0,
        };
        assert_eq!(text(&line), "        42     1.50 ms    2.64 MiB       3");
    }
}
