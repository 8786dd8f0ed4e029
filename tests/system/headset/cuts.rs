//! Connections that end within a packet, at every byte of it.
//!
//! Whatever was begun is given up: the stream is lost, says why, and comes back; and its memory is not used up by that.

use crate::reader::Reader;
use crate::{becomes, broker, checks, headset, network, worker_of};
use streamem_headset::{Fault, Headset, Port, When, expected};
use streamem_tests::{eventually, proc};

/// A sample, so that a packet is short: 12 bytes, these and 64 of a pose.
const SAMPLE: usize = 32;
const PACKET: usize = 12 + SAMPLE + 64;
const SENSORS: [(&str, &str, Port); 3] = [
    ("acc", "accelerometer?calibration=no", Port::Accelerometer),
    ("gyr", "gyroscope?calibration=no", Port::Gyroscope),
    ("mag", "magnetometer", Port::Magnetometer),
];
/// After each, a stream rests for twice as long; so many are borne within a test.
const EACH: usize = 3;

/// The first connection ends in packet 1, the next in packet 2, and so on: whatever befalls one befalls no other.
fn cut(device: &Headset, port: Port, bytes: impl Iterator<Item = usize>, is_reset: bool) {
    for (packet, byte) in (1..).zip(bytes) {
        let fault = if is_reset {
            Fault::Reset { byte }
        } else {
            Fault::Cut { byte }
        };
        device.fault(port, When::Packet(packet), fault);
    }
}

fn at_every_byte(part: usize, is_reset: bool) {
    let host = format!("127.80.{}.{}", 1 + usize::from(is_reset), part + 1);
    let device = headset(&host);
    for (place, (_, _, port)) in SENSORS.into_iter().enumerate() {
        device.fault(port, When::Always, Fault::Body { bytes: SAMPLE });
        let first = (part * SENSORS.len() + place) * EACH;
        cut(&device, port, first..first + EACH, is_reset);
    }
    // Of looks, which are 168 bytes and have no other length, every fifth byte.
    let first = part * EACH;
    cut(
        &device,
        Port::EyeTracker,
        (first..first + EACH).map(|at| (at * 5).min(167)),
        is_reset,
    );
    let wanted = SENSORS.map(|(name, what, _)| (name, what));
    let broker = broker(&host, &[&wanted[..], &[("eyes", "eyes")]].concat());
    let look = |place: usize| {
        move |seen: &crate::seen::Seen| checks::samples(seen, expected::inertial(place), 1)
    };
    let mut readers: Vec<(&str, Reader)> = Vec::new();
    for (place, (name, ..)) in SENSORS.into_iter().enumerate() {
        readers.push((name, Reader::start(&broker, name, look(place))));
    }
    readers.push(("eyes", Reader::start(&broker, "eyes", checks::eyes)));
    for (name, reader) in readers {
        eventually("the device has ended each connection", || {
            (network(&broker, name)["reconnects"].as_u64()? >= EACH as u64).then_some(())
        });
        becomes(&broker, name, "live", "");
        reader.goes_on(5);
        let (marks, missed) = reader.finish();
        assert_eq!(missed, 0);
        if is_reset {
            continue; // What was on its way may be lost with the connection.
        }
        // What was sent whole was published: packet 0 of the first connection, 0 and 1 of the next, and so on.
        let starts: Vec<usize> = (0..marks.len())
            .filter(|at| marks[*at].number == 0)
            .collect();
        let lengths: Vec<usize> = starts.windows(2).map(|two| two[1] - two[0]).collect();
        assert_eq!(lengths, [1, 2, 3], "{name}: {marks:?}");
    }
    let bytes = proc::memory(worker_of(&broker, "acc"), "Anonymous");
    assert!(
        (1..64 << 20).contains(&bytes),
        "the worker has {bytes} bytes"
    );
}

const PARTS: usize = PACKET.div_ceil(SENSORS.len() * EACH);

#[test]
fn a_stream_comes_back_wherever_in_a_packet_it_was_closed() {
    std::thread::scope(|scope| {
        for part in 0..PARTS {
            scope.spawn(move || at_every_byte(part, false));
        }
    });
}

#[test]
fn a_stream_comes_back_wherever_in_a_packet_it_was_reset() {
    std::thread::scope(|scope| {
        for part in (0..PARTS).step_by(4) {
            scope.spawn(move || at_every_byte(part, true));
        }
    });
}

#[test]
fn pictures_that_are_cut_cost_no_memory() {
    let host = "127.80.3.1";
    let device = headset(host);
    let raw = 640 * 360 * 3 / 2;
    // In the header, in the picture, in what is said about it, in the pose.
    let places = [5, 12 + raw / 2, 12 + raw + 40, 12 + raw + 80 + 63];
    cut(&device, Port::PersonalVideo, places.into_iter(), false);
    let broker = broker(
        host,
        &[("pv", "pv?size=640x360&profile=raw&calibration=no")],
    );
    let reader = Reader::start(&broker, "pv", |seen| checks::camera(seen, 640, 360));
    eventually("the device has ended each connection", || {
        (network(&broker, "pv")["reconnects"].as_u64()? >= 4).then_some(())
    });
    reader.goes_on(10);
    assert_eq!(reader.finish().1, 0);
    assert_eq!(network(&broker, "pv")["dropped"], 0);
}
