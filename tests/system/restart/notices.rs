//! What the broker tells its service manager.
//!
//! Owns the notices; what it hands over for keeping is in `kept`.

use serde_json::json;
use streamem_tests::notify::NotifySocket;
use streamem_tests::{Broker, eventually};

const CONFIG: &str = "[stream.cam]\nsource = \"pattern://bars?size=160x120&rate=30\"\n";

#[test]
fn it_says_when_it_is_ready_and_when_it_stops() {
    let manager = NotifySocket::open();
    let mut broker = Broker::plan().config(CONFIG).notify(&manager).start();
    eventually("it is ready", || {
        (manager.count("READY=1") == 1).then_some(())
    });
    assert_eq!(manager.count("STOPPING=1"), 0, "{:?}", manager.notices());
    assert!(broker.terminate().success());
    eventually("it said that it stops", || {
        (manager.count("STOPPING=1") == 1).then_some(())
    });
}

#[test]
fn it_feeds_the_watchdog_for_as_long_as_the_loop_turns() {
    let manager = NotifySocket::open();
    let plan = Broker::plan().config(CONFIG).notify(&manager);
    let broker = plan.environment("WATCHDOG_USEC", "400000").start();
    eventually("the watchdog is fed", || {
        (manager.count("WATCHDOG=1") > 3).then_some(())
    });
    streamem_tests::proc::signal(broker.pid(), rustix::process::Signal::STOP);
    std::thread::sleep(std::time::Duration::from_millis(100));
    let starved = manager.count("WATCHDOG=1");
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(
        manager.count("WATCHDOG=1"),
        starved,
        "it was fed by somebody else"
    );
    streamem_tests::proc::signal(broker.pid(), rustix::process::Signal::CONT);
    eventually("it is fed again", || {
        (manager.count("WATCHDOG=1") > starved).then_some(())
    });
}

#[test]
fn without_a_store_nothing_is_handed_over() {
    let manager = NotifySocket::open();
    let broker = Broker::plan().config(CONFIG).notify(&manager).start();
    broker.connect().subscribe("cam", 2);
    broker.ask("Ping", json!({}));
    assert_eq!(manager.stored().len(), 0, "{:?}", manager.notices());
}
