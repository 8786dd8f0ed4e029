//! The descriptor store: a restart is a short gap in frames, not new memory.
//!
//! Owns the restarts, in order and by SIGKILL; readers are ordinary processes.

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};
use std::sync::Arc;
use streamem_sys::file::size_and_inode;
use streamem_tests::notify::NotifySocket;
use streamem_tests::{Broker, Consumer, eventually, proc};

fn config(size: &str) -> String {
    format!("[stream.cam]\nsource = \"pattern://bars?size={size}&rate=50\"\n")
}

fn start(manager: &Arc<NotifySocket>) -> Broker {
    let plan = Broker::plan().config(&config("160x120")).notify(manager);
    plan.argument("--fd-store").start()
}

fn names(manager: &NotifySocket) -> Vec<String> {
    let mut names: Vec<String> = manager.stored().into_iter().map(|(name, _)| name).collect();
    names.sort();
    names
}

fn stored_inode(manager: &NotifySocket, prefix: &str) -> Option<u64> {
    let stored = manager.stored();
    let found = stored.iter().find(|(name, _)| name.starts_with(prefix));
    found.map(|(_, fd)| size_and_inode(fd).expect("fstat").1)
}

fn take(reader: &mut Consumer, count: u64) -> Value {
    let before = reader.count("frames");
    eventually("frames go on", || {
        let report = reader.report();
        (report["frames"].as_u64() >= Some(before + count)).then_some(report)
    })
}

fn pool_seen_by(reader: &mut Consumer) -> u64 {
    let address = reader.count("address");
    let mappings = proc::mappings(reader.pid());
    let seen = mappings
        .iter()
        .find(|mapped| (mapped.start..mapped.end).contains(&address));
    seen.map(|mapped| mapped.inode)
        .expect("the bytes are mapped")
}

/// The restarted broker cannot see what this reader holds, so it must not touch that memory again.
#[test]
fn a_lease_page_the_manager_lost_means_new_memory() {
    let manager = NotifySocket::open();
    let mut broker = start(&manager);
    let mut reader = Consumer::start(&broker.socket(), "cam", &["leases=4", "check=bars"]);
    take(&mut reader, 10);
    reader.tell("hold");
    reader.expect("holding");
    let pool = stored_inode(&manager, "pool/cam").expect("the pool is kept");
    let pages = |manager: &NotifySocket| {
        names(manager)
            .iter()
            .filter(|name| name.starts_with("lease/"))
            .count()
    };
    eventually("the page is kept", || (pages(&manager) == 1).then_some(()));
    manager.lose("lease/");
    broker.restart();
    let report = take(&mut reader, 20);
    for fault in ["torn", "changed"] {
        assert_eq!(report[fault], 0, "{fault} in {report}\n{}", broker.log());
    }
    let now = stored_inode(&manager, "pool/cam");
    assert!(
        now.is_some_and(|now| now != pool),
        "the old memory is used again\n{}",
        broker.log()
    );
    assert!(
        broker.log().contains("of their lease pages were kept"),
        "{}",
        broker.log()
    );
}

fn goes_on_over(restart: impl Fn(&mut Broker)) {
    let manager = NotifySocket::open();
    let mut broker = start(&manager);
    let options = ["mode=every", "depth=100", "leases=4", "check=bars"];
    let mut reader = Consumer::start(&broker.socket(), "cam", &options);
    take(&mut reader, 10);
    reader.tell("hold");
    reader.expect("holding");
    let pool = stored_inode(&manager, "pool/cam").expect("the pool is kept");
    assert_eq!(pool_seen_by(&mut reader), pool);
    let generation = broker.stream("cam")["generation"].clone();
    let descriptors = proc::descriptors(reader.pid()).len();
    let mut newest = broker.stream("cam")["newest"].as_u64();

    for _ in 0..5 {
        restart(&mut broker);
        broker.restart();
        let report = take(&mut reader, 20);
        for fault in ["backwards", "torn", "changed", "miscounted"] {
            assert_eq!(report[fault], 0, "{fault} in {report}\n{}", broker.log());
        }
        assert_eq!(pool_seen_by(&mut reader), pool, "the memory is another");
        assert_eq!(stored_inode(&manager, "pool/cam"), Some(pool));
        let stream = broker.stream("cam");
        assert_eq!(stream["generation"], generation, "{stream}");
        assert!(
            stream["newest"].as_u64() > newest,
            "the sequence began anew: {stream}"
        );
        newest = stream["newest"].as_u64();
        assert_eq!(stream["subscriptions"], 1, "{stream}");
    }
    reader.tell("release");
    let released = reader.expect("released");
    assert_eq!(
        released["changed"], 0,
        "what was held was overwritten: {released}"
    );
    assert_eq!(
        proc::descriptors(reader.pid()).len(),
        descriptors,
        "the reader leaks"
    );
}

#[test]
fn memory_and_sequence_go_on_over_a_restart_in_order() {
    goes_on_over(|broker| assert!(broker.terminate().success()));
}

#[test]
fn memory_and_sequence_go_on_over_a_sudden_death() {
    goes_on_over(Broker::kill9);
}

#[test]
fn a_subscription_is_resumed_without_descriptors() {
    let manager = NotifySocket::open();
    let mut broker = start(&manager);
    let mut wire = broker.connect();
    let grant = wire.call(
        "Subscribe",
        json!({"stream": "cam", "leases": 3, "eventfd": true}),
    );
    let subscription = grant.parameters["subscription"].clone();
    eventually(
        "ring, pool, page and both ends of the bell are kept",
        || (names(&manager).len() == 5).then_some(()),
    );
    broker.kill9();
    broker.restart();
    let resume = json!({"stream": "cam", "leases": 3, "eventfd": true, "resume": subscription});
    let resumed = broker.connect().call("Subscribe", resume.clone());
    assert_eq!(resumed.parameters["resumed"], true, "{resumed:?}");
    assert!(resumed.parameters.get("pool").is_none(), "{resumed:?}");
    let absent = json!({"stream": "cam", "resume": 999_999});
    let mut stranger = broker.connect();
    let fresh = stranger.call("Subscribe", absent);
    assert_eq!(fresh.parameters["resumed"], false, "{fresh:?}");
    assert_eq!(fresh.fds.len(), 3, "{fresh:?}");
}

#[test]
fn what_is_gone_is_no_longer_kept() {
    let manager = NotifySocket::open();
    let mut broker = start(&manager);
    let before = ["pool/cam", "ring/cam"];
    eventually("pool and ring are kept", || {
        (names(&manager) == before).then_some(())
    });
    let mut wire = broker.connect();
    wire.subscribe("cam", 2);
    eventually("the page is kept", || {
        (names(&manager).len() == 3).then_some(())
    });
    drop(wire);
    eventually("the page is let go", || {
        (names(&manager) == before).then_some(())
    });

    let source = "pattern://bars?size=160x120&rate=30";
    broker.ask("AddStream", json!({"stream": "extra", "source": source}));
    eventually("the new memory is kept", || {
        (names(&manager).len() == 4).then_some(())
    });
    broker.ask("RemoveStream", json!({"stream": "extra"}));
    eventually("the old memory is let go", || {
        (names(&manager) == before).then_some(())
    });

    broker.rewrite_config("[stream.other]\nsource = \"pattern://imu\"\n");
    assert!(broker.terminate().success());
    broker.restart();
    eventually(
        "memory of a stream that is no longer configured is let go",
        || (names(&manager) == ["pool/other", "ring/other"]).then_some(()),
    );
}

#[test]
fn a_manager_that_is_busy_holds_nobody_up_and_misses_nothing() {
    let manager = NotifySocket::deaf();
    manager.fill();
    let broker = start(&manager);
    let mut reader = Consumer::start(&broker.socket(), "cam", &[]);
    take(&mut reader, 5);
    manager.listen();
    eventually("ring, pool and page are kept", || {
        (names(&manager).len() == 3).then_some(())
    });
    assert_eq!(manager.count("READY=1"), 1, "{:?}", manager.notices());
}

#[test]
fn readers_of_a_stream_that_is_gone_are_not_kept_and_their_numbers_not_used_again() {
    let manager = NotifySocket::open();
    let mut broker = start(&manager);
    let mut wire = broker.connect();
    let subscribe = json!({"stream": "cam", "eventfd": true});
    let before = wire.call("Subscribe", subscribe).ok()["subscription"].as_u64();
    eventually("page and bell are kept", || {
        (names(&manager).len() == 5).then_some(())
    });
    broker.rewrite_config("[stream.other]\nsource = \"pattern://imu\"\n");
    broker.kill9();
    broker.restart();
    eventually("they are let go with their stream", || {
        (names(&manager) == ["pool/other", "ring/other"]).then_some(())
    });
    let grant = broker.connect().subscribe("other", 1);
    assert!(grant.parameters["subscription"].as_u64() > before);
}

#[test]
fn a_stream_that_cannot_be_is_not_kept() {
    let manager = NotifySocket::open();
    let small = format!("[pool]\nslots_max = 16\n{}", config("160x120"));
    let plan = Broker::plan().config(&small).notify(&manager);
    let broker = plan.argument("--fd-store").start();
    let pages = std::fs::read_to_string(format!("/proc/{}/statm", broker.pid()));
    let pages = pages.expect("a process of ours");
    let pages: u64 = pages
        .split(' ')
        .next()
        .expect("a size")
        .parse()
        .expect("a number");
    // Enough for ring and pool, and not for the stack of a thread.
    let limit = Rlimit {
        current: Some(pages * 4096 + (3 << 19)),
        maximum: None,
    };
    let pid = Pid::from_raw(i32::try_from(broker.pid()).expect("a number"));
    prlimit(pid, Resource::As, limit).expect("we may limit our children");
    let source = "pattern://imu";
    let add = json!({"stream": "extra", "source": source});
    let refused = broker.connect().call("AddStream", add);
    assert_eq!(refused.refused(), "OutOfResources", "{refused:?}");
    let message = refused.parameters["message"].as_str().unwrap_or_default();
    assert!(message.contains("thread"), "{message}");
    let mut wire = broker.connect();
    wire.subscribe("cam", 1);
    eventually("a page that comes later is kept", || {
        let names = names(&manager);
        names
            .iter()
            .any(|name| name.starts_with("lease/"))
            .then_some(())
    });
    let names = names(&manager);
    assert!(
        !names.iter().any(|name| name.contains("extra")),
        "{names:?}"
    );
}

#[test]
fn memory_that_no_longer_fits_is_renewed() {
    let manager = NotifySocket::open();
    let mut broker = start(&manager);
    let mut reader = Consumer::start(&broker.socket(), "cam", &["mode=every", "depth=50"]);
    take(&mut reader, 5);
    let pool = stored_inode(&manager, "pool/cam");
    broker.rewrite_config(&config("320x240"));
    broker.kill9();
    broker.restart();
    take(&mut reader, 10);
    let renewed = stored_inode(&manager, "pool/cam");
    assert!(renewed.is_some() && renewed != pool, "{renewed:?} {pool:?}");
    assert_eq!(Some(pool_seen_by(&mut reader)), renewed);
}

/// A reader that always finds a frame is never told by its futex that the broker went away.
#[test]
fn a_reader_whose_frames_never_pause_resumes_after_a_restart() {
    let manager = NotifySocket::open();
    let mut broker = start(&manager);
    let options = ["mode=every", "depth=60", "slow_ms=40", "check=bars"];
    let mut behind = Consumer::start(&broker.socket(), "cam", &options);
    eventually("it has fallen behind", || {
        let inspection = broker.inspect();
        (inspection["subscriptions"][0]["behind"].as_u64() > Some(50)).then_some(())
    });
    broker.kill9();
    broker.restart();
    eventually("the subscription has its session again", || {
        let inspection = broker.inspect();
        let subscriptions = inspection["subscriptions"].as_array()?;
        assert_eq!(subscriptions.len(), 1, "{inspection}");
        subscriptions[0]["session"].is_u64().then_some(())
    });
    let report = take(&mut behind, 20);
    for fault in ["backwards", "torn", "changed", "miscounted"] {
        assert_eq!(report[fault], 0, "{fault} in {report}\n{}", broker.log());
    }
}
