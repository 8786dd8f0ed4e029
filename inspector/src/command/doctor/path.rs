//! A stamped test frame through the whole path: source, pool, ring, lease, this process.
//!
//! Owns the test stream for the seconds it is needed, and removes it however the check ends; where
//! none may be added, `reading` takes one that is there.

use super::super::Broker;
use super::super::ending::Ending;
use super::check::Check;
use super::reading;
use crate::failure::Failure;
use crate::output::units;
use crate::picture::Pixels;
use std::time::{Duration, Instant};
use streamem::{Client, Frame};
use streamem_wire::Reason;
use streamem_wire::stamp_strip::Strip;

const AREA: &str = "broker";
const NAME: &str = "test frame";
const SOURCE: &str = "pattern://bars?size=640x360&rate=60&format=rgb24";
/// Frames that are read.
pub const FRAMES: usize = 10;
const PATIENCE: Duration = Duration::from_secs(5);

pub fn check(broker: &Broker<'_>, mut client: Client) -> Check {
    let Ok(ending) = Ending::watch() else {
        return Check::note(
            AREA,
            NAME,
            "not tried",
            "signal handlers cannot be set here",
        );
    };
    let name = format!("doctor-{}", std::process::id());
    let judged = match client.add_stream(&name, SOURCE) {
        Ok(_) => {
            let judged = judge(broker, &name, &ending);
            let removed = client.remove_stream(&name);
            judged.and_then(|found| removed.map(|()| found).map_err(Failure::from))
        }
        Err(streamem::Error::Refused(refusal)) if refusal.reason == Reason::NotPermitted => {
            match reading::existing(broker, &mut client, &ending) {
                Ok(Some(found)) => Ok(found),
                Ok(None) => {
                    return Check::note(
                        AREA,
                        NAME,
                        "not tried: this user may add no stream, and none that it may read has frames",
                        "run the doctor as an administrator of the broker, or serve a stream: source = \"pattern://bars\"",
                    );
                }
                Err(failure) => Err(failure),
            }
        }
        Err(error) => Err(error.into()),
    };
    match judged {
        Ok(found) => Check::good(AREA, NAME, found),
        Err(failure) => {
            let said = failure.to_string();
            let (found, remedy) = said
                .rsplit_once("; ")
                .unwrap_or((&said, "see the broker's log"));
            Check::wrong(AREA, NAME, found, remedy)
        }
    }
}

/// Reads frames of bars, and says how it went.
pub fn judge(broker: &Broker<'_>, name: &str, ending: &Ending) -> Result<String, Failure> {
    let mut subscription = broker.subscription(name).latest().open()?;
    let deadline = Instant::now() + PATIENCE;
    let mut ages = Vec::with_capacity(FRAMES);
    while ages.len() < FRAMES {
        if ending.is_near() {
            return Err(Failure::Wrong("it was interrupted; let it run".to_owned()));
        }
        let Some(frame) = subscription.next(Duration::from_millis(100))? else {
            if Instant::now() > deadline {
                return Err(Failure::Wrong(format!(
                    "{} of {FRAMES} frames came in {} s; see the broker's log, its pattern source is stuck",
                    ages.len(),
                    PATIENCE.as_secs()
                )));
            }
            continue;
        };
        ages.push(frame.age());
        compare(&frame)?;
    }
    ages.sort();
    let median = ages[ages.len() / 2];
    Ok(format!(
        "{FRAMES} frames of {name} are what was sent, {} after capture (median)",
        units::age(median)
    ))
}

/// The number burnt into the picture must be the one the ring says.
fn compare(frame: &Frame) -> Result<(), Failure> {
    let pixels = Pixels::new(frame.layout(), frame.bytes())?;
    let is_bright = |x, y| pixels.at(x, y).map(u32::from).iter().sum::<u32>() > 3 * 127;
    match Strip::read(pixels.width(), pixels.height(), is_bright) {
        Some(strip) if strip.number == frame.source_sequence() => Ok(()),
        Some(strip) => Err(Failure::Wrong(format!(
            "the picture of frame {} bears number {}; memory and ring do not belong together, restart the broker and report this",
            frame.source_sequence(),
            strip.number
        ))),
        None => Err(Failure::Wrong(format!(
            "the picture of frame {} bears no readable stamp; the memory handed over is not the broker's, restart it and report this",
            frame.sequence()
        ))),
    }
}
