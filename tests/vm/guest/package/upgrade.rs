//! The package installed over itself, while somebody reads.
//!
//! Owns what an upgrade must keep.

use crate::debian::{Reader, broker, configured, info, install, installed, live};
use std::fs;

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
    let mut reader = Reader::of("bars");
    install();
    assert_ne!(broker(), pid, "the new one runs");
    live("bars");
    live("cam");
    assert_eq!(info("bars")["generation"], before["generation"]);
    reader.goes_on();
    assert_eq!(
        fs::read_to_string(CONFIGURATION).expect("it is there"),
        changed
    );
    assert_eq!(configured(), streams);
}
