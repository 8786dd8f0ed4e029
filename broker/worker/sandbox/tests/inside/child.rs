//! A process that does one thing, within walls or without.
//!
//! Owns how it is started and how it says what came of it; never what is done.

use super::raw;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::env;
use std::io::{Read, Write, stderr};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitCode, Stdio};
use streamem_sandbox::{Keep, Walls, enter, layer};

const NAME: &str = "STREAMEM_SANDBOX_DEED";
const WITHIN: &str = "STREAMEM_SANDBOX_WITHIN";
const SAYS: &str = "this deed ended with errno";
/// As many threads as there may be in these tests.
pub const THREADS: u32 = 4;

/// Which walls stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
    Nothing,
    All,
    Namespaces,
    Files,
    Identity,
}

impl Within {
    const EACH: [Within; 5] = [
        Within::Nothing,
        Within::All,
        Within::Namespaces,
        Within::Files,
        Within::Identity,
    ];

    fn here() -> Within {
        let name = env::var(WITHIN).expect("said which walls");
        let named = |within: &Within| format!("{within:?}") == name;
        Within::EACH.into_iter().find(named).expect("known walls")
    }

    /// Builds the walls, and says which ones, and which could not be had.
    pub fn build(self, kept: &[BorrowedFd<'_>]) -> Walls {
        let mut walls = Walls::default();
        match self {
            Within::Nothing => {}
            Within::All => {
                let keep = Keep {
                    descriptors: kept,
                    threads: THREADS,
                };
                walls = enter(&keep).unwrap_or_else(|error| panic!("no walls: {error}"));
            }
            Within::Namespaces => layer::namespaces::leave(&mut walls),
            Within::Files => layer::files::forbid(&mut walls),
            Within::Identity => layer::identity::no_privileges(&mut walls).expect("no privileges"),
        }
        say(&walls.to_string());
        walls
    }
}

/// Prepares what it needs, has walls built around itself, and does it.
pub type Deed = fn(Within) -> Result<(), Errno>;

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Done,
    Refused(i32),
    Killed(i32),
    Failed,
}

pub fn named() -> Option<String> {
    env::var(NAME).ok()
}

pub fn act(deed: Deed) -> ExitCode {
    raw::alarm();
    let errno = deed(Within::here()).err().map_or(0, Errno::raw_os_error);
    say(&format!("{SAYS} {errno}"));
    ExitCode::SUCCESS
}

/// Panics where the other end is gone.
pub fn say(line: &str) {
    writeln!(stderr(), "{line}").expect("somebody listens");
}

pub fn command(name: &str, within: Within) -> Command {
    let mut command = Command::new(env::current_exe().expect("this program"));
    command
        .env(NAME, name)
        .env(WITHIN, format!("{within:?}"))
        .env("RUST_BACKTRACE", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// A control socket: the child's end and the other one.
pub fn control() -> (OwnedFd, OwnedFd) {
    let flags = SocketFlags::CLOEXEC;
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).expect("a socket pair")
}

pub fn run(name: &str, within: Within) -> (End, String) {
    let (theirs, _ours) = control();
    let child = command(name, within).stdin(theirs).spawn();
    wait(child.expect("a child"))
}

/// Waits until it ends, which an alarm sees to where it hangs.
pub fn wait(mut child: Child) -> (End, String) {
    let mut said = String::new();
    let mut words = child.stderr.take().expect("a pipe");
    words.read_to_string(&mut said).expect("words");
    let status = child.wait().expect("an end");
    let errno = said.lines().find_map(|line| line.strip_prefix(SAYS));
    let end = match (status.signal(), errno.map(|number| number.trim().parse())) {
        (Some(signal), _) => End::Killed(signal),
        (None, Some(Ok(0))) if status.success() => End::Done,
        (None, Some(Ok(errno))) if status.success() => End::Refused(errno),
        _ => End::Failed,
    };
    (end, said)
}
