//! The thread that opens a camera and finds out how its frames can come into slots: drivers take their time.
//!
//! Owns the trial of each way; never makes memory for frames.

use super::importing::{Imported, import};
use super::{DEFECT, in_hand};
use crate::pool::Protection;
use crate::source::v4l2::{Camera, CameraError, Fill, Wish, controls};
use crate::stream::worker::{Reporter, Reports, Turn, Worker};
use crate::stream::{BROUGHT_MAX, Pool, published_slot_bytes};
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};
use streamem_sys::file::size_and_inode;
use streamem_v4l2::{Control, Memory, Rows};
use streamem_wire::{Layout, StreamName};
use tracing::warn;

/// How long a camera that is in use is waited for.
const BUSY_MAX: Duration = Duration::from_secs(1);
const BUSY_PAUSE: Duration = Duration::from_millis(20);
/// From one look for a signal to the next.
const SIGNAL_PAUSE: Duration = Duration::from_millis(500);
/// Buffers a driver is asked for that are handed out: as many as fit into a message.
const EXPORTED: u32 = 12;
/// What no driver needs more than; V4L2 had no more buffers for long.
const IN_HAND_MAX: u32 = 32;
const _: () = assert!(EXPORTED as usize <= BROUGHT_MAX);

/// How slots will be filled.
#[derive(Debug)]
pub enum Way {
    /// By the driver, in this memory of ours; in that of the stream if it does.
    Import(Option<Pool>),
    /// By the driver, in memory of its own, which is handed out.
    Export(Vec<OwnedFd>),
    /// By copying.
    Copy,
}

impl Way {
    /// Its name.
    #[must_use]
    pub fn fill(&self) -> Fill {
        match self {
            Way::Import(_) => Fill::Import,
            Way::Export(_) => Fill::Export,
            Way::Copy => Fill::Copy,
        }
    }
}

/// A camera that is open, and how it will fill slots.
#[derive(Debug)]
pub struct Ready {
    /// The camera.
    pub camera: Arc<Camera>,
    /// How.
    pub way: Way,
    /// Slots it has in hand meanwhile.
    pub in_hand: u32,
    /// Why no better way is taken, and what is odd about its pictures; empty for the best.
    pub note: String,
}

/// What a stream wants of a camera that is opened for it.
#[derive(Debug)]
pub(in crate::stream) struct Wanted {
    /// Which stream.
    pub(in crate::stream) name: StreamName,
    /// Which camera, and how it is to be set up.
    pub(in crate::stream) wish: Wish,
    /// Its controls.
    pub(in crate::stream) set: BTreeMap<String, String>,
    /// The ways in which slots cannot be filled, each with what went wrong.
    pub(in crate::stream) avoid: Vec<(Fill, String)>,
    /// Slots of a pool that a driver writes into.
    pub(in crate::stream) slots: u32,
    /// What is to keep readers from writing to it.
    pub(in crate::stream) protection: Protection,
    /// How frames lie in such a pool that the stream has.
    pub(in crate::stream) has: Option<Layout>,
}

/// Opens a camera, but not with a way that was found wanting before, and reports what became of it.
pub(in crate::stream) fn start(
    wanted: Wanted,
    source: u64,
    reports: &Reports,
) -> std::io::Result<Worker> {
    let ended = Arc::new(AtomicBool::new(false));
    let (reporter, unwanted) = (reports.reporter(source), Arc::clone(&ended));
    let open = move || {
        let opened = AssertUnwindSafe(|| open(&wanted, &unwanted, &reporter));
        let turn = match catch_unwind(opened) {
            Ok(Ok(ready)) => Turn::Ready(Box::new(ready)),
            Ok(Err(why)) => Turn::Ended(why.to_string()),
            Err(_) => Turn::Ended(DEFECT.to_owned()),
        };
        if !unwanted.load(Relaxed) {
            reporter.report(turn);
        }
    };
    thread::Builder::new()
        .name("camera-open".to_owned())
        .spawn(open)?;
    Ok(Worker { ended })
}

fn open(wanted: &Wanted, unwanted: &AtomicBool, reporter: &Reporter) -> Result<Ready, CameraError> {
    let begun = Instant::now();
    let mut told = String::new();
    let camera = loop {
        match Camera::open(&wanted.wish) {
            // Whoever had it for this stream before may be about to close it.
            Err(why) if why.is_busy() && begun.elapsed() < BUSY_MAX && !unwanted.load(Relaxed) => {
                thread::sleep(BUSY_PAUSE);
            }
            Err(why) if why.is_about_signal() && !unwanted.load(Relaxed) => {
                let why = why.to_string();
                if why != told {
                    reporter.report(Turn::Silent(why.clone()));
                    told = why;
                }
                thread::sleep(SIGNAL_PAUSE);
            }
            opened => break opened?,
        }
    };
    let place = camera.device.path().display();
    if !wanted.set.is_empty() {
        match controls::set(&camera.device, &wanted.set) {
            Ok(wrong) => wrong.iter().for_each(|why| {
                warn!(
                    "{place}: {why} (see [stream.{}.controls] in the configuration)",
                    wanted.name
                );
            }),
            Err(why) if why.is_gone() => return Err(why.into()),
            Err(why) => warn!("its controls are not set: {why}"),
        }
    }
    prepare(camera, wanted)
}

fn prepare(camera: Camera, wanted: &Wanted) -> Result<Ready, CameraError> {
    let mut notes = Vec::new();
    let only = camera.fill;
    for fill in Fill::ALL
        .into_iter()
        .filter(|fill| only.is_none_or(|only| only == *fill))
    {
        if let Some((_, why)) = wanted.avoid.iter().find(|(avoided, _)| *avoided == fill) {
            notes.push(format!("{}: {why}", fill.name()));
            continue;
        }
        let tried = match fill {
            Fill::Import => wanted_in_hand(&camera, fill).and_then(|in_hand| {
                let Imported {
                    pool,
                    notes: passed,
                } = import(&camera, wanted)?;
                notes.extend(passed);
                Ok((Way::Import(pool), in_hand))
            }),
            Fill::Export => wanted_in_hand(&camera, fill).and_then(|in_hand| {
                try_export(&camera, in_hand).map(|slots| (Way::Export(slots), in_hand))
            }),
            Fill::Copy => Ok((Way::Copy, in_hand(fill))),
        };
        match tried {
            Ok((way, in_hand)) => {
                if camera.format.rows == Rows::Woven {
                    notes.push(
                        "pictures are interlaced: every other row is of another moment".to_owned(),
                    );
                }
                return Ok(Ready {
                    in_hand,
                    camera: Arc::new(camera),
                    way,
                    note: notes.join("; "),
                });
            }
            Err(why) => notes.push(format!("{}: {why}", fill.name())),
        }
    }
    Err(CameraError::Fill {
        place: camera.device.path().to_owned(),
        asked: only.map_or("any way", Fill::name),
        why: notes.join("; "),
    })
}

/// Slots the driver is to have in hand: as usual, or as many as it needs before it fills the first. Some drivers
/// say so in a control, and most make more buffers than they are asked for.
fn wanted_in_hand(camera: &Camera, fill: Fill) -> Result<u32, String> {
    let (device, queue) = (&camera.device, camera.queue);
    let memory = if fill == Fill::Import {
        Memory::DmaBuf
    } else {
        Memory::Mmap
    };
    let failed = |why: streamem_v4l2::Error| why.to_string();
    let made = device.request(queue, memory, 1).map_err(failed)?;
    device.request(queue, memory, 0).map_err(failed)?;
    let said = device.control(Control::LEAST_BUFFERS).unwrap_or(0);
    Ok(enough(fill, made, said))
}

fn enough(fill: Fill, made: u32, said: i64) -> u32 {
    // One more, since one is with us or with readers.
    let said = u32::try_from(said).unwrap_or(0).saturating_add(1);
    in_hand(fill).max(made).max(said).min(IN_HAND_MAX)
}

/// The driver's own buffers, to be handed out.
fn try_export(camera: &Camera, in_hand: u32) -> Result<Vec<OwnedFd>, String> {
    if camera.format.planes.len() > 1 {
        return Err("a frame lies in more than one buffer of the driver".to_owned());
    }
    let (device, queue) = (&camera.device, camera.queue);
    let failed = |why: streamem_v4l2::Error| why.to_string();
    let count = device
        .request(queue, Memory::Mmap, EXPORTED)
        .map_err(failed)?;
    let exported = exported(camera, count, in_hand).inspect_err(|_| {
        let _they_are_asked_for_anew = device.request(queue, Memory::Mmap, 0);
    })?;
    Ok(exported)
}

fn exported(camera: &Camera, count: u32, in_hand: u32) -> Result<Vec<OwnedFd>, String> {
    let least = in_hand + 2;
    if count < least {
        return Err(format!(
            "the driver has {count} buffers, and {least} are needed"
        ));
    }
    let needs = published_slot_bytes(&camera.layout) as u64;
    let one = |index| {
        let slot = camera
            .device
            .export(camera.queue, index, 0, false)
            .map_err(|why| why.to_string())?;
        match size_and_inode(&slot) {
            Ok((bytes, _)) if bytes >= needs => Ok(slot),
            Ok((bytes, _)) => Err(format!(
                "a buffer of the driver has {bytes} bytes where a slot needs {needs}"
            )),
            Err(why) => Err(format!("fstat of a buffer: {why}")),
        }
    };
    (0..count.min(EXPORTED)).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_has_in_hand_what_it_needs_to_begin() {
        let import = |made, said| enough(Fill::Import, made, said);
        assert_eq!((import(1, 0), import(2, 1)), (4, 4));
        assert_eq!((import(6, 0), import(2, 6)), (6, 7));
        assert_eq!((import(1000, -1), import(1, i64::MAX)), (32, 4));
    }
}
