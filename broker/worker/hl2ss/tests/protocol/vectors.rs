//! Bytes that are known to be right, by name.
//!
//! Owns reading the file they are in.

use streamem_hl2ss::{Event, Header, Packets, Pose, Request};

const ALL: &str = include_str!("vectors.txt");

/// The time most of them have.
pub const T: u64 = 0x11_2233_4455;

pub fn names(prefix: &str) -> Vec<&'static str> {
    let lines = ALL.lines().filter(|line| line.starts_with(prefix));
    lines.filter_map(|line| line.split(' ').next()).collect()
}

pub fn vector(name: &str) -> Vec<u8> {
    let line = ALL
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let hex = line.unwrap_or_else(|| panic!("there is no {name}"));
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).expect("ASCII"), 16);
    let bytes: Result<Vec<u8>, _> = hex.as_bytes().chunks(2).map(byte).collect();
    bytes.expect("hexadecimal")
}

/// A packet as it was read.
#[derive(Debug, PartialEq)]
pub struct Packet {
    pub header: Header,
    pub payload: Vec<u8>,
    pub pose: Option<Pose>,
}

/// What is in these bytes, fed in pieces of these lengths over and over.
pub fn read(request: &Request, bytes: &[u8], pieces: &[usize]) -> Vec<Packet> {
    let mut packets = Packets::of(request).expect("packets come back");
    let mut lengths = pieces.iter().cycle();
    let (mut found, mut header, mut payload) = (Vec::new(), None, Vec::new());
    let mut rest = bytes;
    while !rest.is_empty() {
        let length = *lengths.next().expect("a piece");
        let (mut piece, after) = rest.split_at(length.min(rest.len()));
        rest = after;
        while let Some(event) = packets.feed(&mut piece).expect("packets in order") {
            match event {
                Event::Header(new) => header = Some(new),
                Event::Payload { at, bytes } => {
                    assert_eq!(usize::try_from(at), Ok(payload.len()));
                    payload.extend_from_slice(bytes);
                }
                Event::End(pose) => found.push(Packet {
                    header: header.take().expect("a header came before"),
                    payload: std::mem::take(&mut payload),
                    pose,
                }),
            }
        }
        assert!(piece.is_empty(), "all of a piece is taken");
    }
    assert!(header.is_none() && payload.is_empty(), "the last is whole");
    found
}

/// The one packet with this name, which answers this request.
pub fn packet(request: &Request, name: &str) -> Packet {
    let mut found = read(request, &vector(name), &[usize::MAX]);
    assert_eq!(found.len(), 1, "{name}");
    found.remove(0)
}

/// Identity, moved.
pub fn pose() -> Pose {
    let bytes = vector("pose_example");
    Pose::of(&bytes.try_into().expect("64 bytes"))
}
