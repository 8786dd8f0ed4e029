//! Depth that is packed without loss, which comes as frames of Zstandard.
//!
//! Owns the memory they are unpacked to, for one picture after the other; never unpacks more than was said.

use crate::error::{CodecError, Fault};
use ruzstd::decoding::FrameDecoder;
use std::fmt;
use streamem_hl2ss::zdepth::Zdepth;

/// What a frame may look back on. It is what each decoder has to have.
const WINDOW_MAX: u64 = 8 << 20;

/// Unpacks one picture after the other.
pub struct DepthDecoder {
    frames: FrameDecoder,
    parts: [Vec<u8>; 4],
}

impl fmt::Debug for DepthDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DepthDecoder").finish_non_exhaustive()
    }
}

impl Default for DepthDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl DepthDecoder {
    /// One without memory yet.
    #[must_use]
    pub fn new() -> Self {
        let mut frames = FrameDecoder::default();
        frames.set_max_window_size(WINDOW_MAX);
        let parts = Default::default();
        Self { frames, parts }
    }

    /// Writes depth in millimetres, 16 bits each, of a picture that must have this size.
    ///
    /// # Errors
    ///
    /// It is no packed depth, or one of another size.
    pub fn decode(
        &mut self,
        packed: &[u8],
        [width, height]: [usize; 2],
        out: &mut [u8],
    ) -> Result<(), CodecError> {
        let packed = Zdepth::of(packed)?;
        let wanted = packed.width * packed.height * 2;
        if [packed.width, packed.height] != [width, height] || out.len() != wanted {
            let (what, bytes) = ("packed depth", out.len());
            return Err(CodecError::Room {
                what,
                wanted,
                bytes,
            });
        }
        for (part, unpacked) in packed.parts.iter().zip(&mut self.parts) {
            unpacked.resize(part.unpacked, 0);
            unpack(&mut self.frames, part.frame, unpacked)?;
        }
        Ok(packed.depth(self.parts.each_ref().map(|part| &part[..]), out)?)
    }
}

fn unpack(frames: &mut FrameDecoder, frame: &[u8], out: &mut [u8]) -> Result<(), CodecError> {
    let fault = match frames.decode_all(frame, out) {
        Ok(bytes) if bytes == out.len() => return Ok(()),
        Ok(bytes) => format!("a part has {bytes} bytes where {} were said", out.len()),
        Err(error) => error.to_string(),
    };
    Err(CodecError::Packed(Fault(fault)))
}
