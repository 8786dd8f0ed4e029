//! Where payloads are received that do not go straight into a slot.
//!
//! Owns that memory, which is as large as the largest payload there was; never looks into it.

/// Memory for one payload after the other.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    bytes: Vec<u8>,
    used: usize,
}

impl Scratch {
    /// A payload of so many bytes comes.
    pub(super) fn begin(&mut self, payload_bytes: usize) {
        self.used = payload_bytes;
        if self.bytes.len() < payload_bytes {
            self.bytes.resize(payload_bytes, 0);
        }
    }

    /// Where it is received from `at` on.
    pub(super) fn from(&mut self, at: usize) -> &mut [u8] {
        self.bytes.get_mut(at..self.used).unwrap_or_default()
    }

    /// All of it.
    pub(super) fn payload(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or_default()
    }
}
