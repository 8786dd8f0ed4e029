//! The ways a headset's streams come to readers, and starting each of them.
//!
//! It owns which processes count as what brings the frames. The original's method is in
//! `python/hololens_peer.py`.

use super::conducted::Conducted;
use super::decoder;
use super::device::Device;
use super::report::{Outcome, View};
use crate::clock::{now_ns, sleep};
use crate::harness::processes::{CpuTimes, descendants};
use crate::peer::script;
use crate::peer::streamem::broker::{Streamemd, socket};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use streamem::Client;

/// A stream by the name readers ask for, and what the broker makes it of.
pub type Sensor = (&'static str, &'static str);

/// A way to bring streams to readers.
#[derive(Clone, Debug)]
pub enum Way {
    /// The broker and its worker, with so many readers of every frame.
    Streamem(Vec<Sensor>, usize),
    /// What the program that Streamem replaces does, with so many readers of the newest frame.
    Original(Vec<Sensor>, usize),
    /// One process that receives and does nothing else.
    Bare(&'static str),
    /// FFmpeg alone, on what is in a file.
    Decoder {
        /// Pictures are decoded when they would come, and not at once.
        is_paced: bool,
    },
}

/// Everything the device sends all the time.
#[must_use]
pub fn all_sensors() -> Vec<Sensor> {
    vec![
        ("pv", "pv"),
        ("vlc-left-front", "vlc-left-front"),
        ("vlc-left-left", "vlc-left-left"),
        ("vlc-right-front", "vlc-right-front"),
        ("vlc-right-right", "vlc-right-right"),
        ("ahat-depth", "ahat-depth"),
        ("ahat-ab", "ahat-ab"),
        ("longthrow-depth", "longthrow-depth"),
        ("longthrow-ab", "longthrow-ab"),
        ("accelerometer", "accelerometer"),
        ("gyroscope", "gyroscope"),
        ("magnetometer", "magnetometer"),
        ("microphone", "microphone"),
    ]
}

/// Single streams, and the ways that are compared for each.
#[must_use]
pub fn singles() -> Vec<(&'static str, Vec<Way>)> {
    let one = |path| Way::Streamem(vec![("pv", path)], 1);
    vec![
        (
            DECODED,
            vec![
                one("pv"),
                Way::Decoder { is_paced: true },
                Way::Decoder { is_paced: false },
            ],
        ),
        (
            COLOURS,
            vec![
                Way::Streamem(vec![("pv", "pv?format=bgr24")], 3),
                Way::Original(vec![("pv", "pv")], 3),
                Way::Streamem(vec![("pv", "pv")], 3),
            ],
        ),
        (
            GREY,
            vec![
                Way::Streamem(vec![("grey", "vlc-left-front?profile=raw")], 1),
                Way::Bare("grey"),
            ],
        ),
        (
            SMALL,
            vec![
                one("pv?size=640x360&profile=raw&buffered=yes"),
                Way::Bare("video-640x360"),
            ],
        ),
        (
            LARGE,
            vec![
                one("pv?size=1280x720&profile=raw&buffered=yes"),
                Way::Bare("video-1280x720"),
            ],
        ),
    ]
}

/// 1080p of H.265, for one reader.
pub const DECODED: &str = "colour camera, 1080p H.265 at 30/s, 1 reader";
/// The same as the original had it.
pub const COLOURS: &str = "colour camera, 1080p H.265 at 30/s, 3 readers";
/// Raw pictures.
pub const GREY: &str = "grey camera, raw 640x480 at 30/s (307,224 bytes), 1 reader";
/// Raw pictures.
pub const SMALL: &str = "colour camera, raw 640x360 NV12 at 30/s (345,680 bytes), 1 reader";
/// Raw pictures.
pub const LARGE: &str = "colour camera, raw 1280x720 NV12 at 30/s (1,382,480 bytes), 1 reader";

const WARM_UP: Duration = Duration::from_secs(2);
/// The device sees that a client is gone when it next sends.
const DEVICE_PAUSE: Duration = Duration::from_secs(1);

/// What participants say when all of them have a first frame.
#[derive(Debug, Deserialize)]
struct Pids {
    producers: Vec<u32>,
    readers: Vec<u32>,
}

impl Way {
    /// It in words.
    #[must_use]
    pub fn about(&self) -> String {
        match self {
            Way::Streamem(sensors, _) => match sensors[..] {
                [(_, path)] if path.contains("bgr24") => "Streamem, bgr24".to_owned(),
                [("pv", "pv")] => "Streamem, i420".to_owned(),
                _ => "Streamem".to_owned(),
            },
            Way::Original(..) => "the original's method (bgr24)".to_owned(),
            Way::Bare(_) => "bare receiving".to_owned(),
            Way::Decoder { is_paced: true } => "ffmpeg -threads 1, paced".to_owned(),
            Way::Decoder { is_paced: false } => "ffmpeg -threads 1".to_owned(),
        }
    }

    /// Brings streams to readers for so long.
    pub fn run(&self, device: &Device, duration: Duration) -> io::Result<Outcome> {
        let outcome = match self {
            Way::Streamem(sensors, readers) => streamem(device, duration, sensors, *readers),
            Way::Original(sensors, readers) => original(device, duration, sensors, *readers),
            Way::Bare(what) => bare(device, duration, what),
            Way::Decoder { is_paced } => decoder::run(duration, *is_paced),
        };
        sleep(DEVICE_PAUSE);
        outcome
    }
}

fn folder() -> io::Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("streamem-hololens-{}", std::process::id()));
    let _left = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn streamem(
    device: &Device,
    duration: Duration,
    sensors: &[Sensor],
    readers: usize,
) -> io::Result<Outcome> {
    let folder = folder()?;
    let sources: Vec<(&str, String)> = sensors
        .iter()
        .map(|(name, path)| (*name, format!("hl2ss://{}/{path}", device.address())))
        .collect();
    let broker = Streamemd::of(&folder, &sources)?;
    let (place, offset) = (socket(&folder), device.clock_offset_ns.to_string());
    let place = place.to_string_lossy().into_owned();
    let mut words = vec!["reader", &place, &offset];
    words.extend(sensors.iter().map(|(name, _)| *name));
    let reading: io::Result<Vec<Conducted>> =
        (0..readers).map(|_| Conducted::role(&words)).collect();
    let mut reading = reading?;
    for reader in &reading {
        let _ready: bool = reader.hear()?;
    }
    let mut producers = descendants(broker.pid());
    producers.push(broker.pid());
    let pids = Pids {
        producers,
        readers: reading.iter().map(Conducted::pid).collect(),
    };
    let (mut outcome, views) = conduct(&mut reading, &pids, duration)?;
    outcome.views = views;
    outcome.dropped = dropped(&place, sensors).map_err(io::Error::other)?;
    drop(broker);
    std::fs::remove_dir_all(&folder)?;
    Ok(outcome)
}

/// What the broker and its worker say was dropped, since they were started.
fn dropped(place: &str, sensors: &[Sensor]) -> Result<u64, streamem::Error> {
    let mut client = Client::connect(Some(place.as_ref()))?;
    let mut dropped = 0;
    for (name, _) in sensors {
        let counters = client.info(name)?.counters;
        dropped += counters.dropped_no_slot + counters.dropped_by_source;
    }
    Ok(dropped)
}

fn original(
    device: &Device,
    duration: Duration,
    sensors: &[Sensor],
    readers: usize,
) -> io::Result<Outcome> {
    let command = script::command_with("hololens_peer.py", "numpy, av");
    let command = command
        .ok_or_else(|| io::Error::other("not installed: run tests/bench/setup.sh (av from PyPI)"));
    let mut command = command?;
    command.args([
        &device.address(),
        &device.clock_offset_ns.to_string(),
        &readers.to_string(),
    ]);
    command.args(sensors.iter().map(|(name, _)| *name));
    let peer = Conducted::start(&mut command)?;
    let pids: Pids = peer.hear()?;
    let (outcome, mut views) = conduct::<Vec<View>>(&mut [peer], &pids, duration)?;
    Ok(Outcome {
        views: views.pop().unwrap_or_default(),
        ..outcome
    })
}

fn bare(device: &Device, duration: Duration, what: &str) -> io::Result<Outcome> {
    let peer = Conducted::role(&["bare", &device.address(), what])?;
    let _ready: bool = peer.hear()?;
    let pids = Pids {
        producers: vec![peer.pid()],
        readers: Vec::new(),
    };
    let (outcome, views) = conduct(&mut [peer], &pids, duration)?;
    Ok(Outcome { views, ..outcome })
}

/// Has everybody measure for so long; what that cost, and what each says it saw.
fn conduct<T: DeserializeOwned>(
    participants: &mut [Conducted],
    pids: &Pids,
    duration: Duration,
) -> io::Result<(Outcome, Vec<T>)> {
    sleep(WARM_UP);
    let costs = || (CpuTimes::of(&pids.producers), CpuTimes::of(&pids.readers));
    let ((producers, readers), from_ns) = (costs(), now_ns());
    participants
        .iter_mut()
        .try_for_each(|participant| participant.say("measure"))?;
    sleep(duration);
    participants
        .iter_mut()
        .try_for_each(|participant| participant.say("stop"))?;
    let (wall_ns, (producers_then, readers_then)) = (now_ns() - from_ns, costs());
    let outcome = Outcome {
        cpu_ns: producers_then.since(&producers),
        readers_ns: readers_then.since(&readers),
        wall_ns,
        ..Outcome::default()
    };
    let said: io::Result<Vec<T>> = participants.iter().map(Conducted::hear).collect();
    Ok((outcome, said?))
}
