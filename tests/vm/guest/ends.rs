//! Ways a machine can end: the list of boots says what the harness must make of each.
//!
//! Owns ending badly.

use std::fs;

#[test]
fn fails() {
    panic!("as it should");
}

#[test]
fn the_kernel_warns() {
    let message = "<4>WARNING: CPU: 0 PID: 1 at a test\n";
    fs::write("/dev/kmsg", message).expect("the log takes it");
}

#[test]
fn the_kernel_crashes() {
    fs::write("/proc/sysrq-trigger", "c").expect("the kernel takes it");
    panic!("it went on");
}

#[test]
fn hangs() {
    loop {
        std::thread::park();
    }
}
