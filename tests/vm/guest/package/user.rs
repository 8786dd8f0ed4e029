//! The broker of one user, started by that user's own manager.
//!
//! Owns what is expected of the user's units.

use crate::debian::{ANNA, BOB, by, installed, run, said};
use std::path::Path;
use streamem_tests::eventually;

#[test]
fn a_user_has_a_broker_nobody_else_sees() {
    installed();
    said(&["loginctl", "enable-linger", BOB]);
    let id = said(&["id", "-u", BOB]);
    let runtime = format!("/run/user/{}", id.trim());
    let manager = format!("{runtime}/systemd/private");
    eventually("his manager is there", || {
        Path::new(&manager).exists().then_some(())
    });
    let runtime = format!("XDG_RUNTIME_DIR={runtime}");
    let his = |words: &[&str]| said(&by(BOB, &[&["env", runtime.as_str()], words].concat()));

    his(&["systemctl", "--user", "start", "streamemd.socket"]);
    let listed = his(&["streamem", "list"]);
    assert!(
        listed.contains("randcam") && !listed.contains("bars"),
        "{listed}"
    );
    let state = his(&["systemctl", "--user", "is-active", "streamemd.service"]);
    assert_eq!(state.trim(), "active");
    his(&[
        "streamem",
        "add",
        "own",
        "pattern://bars?size=64x64&rate=30",
    ]);
    his(&["streamem", "watch", "own", "--count", "5"]);

    let socket = format!("{}/streamem.sock", &runtime["XDG_RUNTIME_DIR=".len()..]);
    let output = run(&by(ANNA, &["streamem", "--socket", &socket, "list"]));
    assert!(!output.status.success(), "{output:?}");
}
