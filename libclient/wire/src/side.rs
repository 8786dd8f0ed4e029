//! Side-data: what a source knows of a frame besides its bytes, as small typed blocks.
//!
//! Owns the block format (kind `u32`, length `u32`, bytes padded to 8); never interprets an unknown
//! kind, which is handed on as it is.

use serde::Serialize;

/// Flags of a frame.
pub mod flags {
    /// The source says this frame is damaged.
    pub const BROKEN: u32 = 1;
    /// Frames before this one were lost by the source.
    pub const GAP: u32 = 2;
    /// A packet that can be decoded without those before it.
    pub const KEY: u32 = 4;
}

/// What a source's own clock counts.
pub mod clock {
    /// The source has none.
    pub const NONE: u32 = 0;
    /// CLOCK_MONOTONIC nanoseconds.
    pub const MONOTONIC: u32 = 1;
    /// 100 ns ticks of a HoloLens.
    pub const HOLOLENS: u32 = 2;
    /// 100 ns ticks of NDI.
    pub const NDI: u32 = 3;
    /// Index of the first audio sample.
    pub const SAMPLES: u32 = 4;

    /// The name of a domain.
    #[must_use]
    pub fn name(domain: u32) -> &'static str {
        match domain {
            NONE => "none",
            MONOTONIC => "monotonic",
            HOLOLENS => "hololens",
            NDI => "ndi",
            SAMPLES => "samples",
            _ => "unknown",
        }
    }
}

/// The kinds of side-data by number.
pub mod side_kind {
    /// [`super::SideData::Pose`].
    pub const POSE: u32 = 1;
    /// [`super::SideData::Intrinsics`].
    pub const INTRINSICS: u32 = 2;
    /// [`super::SideData::Exposure`].
    pub const EXPOSURE: u32 = 3;
    /// [`super::SideData::Optics`].
    pub const OPTICS: u32 = 4;
}

/// How a colour camera saw a picture, beside its exposure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Optics {
    /// How sensitive the sensor was.
    pub iso_speed: u32,
    /// Which light was taken for white, in kelvin.
    pub white_balance_kelvin: u32,
    /// Where the lens stood, in steps of the camera's own.
    pub lens_position: u32,
    /// Its focus: 0 not set, 1 lost, 2 being looked for, 3 found, 4 not found.
    pub focus: u32,
    /// By how much red, green and blue were amplified.
    pub white_balance_gains: [f32; 3],
    /// By how much the sensor was amplified, before and after it was read.
    pub iso_gains: [f32; 2],
}

/// One block of side-data.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SideData {
    /// Where the camera was: a row-major 4x4 matrix.
    Pose([f32; 16]),
    /// Focal lengths and principal point, in pixels: fx, fy, cx, cy.
    Intrinsics([f32; 4]),
    /// Exposure time in nanoseconds and gain as a factor.
    Exposure {
        /// How long the sensor was exposed.
        exposure_ns: u64,
        /// Amplification, 1 is none.
        gain: f32,
    },
    /// What else a colour camera says of how it saw the picture.
    Optics(Optics),
    /// A kind this version does not know.
    Other {
        /// Its number.
        kind: u32,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

fn floats<const N: usize>(bytes: &[u8]) -> Option<[f32; N]> {
    if bytes.len() != N * 4 {
        return None;
    }
    let mut numbers = [0.0; N];
    for (number, chunk) in numbers.iter_mut().zip(bytes.chunks_exact(4)) {
        *number = f32::from_le_bytes(chunk.try_into().ok()?);
    }
    Some(numbers)
}

impl Optics {
    fn body(&self) -> Vec<u8> {
        let whole = [
            self.iso_speed,
            self.white_balance_kelvin,
            self.lens_position,
            self.focus,
        ];
        let factors = self.white_balance_gains.iter().chain(&self.iso_gains);
        let whole = whole.iter().flat_map(|number| number.to_le_bytes());
        whole
            .chain(factors.flat_map(|number| number.to_le_bytes()))
            .collect()
    }

    fn of(body: &[u8]) -> Option<Optics> {
        let (whole, factors) = body.split_at_checked(16)?;
        let [iso_speed, white_balance_kelvin, lens_position, focus] = *whole.as_chunks::<4>().0
        else {
            return None;
        };
        let [red, green, blue, before, after] = floats(factors)?;
        Some(Optics {
            iso_speed: u32::from_le_bytes(iso_speed),
            white_balance_kelvin: u32::from_le_bytes(white_balance_kelvin),
            lens_position: u32::from_le_bytes(lens_position),
            focus: u32::from_le_bytes(focus),
            white_balance_gains: [red, green, blue],
            iso_gains: [before, after],
        })
    }
}

impl SideData {
    /// The number of its kind.
    #[must_use]
    pub fn kind(&self) -> u32 {
        match self {
            SideData::Pose(_) => side_kind::POSE,
            SideData::Intrinsics(_) => side_kind::INTRINSICS,
            SideData::Exposure { .. } => side_kind::EXPOSURE,
            SideData::Optics(_) => side_kind::OPTICS,
            SideData::Other { kind, .. } => *kind,
        }
    }

    /// Its bytes, without kind and length.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        match self {
            SideData::Pose(matrix) => matrix.iter().flat_map(|n| n.to_le_bytes()).collect(),
            SideData::Intrinsics(numbers) => numbers.iter().flat_map(|n| n.to_le_bytes()).collect(),
            SideData::Exposure { exposure_ns, gain } => {
                let mut body = exposure_ns.to_le_bytes().to_vec();
                body.extend(gain.to_le_bytes());
                body
            }
            SideData::Optics(optics) => optics.body(),
            SideData::Other { bytes, .. } => bytes.clone(),
        }
    }

    /// Appends the block to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let body = self.body();
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        out.extend(self.kind().to_le_bytes());
        out.extend(length.to_le_bytes());
        out.extend(body);
        out.resize(out.len().next_multiple_of(8), 0);
    }

    /// Reads all blocks; stops quietly at the first that does not fit, since the rest cannot be
    /// found then.
    #[must_use]
    pub fn decode_all(mut bytes: &[u8]) -> Vec<SideData> {
        let mut blocks = Vec::new();
        while let Some((head, rest)) = bytes.split_first_chunk::<8>() {
            let [a, b, c, d, e, f, g, h] = *head;
            let kind = u32::from_le_bytes([a, b, c, d]);
            let Ok(length) = usize::try_from(u32::from_le_bytes([e, f, g, h])) else {
                break;
            };
            let Some(body) = rest.get(..length) else {
                break;
            };
            blocks.push(SideData::decode(kind, body));
            bytes = rest.get(length.next_multiple_of(8)..).unwrap_or_default();
        }
        blocks
    }

    fn decode(kind: u32, body: &[u8]) -> SideData {
        let known = match kind {
            side_kind::POSE => floats(body).map(SideData::Pose),
            side_kind::INTRINSICS => floats(body).map(SideData::Intrinsics),
            side_kind::EXPOSURE => body.split_first_chunk::<8>().and_then(|(exposure, gain)| {
                Some(SideData::Exposure {
                    exposure_ns: u64::from_le_bytes(*exposure),
                    gain: f32::from_le_bytes(gain.try_into().ok()?),
                })
            }),
            side_kind::OPTICS => Optics::of(body).map(SideData::Optics),
            _ => None,
        };
        known.unwrap_or_else(|| SideData::Other {
            kind,
            bytes: body.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blocks_come_back_as_they_went() {
        let blocks = vec![
            SideData::Pose([0.5; 16]),
            SideData::Exposure {
                exposure_ns: 16_000_000,
                gain: 2.0,
            },
            SideData::Other {
                kind: 99,
                bytes: vec![1, 2, 3],
            },
            SideData::Intrinsics([1.0, 2.0, 3.0, 4.0]),
            SideData::Optics(Optics {
                iso_speed: 400,
                white_balance_kelvin: 4000,
                lens_position: 550,
                focus: 3,
                white_balance_gains: [1.0, 1.125, 1.75],
                iso_gains: [1.5, 1.25],
            }),
        ];
        let mut bytes = Vec::new();
        blocks.iter().for_each(|block| block.encode(&mut bytes));
        assert_eq!(SideData::decode_all(&bytes), blocks);
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = SideData::decode_all(&bytes);
        }
    }
}
