//! When something was captured, on the clock here.
//!
//! The simulated device's clock is read here as well, so the truth is known; what is told must be as near as is said.

use crate::reader::{Mark, Reader};
use crate::{becomes, broker, checks, like, network};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;
use streamem_headset::{Config, Headset};
use streamem_sys::clock::monotonic_ns;
use streamem_tests::{Broker, eventually};

const TICK_NS: f64 = 100.0;

fn device(host: [u8; 4], ppm: f64, uptime: u64) -> Headset {
    like(Config {
        address: IpAddr::V4(Ipv4Addr::from(host)),
        ppm,
        uptime,
        ..Config::default()
    })
}

/// What a time of the device is here, and how far that may be off: it is read between two readings of the clock here.
fn truth(device: &Headset, ppm: f64, ticks: u64) -> (f64, f64) {
    let read = || {
        let before = monotonic_ns();
        let device = device.ticks().expect("it is on");
        (before, device, monotonic_ns())
    };
    let tries = (0..200).map(|_| read());
    let (before, now, after) = tries.min_by_key(|it| it.2 - it.0).expect("some");
    let since = (now as f64 - ticks as f64) * TICK_NS / (1.0 + ppm / 1e6);
    let between = (before + after) as f64 / 2.0;
    (
        between - since,
        (after - before) as f64 / 2.0 + 2.0 * TICK_NS,
    )
}

fn error_ns(broker: &Broker) -> Option<u64> {
    network(broker, "eyes")["clock_error_ns"].as_u64()
}

/// Whether the newest frame was captured when it is told to have been.
fn is_true(device: &Headset, ppm: f64, marks: &[Mark], told: u64) {
    let mark = marks.last().expect("a frame");
    let (truth, doubt) = truth(device, ppm, mark.ticks);
    let off = (mark.captured_ns as f64 - truth).abs();
    assert!(
        off <= told as f64 + doubt,
        "off by {off} ns, said to be {told} at most"
    );
}

fn follows(host: [u8; 4], ppm: f64, uptime: u64) {
    let device = device(host, ppm, uptime);
    let address = Ipv4Addr::from(host).to_string();
    let broker = broker(&address, &[("eyes", "eyes?rate=90")]);
    let reader = Reader::start(&broker, "eyes", checks::eyes);
    let first = eventually("the device's clock becomes known", || error_ns(&broker));
    // What is said is of the newest frame, so the greatest around it holds for all between.
    let mut told = first;
    for _ in 0..5 {
        reader.goes_on(60);
        let now = error_ns(&broker).expect("it stays known");
        is_true(&device, ppm, &reader.marks(), told.max(now));
        told = now;
    }
    assert!(
        told < 20_000_000,
        "it is said to be {told} ns at most, on the same machine"
    );
    let (marks, _) = reader.finish();
    assert!(
        marks.iter().all(|mark| mark.ticks >= uptime),
        "the device's own ticks are told"
    );
}

#[test]
fn capture_times_are_as_true_as_is_said() {
    follows([127, 80, 72, 1], 0.0, 600 * 10_000_000);
}

#[test]
fn a_clock_that_gains_is_followed() {
    follows([127, 80, 72, 2], 80.0, 1_000_000 * 10_000_000);
}

#[test]
fn a_clock_that_loses_is_followed() {
    follows([127, 80, 72, 3], -80.0, 5 * 10_000_000);
}

#[test]
fn a_device_that_begins_to_count_anew_is_not_taken_for_the_past() {
    let host = [127, 80, 72, 4];
    let mut device = device(host, 0.0, 600 * 10_000_000);
    let address = Ipv4Addr::from(host).to_string();
    let broker = broker(&address, &[("eyes", "eyes?rate=90")]);
    let reader = Reader::start(&broker, "eyes", checks::eyes);
    eventually("the device's clock becomes known", || error_ns(&broker));
    let before = reader.marks().len();
    let began_ns = monotonic_ns();
    device
        .restart(Duration::from_millis(300))
        .expect("its ports are free");
    becomes(&broker, "eyes", "lost", "");
    becomes(&broker, "eyes", "live", "");
    reader.goes_on(100);
    let told = eventually("its clock is known again", || error_ns(&broker));
    reader.goes_on(30);
    is_true(
        &device,
        0.0,
        &reader.marks(),
        told.max(error_ns(&broker).unwrap_or(0)),
    );
    let (marks, _) = reader.finish();
    let again = marks[before..]
        .iter()
        .filter(|mark| mark.ticks < 500 * 10_000_000);
    assert!(again.clone().count() > 100);
    for mark in again {
        assert!(
            mark.captured_ns > began_ns,
            "{mark:?} was captured after {began_ns}"
        );
    }
}
