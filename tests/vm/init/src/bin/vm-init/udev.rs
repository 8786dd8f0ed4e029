//! The real udevd.
//!
//! Owns starting it and waiting until it has nothing left to do.

use std::process::Command;

const DAEMON: &str = "/usr/lib/systemd/systemd-udevd";
const ADMIN: &str = "/usr/bin/udevadm";

/// Starts it; returns when it listens.
pub fn start() -> Result<(), String> {
    run(DAEMON, &["--daemon"])
}

/// Tells it of all that was there before it, and waits until it is through.
pub fn settle() -> Result<(), String> {
    run(ADMIN, &["trigger", "--type=all", "--action=add"])?;
    run(ADMIN, &["settle", "--timeout=60"])
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let status = Command::new(program).args(arguments).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("run {program} {arguments:?}: {status}")),
        Err(error) => Err(format!("run {program}: {error}")),
    }
}
