//! The service under systemd: how it starts, and what it says.
//!
//! Owns what is expected of units.

use crate::debian::{
    ANNA, broker, by, configure, configured, info, installed, live, property, refused, run, said,
};
use streamem_tests::eventually;

const SERVICE: &str = "streamemd.service";
const SOCKET: &str = "streamemd.socket";

fn is(unit: &str, state: &str) {
    eventually(&format!("{unit} is {state}"), || {
        (property(unit, "ActiveState") == state).then_some(())
    });
}

#[test]
fn the_socket_starts_the_service() {
    installed();
    said(&["systemctl", "is-enabled", SOCKET]);
    run(&["systemctl", "stop", SERVICE]);
    is(SERVICE, "inactive");
    is(SOCKET, "active");
    let listed = said(&by(ANNA, &["streamem", "list"]));
    assert!(listed.contains("bars"), "{listed}");
    is(SERVICE, "active");
}

#[test]
fn a_camera_starts_the_service() {
    installed();
    run(&["systemctl", "stop", SERVICE]);
    is(SERVICE, "inactive");
    std::fs::write("/sys/bus/platform/drivers/vivid/unbind", "vivid.0").expect("it lets go");
    std::fs::write("/sys/bus/platform/drivers/vivid/bind", "vivid.0").expect("it takes it");
    is(SERVICE, "active");
    live("cam");
}

#[test]
fn a_restart_keeps_the_memory_of_streams() {
    installed();
    live("bars");
    let before = info("bars");
    let reader = std::process::Command::new("runuser")
        .args([
            "-u", ANNA, "--", "streamem", "watch", "bars", "--count", "60",
        ])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("it can be run");
    eventually("somebody reads", || {
        (info("bars")["subscriptions"] == 1).then_some(())
    });
    let pid = broker();
    said(&["systemctl", "restart", SERVICE]);
    assert_ne!(broker(), pid);
    live("bars");
    assert_eq!(info("bars")["generation"], before["generation"]);
    let output = reader.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn who_is_killed_is_started_again() {
    installed();
    let (pid, before) = (broker(), info("bars"));
    said(&["/bin/kill", "-KILL", &pid]);
    eventually("another one is there", || {
        let now = broker();
        (now != pid && now != "0").then_some(())
    });
    live("bars");
    assert_eq!(info("bars")["generation"], before["generation"]);
}

#[test]
fn a_reload_takes_over_what_is_right_and_refuses_what_is_wrong() {
    installed();
    let (pid, good) = (broker(), configured());
    configure(&format!(
        "{good}[stream.more]\nsource = \"pattern://bars?size=64x64&rate=1\"\n"
    ));
    said(&["systemctl", "reload", SERVICE]);
    live("more");
    configure(&format!(
        "{good}[stream.more]\nsource = \"pattern://bras\"\n"
    ));
    refused(&["systemctl", "reload", SERVICE]);
    let log = eventually("it is in the journal", || {
        let log = said(&["journalctl", "--no-pager", "--unit", SERVICE, "--boot"]);
        log.contains("bras").then_some(log)
    });
    assert!(
        log.contains("did you mean") && log.contains("test.toml"),
        "{log}"
    );
    live("more");
    configure(&good);
    said(&["systemctl", "reload", SERVICE]);
    eventually("it is gone", || {
        let output = run(&["streamem", "info", "more"]);
        (!output.status.success()).then_some(())
    });
    assert_eq!(broker(), pid);
    let check = refused(&["streamemd", "--check", "--config", "/etc/passwd"]);
    assert!(check.contains("/etc/passwd"), "{check}");
}

#[test]
fn the_journal_has_fields_and_no_warning() {
    installed();
    let journal = said(&[
        "journalctl",
        "--no-pager",
        "--unit",
        SERVICE,
        "--boot",
        "--output",
        "json",
    ]);
    let ours = journal
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|entry| entry["_COMM"] == "streamemd" || entry["TARGET"].is_string());
    assert!(ours.clone().all(|entry| entry["PRIORITY"].is_string()));
    assert!(ours.count() > 0, "{journal}");
}

#[test]
fn the_doctor_finds_nothing_wrong() {
    installed();
    let report = said(&by(ANNA, &["streamem", "doctor"]));
    assert!(!report.contains("wrong"), "{report}");
}
