//! Amounts as people read them.
//!
//! Owns rounding and units; JSON never passes through here, it has the plain numbers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Bytes in MiB, or in KiB where that would be nothing.
#[allow(clippy::cast_precision_loss, reason = "shown with two digits")]
pub fn size(bytes: u64) -> String {
    let kibibytes = bytes as f64 / 1024.0;
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..104_858 => format!("{kibibytes:.1} KiB"),
        _ => format!("{:.2} MiB", kibibytes / 1024.0),
    }
}

/// Nanoseconds in milliseconds.
#[allow(clippy::cast_precision_loss, reason = "shown with two digits")]
pub fn milliseconds(nanoseconds: u64) -> String {
    format!("{:.2} ms", nanoseconds as f64 / 1e6)
}

/// Bits in a second.
#[allow(clippy::cast_precision_loss, reason = "shown with two digits")]
pub fn bit_rate(bits_per_second: u64) -> String {
    format!("{:.2} Mbit/s", bits_per_second as f64 / 1e6)
}

/// A duration in milliseconds.
pub fn age(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

/// So many things, whose name takes an s where they are more or fewer than one.
pub fn count(number: u64, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

/// How often in a second.
pub fn rate(per_second: f64) -> String {
    format!("{per_second:.1}/s")
}

/// A long time, in the unit that fits.
pub fn span(nanoseconds: u64) -> String {
    let seconds = nanoseconds / 1_000_000_000;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{minutes} min {} s", seconds % 60),
        _ => format!("{hours} h {minutes} min"),
    }
}

/// The time of day in UTC at which something `ago` happened.
pub fn clock_time(ago: Duration) -> String {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .saturating_sub(ago);
    time_of_day(since_epoch)
}

fn time_of_day(since_epoch: Duration) -> String {
    let seconds = since_epoch.as_secs() % 86_400;
    format!(
        "{:02}:{:02}:{:02}.{:03}Z",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        since_epoch.subsec_millis()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_no_plural() {
        let told = [0, 1, 2].map(|number| count(number, "session"));
        assert_eq!(told, ["0 sessions", "1 session", "2 sessions"]);
    }

    #[test]
    fn sizes_are_in_the_unit_that_says_something() {
        assert_eq!(size(900), "900 B");
        assert_eq!(size(8192), "8.0 KiB");
        assert_eq!(size(2_764_800), "2.64 MiB");
    }

    #[test]
    fn ages_are_in_milliseconds() {
        assert_eq!(milliseconds(1_234_567), "1.23 ms");
        assert_eq!(age(Duration::from_micros(50)), "0.05 ms");
    }

    #[test]
    fn long_times_are_in_hours_and_minutes() {
        assert_eq!(span(59_000_000_000), "59 s");
        assert_eq!(span(61_000_000_000), "1 min 1 s");
        assert_eq!(span(7_260_000_000_000), "2 h 1 min");
    }

    #[test]
    fn the_time_of_day_wraps_at_midnight() {
        let time = Duration::from_millis(86_400_000 + 3_723_004);
        assert_eq!(time_of_day(time), "01:02:03.004Z");
    }
}
