//! From the payloads of one port to frames of its streams.
//!
//! Owns the choice of who does it; never receives a byte, but says where each is to be received.

mod depth;
mod far;
mod paint;
mod pictures;
mod records;
mod scratch;
mod seen;
mod sound;

use crate::meter::Meter;
use crate::output::{Output, Said};
use streamem_codec::CodecError;
use streamem_hl2ss::{DepthFault, Malformed, Pose, Ticks, WrongSize};
use streamem_orders::Ask;

/// A packet that is whole.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// When what is in it was taken, by the device's clock.
    pub ticks: Ticks,
    /// The same on the clock here, if that is known.
    pub captured_ns: u64,
    /// Where the camera or the rig was.
    pub pose: Option<Pose>,
    /// Its number.
    pub number: u64,
}

/// Why nothing became of a packet.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// It is not what the device sends.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// It cannot be decoded.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// Its parts do not fit their place.
    #[error(transparent)]
    Size(#[from] WrongSize),
    /// It is something else than the stream was configured for, and so is every later one.
    #[error("{0}")]
    Unfit(String),
}

impl From<DepthFault> for FillError {
    fn from(fault: DepthFault) -> FillError {
        match fault {
            DepthFault::Malformed(malformed) => malformed.into(),
            DepthFault::WrongSize(size) => size.into(),
        }
    }
}

/// Fills the streams of one port.
pub trait Fill: std::fmt::Debug {
    /// A packet begins.
    fn begin(&mut self, payload_bytes: usize, outputs: &mut [Output]);

    /// Where the payload is to be received from `at` on, as far as that is in one piece.
    fn place<'a>(&'a mut self, at: usize, outputs: &'a mut [Output]) -> &'a mut [u8];

    /// The payload is where it was to be received.
    ///
    /// # Errors
    ///
    /// Nothing became of it, or not of all of it.
    fn end(
        &mut self,
        taken: Taken,
        outputs: &mut [Output],
        meter: &mut Meter,
    ) -> Result<(), FillError>;

    /// The connection ends, perhaps within a packet: slots that were begun are put back.
    fn leave(&mut self, outputs: &mut [Output]);

    /// What decodes, if something must.
    fn decoder(&self) -> Option<String>;
}

/// Who fills streams that are asked for like this.
///
/// # Errors
///
/// There is no decoder for it.
pub fn of(ask: &Ask) -> Result<Box<dyn Fill + Send>, CodecError> {
    Ok(match ask {
        Ask::Video(_) | Ask::Grey(_) | Ask::ExtendedVideo(_) => {
            Box::new(pictures::Pictures::of(ask)?)
        }
        Ask::Ahat(ahat) => Box::new(depth::Depth::of(ahat, ask)?),
        Ask::LongThrow(_) => Box::new(far::Far::room()),
        Ask::ExtendedDepth(depth, size) => Box::new(far::Far::extended(depth.depth, *size)),
        Ask::Imu(imu) => Box::new(records::Records::of_sensor(imu.sensor)),
        Ask::Eyes(_) => Box::new(records::Records::of_eyes()),
        Ask::SpatialInput => Box::new(records::Records::of_hands()),
        Ask::Microphone(_) | Ask::ExtendedAudio(_) => Box::new(sound::Sound::of(ask)?),
    })
}

impl Taken {
    /// What is said of a frame made of it.
    fn said(&self) -> Said {
        Said {
            captured_ns: self.captured_ns,
            ticks: self.ticks,
            number: self.number,
            pose: self.pose,
            ..Said::default()
        }
    }
}
