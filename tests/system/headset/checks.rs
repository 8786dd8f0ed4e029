//! What a frame must be, by what the device says it has sent.
//!
//! Owns the tolerances: what went through a codec comes back a little otherwise, all else exactly.

use crate::seen::{Seen, f32_at, u32_at, u64_at};
use streamem::clock;
use streamem_headset::expected::{self, Inertial};

/// Of a picture that was encoded, the mean difference of a byte. The picture before or after differs by 7 and more.
const MEAN: f64 = 2.5;

/// How much bytes differ, as a mean.
pub fn mean_difference(one: impl Iterator<Item = u8>, other: impl Iterator<Item = u8>) -> f64 {
    let (mut sum, mut count) = (0u64, 0u32);
    for (one, other) in one.zip(other) {
        sum += u64::from(one.abs_diff(other));
        count += 1;
    }
    #[allow(clippy::cast_precision_loss, reason = "a mean")]
    let sum = sum as f64;
    sum / f64::from(count.max(1))
}

pub fn is_like(what: &str, one: impl Iterator<Item = u8>, other: impl Iterator<Item = u8>) {
    let difference = mean_difference(one, other);
    assert!(difference < MEAN, "{what}: differs by {difference}");
}

/// What the colour camera says of a frame; its number.
pub fn camera(seen: &Seen, width: u16, height: u16) -> u64 {
    assert_eq!(seen.clock, clock::HOLOLENS);
    let (exposure_ns, gain) = seen.exposure.expect("an exposure");
    let number = exposure_ns / 100 - 100_000;
    let info = expected::camera(number, width, height);
    assert!((gain - info.iso_gains[0] * info.iso_gains[1]).abs() < 1e-6);
    let ([fx, fy], [cx, cy]) = (info.focal, info.principal);
    assert_eq!(seen.intrinsics, Some([fx, fy, cx, cy]), "picture {number}");
    let optics = seen.optics.as_ref().expect("optics");
    assert_eq!(optics.iso_speed, info.iso_speed);
    assert_eq!(optics.white_balance_kelvin, info.white_balance);
    assert_eq!(optics.lens_position, info.lens_position);
    assert_eq!(optics.focus, info.focus_state);
    assert_eq!(optics.white_balance_gains, info.white_balance_gains);
    assert_eq!(optics.iso_gains, info.iso_gains);
    if let Some(pose) = seen.pose {
        assert_eq!(pose, expected::pose(number));
    }
    number
}

/// What a grey camera says of a frame; its number.
pub fn grey(seen: &Seen) -> u64 {
    assert_eq!(seen.clock, clock::HOLOLENS);
    let (exposure_ns, gain) = seen.exposure.expect("an exposure");
    let number = exposure_ns - 5_000_000;
    #[allow(clippy::cast_precision_loss, reason = "gains are small")]
    let expected = expected::grey(number, 0).gain as f32;
    assert!((gain - expected).abs() < f32::EPSILON);
    if let Some(pose) = seen.pose {
        assert_eq!(pose, expected::pose(number));
    }
    number
}

/// A batch of samples of this kind, so many long; its number.
pub fn samples(seen: &Seen, kind: Inertial, count: usize) -> u64 {
    let number = seen.number();
    assert_eq!(seen.bytes.len(), count * 32, "packet {number}");
    let first = kind.batch * number;
    let origin = expected::sample(kind, first, 0).ticks;
    // Its own number is what the first sample was taken after.
    let first_ticks = u64_at(&seen.bytes, 8) - origin;
    assert_eq!(
        seen.ticks,
        first_ticks + origin,
        "the packet's time is its first sample's"
    );
    assert_eq!(seen.clock, clock::HOLOLENS);
    for (sample, record) in (first..).zip(seen.bytes.as_chunks::<32>().0) {
        let expected = expected::sample(kind, sample, first_ticks);
        assert_eq!(u64_at(record, 0), expected.sensor_ns, "sample {sample}");
        assert_eq!(u64_at(record, 8), expected.ticks, "sample {sample}");
        let axes = [16, 20, 24].map(|at| f32_at(record, at));
        assert_eq!(axes, expected.axes, "sample {sample} of packet {number}");
        if kind.hertz > 50 {
            assert_eq!(f32_at(record, 28).to_bits(), expected.temperature.to_bits());
        }
    }
    number
}

/// A look; its number.
pub fn eyes(seen: &Seen) -> u64 {
    let number = seen.number();
    let expected = expected::eyes(number);
    assert_eq!(seen.bytes.len(), 92, "packet {number}");
    let ray =
        |at: usize| [0, 12].map(|of| [0, 4, 8].map(|axis| f32_at(&seen.bytes, at + of + axis)));
    assert_eq!(ray(4), expected.combined, "packet {number}");
    assert_eq!(ray(28), expected.left);
    assert_eq!(ray(52), expected.right);
    assert_eq!(u32_at(&seen.bytes, 88), expected.valid);
    number
}
