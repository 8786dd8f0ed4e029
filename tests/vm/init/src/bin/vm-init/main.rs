//! `vm-init`: the first process in the machine. Mounts, loads the modules of the plan, runs udevd if it is
//! to run, runs the test program, reports, and ends the machine. Where systemd is to be the first process, it
//! makes room, and is started once more as a service to do the rest.
//!
//! Owns the machine's life; never judges what the program did.

mod kernel_log;
mod mounts;
mod system;
mod udev;

use rustix::process::{WaitOptions, WaitStatus, getpid, wait};
use rustix::system::{RebootCommand, finit_module, reboot};
use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::Command;
use streamem_vm_init::plan::{EXIT, EXIT_PORT, PLACE, Plan, TIMES, UNABLE};

const UNABLE_STATUS: u8 = 125;

fn main() {
    let status = work().unwrap_or_else(|error| {
        println!("{UNABLE}{error}");
        UNABLE_STATUS
    });
    kernel_log::report();
    println!("\n{EXIT}{status}");
    let _the_console_is_there = io::stdout().flush();
    let _it_is_a_terminal = rustix::termios::tcdrain(io::stdout());
    let device = File::options().write(true).open("/dev/port");
    let _ends_here = device.and_then(|port| port.write_all_at(&[status], u64::from(EXIT_PORT)));
    let _or_here = reboot(RebootCommand::PowerOff);
}

fn work() -> Result<u8, String> {
    let text = fs::read_to_string(PLACE).map_err(|error| format!("read {PLACE}: {error}"))?;
    let plan = Plan::parse(&text).map_err(|line| format!("understand {line:?} of the plan"))?;
    let is_first = getpid().is_init();
    if plan.system && is_first {
        return Err(system::enter());
    }
    if is_first {
        mounts::mount_all()?;
    }
    let up = uptime();
    if plan.udev && is_first {
        udev::start()?;
    }
    for (file, parameters) in &plan.modules {
        load(file, parameters).map_err(|error| format!("load {file} {parameters}: {error}"))?;
    }
    if plan.udev {
        udev::settle()?;
    }
    let ready = uptime();
    let status = test(&plan)?;
    println!("{TIMES}{up} {ready} {}", uptime());
    Ok(status)
}

fn load(file: &str, parameters: &str) -> io::Result<()> {
    let module = File::open(file)?;
    Ok(finit_module(&module, &CString::new(parameters)?, 0)?)
}

/// Runs the program to its end, and waits for every orphan meanwhile, as the first process must.
fn test(plan: &Plan) -> Result<u8, String> {
    let [program, arguments @ ..] = plan.command.as_slice() else {
        return Err("run nothing".to_owned());
    };
    let child = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin")
        .env("HOME", "/tmp")
        .env("RUST_BACKTRACE", "1")
        .current_dir("/tmp")
        .uid(plan.user)
        .gid(plan.group)
        .spawn()
        .map_err(|error| format!("run {program}: {error}"))?;
    loop {
        let ended = wait(WaitOptions::empty()).map_err(|error| format!("wait: {error}"))?;
        if let Some((pid, status)) = ended
            && u32::try_from(pid.as_raw_nonzero().get()) == Ok(child.id())
        {
            return Ok(shell_status(status));
        }
    }
}

/// 128 and the signal's number for a program that was killed, as shells say it.
fn shell_status(status: WaitStatus) -> u8 {
    let killed = status.terminating_signal().map(|signal| 128 + signal);
    let number = status.exit_status().or(killed).unwrap_or(255);
    u8::try_from(number).unwrap_or(255)
}

fn uptime() -> String {
    let text = fs::read_to_string("/proc/uptime").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}
