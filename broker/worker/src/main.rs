//! `streamem-worker`: fills the streams of one headset.
//!
//! Owns the order of the beginning: rings, walls, work. It is started by `streamemd`, which gives it its control socket
//! as standard input, and is of no use otherwise.

mod device;
mod exchange;
mod fill;
mod held;
mod line;
mod meter;
mod output;
mod pulse;
mod remote;
mod teller;
mod time;

use anyhow::{Context, bail};
use device::Device;
use line::Ring;
use rustix::fs::{FileType, fstat};
use std::io::stdin;
use std::os::fd::AsFd;
use std::process::ExitCode;
use streamem_orders::{Channel, Notice};
use streamem_sandbox::Keep;
use teller::Teller;

/// The broker is gone.
pub(crate) const NO_BROKER: i32 = 3;
/// Ports of a device that are read, and the one where it is asked.
const RINGS: u32 = 17;
/// A thread for each, and this one.
const THREADS: u32 = RINGS + 1;
const _: () = assert!(RINGS as usize == streamem_hl2ss::Stream::ALL.len() + 1);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("streamem-worker: {why:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let control = fstat(stdin()).context("looking at standard input")?;
    if FileType::from_raw_mode(control.st_mode) != FileType::Socket {
        bail!(
            "standard input is not the socket of a broker; this program is started by streamemd, for streams of \
             hl2ss://HOST/STREAM: name one in the configuration"
        );
    }
    let rings: Result<Vec<Ring>, _> = (0..RINGS).map(|_| Ring::open()).collect();
    let rings = rings.context("no rings to receive with")?;
    // Where the clock is read without a system call is looked up the first time, in a file.
    let _now_ns = streamem_sys::clock::monotonic_ns();
    let kept: Vec<_> = rings.iter().map(Ring::as_fd).collect();
    let keep = Keep {
        descriptors: &kept,
        threads: THREADS,
    };
    let walls = streamem_sandbox::enter(&keep).context("the sandbox cannot be entered")?;
    let control = rustix::io::fcntl_dupfd_cloexec(stdin(), 0).context("the control socket")?;
    let teller = Teller::new(Channel::over(control));
    if !walls.whole() {
        teller.say(&Notice::Missing {
            walls: walls.to_string(),
        });
    }
    teller.say(&Notice::Ready {
        walls: walls.to_string(),
    });
    let device = Device::new(teller.clone(), rings).context("no ring to ask with")?;
    let why = device.run();
    if !why.is_empty() {
        teller.trouble(None, why.clone());
        bail!(why);
    }
    Ok(())
}
