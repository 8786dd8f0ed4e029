//! The parameters that several patterns have.
//!
//! Owns their defaults and bounds; never fills anything.

use crate::source::uri::{BadSource, SourceUri, not_possible};
use std::time::Duration;
use streamem_wire::{Format, Kind, Layout};

/// Most frames per second of any pattern.
pub(super) const RATE_MAX: u32 = 1000;

/// The time from one frame to the next at `rate` per second; none at 0.
pub(super) fn period(rate: f64) -> Duration {
    match rate {
        rate if rate > 0.0 => Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX),
        _ => Duration::ZERO,
    }
}

/// The layout and period of an uncompressed picture.
pub(super) fn picture(uri: &SourceUri) -> Result<(Layout, Duration), BadSource> {
    let parameters = uri.parameters(&["size", "rate", "format"])?;
    let pictures: Vec<Format> = Format::ALL
        .iter()
        .copied()
        .filter(|format| format.kind() == Kind::Video)
        .collect();
    let format = parameters.format(Format::Bgr24, &pictures)?;
    let (width, height) = parameters.size((1280, 720))?;
    let rates = 0.01..=f64::from(RATE_MAX);
    let rate = parameters.number("rate", 30.0, rates, Some("as fast as possible"))?;
    let layout = Layout::video(format, width, height, rate);
    Ok((layout.map_err(|why| uri.no_such_layout(why))?, period(rate)))
}

/// Blocks of sound.
#[derive(Clone, Debug)]
pub(super) struct Sound {
    pub layout: Layout,
    pub period: Duration,
    pub samples: u32,
    pub sample_rate: u32,
    pub freq: f64,
}

/// The layout and period of blocks of sound, and the pitch if it can have one.
pub(super) fn sound(uri: &SourceUri, has_pitch: bool) -> Result<Sound, BadSource> {
    let known = ["format", "channels", "samples", "sample_rate", "freq"];
    let known = &known[..known.len() - usize::from(!has_pitch)];
    let parameters = uri.parameters(known)?;
    let format = parameters.format(Format::F32, &[Format::F32, Format::S16])?;
    let channels = parameters.whole("channels", 2, 1..=64)?;
    let samples = parameters.whole("samples", 1024, 1..=1 << 20)?;
    let sample_rate = parameters.whole("sample_rate", 48_000, 1000..=768_000)?;
    let samples_min = sample_rate.div_ceil(RATE_MAX);
    if samples < samples_min {
        let possible = format!(
            "at {sample_rate} samples per second a block has at least {samples_min}, so that there \
             are at most {RATE_MAX} blocks per second"
        );
        return Err(not_possible("samples", &samples.to_string(), possible));
    }
    let freqs = 1.0..=f64::from(sample_rate) / 2.0;
    let freq = parameters.number("freq", 440.0, freqs, None)?;
    let layout = Layout::audio(format, channels, samples, sample_rate);
    Ok(Sound {
        layout: layout.map_err(|why| uri.no_such_layout(why))?,
        period: Duration::from_secs(u64::from(samples)) / sample_rate,
        samples,
        sample_rate,
        freq,
    })
}
