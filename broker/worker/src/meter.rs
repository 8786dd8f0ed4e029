//! What is counted of a stream's packets.
//!
//! Owns sums and means; never decides anything by them.

use std::time::Instant;
use streamem_orders::Figures;

/// A mean that forgets: each value counts for a sixteenth.
#[derive(Clone, Copy, Debug, Default)]
struct Mean(f64);

impl Mean {
    fn add(&mut self, value: u64) {
        #[allow(clippy::cast_precision_loss, reason = "a mean of times needs no more")]
        let value = value as f64;
        self.0 += (value - self.0) / if self.0 == 0.0 { 1.0 } else { 16.0 };
    }

    fn rounded(self) -> u64 {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a mean of values that are not negative"
        )]
        let rounded = self.0 as u64;
        rounded
    }
}

/// Of one connection's packets, over all connections there were.
#[derive(Debug)]
pub struct Meter {
    bytes: u64,
    since: Instant,
    bits_per_second: u64,
    packets: u64,
    empty: u64,
    damaged: u64,
    copied: u64,
    jitter: Mean,
    publish: Mean,
    decode: Mean,
    last: Option<(u64, u64)>,
    connections: u64,
    connected: bool,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            bytes: 0,
            since: Instant::now(),
            bits_per_second: 0,
            packets: 0,
            empty: 0,
            damaged: 0,
            copied: 0,
            jitter: Mean::default(),
            publish: Mean::default(),
            decode: Mean::default(),
            last: None,
            connections: 0,
            connected: false,
        }
    }
}

impl Meter {
    /// There is a connection.
    pub fn connect(&mut self) {
        self.connected = true;
        self.connections += 1;
        self.last = None;
    }

    /// There is none any more.
    pub fn disconnect(&mut self) {
        self.connected = false;
    }

    /// A packet is there, taken by the device's clock at one time and here at another.
    pub fn packet(&mut self, bytes: usize, device_ns: u64, arrived_ns: u64) {
        self.packets += 1;
        self.bytes += bytes as u64;
        if let Some((device_before, arrived_before)) = self.last.replace((device_ns, arrived_ns)) {
            let taken = device_ns.wrapping_sub(device_before).cast_signed();
            let came = arrived_ns.wrapping_sub(arrived_before).cast_signed();
            self.jitter.add(came.abs_diff(taken));
        }
    }

    /// There was nothing in it.
    pub fn empty(&mut self) {
        self.empty += 1;
    }

    /// Nothing could be made of it.
    pub fn damaged(&mut self) {
        self.damaged += 1;
    }

    /// It was decoded elsewhere and copied.
    pub fn copied(&mut self) {
        self.copied += 1;
    }

    /// So long it took from its last byte.
    pub fn published(&mut self, took_ns: u64) {
        self.publish.add(took_ns);
    }

    /// So long the decoder took.
    pub fn decoded(&mut self, took_ns: u64) {
        self.decode.add(took_ns);
    }

    /// All of it, for people; at most once a second.
    pub fn read(&mut self) -> Option<Figures> {
        let passed = self.since.elapsed();
        if passed.as_millis() < 1000 {
            return None;
        }
        let millis = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
        self.bits_per_second = std::mem::take(&mut self.bytes) * 8000 / millis;
        self.since = Instant::now();
        Some(Figures {
            connected: self.connected,
            reconnects: self.connections.saturating_sub(1),
            bits_per_second: self.bits_per_second,
            packets: self.packets,
            empty: self.empty,
            damaged: self.damaged,
            jitter_ns: self.jitter.rounded(),
            publish_ns: self.publish.rounded(),
            decode_ns: self.decode.rounded(),
            copied: self.copied,
            ..Figures::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_is_what_comes_otherwise_than_it_was_taken() {
        let mut meter = Meter::default();
        for number in 0..40 {
            meter.packet(1, number * 33_000, 5_000_000 + number * 33_000);
        }
        assert_eq!(meter.jitter.rounded(), 0);
        for number in 40..400 {
            let late = if number % 2 == 0 { 10_000 } else { 0 };
            meter.packet(1, number * 33_000, 5_000_000 + number * 33_000 + late);
        }
        assert!((9_000..=10_000).contains(&meter.jitter.rounded()));
    }

    #[test]
    fn a_first_connection_is_no_reconnection() {
        let mut meter = Meter::default();
        meter.since -= std::time::Duration::from_secs(2);
        meter.connect();
        let figures = meter.read().unwrap();
        assert_eq!((figures.connected, figures.reconnects), (true, 0));
        assert_eq!(meter.read(), None);
    }
}
