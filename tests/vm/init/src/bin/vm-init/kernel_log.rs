//! What the kernel said, looked through for complaints.
//!
//! Owns reading `/dev/kmsg`; a quiet console shows only the worst of it.

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use streamem_vm_init::complaint;
use streamem_vm_init::plan::COMPLAINT;

const RECORD_BYTES: usize = 8192;
/// As many lines after a complaint belong to it.
const LINES_AFTER: usize = 50;

/// Prints every complaint, and what follows it.
pub fn report() {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let log = match open("/dev/kmsg", flags, Mode::empty()) {
        Ok(log) => log,
        Err(error) => return println!("{COMPLAINT}its log cannot be read: {error}"),
    };
    let mut record = [0; RECORD_BYTES];
    let mut lines_left = 0;
    loop {
        let length = match rustix::io::read(&log, &mut record) {
            Ok(length) => length,
            // Records were lost while this was reading; the next ones are there.
            Err(Errno::PIPE) => continue,
            Err(_) => return,
        };
        let text = String::from_utf8_lossy(&record[..length]);
        let message = text.split_once(';').map_or(&*text, |(_, message)| message);
        let message = message.lines().next().unwrap_or_default();
        if complaint::is_one(message) {
            println!("{COMPLAINT}{message}");
            lines_left = LINES_AFTER;
        } else if lines_left > 0 {
            println!("    {message}");
            lines_left -= 1;
        }
    }
}
