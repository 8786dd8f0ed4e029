//! The picture of the minute, which every driver can foretell by itself, byte by byte.
//!
//! Owns what must be in a frame; never asks the broker's code. The strip on top has the frame's number and
//! time in 160 cells; what is below returns after 40 frames and is read from a file.

const WIDTH: usize = 80;
const CELL: usize = 2;
const COLUMNS: usize = 40;
const STRIP: usize = 4 * CELL * WIDTH;
const PERIOD: u64 = 40;

/// What the pictures have below the strip.
#[derive(Debug)]
pub struct Reference(Vec<u8>);

impl Reference {
    /// As the test wrote it.
    pub fn read(path: &str) -> std::io::Result<Reference> {
        std::fs::read(path).map(Reference)
    }

    /// Whether every byte is what this number and this time make of it.
    pub fn is_whole(&self, picture: &[u8], number: u64, made_ns: u64) -> bool {
        let length = self.0.len() / usize::try_from(PERIOD).unwrap_or(1);
        let at = usize::try_from(number % PERIOD).unwrap_or(0) * length;
        picture.len() == STRIP + length
            && picture[STRIP..] == self.0[at..at + length]
            && picture[..STRIP] == strip(number, made_ns)
    }
}

fn strip(number: u64, made_ns: u64) -> [u8; STRIP] {
    let mut bytes = Vec::from(0x5a3c_u16.to_be_bytes());
    bytes.extend(number.to_be_bytes());
    bytes.extend(made_ns.to_be_bytes());
    bytes.extend(checksum(&bytes[2..]).to_be_bytes());
    let mut strip = [0; STRIP];
    for (at, pixel) in strip.iter_mut().enumerate() {
        let (row, column) = (at / WIDTH / CELL, at % WIDTH / CELL);
        let bit = row * COLUMNS + column;
        let is_white = bytes[bit / 8] >> (7 - bit % 8) & 1 == 1;
        *pixel = if is_white { 255 } else { 0 };
    }
    strip
}

fn checksum(bytes: &[u8]) -> u16 {
    let mut sum = 0xffff_u16;
    for byte in bytes {
        sum ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            let carries = sum & 0x8000 != 0;
            sum = sum << 1 ^ if carries { 0x1021 } else { 0 };
        }
    }
    sum
}
