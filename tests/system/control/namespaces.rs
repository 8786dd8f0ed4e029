//! A broker that cannot see the processes of its clients.
//!
//! Owns the namespace; needs root to make one.

use serde_json::json;
use std::process::{Child, Command};
use streamem_tests::{Wire, binaries, eventually};
use tempfile::TempDir;

/// A broker that is the first process of a namespace of its own.
struct Apart(Child);

impl Drop for Apart {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_client_the_broker_has_no_number_for_is_served() {
    let folder = TempDir::with_prefix("streamem-").expect("a temporary folder");
    let socket = folder.path().join("streamem.sock");
    let mut command = Command::new("unshare");
    command
        .args(["--pid", "--fork", "--kill-child"])
        .arg(binaries::program("streamemd"))
        .arg("--socket")
        .arg(&socket);
    let broker = command
        .spawn()
        .expect("unshare (package util-linux) and root");
    let mut broker = Apart(broker);
    let mut wire = eventually("the broker listens", || {
        let ended = broker.0.try_wait().ok().flatten();
        assert!(ended.is_none(), "the broker ended at once: {ended:?}");
        Wire::try_connect(&socket).ok()
    });
    assert_eq!(wire.call("Ping", json!({})).ok()["pid"], 1);
    wire.subscribe("randcam", 2);
    let inspection = wire.call("Inspect", json!({})).ok();
    for what in ["sessions", "subscriptions"] {
        assert_eq!(inspection[what][0]["pid"], 0, "{inspection}");
    }
}
