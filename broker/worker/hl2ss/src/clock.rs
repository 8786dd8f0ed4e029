//! What a point in the device's time is on a clock here, and how wrong that can be.
//!
//! Owns the exchanges it is worked out from; never asks a clock, and never assumes that the way there takes as long
//! as the way back.
//!
//! Each exchange is a fact: the device read its clock after the question was sent and before the answer came. So the
//! difference of the clocks was in an interval, as long as the exchange. Two such intervals bound how fast the
//! difference grows, all of them together where it is now. What is told is the middle of what is left, and half of
//! its length: while the clocks drift evenly and no faster than [`DRIFT_PPB_MAX`], the truth is never outside.

use crate::time::Ticks;
use std::collections::VecDeque;

/// How fast two clocks drift apart at most, in billionths. Crystals are within a tenth of it.
pub const DRIFT_PPB_MAX: i64 = 500_000;

/// In a span of so long only the quickest exchange is kept.
const SPAN_NS: i128 = 2_000_000_000;
const SPANS: usize = 32;
const BILLION: i128 = 1_000_000_000;

/// A question for the device's time ([`Command::Now`](crate::Command::Now)) and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// When the question was sent, on the clock here.
    pub sent_ns: u64,
    /// What was answered.
    pub device: Ticks,
    /// When the answer was there, on the clock here.
    pub received_ns: u64,
}

/// A time on the clock here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Nanoseconds.
    pub ns: u64,
    /// How far the truth can be from it, to either side.
    pub error_ns: u64,
}

/// What came of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learned {
    /// It is counted, or was slower than one of about the same time.
    Counted,
    /// It cannot be true together with those before: the device was started again, a clock was set, or they drift
    /// unevenly. Those were forgotten.
    Restarted,
    /// It ended before it began, and was left out.
    Impossible,
}

/// One exchange as a bound: at this device time the difference of the clocks was in between. The device's reading
/// was cut to whole ticks, so it may have been up to one later.
#[derive(Debug, Clone, Copy)]
struct Bound {
    at: i128,
    least: i128,
    most: i128,
}

impl Bound {
    fn of(exchange: Exchange) -> Option<Self> {
        let at = device_ns(exchange.device);
        let least = i128::from(exchange.sent_ns) - at - i128::from(Ticks::NS);
        let most = i128::from(exchange.received_ns) - at;
        (exchange.sent_ns <= exchange.received_ns).then_some(Self { at, least, most })
    }

    fn length(self) -> i128 {
        self.most - self.least
    }

    fn span(self) -> i128 {
        self.at.div_euclid(SPAN_NS)
    }
}

/// Follows one device.
#[derive(Debug, Clone, Default)]
pub struct Follower {
    bounds: VecDeque<Bound>,
    drift: Drift,
}

impl Follower {
    /// Knows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns from an exchange.
    pub fn learn(&mut self, exchange: Exchange) -> Learned {
        let Some(bound) = Bound::of(exchange) else {
            return Learned::Impossible;
        };
        let mut bounds = self.bounds.clone();
        let is_later = bounds.back().is_none_or(|last| last.at <= bound.at);
        bounds.push_back(bound);
        let drift =
            Drift::of(&bounds).filter(|drift| drift.difference(&bounds, bound.at).is_some());
        let (Some(drift), true) = (drift, is_later) else {
            *self = Self {
                bounds: VecDeque::from([bound]),
                drift: Drift::default(),
            };
            return Learned::Restarted;
        };
        if let Some(last) = self
            .bounds
            .back()
            .filter(|last| last.span() == bound.span())
        {
            let before_it = usize::from(last.length() >= bound.length());
            bounds.remove(bounds.len() - 1 - before_it);
        }
        if bounds.len() > SPANS {
            bounds.pop_front();
        }
        *self = Self { bounds, drift };
        Learned::Counted
    }

    /// What a point in the device's time is here; `None` before the first exchange, and where it would be no time.
    #[must_use]
    pub fn here(&self, device: Ticks) -> Option<Estimate> {
        let at = device_ns(device);
        let (least, most) = self.drift.difference(&self.bounds, at)?;
        let error = (most - least + 1) / 2;
        Some(Estimate {
            ns: u64::try_from(at + least + (most - least) / 2).ok()?,
            error_ns: u64::try_from(error).ok()?,
        })
    }
}

/// The least and the greatest growth of the difference, in billionths.
#[derive(Debug, Clone, Copy)]
struct Drift {
    least: i128,
    most: i128,
}

impl Default for Drift {
    fn default() -> Self {
        let most = i128::from(DRIFT_PPB_MAX);
        Self { least: -most, most }
    }
}

impl Drift {
    /// What all pairs allow.
    fn of(bounds: &VecDeque<Bound>) -> Option<Self> {
        let Self {
            mut least,
            mut most,
        } = Self::default();
        for (index, later) in bounds.iter().enumerate() {
            for earlier in bounds.iter().take(index) {
                let apart = later.at - earlier.at;
                if apart > 0 {
                    let slowest = (later.least - earlier.most) * BILLION;
                    let fastest = (later.most - earlier.least) * BILLION;
                    least = least.max(slowest.div_euclid(apart));
                    most = most.min(fastest.div_euclid(apart) + 1);
                }
            }
        }
        (least <= most).then_some(Self { least, most })
    }

    /// The least and the greatest difference at this time that all bounds allow.
    fn difference(self, bounds: &VecDeque<Bound>, at: i128) -> Option<(i128, i128)> {
        let projected = bounds.iter().map(|bound| {
            let since = at - bound.at;
            let (low, high) = if since < 0 {
                (self.most, self.least)
            } else {
                (self.least, self.most)
            };
            let low = bound.least + (since * low).div_euclid(BILLION);
            let high = bound.most + (since * high).div_euclid(BILLION) + 1;
            (low, high)
        });
        let (least, most) =
            projected.reduce(|(least, most), (low, high)| (least.max(low), most.min(high)))?;
        (least <= most).then_some((least, most))
    }
}

fn device_ns(ticks: Ticks) -> i128 {
    i128::from(ticks.0) * i128::from(Ticks::NS)
}
