//! Workers that are killed or stand still: their device's streams are lost and come back, others notice nothing.

use crate::reader::Reader;
use crate::seen::Seen;
use crate::{becomes, broker, checks, headset, network, stream, worker_of};
use rustix::process::Signal;
use streamem_headset::{Headset, expected};
use streamem_tests::{Broker, eventually, proc};

fn two(first: &str, second: &str) -> ([Headset; 2], Broker) {
    let devices = [first, second].map(headset);
    let config = stream(first, "bad", "eyes?rate=60")
        + &stream(first, "worse", "vlc-left-front?profile=raw&calibration=no")
        + &stream(second, "good", "gyroscope");
    (devices, Broker::with_config(&config))
}

fn gyroscope(seen: &Seen) -> u64 {
    checks::samples(seen, expected::inertial(1), 315)
}

/// What happens to the first device's worker is nothing to the second's.
fn tried(hosts: [&str; 2], signal: Signal, words: &str) {
    let (_devices, broker) = two(hosts[0], hosts[1]);
    let bad = Reader::start(&broker, "bad", checks::eyes);
    let worse = Reader::start(&broker, "worse", checks::grey);
    let good = Reader::start(&broker, "good", gyroscope);
    [&bad, &worse, &good]
        .iter()
        .for_each(|reader| reader.goes_on(5));
    let pid = worker_of(&broker, "bad");
    let other = worker_of(&broker, "good");
    assert_eq!(worker_of(&broker, "worse"), pid);
    proc::signal(pid, signal);
    becomes(&broker, "bad", "lost", words);
    eventually("it is gone", || (!proc::is_alive(pid)).then_some(()));
    for name in ["bad", "worse"] {
        becomes(&broker, name, "live", "");
        assert_ne!(worker_of(&broker, name), pid);
    }
    [&bad, &worse, &good]
        .iter()
        .for_each(|reader| reader.goes_on(10));
    bad.finish();
    worse.finish();
    let (marks, missed) = good.finish();
    assert_eq!((missed, worker_of(&broker, "good")), (0, other));
    assert!(
        marks
            .windows(2)
            .all(|two| two[1].number == two[0].number + 1),
        "{marks:?}"
    );
    assert_eq!(network(&broker, "good")["reconnects"], 0);
}

#[test]
fn a_worker_that_is_killed_is_replaced() {
    tried(
        ["127.80.70.1", "127.80.70.2"],
        Signal::KILL,
        "was killed by signal 9",
    );
}

#[test]
fn a_worker_that_stands_still_is_replaced() {
    tried(
        ["127.80.70.3", "127.80.70.4"],
        Signal::STOP,
        "says nothing for 10 s",
    );
}

#[test]
fn a_broker_that_ends_takes_its_workers_along() {
    let (_devices, mut broker) = two("127.80.70.5", "127.80.70.6");
    for name in ["bad", "worse", "good"] {
        becomes(&broker, name, "live", "");
    }
    let pids = ["bad", "good"].map(|name| worker_of(&broker, name));
    broker.kill9();
    for pid in pids {
        eventually("the worker ends by itself", || {
            (!proc::is_alive(pid)).then_some(())
        });
    }
}

#[test]
fn a_device_that_is_let_go_is_closed() {
    let host = "127.80.70.7";
    let device = headset(host);
    let broker = broker(
        host,
        &[
            ("pv", "pv?size=424x240&profile=raw&calibration=no"),
            ("eyes", "eyes"),
        ],
    );
    becomes(&broker, "pv", "live", "");
    crate::remove(&broker, "pv");
    let port = streamem_headset::Port::PersonalVideo;
    let mut was_told = false;
    eventually("the camera is closed", || {
        while let Some(event) = device.event(std::time::Duration::ZERO) {
            if let streamem_headset::Event::Asked { port: of, bytes } = event {
                was_told |= of == port && bytes == [0x0b];
            }
        }
        was_told.then_some(())
    });
}
