//! A minute in which a writer reuses slots as fast as it can under readers of all three clients, which
//! hold frames for odd times and look at every pixel when they take a frame and before they give it back.
//!
//! Owns the schedule, and a reader without leases that must see torn frames, or nothing was put to the test.

use crate::client::{CLIENTS, Driver};
use rustix::process::Signal;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;
use streamem::Layout;
use streamem_sys::{Mapping, ReadOnly};
use streamem_tests::varlink::Answer;
use streamem_tests::{Broker, proc};
use streamem_wire::{Ring, RingShape, lease};
use streamemd::source;
use streamemd::source::pattern::bars;

const SOURCE: &str = "pattern://bars?size=80x1000&format=gray8&rate=0";
const ROUNDS: u64 = 6;
const ROUND_SECONDS: u64 = 10;
const SMALL: u64 = 48;
/// Bytes of the strip, and after how many frames the rest of the picture returns.
const STRIP: usize = 4 * 2 * 80;
const PERIOD: u64 = 40;

/// What is below the strip, for each frame of a period.
fn reference(broker: &Broker) -> PathBuf {
    let mut pattern = source::pattern::open(&SOURCE.parse().expect("a URI")).expect("a pattern");
    let mut below = |number: u64| {
        let mut picture = vec![0; 80 * 1000];
        pattern.fill(&mut picture, number, 5 * number, &mut Vec::new());
        picture.split_off(STRIP)
    };
    let first: Vec<Vec<u8>> = (0..PERIOD).map(&mut below).collect();
    for (number, expected) in (1000 * PERIOD..).zip(&first) {
        assert!(below(number) == *expected, "the picture does not return");
    }
    let path = broker.folder().join("reference");
    std::fs::write(&path, first.concat()).expect("a file");
    path
}

/// Subscribes again and again, holds frames, and sees none torn or changed.
fn hammer(broker: &Broker, driver: &mut Driver, reader: u64, reference: &Path) {
    let mode = ["latest", "every"][usize::from(reader % 2 == 1)];
    for round in 0..ROUNDS {
        let leases = 2 + (reader + round) % 4;
        let seed = 1 + reader * ROUNDS + round;
        let reference = reference.display();
        let seen = driver.ask(&format!(
            "hammer fast seconds={ROUND_SECONDS} seed={seed} reference={reference} \
             mode={mode} depth=3 leases={leases}"
        ));
        for fault in ["torn", "changed", "backwards"] {
            assert_eq!(seen[fault], 0, "{mode}: {seen}\n{}", broker.log());
        }
        assert_ne!(seen["frames"], 0, "{mode}: {seen}");
    }
}

/// Reads as long as the others do, but without a lease; how often a picture was torn, or changed while
/// it was looked at.
fn read_without_lease(broker: &Broker, is_over: &AtomicBool) -> u64 {
    let layout = serde_json::from_value(broker.stream("fast")["layout"].clone());
    let layout: Layout = layout.expect("a layout");
    let mut wire = broker.connect();
    let grant: Answer = wire.subscribe("fast", 1);
    let size = |name: &str| grant.parameters["stream"][name].as_u64();
    let slot_bytes = size("slot_bytes").and_then(|size| usize::try_from(size).ok());
    let slot_bytes = slot_bytes.expect("a size");
    let (ring, pool) = (map(&grant, "ring"), map(&grant, "pool"));
    let pool_bytes = (pool.len()) as u64;
    let shape = RingShape::read(ring.words(), pool_bytes).expect("a shape");
    let ring = Ring::new(ring.words(), shape).expect("a ring");
    let mut spoilt = 0;
    while !is_over.load(Relaxed) {
        let Some(newest) = lease::newest(&ring) else {
            continue;
        };
        let first = newest.slot.index() * slot_bytes / 8;
        let words = &pool.words()[first..first + 80 * 1000 / 8];
        let mut picture = Vec::with_capacity(80 * 1000);
        for half in words.chunks(words.len() / 2) {
            picture.extend(
                half.iter()
                    .flat_map(|word| word.load(Relaxed).to_le_bytes()),
            );
            thread::yield_now();
        }
        spoilt += u64::from(bars::check(&layout, &picture).is_err());
        thread::sleep(Duration::from_millis(1));
    }
    spoilt
}

/// Wherever it is just now.
fn stop_for_a_while(pid: u32) {
    proc::signal(pid, Signal::STOP);
    thread::sleep(Duration::from_millis(30));
    proc::signal(pid, Signal::CONT);
    thread::sleep(Duration::from_millis(70));
}

fn map(grant: &Answer, role: &str) -> Mapping<ReadOnly> {
    let (size, _) = streamem_sys::file::size_and_inode(grant.fd(role)).expect("fstat");
    let length = usize::try_from(size).expect("a size");
    Mapping::new(grant.fd(role), length, ReadOnly).expect("a mapping")
}

#[test]
fn no_lease_of_any_client_is_ever_broken() {
    let config = format!("[pool]\nslots_max = {SMALL}\n[stream.fast]\nsource = \"{SOURCE}\"\n");
    let broker = Broker::with_config(&config);
    let reference = reference(&broker);
    let is_over = AtomicBool::new(false);
    let clients = CLIENTS.into_iter().flat_map(|client| [client, client]);
    let start = |client| Driver::start(client, &broker.socket());
    let mut drivers: Vec<Driver> = clients.map(start).collect();
    let pids: Vec<u32> = drivers
        .iter_mut()
        .map(|driver| driver.process().pid())
        .collect();
    let spoilt = thread::scope(|scope| {
        let (broker, reference) = (&broker, &reference);
        let control = scope.spawn(|| read_without_lease(broker, &is_over));
        let readers: Vec<_> = (0..)
            .zip(&mut drivers)
            .map(|(reader, driver)| scope.spawn(move || hammer(broker, driver, reader, reference)))
            .collect();
        for pid in pids.iter().cycle() {
            if readers.iter().all(thread::ScopedJoinHandle::is_finished) {
                break;
            }
            stop_for_a_while(*pid);
        }
        is_over.store(true, Relaxed);
        for reader in readers {
            if let Err(why) = reader.join() {
                std::panic::resume_unwind(why);
            }
        }
        control.join().expect("its count")
    });
    let counters = broker.stream("fast")["counters"].clone();
    println!("{counters}, without leases {spoilt} pictures were torn");
    assert_ne!(spoilt, 0, "nothing was put to the test: {counters}");
    assert_ne!(counters["held_at_reuse"], 0, "{counters}");
    assert_eq!(counters["dropped_no_slot"], 0, "{counters}");
}
