//! The service under systemd: how it starts, and what it says.
//!
//! Owns what is expected of units.

use crate::debian::{
    ANNA, Reader, broker, by, configure, configured, info, installed, live, property, refused, run,
    said,
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
    let mut reader = Reader::of("bars");
    let pid = broker();
    said(&["systemctl", "restart", SERVICE]);
    assert_ne!(broker(), pid);
    live("bars");
    assert_eq!(info("bars")["generation"], before["generation"]);
    reader.goes_on();
}

#[test]
fn who_is_killed_is_started_again() {
    installed();
    let mut reader = Reader::of("bars");
    let (pid, before) = (broker(), info("bars"));
    said(&["/bin/kill", "-KILL", &pid]);
    eventually("another one is there", || {
        let now = broker();
        (now != pid && now != "0").then_some(())
    });
    live("bars");
    assert_eq!(info("bars")["generation"], before["generation"]);
    reader.goes_on();
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
fn the_journal_has_what_the_broker_says_with_fields() {
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
    let entries = journal
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let fielded = entries.filter(|entry| {
        let target = entry["TARGET"].as_str().unwrap_or_default();
        target.starts_with("streamemd") && entry["_TRANSPORT"] == "journal"
    });
    assert!(fielded.count() > 0, "{journal}");
}

#[test]
fn the_doctor_finds_nothing_wrong() {
    installed();
    let report = said(&by(ANNA, &["streamem", "doctor"]));
    assert!(!report.contains("wrong"), "{report}");
}
