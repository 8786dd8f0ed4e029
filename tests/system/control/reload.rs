//! Signals: SIGHUP reads the configuration anew, SIGTERM and SIGINT end the broker in order.
//!
//! Owns the signals; those no process can catch are in `invariants`.

use rustix::process::Signal;
use serde_json::json;
use streamem_tests::{Broker, Consumer, eventually, proc};

fn config(streams: &[(&str, &str)]) -> String {
    let source = |(name, parameters): &(&str, &str)| {
        format!("[stream.{name}]\nsource = \"pattern://bars?{parameters}\"\n")
    };
    streams.iter().map(source).collect()
}

fn exists(broker: &Broker, stream: &str) -> bool {
    let answer = broker.connect().call("Info", json!({ "stream": stream }));
    answer.error.is_none()
}

#[test]
fn a_reload_adds_removes_and_leaves_the_rest_undisturbed() {
    let small = "size=160x120&rate=50";
    let broker = Broker::with_config(&config(&[("stays", small), ("goes", small)]));
    let options = ["mode=every", "depth=100", "check=bars"];
    let mut stays = Consumer::start(&broker.socket(), "stays", &options);
    let mut goes = Consumer::start(&broker.socket(), "goes", &[]);
    let generation = broker.stream("stays")["generation"].clone();
    broker.ask(
        "AddStream",
        json!({"stream": "added", "source": "pattern://imu"}),
    );

    broker.rewrite_config(&config(&[("stays", small), ("comes", small)]));
    broker.hangup();
    eventually("the new stream is there", || {
        exists(&broker, "comes").then_some(())
    });
    eventually("the old one is gone", || {
        (!exists(&broker, "goes")).then_some(())
    });
    assert!(
        exists(&broker, "added"),
        "a stream added by a call is none of the file's"
    );
    let complaint = goes.line().expect("a last word");
    assert_eq!(complaint["is"], "error", "{complaint}");

    let before = stays.count("frames");
    eventually("frames go on", || {
        (stays.count("frames") > before + 20).then_some(())
    });
    let report = stays.finish();
    for fault in ["missed", "torn", "changed", "backwards"] {
        assert_eq!(
            report[fault], 0,
            "an unchanged stream was disturbed: {report}"
        );
    }
    assert_eq!(broker.stream("stays")["generation"], generation);
}

#[test]
fn a_bad_configuration_changes_nothing_and_is_logged() {
    let good = config(&[("cam", "size=160x120&rate=50")]);
    let broker = Broker::with_config(&good);
    let mut reader = Consumer::start(&broker.socket(), "cam", &["mode=every", "depth=100"]);
    broker.rewrite_config("[stream.cam]\nsource = \"gopher://x\"\n");
    broker.hangup();
    eventually("the mistake is logged", || {
        broker.log().contains("streamem.toml:2").then_some(())
    });
    let before = reader.count("frames");
    eventually("frames go on", || {
        (reader.count("frames") > before + 20).then_some(())
    });
    assert_eq!(reader.count("missed"), 0);
    assert!(exists(&broker, "cam"));
}

#[test]
fn the_broker_ends_in_order_when_asked_to() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut broker = Broker::start();
        let mut wire = broker.connect();
        wire.subscribe("randcam", 2);
        let _reader = Consumer::start(&broker.socket(), "randcam", &["wait=1"]);
        proc::signal(broker.pid(), signal);
        let status = broker.wait_for_end();
        assert_eq!(
            status.code(),
            Some(0),
            "{signal:?}: {status}\n{}",
            broker.log()
        );
        assert!(wire.receive().is_none(), "the session was not ended");
        assert!(!broker.socket().exists(), "the socket was left behind");
    }
}

#[test]
fn a_second_broker_does_not_take_the_socket_of_a_living_one() {
    let broker = Broker::start();
    let second = std::process::Command::new(streamem_tests::binaries::program("streamemd"))
        .arg("--socket")
        .arg(broker.socket())
        .output()
        .expect("streamemd runs");
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("streamem.sock"), "{said}");
    assert!(exists(&broker, "randcam"), "the first one goes on");
}
