//! Pictures of H.264 and H.265, each out of one access unit.
//!
//! Owns when a picture can be relied on; never chooses where one is put, and never waits for a later one.

use crate::colour::{Colours, I420, Matrix, Plane};
use crate::error::CodecError;
use crate::ffmpeg::{Decoder, Described, Frame, Memory, Which};
use crate::place::Place;
use crate::target::{Need, Target};
use std::any::Any;

/// How pictures are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// H.264.
    H264,
    /// H.265.
    Hevc,
}

impl Codec {
    fn name(self) -> &'static str {
        match self {
            Self::H264 => "H.264",
            Self::Hevc => "H.265",
        }
    }
}

/// A decoder of one stream. What is wrong in H.264 is noticed; most changes to bytes of H.265 make another picture, and
/// nobody can tell. So whoever gives access units to it says if one was [lost](Self::broken). It works on the thread that calls it, and puts a picture out with its own access unit.
#[derive(Debug)]
pub struct VideoDecoder {
    decoder: Decoder,
    has_begun: bool,
    is_whole: bool,
}

impl VideoDecoder {
    /// One that waits for a key frame.
    ///
    /// # Errors
    ///
    /// FFmpeg was built without it, or there is no memory.
    pub fn new(codec: Codec) -> Result<Self, CodecError> {
        let which = match codec {
            Codec::H264 => Which::H264,
            Codec::Hevc => Which::Hevc,
        };
        let opened = Decoder::open(which).map_err(|fault| CodecError::NoDecoder {
            codec: codec.name(),
            fault,
        });
        Ok(Self {
            decoder: opened?,
            has_begun: false,
            is_whole: false,
        })
    }

    /// Takes in an access unit and gives out its picture, under the number that is given here. None: it had no
    /// picture, or there was no key frame yet.
    ///
    /// `memory` is asked once for each picture, if that has 8 bits and 4:2:0; without a target, or with one that does
    /// not [fit](Target::fits), it lies in memory of the decoder. If `memory` panics, the process ends.
    ///
    /// # Errors
    ///
    /// The bytes are no access unit, or one of another kind of picture. What follows can be given to it all the same,
    /// and is said to be damaged until there is a key frame.
    pub fn decode(
        &mut self,
        unit: &[u8],
        number: u64,
        memory: &mut dyn FnMut(Need) -> Option<Target>,
    ) -> Result<Option<Picture>, CodecError> {
        if unit.is_empty() {
            // To FFmpeg it would be the end of the stream.
            return Ok(None);
        }
        let sent = self.decoder.send(unit, number, memory);
        let received = self.newest(memory);
        let newest = sent.and(received).map_err(|fault| {
            self.broken();
            CodecError::Undecodable {
                what: "picture",
                number,
                fault,
            }
        })?;
        let Some(frame) = newest else {
            // Those that follow were made from it.
            self.broken();
            return Ok(None);
        };
        let described = frame.describe();
        if !described.is_420 {
            self.broken();
            return Err(CodecError::Kind {
                number: described.number,
            });
        }
        if described.is_key {
            self.has_begun = true;
            self.is_whole = true;
        }
        self.is_whole &= !described.is_damaged;
        let picture = Picture::of(frame, described, !self.is_whole);
        Ok(self.has_begun.then_some(picture))
    }

    fn newest(&mut self, memory: &mut Memory<'_>) -> Result<Option<Frame>, crate::error::Fault> {
        let mut newest = None;
        while let Some(frame) = self.decoder.receive(memory)? {
            newest = Some(frame);
        }
        Ok(newest)
    }

    /// An access unit was lost: all pictures up to the next key frame are damaged. The decoder does not see that.
    pub fn broken(&mut self) {
        self.is_whole = false;
    }

    /// Begins anew, with the next key frame. Targets are let go.
    pub fn reset(&mut self) {
        self.decoder.flush();
        self.has_begun = false;
        self.is_whole = false;
    }
}

/// A decoded picture. The memory it lies in is not written to for as long as there is this, and by the decoder
/// not for as long as it needs the picture.
#[derive(Debug)]
pub struct Picture {
    /// What was given with its access unit.
    pub number: u64,
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Whether it was made from no other.
    pub is_key: bool,
    /// Whether it may look otherwise than it should.
    pub is_damaged: bool,
    /// What its numbers mean.
    pub colours: Colours,
    frame: Frame,
}

/// Numbers of H.264 and H.265 for how colours were made of red, green and blue.
const UNSPECIFIED: [i32; 3] = [0, 2, 3];
const BT709: i32 = 1;
const BT2020: [i32; 2] = [9, 10];
const HIGH_DEFINITION_ROWS: usize = 720;

fn matrix(number: i32, height: usize) -> Matrix {
    let is_unspecified = UNSPECIFIED.contains(&number);
    if number == BT709 || is_unspecified && height >= HIGH_DEFINITION_ROWS {
        Matrix::Bt709
    } else if BT2020.contains(&number) {
        Matrix::Bt2020
    } else {
        Matrix::Bt601
    }
}

impl Picture {
    fn of(frame: Frame, described: Described, is_damaged: bool) -> Self {
        Self {
            number: described.number,
            width: described.width,
            height: described.height,
            is_key: described.is_key,
            is_damaged,
            colours: Colours {
                matrix: matrix(described.matrix, described.height),
                is_full_range: described.is_full_range,
            },
            frame,
        }
    }

    /// Where in its target a plane lies (0: brightness, 1 and 2: colours). None: it lies in memory of the decoder.
    #[must_use]
    pub fn place(&self, plane: usize) -> Option<Place> {
        self.frame.place(plane)
    }

    /// The owner of its target, if it is of this type.
    #[must_use]
    pub fn owner<T: Any>(&self) -> Option<&T> {
        self.frame.owner()?.downcast_ref()
    }

    /// What it consists of, wherever that lies.
    #[must_use]
    pub fn planes(&self) -> I420<'_> {
        let [luma, u, v] = [0, 1, 2].map(|which| {
            let (bytes, stride) = self.frame.plane(which);
            Plane { bytes, stride }
        });
        I420 {
            width: self.width,
            height: self.height,
            planes: [luma, u, v],
        }
    }
}
