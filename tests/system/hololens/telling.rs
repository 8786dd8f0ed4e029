//! What is told of a device: how its streams do, and what is known of its cameras.
//!
//! Owns that it arrives as it was told; what is true of a real device is tested elsewhere.

use super::{becomes, broker, kill, stream, worker_of};
use serde_json::{Value, json};
use std::process::Command;
use streamem::Client;
use streamem_tests::consumer::NOBODY;
use streamem_tests::{Consumer, binaries, eventually};

#[test]
fn how_a_stream_does_is_told_with_it_while_somebody_receives_it() {
    let broker = broker(&stream("left", "hl2ss://honest.test/vlc-left-front"));
    let network = eventually("there are figures", || {
        let network = broker.stream("left")["network"].clone();
        network.is_object().then_some(network)
    });
    assert_eq!(network["device"], "1.0.37.0");
    assert_eq!(network["bits_per_second"], 4_976_640);
    let info = Command::new(binaries::program("streamem"))
        .args(["info", "left", "--socket"])
        .arg(broker.socket())
        .output()
        .expect("the inspector");
    let told = String::from_utf8_lossy(&info.stdout).into_owned();
    for words in [
        "version 1.0.37.0",
        "4.98 Mbit/s",
        "by stand-in",
        "360 361 320.5 240",
        "map_x 2x3",
    ] {
        assert!(told.contains(words), "no {words} in {told}");
    }
    kill(worker_of(&broker, "left"));
    becomes(&broker, "left", "lost", "killed");
    assert!(broker.stream("left")["network"].is_null());
}

#[test]
fn a_calibration_is_handed_to_who_may_read() {
    let broker = broker(
        &(stream("left", "hl2ss://honest.test/vlc-left-front")
            + &stream(
                "without",
                "hl2ss://honest.test/vlc-left-left?calibration=no",
            )
            + &stream("closed", "hl2ss://honest.test/vlc-right-front")
            + "[access]\nread = [\"everyone\"]\n[stream.closed.access]\nread = []\n"),
    );
    becomes(&broker, "closed", "live", "");
    becomes(&broker, "without", "live", "");
    let mut client = Client::connect(Some(&broker.socket())).expect("a broker");
    let known = eventually("the calibration is told", || {
        client.calibration("left").expect("it may be read")
    });
    assert_eq!(known.short.intrinsics, Some([360.0, 361.0, 320.5, 240.0]));
    let table = known.table("map_x").expect("a table");
    assert_eq!((table.rows, table.columns), (2, 3));
    assert_eq!(table.values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(client.calibration("without").expect("it may be read"), None);
    for (stream, error) in [
        ("left", Value::Null),
        ("closed", "io.streamem.NotPermitted".into()),
    ] {
        let call = json!({
            "method": "io.streamem.GetCalibration",
            "parameters": { "stream": stream }
        });
        let option = format!("call={call}");
        let mut command = Consumer::command_as(NOBODY, &broker.socket(), "-", &[&option]);
        let answer = Consumer::spawn(&mut command).expect("answer");
        assert_eq!(answer["error"], error, "{stream}: {answer}");
    }
    let call = json!({ "stream": "nothing" });
    let refused = broker.connect().call("GetCalibration", call);
    assert_eq!(refused.refused(), "NoSuchStream");
}

#[test]
fn python_has_a_calibration_too() {
    let broker = broker(&stream("left", "hl2ss://honest.test/vlc-left-front"));
    becomes(&broker, "left", "live", "");
    let program = "import sys, time, streamem\n\
        known = None\n\
        while known is None:\n\
        \x20   time.sleep(0.01)\n\
        \x20   known = streamem.calibration('left', sys.argv[1])\n\
        print(known['intrinsics'], known['tables']['map_x'].tolist())\n";
    let folder = binaries::workspace().join("libclient/python");
    let ran = Command::new("python3")
        .env("PYTHONPATH", folder)
        .args(["-c", program])
        .arg(broker.socket())
        .output()
        .expect("python3: install it");
    let told = String::from_utf8_lossy(&ran.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(
        told.trim(),
        "[360.0, 361.0, 320.5, 240.0] [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]",
        "{wrong}"
    );
}
