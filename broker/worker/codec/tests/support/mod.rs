//! What the tests have in common: access units of the headset's encoders, what FFmpeg itself makes of them, and slots.
//!
//! Owns nothing of the decoder.
#![allow(
    dead_code,
    clippy::cast_possible_truncation,
    reason = "each test uses some, and numbers are small"
)]

pub mod slot;

use slot::Slot;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use streamem_codec::{Codec, Need, Picture, Place, Planes, Target, VideoDecoder};
use streamem_headset::encode::{Loop, Recipe};
use streamem_headset::expected::Scene;
use streamem_headset::request::{Profile, Size};

/// From one key frame to the next.
pub const GROUP: u64 = 6;

/// The first access units of pictures of this size.
pub fn units(codec: Codec, width: usize, height: usize, count: u64) -> Vec<Arc<[u8]>> {
    let profile = match codec {
        Codec::H264 => Profile::H264Main,
        Codec::Hevc => Profile::Hevc,
    };
    let size = Size {
        width: width as u16,
        height: height as u16,
        fps: 30,
    };
    let recipe = Recipe::Video {
        scene: Scene::Colour,
        size,
        profile,
        gop: GROUP,
    };
    let all = Loop::of(recipe);
    (0..count)
        .map(|number| all.unit(number, || false).expect("an encoder"))
        .collect()
}

/// What a command makes of these bytes.
pub fn piped(command: &str, words: &[&str], input: Vec<u8>) -> Vec<u8> {
    let mut child = Command::new(command)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command}: {error}; install it"));
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{command} {words:?}");
    output.stdout
}

fn name(codec: Codec) -> &'static str {
    match codec {
        Codec::H264 => "h264",
        Codec::Hevc => "hevc",
    }
}

/// Every picture of these units, as FFmpeg's command decodes them.
pub fn by_ffmpeg(codec: Codec, units: &[Arc<[u8]>], format: &str) -> Vec<u8> {
    let words = "-hide_banner -loglevel error -f CODEC -i - -f rawvideo -sws_flags \
                 neighbor+accurate_rnd+full_chroma_int+bitexact -pix_fmt FORMAT -";
    let words: Vec<&str> = words
        .split_whitespace()
        .map(|word| match word {
            "CODEC" => name(codec),
            "FORMAT" => format,
            other => other,
        })
        .collect();
    piped("ffmpeg", &words, units.concat())
}

/// What is seen of a picture, without what lies between the rows.
pub fn seen(picture: &Picture) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (which, plane) in picture.planes().planes.into_iter().enumerate() {
        let half = |side: usize| if which == 0 { side } else { side.div_ceil(2) };
        let rows = plane.bytes.chunks(plane.stride).take(half(picture.height));
        bytes.extend(rows.flat_map(|row| &row[..half(picture.width)]));
    }
    bytes
}

pub fn no_memory(_: Need) -> Option<Target> {
    None
}

/// The room streams have for a picture.
#[derive(Clone, Copy, Debug)]
pub struct Placement {
    pub planes: [Place; 3],
    pub bytes: usize,
    pub luma_bytes: usize,
}

impl Placement {
    pub fn of(width: usize, height: usize) -> Placement {
        let room = streamem_orders::Placement::of(width as u32, height as u32);
        let place = |(offset, stride): (u64, u64)| Place {
            offset: offset as usize,
            stride: stride as usize,
        };
        Placement {
            planes: room.planes.map(place),
            bytes: room.bytes as usize,
            luma_bytes: room.luma_bytes as usize,
        }
    }
}

/// Decodes one unit into this slot.
pub fn into_slot(
    decoder: &mut VideoDecoder,
    unit: &[u8],
    number: u64,
    slot: &Arc<Slot>,
    placement: Placement,
) -> Option<Picture> {
    let mut asked = 0;
    let mut give = |_: Need| {
        asked += 1;
        Some(slot.target(Planes::All(placement.planes)))
    };
    let picture = decoder.decode(unit, number, &mut give).unwrap();
    assert_eq!(asked, 1, "a decoder asks once for each picture");
    picture
}
