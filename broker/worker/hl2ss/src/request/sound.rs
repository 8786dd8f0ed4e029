//! Requests for sound.
//!
//! Owns these bytes; never which microphones there are: the list of devices says that.

use super::{Answer, Request};
use crate::bytes::Writer;
use crate::error::{Refused, finite, within};
use crate::sound::{Aac, RAW_ARRAY, RAW_STEREO, write_raw};
use crate::stream::Stream;
use serde::{Deserialize, Serialize};

/// The device's microphones, 48000 times a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Microphone {
    /// Two channels, encoded.
    Aac(Aac),
    /// Two channels of 16 bits.
    RawStereo,
    /// Five channels of 32 bits: one for each microphone.
    RawArray,
}

impl Microphone {
    /// What they hear.
    #[must_use]
    pub fn stream(self) -> Request {
        let mut writer = Writer::default();
        match self {
            Self::Aac(aac) => aac.write(&mut writer),
            Self::RawStereo => write_raw(&mut writer, RAW_STEREO),
            Self::RawArray => write_raw(&mut writer, RAW_ARRAY),
        }
        Request::packets(Stream::Microphone, false, writer)
    }
}

/// What is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mixer {
    /// A microphone.
    Microphone,
    /// What the device plays.
    System,
    /// Both.
    Both,
}

/// How a microphone is opened for raw sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Capture {
    /// Not mixed and not converted, if this is given.
    pub pass_through: Option<PassThrough>,
    /// What it is for, 0 to 7.
    pub category: u8,
    /// Another program may have it.
    pub shared: bool,
    /// The device's improvements are left out.
    pub unprocessed: bool,
    /// So is what mixed reality would add.
    pub no_effect: bool,
}

/// A format of a source, as the list of devices counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassThrough {
    /// Which source, 0 to 1023.
    pub source: u16,
    /// Which of its formats, 0 to 1023.
    pub format: u16,
}

/// How extended audio is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExtendedSound {
    /// Two channels, encoded.
    Aac(Aac),
    /// Two channels of 16 bits, or what the device has.
    Raw(Capture),
}

/// Other microphones, and what the device plays.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ExtendedAudio {
    /// What is heard.
    pub mixer: Mixer,
    /// Which device of the list, 0 to 1022; the usual one unless given.
    pub device: Option<u16>,
    /// How loud what the device plays is.
    pub loopback_gain: f32,
    /// How loud the microphone is.
    pub microphone_gain: f32,
    /// How it is sent.
    pub sound: ExtendedSound,
}

const QUERY: u32 = 3;

impl ExtendedAudio {
    /// This, from the usual device, as loud as it is.
    #[must_use]
    pub const fn new(mixer: Mixer, sound: ExtendedSound) -> Self {
        Self {
            mixer,
            device: None,
            loopback_gain: 1.0,
            microphone_gain: 1.0,
            sound,
        }
    }

    /// Asks for its packets.
    ///
    /// # Errors
    ///
    /// The device would refuse it.
    pub fn stream(&self) -> Result<Request, Refused> {
        let mode = match self.mixer {
            Mixer::Microphone => 0,
            Mixer::System => 1,
            Mixer::Both => 2,
        };
        let writer = self.write(mode)?;
        Ok(Request::packets(Stream::ExtendedAudio, false, writer))
    }

    /// Which devices there are.
    ///
    /// # Errors
    ///
    /// As when the same is asked to stream.
    pub fn devices(&self) -> Result<Request, Refused> {
        let writer = self.write(QUERY)?;
        Ok(Request::new(Stream::ExtendedAudio, Answer::Devices, writer))
    }

    fn write(&self, mode: u32) -> Result<Writer, Refused> {
        finite("gain", &[self.loopback_gain, self.microphone_gain])?;
        let device = match self.device {
            None => 0,
            Some(device) => {
                within("number of the device", device, 0, 1022)?;
                u32::from(device) + 1
            }
        };
        let way = match self.sound {
            ExtendedSound::Raw(Capture { pass_through, .. }) => pass_through,
            ExtendedSound::Aac(_) => None,
        };
        let mut mixer = mode | device << 2;
        if let Some(PassThrough { source, format }) = way {
            within("number of the source", source, 0, 1023)?;
            within("number of the format", format, 0, 1023)?;
            mixer |= u32::from(source) << 12 | u32::from(format) << 22;
        }
        let mut writer = Writer::default();
        writer
            .u32(mixer)
            .f32(self.loopback_gain)
            .f32(self.microphone_gain);
        match self.sound {
            ExtendedSound::Aac(aac) => aac.write(&mut writer),
            ExtendedSound::Raw(capture) => write_raw(&mut writer, capture.bits()?),
        }
        Ok(writer)
    }
}

impl Capture {
    fn bits(self) -> Result<u8, Refused> {
        within("category", self.category, 0, 7)?;
        let bit = |set: bool, bit: u8| u8::from(set) << bit;
        Ok(self.category
            | bit(self.shared, 3)
            | bit(self.unprocessed, 5)
            | bit(self.no_effect, 6)
            | bit(self.pass_through.is_some(), 7))
    }
}
