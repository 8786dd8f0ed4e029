//! clean_death: any process may be killed at any instruction, and nothing is left behind.
//!
//! Owns hundreds of deaths at random moments; never asks the dying for help.

use super::{assert_honest, bars, take};
use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::time::Duration;
use streamem_tests::broker::Plan;
use streamem_tests::notify::NotifySocket;
use streamem_tests::{Broker, Consumer, eventually, proc};

const READER_ROUNDS: usize = 300;
/// With memory that is kept, and as often with memory that is not.
const BROKER_ROUNDS: usize = 100;

fn random_moment(millis_max: u64) {
    let random = RandomState::new().build_hasher().finish();
    std::thread::sleep(Duration::from_micros(random % (millis_max * 1000)));
}

fn kinds(pid: u32) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::new();
    for target in proc::descriptors(pid).into_values() {
        let kind = target.split(':').next().unwrap_or_default().to_owned();
        *kinds.entry(kind).or_default() += 1;
    }
    kinds
}

fn shared_mappings(pid: u32) -> usize {
    let mappings = proc::mappings(pid);
    mappings
        .iter()
        .filter(|mapped| mapped.name.starts_with("/memfd"))
        .count()
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the broker's folder");
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn clean_death_of_readers() {
    // The witness may be 20 s behind: however busy the machine, it need not miss anything.
    let config = bars("size=160x120&rate=100&format=gray8");
    let config = config.replace("slots_max = 1024", "slots_max = 4096");
    let broker = Broker::with_config(&config);
    let options = ["mode=every", "depth=8", "leases=4", "hold=3"];
    let mut witness = Consumer::start(
        &broker.socket(),
        "cam",
        &["mode=every", "depth=2000", "check=bars"],
    );
    take(&mut witness, 1);
    let (fds, mapped) = (kinds(broker.pid()), shared_mappings(broker.pid()));
    let mut victims: Vec<Consumer> = Vec::new();
    for _ in 0..READER_ROUNDS {
        let mut command = Consumer::command(&broker.socket(), "cam", &options);
        victims.push(Consumer::spawn(&mut command));
        random_moment(40);
        if victims.len() > 3 {
            victims.remove(0).kill9();
        }
    }
    drop(victims);
    eventually("the broker has cleared up", || {
        (broker.stream("cam")["subscriptions"] == 1).then_some(())
    });
    eventually("the broker's descriptors are as before", || {
        (kinds(broker.pid()) == fds).then_some(())
    });
    assert_eq!(
        shared_mappings(broker.pid()),
        mapped,
        "mappings were left behind"
    );
    let accounts = broker.inspect()["accounts"].clone();
    assert_eq!(
        accounts[0]["used"]["subscriptions"], 1,
        "charges were left behind: {accounts}"
    );
    let report = take(&mut witness, 10);
    assert_honest(&report);
    assert_eq!(report["missed"], 0, "the witness missed a frame: {report}");
}

#[test]
fn clean_death_of_the_broker() {
    drop(dies_often(Broker::plan()));
}

#[test]
fn clean_death_of_a_broker_whose_memory_is_kept() {
    let manager = NotifySocket::open();
    let plan = Broker::plan().notify(&manager).argument("--fd-store");
    let _still_reading = dies_often(plan);
    eventually(
        "ring, pool and two lease pages are kept, and no more",
        || (manager.stored().len() == 4).then_some(()),
    );
}

fn dies_often(plan: Plan) -> (Vec<Consumer>, Broker) {
    let mut broker = plan.config(&bars("size=160x120&rate=200")).start();
    let options = [
        "mode=every",
        "depth=50",
        "leases=4",
        "hold=3",
        "wait=1",
        "check=bars",
    ];
    let mut readers: Vec<Consumer> = (0..2)
        .map(|_| Consumer::start(&broker.socket(), "cam", &options))
        .collect();
    let before: Vec<_> = readers
        .iter_mut()
        .map(|reader| {
            take(reader, 10);
            (kinds(reader.pid()), shared_mappings(reader.pid()))
        })
        .collect();
    let files_before = files(broker.folder());
    for _ in 0..BROKER_ROUNDS {
        random_moment(100);
        broker.kill9();
        broker.restart();
    }
    for (reader, (fds, mapped)) in readers.iter_mut().zip(before) {
        let report = take(reader, 20);
        for fault in ["torn", "changed"] {
            assert_eq!(report[fault], 0, "{fault} in {report}");
        }
        assert_eq!(kinds(reader.pid()), fds, "descriptors were left behind");
        assert!(
            shared_mappings(reader.pid()) <= mapped + 3,
            "old memory is still mapped: {:?}",
            proc::mappings(reader.pid())
        );
    }
    assert_eq!(
        files(broker.folder()),
        files_before,
        "files were left behind"
    );
    assert_eq!(broker.stream("cam")["subscriptions"], 2);
    (readers, broker)
}
