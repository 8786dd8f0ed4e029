//! Starting QEMU and waiting for its end.
//!
//! Owns its command line and its time limit; what the end means `verdict` knows.

use crate::kit;
use crate::verdict::Qemu;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use streamem_vm_init::plan::EXIT_PORT;

/// What the kernel is told: to be quiet and quick, and to stop at the first fault.
const APPEND: &str = "console=ttyS0 quiet panic=-1 oops=panic mitigations=off nokaslr \
     random.trust_cpu=on log_buf_len=1M nowatchdog rcupdate.rcu_cpu_stall_suppress=1";

/// Runs a machine with this kernel and archive to its end; what it writes goes to `log`.
///
/// # Errors
///
/// When QEMU cannot be started.
pub fn run(kernel: &Path, archive: &[u8], log: &Path, limit: Duration) -> io::Result<Qemu> {
    let unpacked = tempfile::NamedTempFile::new()?;
    fs::write(unpacked.path(), archive)?;
    let console = File::create(log)?;
    // QEMU ends with whoever started it, however that ends.
    let mut child = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "--"])
        .arg(kit::qemu())
        .args(["-machine", "q35", "-cpu", "max", "-smp", "2", "-m", "1536"])
        .args([
            "-accel",
            "tcg,thread=multi",
            "-nodefaults",
            "-no-user-config",
        ])
        .args(["-display", "none", "-no-reboot", "-serial", "stdio"])
        .arg("-device")
        .arg(format!("isa-debug-exit,iobase={EXIT_PORT:#x},iosize=4"))
        .arg("-kernel")
        .arg(kernel)
        .arg("-initrd")
        .arg(unpacked.path())
        .args(["-append", APPEND])
        .stdin(Stdio::null())
        .stderr(console.try_clone()?)
        .stdout(console)
        .spawn()?;
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Qemu::Ended(status.code().unwrap_or(-1)));
        }
        if Instant::now() >= end {
            child.kill()?;
            child.wait()?;
            return Ok(Qemu::TookTooLong);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
