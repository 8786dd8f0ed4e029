//! Sources that go on and give nothing.
//!
//! Owns how long that is borne; never ends a source.

use super::worker::Turn;
use streamem_sys::clock::monotonic_ns;

/// A source of a stream with a rate is silent after this time, and after so many periods.
const SILENT_NS: f64 = 2e9;
const SILENT_PERIODS: f64 = 10.0;

/// When a source was last heard.
#[derive(Debug)]
pub(super) struct Silence {
    bears_ns: u64,
    heard_ns: u64,
    is_silent: bool,
}

impl Silence {
    /// Of a source of this rate that begins now.
    pub(super) fn of(rate: f64) -> Silence {
        Silence {
            bears_ns: bears_ns(rate),
            heard_ns: monotonic_ns(),
            is_silent: false,
        }
    }

    /// It gave something.
    pub(super) fn hear(&mut self) {
        self.heard_ns = monotonic_ns();
    }

    /// What to report, if that has changed; `why` says who is silent.
    pub(super) fn turn(&mut self, why: impl FnOnce() -> String) -> Option<Turn> {
        let is_silent = monotonic_ns().saturating_sub(self.heard_ns) > self.bears_ns;
        if is_silent == self.is_silent {
            return None;
        }
        self.is_silent = is_silent;
        Some(if is_silent {
            Turn::Silent(why())
        } else {
            Turn::Back
        })
    }
}

/// How long the source of a stream of this rate may be silent; for ever where none is known.
fn bears_ns(rate: f64) -> u64 {
    if rate <= 0.0 {
        return u64::MAX;
    }
    let longest = (SILENT_PERIODS * 1e9 / rate).max(SILENT_NS);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is at least 0.001, so this is at most 1e13"
    )]
    let longest = longest as u64;
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_two_seconds_or_ten_periods_and_never_without_a_rate() {
        assert_eq!(bears_ns(30.0), 2_000_000_000);
        assert_eq!(bears_ns(1.0), 10_000_000_000);
        assert_eq!(bears_ns(0.0), u64::MAX);
    }
}
