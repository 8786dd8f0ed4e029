//! Depth that is packed by itself, almost without loss.
//!
//! Owns the parts it consists of and what their numbers mean; never unpacks a part, each of which is a Zstandard
//! frame: how long it becomes is known and bounded before somebody does.

use crate::bytes::Reader;
use crate::error::{DepthFault, Malformed, WrongSize};

const MAGIC: u8 = 0xca;
const KEY: u8 = 1;
/// Pixels of a block, to either side.
const BLOCK: usize = 8;
const SIDE_MAX: u16 = 4096;
const WHAT: &str = "packed depth";

/// A part, still packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// A Zstandard frame.
    pub frame: &'a [u8],
    /// How long it becomes.
    pub unpacked: usize,
}

/// A picture, still packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zdepth<'a> {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Which pixels have a depth, how blocks are predicted, and how far that was off: at edges, and on surfaces.
    pub parts: [Part<'a>; 4],
}

impl<'a> Zdepth<'a> {
    /// Takes one apart.
    ///
    /// # Errors
    ///
    /// It is none, needs one before it, or its parts have lengths they cannot have.
    pub fn of(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let short = Malformed::Size {
            what: WHAT,
            bytes: bytes.len(),
            wanted: "40 and its four parts",
        };
        let mut head = || {
            let marks = [reader.u8()?, reader.u8()?];
            let _number = reader.u16()?;
            let size = [reader.u16()?, reader.u16()?];
            let mut lengths = [[0_u32; 2]; 4];
            for length in lengths.as_flattened_mut() {
                *length = reader.u32()?;
            }
            Some((marks, size, lengths))
        };
        let (marks, size, lengths) = head().ok_or(short.clone())?;
        if marks[0] != MAGIC || marks[1] & KEY == 0 {
            return Err(meaningless("beginning of packed depth", marks[1]));
        }
        for side in size {
            if side == 0 || !side.is_multiple_of(8) || side > SIDE_MAX {
                return Err(meaningless("size of packed depth", side));
            }
        }
        let [width, height] = size.map(usize::from);
        let bounds = bounds(width, height);
        let mut parts = [Part {
            frame: &[],
            unpacked: 0,
        }; 4];
        for ((part, [unpacked, packed]), (least, most)) in parts.iter_mut().zip(lengths).zip(bounds)
        {
            let of = |length: u32| usize::try_from(length).unwrap_or(usize::MAX);
            if !(least..=most).contains(&of(unpacked)) {
                return Err(meaningless("length of a part of packed depth", unpacked));
            }
            *part = Part {
                frame: reader.bytes(of(packed)).ok_or(short.clone())?,
                unpacked: of(unpacked),
            };
        }
        Ok(Self {
            width,
            height,
            parts,
        })
    }

    /// Depth in millimetres, 16 bits each, out of the parts, unpacked.
    ///
    /// # Errors
    ///
    /// A part is not as long as was said, or has too little in it; or what is written to has not the picture's size.
    pub fn depth(&self, parts: [&[u8]; 4], depth: &mut [u8]) -> Result<(), DepthFault> {
        let wanted = self.width * self.height * 2;
        if depth.len() != wanted {
            let (what, bytes) = ("depth", depth.len());
            let error = WrongSize {
                what,
                bytes,
                wanted,
            };
            return Err(error.into());
        }
        for (part, unpacked) in self.parts.iter().zip(parts) {
            if part.unpacked != unpacked.len() {
                return Err(too_little(unpacked.len()).into());
            }
        }
        let [known, predictors, edges, surfaces] = parts;
        let mut picture = Picture {
            pixels: depth.as_chunks_mut().0,
            width: self.width,
        };
        picture.mark(known);
        let mut off = [Residuals::of(edges)?, Residuals::of(surfaces)?];
        let across = self.width / BLOCK;
        for block in 0..across * (self.height / BLOCK) {
            let (right, down) = (block % across, block / across);
            let is_inside = right > 0 && down > 0;
            let predictor = if is_inside {
                let at = (down - 1) * (across - 1) + right - 1;
                let number = *predictors.get(at).ok_or(too_little(predictors.len()))?;
                Predictor::of(number)?
            } else {
                Predictor::Nearer
            };
            picture.block(
                [right * BLOCK, down * BLOCK],
                is_inside,
                predictor,
                &mut off,
            )?;
        }
        picture.measure();
        Ok(())
    }
}

/// The least and the most each part can become.
fn bounds(width: usize, height: usize) -> [(usize, usize); 4] {
    let pixels = width * height;
    let blocks = (width / BLOCK - 1) * (height / BLOCK - 1);
    let residuals = (0, pixels / 2 * 3);
    [
        (pixels / 8, pixels / 8),
        (blocks, blocks.max(2)),
        residuals,
        residuals,
    ]
}

fn meaningless(what: &'static str, value: impl Into<u64>) -> Malformed {
    let value = value.into();
    Malformed::Meaningless { what, value }
}

fn too_little(bytes: usize) -> Malformed {
    Malformed::Size {
        what: "unpacked part of depth",
        bytes,
        wanted: "as many as it says, and all that is asked of it",
    }
}

/// How a pixel follows from those before it: left of it, and above.
#[derive(Clone, Copy)]
enum Predictor {
    Nearer,
    Above,
    Left,
    Down,
    Right,
    Between,
}

impl Predictor {
    fn of(number: u8) -> Result<Self, Malformed> {
        match number {
            0 => Ok(Self::Nearer),
            1 => Ok(Self::Above),
            2 => Ok(Self::Left),
            3 => Ok(Self::Down),
            4 => Ok(Self::Right),
            5 => Ok(Self::Between),
            other => Err(meaningless("predictor of packed depth", other)),
        }
    }

    /// 0 stands for a pixel without depth; each list begins with the next neighbour.
    #[inline(always)]
    fn predict(self, left: [i32; 2], up: [i32; 2]) -> i32 {
        let nearer = left[0].max(up[0]);
        let or = |one: i32, other: i32| if one != 0 { one } else { other };
        let onwards = |[one, two]: [i32; 2]| (one != 0 && two != 0).then_some(2 * one - two);
        match self {
            Self::Nearer => nearer,
            Self::Above => or(up[0], left[0]),
            Self::Left => or(left[0], up[0]),
            Self::Down => onwards(up).unwrap_or(nearer),
            Self::Right => onwards(left).unwrap_or(nearer),
            Self::Between if left[0] != 0 && up[0] != 0 => i32::midpoint(left[0], up[0]),
            Self::Between => nearer,
        }
    }
}

/// Numbers of 12 bits: first the upper 8 of each, then the lower 4, two in a byte.
#[derive(Clone, Copy)]
struct Residuals<'a> {
    upper: &'a [u8],
    lower: &'a [u8],
    next: usize,
}

impl<'a> Residuals<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (upper, lower) = bytes.split_at(bytes.len() / 3 * 2);
        if lower.len() * 2 != upper.len() {
            return Err(too_little(bytes.len()));
        }
        let next = 0;
        Ok(Self { upper, lower, next })
    }

    /// How far the next prediction is off.
    #[inline(always)]
    fn next(&mut self) -> Option<i32> {
        let upper = *self.upper.get(self.next)?;
        let lower = *self.lower.get(self.next / 2)?;
        let lower = if self.next.is_multiple_of(2) {
            lower
        } else {
            lower >> 4
        };
        self.next += 1;
        let number = i32::from(upper) << 4 | i32::from(lower & 0xf);
        Some((number >> 1) ^ -(number & 1))
    }
}

/// Depths in steps that grow with the distance, while they are worked out.
struct Picture<'a> {
    pixels: &'a mut [[u8; 2]],
    width: usize,
}

/// How many pixels before a block are looked at, to the left and above.
const BEFORE: usize = 2;
/// To either side.
const SEEN: usize = BEFORE + BLOCK;
type Window = [[i32; SEEN]; SEEN];
/// The most steps there are.
const STEPS_MAX: i32 = 2040;

impl Picture<'_> {
    /// Leaves something in those pixels which have a depth. Each bit says whether it is otherwise from here on.
    fn mark(&mut self, known: &[u8]) {
        let mut is_known = false;
        for (eight, bits) in self.pixels.chunks_mut(8).zip(known) {
            for (bit, pixel) in eight.iter_mut().enumerate() {
                is_known ^= bits >> bit & 1 == 1;
                *pixel = [u8::from(is_known), 0];
            }
        }
    }

    /// What a block sees: itself, and the two rows and columns before it.
    fn window(&self, [x0, y0]: [usize; 2], before: usize) -> Window {
        let mut window = [[0; SEEN]; SEEN];
        let rows = window.iter_mut().skip(BEFORE - before);
        for (row, y) in rows.zip(y0 - before..) {
            let first = y * self.width + x0 - before;
            let pixels = self.pixels.get(first..first + before + BLOCK);
            let seen = row.iter_mut().skip(BEFORE - before);
            for (seen, pixel) in seen.zip(pixels.unwrap_or_default()) {
                *seen = u16::from_le_bytes(*pixel).into();
            }
        }
        window
    }

    /// Works out a block. One in the first row or column of blocks sees nothing outside itself.
    fn block(
        &mut self,
        [x0, y0]: [usize; 2],
        sees_outside: bool,
        predictor: Predictor,
        [edges, surfaces]: &mut [Residuals<'_>; 2],
    ) -> Result<(), Malformed> {
        let mut window = self.window([x0, y0], if sees_outside { BEFORE } else { 0 });
        let seen = &mut window;
        // Once for each predictor, so that one is chosen for a block and not for each pixel.
        match predictor {
            Predictor::Nearer => work_out(seen, edges, surfaces, Predictor::Nearer),
            Predictor::Above => work_out(seen, edges, surfaces, Predictor::Above),
            Predictor::Left => work_out(seen, edges, surfaces, Predictor::Left),
            Predictor::Down => work_out(seen, edges, surfaces, Predictor::Down),
            Predictor::Right => work_out(seen, edges, surfaces, Predictor::Right),
            Predictor::Between => work_out(seen, edges, surfaces, Predictor::Between),
        }?;
        for (y, row) in (y0..).zip(&window[BEFORE..]) {
            let first = y * self.width + x0;
            let pixels = self.pixels.get_mut(first..first + BLOCK);
            let steps = row[BEFORE..].iter();
            for (pixel, steps) in pixels.unwrap_or_default().iter_mut().zip(steps) {
                *pixel = u16::try_from(*steps).unwrap_or(0).to_le_bytes();
            }
        }
        Ok(())
    }

    fn measure(&mut self) {
        for pixel in self.pixels.iter_mut() {
            *pixel = millimetres(u16::from_le_bytes(*pixel)).to_le_bytes();
        }
    }
}

/// Works out what has a depth in the middle of a window. What the next pixel needs stays in registers.
#[allow(
    clippy::needless_range_loop,
    reason = "twice as fast as with iterators over the rows"
)]
#[inline(always)]
fn work_out<'a>(
    window: &mut Window,
    edges: &mut Residuals<'a>,
    surfaces: &mut Residuals<'a>,
    predictor: Predictor,
) -> Result<(), Malformed> {
    let (mut edge, mut surface) = (*edges, *surfaces);
    for y in BEFORE..SEEN {
        let mut left = [window[y][1], window[y][0]];
        for x in BEFORE..SEEN {
            let mut own = window[y][x];
            if own != 0 {
                let up = [window[y - 1][x], window[y - 2][x]];
                let is_edge = left[0] == 0 || up[0] == 0;
                let next = if is_edge { edge.next() } else { surface.next() };
                let Some(off) = next else {
                    let short = if is_edge { edge } else { surface };
                    return Err(too_little(short.upper.len()));
                };
                own = (predictor.predict(left, up) + off).clamp(0, STEPS_MAX);
                window[y][x] = own;
            }
            left = [own, left[0]];
        }
    }
    (*edges, *surfaces) = (edge, surface);
    Ok(())
}

/// Where a step begins.
fn millimetres(steps: u16) -> u16 {
    match steps {
        0 => 0,
        1..550 => 200 + steps,
        550..925 => 750 + (steps - 550) * 2,
        925..1300 => 1500 + (steps - 925) * 4,
        1300..1675 => 3000 + (steps - 1300) * 8,
        1675.. => 6000 + (steps - 1675).min(365) * 16,
    }
}
