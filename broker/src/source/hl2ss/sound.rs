//! Microphones, and what the device plays.
//!
//! Owns what goes with each of them.

use super::wish;
use crate::source::uri::{BadSource, Parameters, SourceUri};
use streamem_hl2ss::request::{self, Capture, ExtendedSound, Microphone, Mixer};
use streamem_hl2ss::{Aac, AacRate};
use streamem_orders::{Ask, Part, Wish};
use streamem_wire::Format;

const MIXERS: [(&str, Mixer); 3] = [
    ("microphone", Mixer::Microphone),
    ("system", Mixer::System),
    ("both", Mixer::Both),
];
const RATES: [(&str, AacRate); 4] = [
    ("aac-24000", AacRate::B24000),
    ("aac-20000", AacRate::B20000),
    ("aac-16000", AacRate::B16000),
    ("aac-12000", AacRate::B12000),
];
const SAMPLES: u32 = 1024;
/// A third of a second.
const SAMPLES_MAX: u32 = 16 << 10;
/// The device counts up to here.
const DEVICES_MAX: u32 = 1022;

fn aac((word, rate): (&str, AacRate)) -> (&str, Aac) {
    let aac = Aac {
        rate,
        ..Aac::default()
    };
    (word, aac)
}

fn blocks(parameters: &Parameters<'_>, ask: Ask) -> Result<Wish, BadSource> {
    let format = parameters.format(Format::F32, &[Format::F32, Format::S16])?;
    Ok(Wish {
        samples: parameters.whole("samples", SAMPLES, 1..=SAMPLES_MAX)?,
        ..wish(ask, Part::Main, format, false)
    })
}

pub(super) fn microphone(uri: &SourceUri) -> Result<Wish, BadSource> {
    let parameters = uri.parameters(&["profile", "format", "samples"])?;
    let mut profiles: Vec<(&str, Microphone)> = RATES
        .map(aac)
        .map(|(word, aac)| (word, Microphone::Aac(aac)))
        .to_vec();
    profiles.push(("raw", Microphone::RawStereo));
    profiles.push(("array", Microphone::RawArray));
    let usual = Microphone::Aac(Aac::default());
    let asked = parameters.one_of("profile", usual, &profiles)?;
    blocks(&parameters, Ask::Microphone(asked))
}

pub(super) fn extended(uri: &SourceUri) -> Result<Wish, BadSource> {
    let parameters = uri.parameters(&["mixer", "device", "profile", "format", "samples"])?;
    let mut profiles: Vec<(&str, ExtendedSound)> = RATES
        .map(aac)
        .map(|(word, aac)| (word, ExtendedSound::Aac(aac)))
        .to_vec();
    profiles.push(("raw", ExtendedSound::Raw(Capture::default())));
    let usual = ExtendedSound::Aac(Aac::default());
    let sound = parameters.one_of("profile", usual, &profiles)?;
    let mixer = parameters.one_of("mixer", Mixer::Microphone, &MIXERS)?;
    let device = parameters.optional("device", 0..=DEVICES_MAX)?;
    let asked = request::ExtendedAudio {
        device: device.and_then(|device| u16::try_from(device).ok()),
        ..request::ExtendedAudio::new(mixer, sound)
    };
    blocks(&parameters, Ask::ExtendedAudio(asked))
}
