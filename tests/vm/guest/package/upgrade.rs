//! The package installed over itself, while somebody reads.
//!
//! Owns what an upgrade must keep.

use crate::debian::{ANNA, broker, configured, info, install, installed, live};
use std::fs;
use std::process::{Command, Stdio};
use streamem_tests::eventually;

const CONFIGURATION: &str = "/etc/streamem/streamem.toml";

#[test]
fn an_upgrade_keeps_readers_memory_and_configuration() {
    installed();
    let (before, pid, streams) = (info("bars"), broker(), configured());
    let changed = format!(
        "{}\n# mine\n",
        fs::read_to_string(CONFIGURATION).expect("it is there")
    );
    fs::write(CONFIGURATION, &changed).expect("root writes");
    let reader = Command::new("runuser")
        .args([
            "-u", ANNA, "--", "streamem", "watch", "bars", "--count", "150",
        ])
        .stdout(Stdio::null())
        .spawn();
    let mut reader = reader.expect("it can be run");
    eventually("somebody reads", || {
        (info("bars")["subscriptions"] == 1).then_some(())
    });
    install();
    assert_ne!(broker(), pid, "the new one runs");
    live("bars");
    live("cam");
    assert_eq!(info("bars")["generation"], before["generation"]);
    assert!(reader.wait().expect("it ends").success());
    assert_eq!(
        fs::read_to_string(CONFIGURATION).expect("it is there"),
        changed
    );
    assert_eq!(configured(), streams);
}
