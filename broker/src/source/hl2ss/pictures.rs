//! Cameras: which size and codec, and what becomes of their pictures.
//!
//! Owns what goes with the colour camera, the grey ones and those that are not the device's own.

use super::{CALIBRATION, DAMAGED, POSES, wish};
use crate::source::uri::{BadSource, Parameters, SourceUri, not_possible};
use streamem_hl2ss::{
    Acquisition, Encoding, GreyCamera, Hardware, MixedReality, Profile, Setting, VideoFormat,
    request,
};
use streamem_orders::{Ask, Part, Wish};
use streamem_wire::Format;

const PROFILES: [(&str, Profile); 5] = [
    ("hevc", Profile::Hevc),
    ("h264-base", Profile::H264Base),
    ("h264-main", Profile::H264Main),
    ("h264-high", Profile::H264High),
    ("raw", Profile::Raw),
];
/// What of colour pictures can be made.
const COLOURS: [Format; 7] = [
    Format::I420,
    Format::Nv12,
    Format::Bgr24,
    Format::Rgb24,
    Format::Bgra,
    Format::Rgba,
    Format::Gray8,
];
const GREYS: [Format; 3] = [Format::Gray8, Format::Bgr24, Format::Rgb24];

/// The codec and how it is told to encode.
pub(super) fn encoding(parameters: &Parameters<'_>) -> Result<Encoding, BadSource> {
    let profile = parameters.one_of("profile", Profile::Hevc, &PROFILES)?;
    let bitrate = parameters.optional("bitrate", 1..=u32::MAX)?;
    let gop = parameters.optional("gop", 1..=u32::MAX)?;
    Ok(Encoding {
        bitrate,
        settings: gop.map(Setting::Gop).into_iter().collect(),
        ..Encoding::new(profile)
    })
}

pub(super) fn divisor(parameters: &Parameters<'_>) -> Result<u8, BadSource> {
    let divisor = parameters.whole("divisor", 1, 1..=u8::MAX.into())?;
    Ok(u8::try_from(divisor).unwrap_or(u8::MAX))
}

/// A 16-bit number.
pub(super) fn short(
    parameters: &Parameters<'_>,
    name: &str,
    default: u16,
) -> Result<u16, BadSource> {
    let number = parameters.whole(name, default.into(), 0..=u16::MAX.into())?;
    Ok(u16::try_from(number).unwrap_or(u16::MAX))
}

/// The format, with the packets of the codec that was chosen among those that can be.
fn format(
    parameters: &Parameters<'_>,
    profile: Profile,
    default: Format,
    decoded: &[Format],
) -> Result<Format, BadSource> {
    let packets = match profile {
        Profile::H264Base | Profile::H264Main | Profile::H264High => Some(Format::H264),
        Profile::Hevc => Some(Format::H265),
        Profile::Raw => None,
    };
    if let Some(text @ ("h264" | "h265")) = parameters.text("format")
        && packets.map(Format::name) != Some(text)
    {
        let possible = match packets {
            Some(format) => format!("with this profile packets are {format}"),
            None => "raw pictures are in no packets of a codec: choose another profile".to_owned(),
        };
        return Err(not_possible("format", text, possible));
    }
    let possible: Vec<Format> = decoded.iter().copied().chain(packets).collect();
    parameters.format(default, &possible)
}

fn colour(parameters: &Parameters<'_>, profile: Profile) -> Result<Format, BadSource> {
    let default = match profile {
        Profile::Raw => Format::Nv12,
        _ => Format::I420,
    };
    format(parameters, profile, default, &COLOURS)
}

fn video_format(
    parameters: &Parameters<'_>,
    (width, height): (u16, u16),
) -> Result<VideoFormat, BadSource> {
    let (width, height) = parameters.size((width.into(), height.into()))?;
    let side = |side: u32| u16::try_from(side).ok().filter(|side| *side > 0);
    let sides = side(width).zip(side(height)).ok_or_else(|| {
        let value = format!("{width}x{height}");
        not_possible("size", &value, "sides are 1 to 65535".to_owned())
    })?;
    let rate = parameters.whole("rate", 30, 1..=u8::MAX.into())?;
    let rate = u8::try_from(rate).unwrap_or(u8::MAX);
    Ok(VideoFormat::new(sides.0, sides.1, rate))
}

/// What of a camera that can is done with pictures nobody has taken yet: those that are too late to be new are
/// dropped.
fn acquisition(parameters: &Parameters<'_>) -> Result<Option<Acquisition>, BadSource> {
    let is_buffered = parameters.flag("buffered", false)?;
    Ok(Some(if is_buffered {
        Acquisition::Buffered
    } else {
        Acquisition::Realtime
    }))
}

pub(super) fn video(uri: &SourceUri) -> Result<Wish, BadSource> {
    let parameters = uri.parameters(&[
        "size",
        "rate",
        "profile",
        "bitrate",
        "gop",
        "divisor",
        POSES.0,
        CALIBRATION.0,
        "holograms",
        "shared",
        "buffered",
        DAMAGED.0,
        "format",
    ])?;
    let (holograms, shared) = (
        parameters.flag("holograms", false)?,
        parameters.flag("shared", false)?,
    );
    let open = MixedReality {
        enabled: holograms,
        shared,
        ..MixedReality::default()
    };
    let asked = request::Video {
        open: (holograms || shared).then_some(open),
        posed: parameters.flag(POSES.0, POSES.1)?,
        divisor: divisor(&parameters)?,
        encoding: encoding(&parameters)?,
        acquisition: acquisition(&parameters)?,
        ..request::Video::new(video_format(&parameters, (1920, 1080))?)
    };
    let format = colour(&parameters, asked.encoding.profile)?;
    let calibration = parameters.flag(CALIBRATION.0, CALIBRATION.1)?;
    Ok(Wish {
        damaged: parameters.flag(DAMAGED.0, DAMAGED.1)?,
        ..wish(Ask::Video(asked), Part::Main, format, calibration)
    })
}

pub(super) fn grey(uri: &SourceUri, camera: GreyCamera) -> Result<Wish, BadSource> {
    let parameters = uri.parameters(&[
        "profile",
        "bitrate",
        "gop",
        "divisor",
        POSES.0,
        CALIBRATION.0,
        DAMAGED.0,
        "format",
    ])?;
    let asked = request::Grey {
        posed: parameters.flag(POSES.0, POSES.1)?,
        divisor: divisor(&parameters)?,
        encoding: encoding(&parameters)?,
        ..request::Grey::new(camera)
    };
    let format = format(&parameters, asked.encoding.profile, Format::Gray8, &GREYS)?;
    let calibration = parameters.flag(CALIBRATION.0, CALIBRATION.1)?;
    Ok(Wish {
        damaged: parameters.flag(DAMAGED.0, DAMAGED.1)?,
        ..wish(Ask::Grey(asked), Part::Main, format, calibration)
    })
}

/// Which camera that is not the device's own.
pub(super) fn hardware(parameters: &Parameters<'_>, shared: bool) -> Result<Hardware, BadSource> {
    Ok(Hardware {
        group: short(parameters, "group", 0)?,
        source: short(parameters, "source", 0)?,
        profile: short(parameters, "mode", 0)?,
        shared,
    })
}

pub(super) fn extended(uri: &SourceUri) -> Result<Wish, BadSource> {
    let parameters = uri.parameters(&[
        "group", "source", "mode", "size", "rate", "profile", "bitrate", "gop", "divisor", POSES.0,
        "shared", "buffered", DAMAGED.0, "format",
    ])?;
    let shared = parameters.flag("shared", false)?;
    let asked = request::ExtendedVideo {
        open: Some(hardware(&parameters, shared)?),
        close: false,
        posed: parameters.flag(POSES.0, POSES.1)?,
        format: video_format(&parameters, (1280, 720))?,
        divisor: divisor(&parameters)?,
        encoding: encoding(&parameters)?,
        acquisition: acquisition(&parameters)?,
        stride_mask: None,
    };
    let format = colour(&parameters, asked.encoding.profile)?;
    Ok(Wish {
        damaged: parameters.flag(DAMAGED.0, DAMAGED.1)?,
        ..wish(Ask::ExtendedVideo(asked), Part::Main, format, false)
    })
}
