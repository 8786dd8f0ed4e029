//! Depth, movement, and what the device knows of its wearer.
//!
//! Owns what goes with each of them.

use super::pictures::{divisor, encoding, hardware};
use super::{CALIBRATION, DAMAGED, POSES, RAW, wish};
use crate::source::uri::{BadSource, SourceUri, not_possible};
use streamem_hl2ss::Sensor;
use streamem_hl2ss::request::{self, DepthProfile, PngFilter};
use streamem_orders::{Ask, Part, Wish};
use streamem_wire::Format;

const DEPTHS: [(&str, DepthProfile); 2] = [
    ("zdepth", DepthProfile::Zdepth),
    ("same", DepthProfile::Same),
];
const RATES: [(&str, request::Eyes); 3] = [
    ("30", request::Eyes::Fps30),
    ("60", request::Eyes::Fps60),
    ("90", request::Eyes::Fps90),
];

/// Numbers of 16 bits, called by what they mean.
fn format_of(part: Part) -> Format {
    match part {
        Part::Brightness => Format::Gray16,
        Part::Main | Part::Depth => Format::Depth16,
    }
}

pub(super) fn ahat(uri: &SourceUri, part: Part) -> Result<Wish, BadSource> {
    let parameters = uri.parameters(&[
        "depth",
        "profile",
        "bitrate",
        "gop",
        "divisor",
        POSES.0,
        CALIBRATION.0,
        DAMAGED.0,
        "format",
    ])?;
    let asked = request::Ahat {
        posed: parameters.flag(POSES.0, POSES.1)?,
        divisor: divisor(&parameters)?,
        depth: parameters.one_of("depth", DepthProfile::Zdepth, &DEPTHS)?,
        encoding: encoding(&parameters)?,
    };
    let format = parameters.format(format_of(part), &[format_of(part)])?;
    let calibration = parameters.flag(CALIBRATION.0, CALIBRATION.1)?;
    Ok(Wish {
        damaged: parameters.flag(DAMAGED.0, DAMAGED.1)?,
        ..wish(Ask::Ahat(asked), part, format, calibration)
    })
}

pub(super) fn long_throw(uri: &SourceUri, part: Part) -> Result<Wish, BadSource> {
    let parameters = uri.parameters(&["divisor", POSES.0, CALIBRATION.0, "format"])?;
    let asked = request::LongThrow {
        posed: parameters.flag(POSES.0, POSES.1)?,
        divisor: divisor(&parameters)?,
        filter: PngFilter::Paeth,
    };
    let format = parameters.format(format_of(part), &[format_of(part)])?;
    let calibration = parameters.flag(CALIBRATION.0, CALIBRATION.1)?;
    Ok(wish(Ask::LongThrow(asked), part, format, calibration))
}

pub(super) fn movement(uri: &SourceUri, sensor: Sensor) -> Result<Wish, BadSource> {
    // What it measures is not moved by anything, so the device has no calibration for it.
    let is_calibrated = sensor != Sensor::Magnetometer;
    let parameters = if is_calibrated {
        uri.parameters(&[POSES.0, CALIBRATION.0, RAW.0, "format"])?
    } else {
        uri.parameters(&[POSES.0, RAW.0, "format"])?
    };
    let asked = request::Imu {
        sensor,
        posed: parameters.flag(POSES.0, POSES.1)?,
    };
    let format = parameters.format(Format::Batch, &[Format::Batch, Format::Gray8])?;
    let calibration = is_calibrated && parameters.flag(CALIBRATION.0, CALIBRATION.1)?;
    Ok(Wish {
        raw: parameters.flag(RAW.0, RAW.1)?,
        ..wish(Ask::Imu(asked), Part::Main, format, calibration)
    })
}

pub(super) fn spatial(uri: &SourceUri) -> Result<Wish, BadSource> {
    uri.parameters(&[])?;
    Ok(wish(Ask::SpatialInput, Part::Main, Format::Batch, false))
}

pub(super) fn eyes(uri: &SourceUri) -> Result<Wish, BadSource> {
    let parameters = uri.parameters(&["rate"])?;
    let asked = parameters.one_of("rate", request::Eyes::Fps30, &RATES)?;
    Ok(wish(Ask::Eyes(asked), Part::Main, Format::Batch, false))
}

pub(super) fn extended(uri: &SourceUri) -> Result<Wish, BadSource> {
    let parameters = uri.parameters(&[
        "group", "source", "mode", "media", "size", "depth", "divisor", POSES.0, "format",
    ])?;
    let (width, height) = parameters.size((640, 480))?;
    let side = |side: u32| u16::try_from(side).ok().filter(|side| *side > 0);
    let size = side(width).zip(side(height)).ok_or_else(|| {
        let value = format!("{width}x{height}");
        not_possible("size", &value, "sides are 1 to 65535".to_owned())
    })?;
    let asked = request::ExtendedDepth {
        open: Some(hardware(&parameters, false)?),
        close: false,
        posed: parameters.flag(POSES.0, POSES.1)?,
        divisor: divisor(&parameters)?,
        depth: parameters.one_of("depth", DepthProfile::Same, &DEPTHS)?,
        media_index: parameters.whole("media", 0, 0..=u32::MAX - 1)?,
        stride_mask: None,
    };
    let format = parameters.format(Format::Depth16, &[Format::Depth16])?;
    Ok(wish(
        Ask::ExtendedDepth(asked, size),
        Part::Depth,
        format,
        false,
    ))
}
