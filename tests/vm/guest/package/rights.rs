//! Who may read a camera, and what the service itself may do.
//!
//! Owns what is expected of users and of the sandbox.

use crate::debian::{
    ANNA, BOB, CAMERA, broker, by, info, installed, live, property, refused, said,
};
use std::fs;

#[test]
fn a_member_of_the_group_reads_a_camera_he_may_not_open() {
    installed();
    refused(&by(ANNA, &["test", "-r", CAMERA]));
    refused(&by(ANNA, &["dd", &format!("if={CAMERA}"), "count=1"]));
    let read = said(&by(ANNA, &["streamem", "watch", "cam", "--count", "10"]));
    assert!(read.lines().count() >= 10, "{read}");
}

#[test]
fn who_is_not_in_the_group_is_told_of_it() {
    installed();
    let why = refused(&by(BOB, &["streamem", "watch", "cam", "--count", "1"]));
    assert!(why.contains("adduser USER streamem"), "{why}");
}

#[test]
fn the_python_client_and_the_c_library_are_there() {
    installed();
    let frame = "import streamem\n\
                 with streamem.subscribe('cam') as cam:\n\
                 \x20   frame = cam.next(30)\n\
                 \x20   print(frame.nbytes)\n";
    let read = said(&by(ANNA, &["/usr/bin/python3", "-c", frame]));
    assert!(read.contains(&(640 * 360 * 2).to_string()), "{read}");
    let version = "import ctypes; print(ctypes.CDLL('libstreamem.so.0').streamem_version)";
    said(&["/usr/bin/python3", "-c", version]);
}

#[test]
fn the_service_is_nobody_special() {
    installed();
    let status = fs::read_to_string(format!("/proc/{}/status", broker())).expect("it runs");
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {status}"))
            .trim()
            .to_owned()
    };
    let user = said(&["id", "-u", "streamem"]);
    assert!(
        field("Uid:").split_whitespace().all(|id| id == user.trim()),
        "{status}"
    );
    for capabilities in ["CapEff:", "CapPrm:", "CapBnd:", "CapAmb:"] {
        assert_eq!(field(capabilities), "0000000000000000", "{capabilities}");
    }
    assert_eq!(
        (field("NoNewPrivs:"), field("Seccomp:")),
        ("1".into(), "2".into())
    );
}

#[test]
fn the_sandbox_is_as_tight_as_it_can_be() {
    installed();
    let table = said(&[
        "systemd-analyze",
        "security",
        "--no-pager",
        "streamemd.service",
    ]);
    let overall = table
        .lines()
        .find(|line| line.contains("Overall exposure level"));
    let overall = overall.unwrap_or_else(|| panic!("{table}"));
    let level = overall
        .split_whitespace()
        .find_map(|word| word.parse::<f32>().ok());
    assert!(level.is_some_and(|level| level <= 2.0), "{table}");
    println!("{overall}");
}

#[test]
fn the_best_way_works_in_the_sandbox() {
    installed();
    let lacks = fs::read_to_string("/vm/lacks").unwrap_or_default();
    let way = if lacks.lines().any(|line| line == "udmabuf") {
        "export"
    } else {
        "import"
    };
    let stream = info("cam");
    let filled = stream["filled"].as_str().unwrap_or_default();
    assert!(filled.starts_with(way), "{stream}");
}

/// Its driver comes anew, long after the service began and was told which devices it may use.
#[test]
fn a_camera_that_comes_later_is_let_in() {
    installed();
    let before = broker();
    fs::write("/sys/bus/platform/drivers/vivid/unbind", "vivid.0").expect("it lets go");
    streamem_tests::eventually("it is lost", || {
        (info("cam")["state"] == "lost").then_some(())
    });
    fs::write("/sys/bus/platform/drivers/vivid/bind", "vivid.0").expect("it takes it");
    live("cam");
    said(&by(ANNA, &["streamem", "watch", "cam", "--count", "3"]));
    assert_eq!(broker(), before, "the service has not been started anew");
    assert_eq!(property("streamemd.service", "NRestarts"), "0");
}
