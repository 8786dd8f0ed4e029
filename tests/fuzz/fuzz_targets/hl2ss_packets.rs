//! Packets of a headset, in pieces of any size.
//!
//! Owns the pieces; cuts make no difference, and no packet is longer than its stream allows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use streamem_hl2ss::request::{self, DepthProfile, Eyes, Microphone};
use streamem_hl2ss::{Event, Header, Packets, Pose, Profile, Request, VideoFormat, Wants};
use streamem_hl2ss::{GreyCamera, Sensor};

fn request(which: u8) -> Request {
    let sensor = Sensor::Accelerometer;
    let imu = request::Imu {
        sensor,
        posed: false,
    };
    let made = match which % 7 {
        0 => Ok(Microphone::RawStereo.stream()),
        1 => Ok(Eyes::Fps30.stream()),
        2 => Ok(request::SpatialInput.stream()),
        3 => Ok(imu.stream()),
        4 => request::Grey::new(GreyCamera::LeftFront).stream(),
        5 => request::Video::new(VideoFormat::new(1920, 1080, 30)).stream(),
        _ => request::Ahat::new(DepthProfile::Same, Profile::Hevc).stream(),
    };
    made.expect("the device takes it")
}

/// What can be compared: headers, how much of a payload there was, and the bits of poses.
#[derive(Debug, PartialEq)]
enum Found {
    Header(Header),
    Payload(Vec<u8>),
    End(Option<[u32; 16]>),
    Malformed(String),
}

fn read(request: &Request, bytes: &[u8], piece: usize) -> Vec<Found> {
    let mut packets = Packets::of(request).expect("packets come back");
    let most = *request.stream().payload_bytes().end();
    let mut found = Vec::new();
    for piece in bytes.chunks(piece) {
        let mut rest = piece;
        loop {
            match packets.feed(&mut rest) {
                Ok(None) => break,
                Ok(Some(Event::Header(header))) => found.push(Found::Header(header)),
                Ok(Some(Event::Payload { bytes, .. })) => match found.last_mut() {
                    Some(Found::Payload(payload)) => payload.extend_from_slice(bytes),
                    _ => found.push(Found::Payload(bytes.to_vec())),
                },
                Ok(Some(Event::End(pose))) => {
                    let bits = |Pose(numbers): Pose| numbers.map(f32::to_bits);
                    found.push(Found::End(pose.map(bits)));
                }
                Err(error) => {
                    found.push(Found::Malformed(error.to_string()));
                    return found;
                }
            }
        }
        assert!(rest.is_empty());
        if let Wants::Payload { at, bytes } = packets.wants() {
            assert!(at + bytes <= most);
        }
    }
    found
}

fuzz_target!(|input: &[u8]| {
    if let [which, piece, bytes @ ..] = input {
        let request = request(*which);
        let cut = read(&request, bytes, usize::from(*piece) + 1);
        assert_eq!(cut, read(&request, bytes, bytes.len().max(1)));
    }
});
