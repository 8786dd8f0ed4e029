//! `streamem grab`: frames as files.
//!
//! Owns the meaning of a file's ending; writes a file only once all of it is known.

use super::Broker;
use crate::cli::Grab;
use crate::failure::Failure;
use crate::output::{Output, complain, units};
use crate::picture::{npy::Gathering, png};
use serde::Serialize;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use streamem::{Frame, Subscription};
use streamem_wire::{Format, Kind, Layout};

/// Deepest queue asked for; a clip is copied out frame by frame, so few need to be kept.
const DEPTH_MAX: u32 = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Png,
    Npy,
    Raw,
}

impl Target {
    fn of(path: &Path, layout: &Layout) -> Result<Target, Failure> {
        let ending = path.extension().and_then(|ending| ending.to_str());
        let ending = ending.unwrap_or_default().to_ascii_lowercase();
        match (ending.as_str(), layout.format) {
            ("png", _) => Ok(Target::Png),
            ("npy", _) => Ok(Target::Npy),
            ("raw", _) => Ok(Target::Raw),
            ("jpg" | "jpeg" | "mjpeg", Format::Mjpeg) => Ok(Target::Raw),
            ("h264", Format::H264) | ("h265", Format::H265) => Ok(Target::Raw),
            ("jpg" | "jpeg" | "mjpeg" | "h264" | "h265", format) => Err(Failure::Usage(format!(
                "{path:?} cannot be made of {format} frames; use {}",
                endings(format)
            ))),
            _ => Err(Failure::Usage(format!(
                "{path:?} does not say what to write; let it end in {}",
                endings(layout.format)
            ))),
        }
    }
}

/// What a file of these frames may end in.
fn endings(format: Format) -> &'static str {
    match (format, format.kind()) {
        (Format::Mjpeg, _) => ".jpg, .npy or .raw",
        (Format::H264, _) => ".h264, .npy or .raw",
        (Format::H265, _) => ".h265, .npy or .raw",
        (_, Kind::Video) => ".png, .npy or .raw",
        _ => ".npy or .raw",
    }
}

#[derive(Debug, Serialize)]
struct Written<'a> {
    file: &'a Path,
    bytes: u64,
    frames: u32,
    first_sequence: u64,
    last_sequence: u64,
    missed: u64,
}

pub fn run(broker: &Broker<'_>, asked: &Grab, output: &mut Output) -> Result<(), Failure> {
    let count = asked.clip.unwrap_or(1);
    let builder = broker.subscription(asked.stream.as_str());
    let builder = match asked.clip {
        Some(count) => builder.every(count.clamp(2, DEPTH_MAX)),
        None => builder.latest(),
    };
    let mut subscription = builder.open()?;
    let layout = subscription.layout().clone();
    let target = Target::of(&asked.output, &layout)?;
    let mut gathered = Gathered::new(asked, target, &layout)?;
    let mut written = Written {
        file: &asked.output,
        bytes: 0,
        frames: count,
        first_sequence: 0,
        last_sequence: 0,
        missed: 0,
    };
    for index in 0..count {
        let frame = next(&mut subscription, asked)?;
        if *frame.layout() != layout {
            return Err(Failure::Wrong(format!(
                "{} changed its layout meanwhile; grab it again",
                asked.stream
            )));
        }
        if index == 0 {
            written.first_sequence = frame.sequence();
        } else {
            written.missed += frame.missed();
        }
        written.last_sequence = frame.sequence();
        gathered.push(&frame)?;
    }
    let bytes = gathered.file();
    written.bytes = bytes.len() as u64;
    fs::write(&asked.output, bytes).map_err(|cause| Failure::File {
        path: asked.output.clone(),
        cause,
    })?;
    if written.missed > 0 {
        complain(&format!(
            "the clip lacks {}; this machine was too slow for it",
            units::count(written.missed, "frame")
        ));
    }
    if output.json() {
        return Ok(output.document(&written)?);
    }
    Ok(output.line(&text(&written))?)
}

fn text(written: &Written<'_>) -> String {
    let frames = match written.frames {
        1 => format!("frame {}", written.first_sequence),
        _ => format!(
            "frames {} to {}",
            written.first_sequence, written.last_sequence
        ),
    };
    let size = units::size(written.bytes);
    format!("{}: {frames}, {size}", written.file.display())
}

fn next(subscription: &mut Subscription, asked: &Grab) -> Result<Frame, Failure> {
    let deadline = Instant::now() + Duration::from_secs(asked.timeout);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match subscription.next(left)? {
            Some(frame) => return Ok(frame),
            None if left.is_zero() => {
                return Err(Failure::NoFrame {
                    stream: asked.stream.clone(),
                    seconds: asked.timeout,
                });
            }
            None => {}
        }
    }
}

/// Frames on their way into a file.
enum Gathered {
    Picture { layout: Layout, file: Vec<u8> },
    Array { gathering: Gathering, stacked: bool },
    Bytes(Vec<u8>),
}

impl Gathered {
    fn new(asked: &Grab, target: Target, layout: &Layout) -> Result<Gathered, Failure> {
        Ok(match target {
            Target::Png if asked.clip.is_some() => {
                return Err(Failure::Usage(
                    "a .png is one frame; write a clip to .npy or .raw".to_owned(),
                ));
            }
            Target::Png => Gathered::Picture {
                layout: layout.clone(),
                file: Vec::new(),
            },
            Target::Npy => Gathered::Array {
                gathering: Gathering::new(layout)?,
                stacked: asked.clip.is_some(),
            },
            Target::Raw => Gathered::Bytes(Vec::new()),
        })
    }

    fn push(&mut self, frame: &Frame) -> Result<(), Failure> {
        match self {
            Gathered::Picture { layout, file } => *file = png::encoded(layout, frame.bytes())?,
            Gathered::Array { gathering, .. } => gathering.push(frame.bytes())?,
            Gathered::Bytes(bytes) => bytes.extend_from_slice(frame.bytes()),
        }
        Ok(())
    }

    fn file(self) -> Vec<u8> {
        match self {
            Gathered::Picture { file, .. } => file,
            Gathered::Array { gathering, stacked } => gathering.file(stacked),
            Gathered::Bytes(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_says_what_is_written() {
        let video = Layout::video(Format::Rgb24, 2, 2, 30.0).unwrap();
        let jpeg = Layout::packet(Format::Mjpeg, 2, 2, 30.0, 100).unwrap();
        let target = |name: &str, layout| Target::of(Path::new(name), layout).ok();
        assert_eq!(target("a.PNG", &video), Some(Target::Png));
        assert_eq!(target("a.npy", &video), Some(Target::Npy));
        assert_eq!(target("a.jpg", &jpeg), Some(Target::Raw));
        assert_eq!(target("a.jpg", &video), None);
        assert_eq!(target("a", &video), None);
    }

    #[test]
    fn an_ending_that_is_advised_is_accepted() {
        let layouts = [
            Layout::video(Format::Rgb24, 2, 2, 30.0).unwrap(),
            Layout::packet(Format::Mjpeg, 2, 2, 30.0, 100).unwrap(),
            Layout::packet(Format::H264, 2, 2, 30.0, 100).unwrap(),
            Layout::packet(Format::H265, 2, 2, 30.0, 100).unwrap(),
            Layout::audio(Format::F32, 1, 16, 48_000).unwrap(),
        ];
        for layout in layouts {
            let advised = endings(layout.format);
            let words = advised.split([' ', ',']);
            for ending in words.filter(|word| word.starts_with('.')) {
                let target = Target::of(Path::new(&format!("x{ending}")), &layout);
                let target = target.expect("it is advised");
                assert!(target != Target::Png || layout.kind == Kind::Video);
                assert!(target != Target::Npy || Gathering::new(&layout).is_ok());
            }
            let failure = Target::of(Path::new("x.bmp"), &layout).unwrap_err();
            assert!(failure.to_string().contains(advised), "{failure}");
        }
    }

    #[test]
    fn an_unknown_ending_is_a_usage_error() {
        let video = Layout::video(Format::Rgb24, 2, 2, 30.0).unwrap();
        let failure = Target::of(Path::new("x.bmp"), &video).unwrap_err();
        assert_eq!(failure.exit_code(), 2);
    }
}
