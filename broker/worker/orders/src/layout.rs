//! How the frames of a stream lie, which follows from what is wished for.
//!
//! Owns the fields of records and the room decoders need; never makes memory.

use crate::placement::Placement;
use crate::wish::{Ask, Part, Wish};
use streamem_hl2ss::{Profile, Sensor, request};
use streamem_wire::{BadLayout, Format, Kind, Layout};

/// A sample of a sensor of movement, as the device sends it.
const SAMPLE: &[(&str, &str)] = &[
    ("sensor_ns", "<u8"),
    ("ticks", "<u8"),
    ("x", "<f4"),
    ("y", "<f4"),
    ("z", "<f4"),
    ("temperature", "<f4"),
];
/// A point of head, eyes and hands.
const POINT: &[(&str, &str)] = &[
    ("valid", "<u4"),
    ("x", "<f4"),
    ("y", "<f4"),
    ("z", "<f4"),
    ("qx", "<f4"),
    ("qy", "<f4"),
    ("qz", "<f4"),
    ("qw", "<f4"),
    ("radius", "<f4"),
    ("accuracy", "<i4"),
];
/// Position, forward and up of the head, origin and direction of the eyes, and 26 joints of each hand.
const POINTS: u32 = 5 + 2 * 26;
/// A look, as the device sends it.
const LOOK: &[(&str, &str)] = &[
    ("reserved", "<u4"),
    ("combined_x", "<f4"),
    ("combined_y", "<f4"),
    ("combined_z", "<f4"),
    ("combined_dx", "<f4"),
    ("combined_dy", "<f4"),
    ("combined_dz", "<f4"),
    ("left_x", "<f4"),
    ("left_y", "<f4"),
    ("left_z", "<f4"),
    ("left_dx", "<f4"),
    ("left_dy", "<f4"),
    ("left_dz", "<f4"),
    ("right_x", "<f4"),
    ("right_y", "<f4"),
    ("right_z", "<f4"),
    ("right_dx", "<f4"),
    ("right_dy", "<f4"),
    ("right_dz", "<f4"),
    ("left_openness", "<f4"),
    ("right_openness", "<f4"),
    ("vergence", "<f4"),
    ("valid", "<u4"),
];
/// Samples a batch may have: what the longest payload carries.
const SAMPLES_MAX: u32 = 4096;
/// The device's samples of sound in a second.
const SOUND_RATE: u32 = 48_000;
/// Rows of raw pictures begin at multiples of this.
const RAW_ALIGNED: u64 = 64;

/// Samples in a batch as a rule, and batches in a second.
fn batches(sensor: Sensor) -> (u32, f64) {
    match sensor {
        Sensor::Accelerometer => (93, 11.75),
        Sensor::Gyroscope => (315, 20.96),
        Sensor::Magnetometer => (11, 4.55),
    }
}

pub(crate) fn of(wish: &Wish) -> Result<Layout, BadLayout> {
    match &wish.ask {
        Ask::Imu(imu) if wish.format == Format::Gray8 => {
            let (samples, rate) = batches(imu.sensor);
            Layout::video(Format::Gray8, samples, 28, rate)
        }
        Ask::Imu(imu) => Layout::batch(SAMPLE, SAMPLES_MAX, batches(imu.sensor).1),
        Ask::SpatialInput => Layout::batch(POINT, POINTS, 60.0),
        Ask::Eyes(eyes) => {
            let rate = match eyes {
                request::Eyes::Fps30 => 30.0,
                request::Eyes::Fps60 => 60.0,
                request::Eyes::Fps90 => 90.0,
            };
            Layout::batch(LOOK, 1, rate)
        }
        Ask::Microphone(request::Microphone::RawArray) => sound(wish, 5),
        Ask::Microphone(_) | Ask::ExtendedAudio(_) => sound(wish, 2),
        _ => pictures(wish),
    }
}

fn sound(wish: &Wish, channels: u32) -> Result<Layout, BadLayout> {
    Layout::audio(wish.format, channels, wish.samples, SOUND_RATE)
}

fn pictures(wish: &Wish) -> Result<Layout, BadLayout> {
    let (width, height, rate) = wish.ask.pictures().unwrap_or_default();
    if wish.format.kind() == Kind::Packet {
        let most = *wish.ask.stream().payload_bytes().end();
        return Layout::packet(wish.format, width, height, rate, most.into());
    }
    let tight = Layout::video(wish.format, width, height, rate)?;
    if wish.is_decoded_in_place() {
        let placement = Placement::of(width, height);
        return match wish.format {
            Format::I420 => tight.placed(&placement.planes, placement.bytes),
            _ => tight.placed(&placement.planes[..1], placement.luma_bytes),
        };
    }
    let is_raw = wish.ask.profile() == Some(Profile::Raw) && wish.part == Part::Main;
    if is_raw && wish.format == Format::Nv12 {
        let stride = u64::from(width).next_multiple_of(RAW_ALIGNED);
        return tight.placed(&[(0, stride), (stride * u64::from(height), stride)], 0);
    }
    Ok(tight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use streamem_hl2ss::{GreyCamera, VideoFormat};

    fn wish(ask: Ask, format: Format) -> Wish {
        Wish {
            ask,
            part: Part::Main,
            format,
            samples: 1024,
            calibration: false,
            damaged: false,
            raw: false,
        }
    }

    fn shape(wish: &Wish) -> Vec<u64> {
        wish.layout().unwrap().array.unwrap().shape
    }

    #[test]
    fn the_shapes_are_those_people_know() {
        let video = request::Video::new(VideoFormat::new(1280, 720, 30));
        assert_eq!(
            shape(&wish(Ask::Video(video), Format::Bgr24)),
            [720, 1280, 3]
        );
        let imu = |sensor| {
            Ask::Imu(request::Imu {
                sensor,
                posed: true,
            })
        };
        let original = |sensor| shape(&wish(imu(sensor), Format::Gray8));
        assert_eq!(original(Sensor::Accelerometer), [28, 93]);
        assert_eq!(original(Sensor::Gyroscope), [28, 315]);
        assert_eq!(original(Sensor::Magnetometer), [28, 11]);
        let microphone = Ask::Microphone(request::Microphone::RawStereo);
        assert_eq!(shape(&wish(microphone, Format::S16)), [2, 1024]);
    }

    #[test]
    fn records_are_as_long_as_on_the_wire() {
        let imu = request::Imu {
            sensor: Sensor::Gyroscope,
            posed: false,
        };
        let record = |ask| {
            wish(ask, Format::Batch)
                .layout()
                .unwrap()
                .array
                .unwrap()
                .strides[0]
        };
        assert_eq!(record(Ask::Imu(imu)), 32);
        assert_eq!(record(Ask::Eyes(request::Eyes::Fps90)), 92);
        assert_eq!(record(Ask::SpatialInput), 40);
    }

    #[test]
    fn what_is_decoded_in_place_has_the_room_for_it() {
        let grey = wish(
            Ask::Grey(request::Grey::new(GreyCamera::LeftFront)),
            Format::Gray8,
        );
        let layout = grey.layout().unwrap();
        assert!(grey.is_decoded_in_place() && layout.bytes > 640 * 482);
        assert_eq!(layout.array.unwrap().strides, [640, 1]);
        for format in VideoFormat::all() {
            let video = wish(Ask::Video(request::Video::new(format)), Format::I420);
            let layout = video.layout().unwrap();
            let planes = Placement::of(format.width.into(), format.height.into()).planes;
            let lies: Vec<_> = layout
                .planes
                .iter()
                .map(|plane| (plane.offset, plane.stride))
                .collect();
            assert_eq!(lies, planes);
        }
    }

    #[test]
    fn a_raw_picture_lies_as_it_is_sent() {
        let mut video = request::Video::new(VideoFormat::new(760, 428, 30));
        video.encoding.profile = Profile::Raw;
        let layout = wish(Ask::Video(video), Format::Nv12).layout().unwrap();
        assert_eq!(layout.bytes, 768 * 428 * 3 / 2);
    }
}
