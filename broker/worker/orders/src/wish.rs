//! How a stream is to be filled: what is asked of the device, and what of its answer becomes frames.
//!
//! Owns what goes together; never asks anybody.

use serde::{Deserialize, Serialize};
use streamem_hl2ss::{Profile, Refused, Request, Stream, access_unit::Codec, request};
use streamem_wire::{BadLayout, Format, Layout};

/// What is asked of the device. It has one connection for each port, so streams of one port ask for the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Ask {
    /// The colour camera.
    Video(request::Video),
    /// A grey camera.
    Grey(request::Grey),
    /// Depth for hands.
    Ahat(request::Ahat),
    /// Depth of the room.
    LongThrow(request::LongThrow),
    /// A sensor of movement.
    Imu(request::Imu),
    /// The microphones.
    Microphone(request::Microphone),
    /// Head, eyes and hands.
    SpatialInput,
    /// The eyes.
    Eyes(request::Eyes),
    /// Other microphones, and what the device plays.
    ExtendedAudio(request::ExtendedAudio),
    /// Another camera.
    ExtendedVideo(request::ExtendedVideo),
    /// A depth camera that was plugged in, and the size of its pictures.
    ExtendedDepth(request::ExtendedDepth, (u16, u16)),
}

/// Which part of a packet becomes frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// The picture, or what else there is only one of.
    Main,
    /// The distances.
    Depth,
    /// The brightness that distances were measured by.
    Brightness,
}

/// How a stream is to be filled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wish {
    /// What is asked of the device.
    pub ask: Ask,
    /// Which part of the answer is taken.
    pub part: Part,
    /// What it becomes.
    pub format: Format,
    /// Blocks of sound have so many samples.
    pub samples: u32,
    /// The calibration is asked for as well.
    pub calibration: bool,
    /// Damaged pictures are published too, and say so; else they are left out until there is a whole one.
    pub damaged: bool,
    /// Samples of movement are as the device sent them, also where it gave all of a batch one time.
    pub raw: bool,
}

impl Ask {
    /// The stream of the device.
    #[must_use]
    pub fn stream(&self) -> Stream {
        match self {
            Ask::Video(_) => Stream::Video,
            Ask::Grey(grey) => Stream::Grey(grey.camera),
            Ask::Ahat(_) => Stream::Ahat,
            Ask::LongThrow(_) => Stream::LongThrow,
            Ask::Imu(imu) => Stream::Imu(imu.sensor),
            Ask::Microphone(_) => Stream::Microphone,
            Ask::SpatialInput => Stream::SpatialInput,
            Ask::Eyes(_) => Stream::Eyes,
            Ask::ExtendedAudio(_) => Stream::ExtendedAudio,
            Ask::ExtendedVideo(_) => Stream::ExtendedVideo,
            Ask::ExtendedDepth(..) => Stream::ExtendedDepth,
        }
    }

    /// What is sent to begin. A camera that must be started is so by a connection before.
    pub fn request(&self) -> Result<Request, Refused> {
        match self.clone() {
            Ask::Video(video) => request::Video {
                open: None,
                ..video
            }
            .stream(),
            Ask::Grey(grey) => grey.stream(),
            Ask::Ahat(ahat) => ahat.stream(),
            Ask::LongThrow(depth) => depth.stream(),
            Ask::Imu(imu) => Ok(imu.stream()),
            Ask::Microphone(microphone) => Ok(microphone.stream()),
            Ask::SpatialInput => Ok(request::SpatialInput.stream()),
            Ask::Eyes(eyes) => Ok(eyes.stream()),
            Ask::ExtendedAudio(audio) => audio.stream(),
            Ask::ExtendedVideo(video) => request::ExtendedVideo {
                open: None,
                ..video
            }
            .stream(),
            Ask::ExtendedDepth(depth, _) => request::ExtendedDepth {
                open: None,
                ..depth
            }
            .stream(),
        }
    }

    /// What asks for the calibration, where there is one.
    #[must_use]
    pub fn calibration(&self) -> Option<Request> {
        match self {
            Ask::Video(video) => request::Video {
                open: None,
                ..video.clone()
            }
            .calibration()
            .ok(),
            other => request::calibration(other.stream()).ok(),
        }
    }

    /// What starts the camera, where that must be done first.
    #[must_use]
    pub fn start(&self) -> Option<Request> {
        match self {
            Ask::Video(video) => request::Video::start(&video.open.unwrap_or_default()).ok(),
            Ask::ExtendedVideo(video) => video.open.map(request::ExtendedVideo::start),
            Ask::ExtendedDepth(depth, _) => depth.open.map(request::ExtendedDepth::start),
            _ => None,
        }
    }

    /// The profile of its pictures, if it sends some that can be encoded.
    #[must_use]
    pub fn profile(&self) -> Option<Profile> {
        match self {
            Ask::Video(request::Video { encoding, .. })
            | Ask::Grey(request::Grey { encoding, .. })
            | Ask::Ahat(request::Ahat { encoding, .. })
            | Ask::ExtendedVideo(request::ExtendedVideo { encoding, .. }) => Some(encoding.profile),
            _ => None,
        }
    }

    /// The codec of its pictures, if they are encoded.
    #[must_use]
    pub fn codec(&self) -> Option<Codec> {
        match self.profile()? {
            Profile::H264Base | Profile::H264Main | Profile::H264High => Some(Codec::H264),
            Profile::Hevc => Some(Codec::Hevc),
            Profile::Raw => None,
        }
    }

    /// Width, height and rate of its pictures; nothing for what has none.
    #[must_use]
    pub fn pictures(&self) -> Option<(u32, u32, f64)> {
        let per = |rate: u8, divisor: u8| f64::from(rate) / f64::from(divisor.max(1));
        match self {
            Ask::Video(request::Video {
                format, divisor, ..
            })
            | Ask::ExtendedVideo(request::ExtendedVideo {
                format, divisor, ..
            }) => Some((
                format.width.into(),
                format.height.into(),
                per(format.fps, *divisor),
            )),
            Ask::Grey(grey) => Some((640, 480, per(30, grey.divisor))),
            Ask::Ahat(ahat) => Some((512, 512, per(45, ahat.divisor))),
            Ask::LongThrow(depth) => Some((320, 288, per(5, depth.divisor))),
            Ask::ExtendedDepth(_, (width, height)) => {
                Some((u32::from(*width), u32::from(*height), 0.0))
            }
            _ => None,
        }
    }
}

impl Wish {
    /// Whether what comes is handed on as it is, encoded.
    #[must_use]
    pub fn is_packets(&self) -> bool {
        matches!(self.format, Format::H264 | Format::H265)
    }

    /// Whether a decoder writes where readers read.
    #[must_use]
    pub fn is_decoded_in_place(&self) -> bool {
        self.part == Part::Main
            && self.ask.codec().is_some()
            && matches!(self.format, Format::I420 | Format::Gray8)
    }

    /// How the frames lie.
    pub fn layout(&self) -> Result<Layout, BadLayout> {
        crate::layout::of(self)
    }
}
