//! What is said on a socket of GStreamer's `unixfdsink` and `unixfdsrc`, version 1.24 and later.
//!
//! Owns the bytes of each message, in the machine's own byte order; never sends or receives.
//!
//! Both sides speak in messages of two words, type and length, and as many bytes. The sink says what the
//! buffers are (caps), hands over buffers, each with the descriptors of its memory, and says that no
//! more will come. The source gives each buffer back by the number it came with. A message is read with
//! two calls, so it must be in the socket as a whole or not at all.

const NEW_BUFFER: u32 = 0;
const RELEASE_BUFFER: u32 = 1;
const CAPS: u32 = 2;
const EOS: u32 = 3;

/// A time or place that is not known.
const NONE: u64 = u64::MAX;
/// Memory that is mapped like a file.
const FILE: u8 = 0;

/// What is special about a buffer.
pub mod mark {
    /// It comes from something that happens now.
    pub const LIVE: u32 = 1 << 4;
    /// Something is missing before it.
    pub const GAP: u32 = 1 << 6;
    /// It is damaged.
    pub const BROKEN: u32 = 1 << 8;
    /// It cannot be decoded without those before it.
    pub const DELTA: u32 = 1 << 13;
}

const HEADER_BYTES: usize = 8;
/// Longest message a reader has reason to send.
const SAID_BYTES_MAX: usize = 4096;

/// A buffer of one piece of memory.
#[derive(Clone, Copy, Debug)]
pub struct Buffer {
    /// The number it is given back by.
    pub id: u64,
    /// When it was captured, CLOCK_MONOTONIC.
    pub captured_ns: u64,
    /// How long it lasts.
    pub duration_ns: Option<u64>,
    /// The frame's number.
    pub sequence: u64,
    /// What is special about it: see [`mark`].
    pub marks: u32,
    /// Where in the file it begins.
    pub start: u64,
    /// How long it is.
    pub bytes: u64,
}

fn message(kind: u32, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    let mut message = Vec::with_capacity(256);
    message.extend(kind.to_ne_bytes());
    message.extend(length.to_ne_bytes());
    parts.iter().for_each(|part| message.extend(*part));
    message
}

/// What the buffers from now on are.
pub fn caps(caps: &str) -> Vec<u8> {
    message(CAPS, &[caps.as_bytes(), &[0]])
}

/// No more buffers will come.
pub fn end_of_stream() -> Vec<u8> {
    message(EOS, &[])
}

/// A buffer; the descriptor goes along with it.
pub fn new_buffer(buffer: &Buffer) -> Vec<u8> {
    let decoded_ns = NONE;
    let times = [
        buffer.id,
        buffer.captured_ns,
        decoded_ns,
        buffer.duration_ns.unwrap_or(NONE),
        buffer.sequence,
        buffer.sequence.saturating_add(1),
    ];
    let memories = 1;
    let metas: u16 = 0;
    message(
        NEW_BUFFER,
        &[
            times.map(u64::to_ne_bytes).as_flattened(),
            &buffer.marks.to_ne_bytes(),
            &[FILE, memories],
            &metas.to_ne_bytes(),
            &buffer.bytes.to_ne_bytes(),
            &buffer.start.to_ne_bytes(),
        ],
    )
}

/// What a reader said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// It no longer uses the buffer with this number.
    Release(u64),
    /// Something of a later version.
    Unknown,
}

/// What a reader may not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it sent what no unixfdsrc sends: type {kind}, {length} bytes")]
pub struct BadSaying {
    kind: u32,
    length: u32,
}

/// What has arrived from a reader and was not looked at yet.
#[derive(Debug, Default)]
pub struct Inbox(Vec<u8>);

impl Inbox {
    /// More has arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next message that is there as a whole.
    pub fn next(&mut self) -> Result<Option<Said>, BadSaying> {
        let Some((kind, rest)) = self.0.split_first_chunk() else {
            return Ok(None);
        };
        let Some((length, rest)) = rest.split_first_chunk() else {
            return Ok(None);
        };
        let (kind, length) = (u32::from_ne_bytes(*kind), u32::from_ne_bytes(*length));
        let bad = BadSaying { kind, length };
        let bytes = usize::try_from(length).map_err(|_| bad)?;
        let said = match kind {
            NEW_BUFFER | CAPS => return Err(bad),
            _ if bytes > SAID_BYTES_MAX => return Err(bad),
            _ if rest.len() < bytes => return Ok(None),
            RELEASE_BUFFER => {
                let (id, _) = rest[..bytes].split_first_chunk().ok_or(bad)?;
                Said::Release(u64::from_ne_bytes(*id))
            }
            _ => Said::Unknown,
        };
        self.0.drain(..HEADER_BYTES + bytes);
        Ok(Some(said))
    }
}

#[cfg(all(test, target_endian = "little"))]
mod tests {
    use super::*;

    #[test]
    fn caps_are_a_text_with_a_nul() {
        assert_eq!(caps("a/b"), b"\x02\0\0\0\x04\0\0\0a/b\0");
        assert_eq!(end_of_stream(), b"\x03\0\0\0\0\0\0\0");
    }

    #[test]
    fn a_buffer_is_as_unixfdsink_writes_it() {
        let buffer = Buffer {
            id: 0x0102,
            captured_ns: 5,
            duration_ns: None,
            sequence: 7,
            marks: mark::LIVE | mark::GAP,
            start: 0x1000,
            bytes: 0x30,
        };
        let expected = [
            &b"\0\0\0\0\x48\0\0\0"[..],
            b"\x02\x01\0\0\0\0\0\0",
            b"\x05\0\0\0\0\0\0\0",
            &[0xff; 16],
            b"\x07\0\0\0\0\0\0\0",
            b"\x08\0\0\0\0\0\0\0",
            b"\x50\0\0\0\0\x01\0\0",
            b"\x30\0\0\0\0\0\0\0",
            b"\0\x10\0\0\0\0\0\0",
        ];
        assert_eq!(new_buffer(&buffer), expected.concat());
    }

    #[test]
    fn releases_are_read_in_whatever_pieces_they_come() {
        let said = b"\x01\0\0\0\x08\0\0\0\x2a\0\0\0\0\0\0\0\x09\0\0\0\x01\0\0\0x";
        let mut inbox = Inbox::default();
        let mut seen = Vec::new();
        for byte in said {
            inbox.push(&[*byte]);
            seen.extend(inbox.next().unwrap());
        }
        assert_eq!(seen, [Said::Release(42), Said::Unknown]);
        assert_eq!(inbox.next(), Ok(None));
    }

    #[test]
    fn what_no_reader_says_is_refused() {
        for said in [
            &b"\0\0\0\0\0\0\0\0"[..],
            b"\x02\0\0\0\x01\0\0\0\0",
            b"\x01\0\0\0\x04\0\0\0\0\0\0\0",
            b"\x09\0\0\0\xff\xff\xff\xff",
        ] {
            let mut inbox = Inbox::default();
            inbox.push(said);
            assert!(inbox.next().is_err(), "{said:?}");
        }
    }
}
