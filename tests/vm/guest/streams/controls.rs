//! What can be set on a camera by way of the broker.
//!
//! Owns the ways to ask: the socket, the command, the configuration.

use crate::scene::{CAMERA, broker_with, is_live, turn};
use serde_json::{Value, json};
use std::process::{Command, Output};
use streamem_tests::{Broker, binaries, eventually};

fn command(broker: &Broker, words: &[&str]) -> Output {
    let mut command = Command::new(binaries::program("streamem"));
    command.arg("--socket").arg(broker.socket()).args(words);
    command.output().expect("it runs")
}

fn value(broker: &Broker, name: &str) -> Value {
    let answer = broker.ask("Controls", json!({"stream": "cam"}));
    let controls = answer["controls"]
        .as_array()
        .expect("there are some")
        .iter();
    let found = controls.clone().find(|control| control["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {answer}"))["value"].clone()
}

#[test]
fn controls_are_shown_and_set_by_the_command() {
    let broker = broker_with(CAMERA);
    is_live(&broker);
    let said = command(
        &broker,
        &[
            "controls",
            "cam",
            "--set",
            "brightness=77",
            "--set",
            "horizontal_flip=true",
        ],
    );
    let table = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success(), "{said:?}");
    assert!(
        table
            .lines()
            .any(|line| line.starts_with("brightness") && line.contains("77")),
        "{table}"
    );
    assert_eq!(
        (
            value(&broker, "brightness"),
            value(&broker, "horizontal_flip")
        ),
        (77.into(), 1.into())
    );
    let words = [
        "controls",
        "cam",
        "--set",
        "osd_text_mode=None",
        "--set",
        "horizontal_flip=0",
    ];
    assert!(command(&broker, &words).status.success());
    assert_eq!(value(&broker, "osd_text_mode"), 2);
}

#[test]
fn who_adds_a_camera_is_told_what_came_of_it() {
    let broker = Broker::with_config("[stream.other]\nsource = \"pattern://imu\"\n");
    let added = command(&broker, &["add", "cam", CAMERA]);
    let said = String::from_utf8_lossy(&added.stdout).into_owned();
    assert!(said.contains("640x360 yuyv 30/s"), "{said}");
    let added = command(&broker, &["add", "absent", "v4l2:///dev/video77"]);
    let said = String::from_utf8_lossy(&added.stdout).into_owned();
    assert!(said.contains("lost: there is no /dev/video77"), "{said}");
}

#[test]
fn what_a_camera_cannot_be_set_to_is_refused_by_name() {
    let broker = broker_with(CAMERA);
    is_live(&broker);
    turn("brightness", 100);
    for (set, expected) in [
        ("brightnes=1", "did you mean \"brightness\""),
        ("brightness=9999", "0 to 255"),
        ("osd_text_mode=Sideways", "None"),
    ] {
        let said = command(&broker, &["controls", "cam", "--set", set]);
        let why = String::from_utf8_lossy(&said.stderr).into_owned();
        assert_eq!(said.status.code(), Some(1), "{set}");
        assert!(why.contains(expected), "{set}: {why}");
    }
    assert_eq!(value(&broker, "brightness"), 100);
}

#[test]
fn controls_of_the_configuration_are_set_when_the_camera_is_opened_and_at_a_reload() {
    let config = |brightness: u32| {
        format!(
            "[stream.cam]\nsource = {CAMERA:?}\n[stream.cam.controls]\nbrightness = {brightness}\nsaturaton = 1\n"
        )
    };
    let broker = Broker::with_config(&config(33));
    is_live(&broker);
    assert_eq!(value(&broker, "brightness"), 33);
    assert!(broker.log().contains("saturation"), "{}", broker.log());
    broker.rewrite_config(&config(44));
    broker.hangup();
    eventually("it is set anew", || {
        (value(&broker, "brightness") == 44).then_some(())
    });
}
