//! `streamem gst`: a stream for GStreamer's own `unixfdsrc`, which needs nothing of ours.
//!
//! Owns who is served; each reader has a thread and a subscription of its own, so that none can hold
//! up another. Never copies a frame: what is sent is the pool's read-only descriptor and a place in it.

mod caps;
mod reader;
mod socket;
mod wire;

use super::Broker;
use super::ending::Ending;
use crate::cli::Gst;
use crate::failure::Failure;
use crate::output::{Output, complain};
use caps::Caps;
use reader::{Reader, Served};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use serde::Serialize;
use socket::Socket;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::{self, JoinHandle};

/// How long it may take until a reader that left, or a signal, is noticed.
const GLANCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 200_000_000,
};
/// Most readers at a time.
const READERS_MAX: usize = 64;

/// What is told of readers.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Told<'a> {
    Listening {
        socket: &'a Path,
        caps: &'a str,
    },
    Came {
        reader: u64,
    },
    Left {
        reader: u64,
        frames: u64,
        missed: u64,
    },
}

struct Guest {
    number: u64,
    thread: JoinHandle<Result<Served, Failure>>,
}

pub fn run(broker: &Broker<'_>, asked: &Gst, output: &mut Output) -> Result<(), Failure> {
    let stream = broker.connect()?.info(asked.stream.as_str())?;
    let caps = Caps::of(&stream.layout)?.text;
    let ending = Ending::watch().map_err(|cause| system("sigaction", cause))?;
    let socket = Socket::listen(&asked.listen)?;
    tell(
        output,
        &Told::Listening {
            socket: &asked.listen,
            caps: &caps,
        },
    )?;
    let mut guests: Vec<Guest> = Vec::new();
    let mut came = 0;
    while !ending.is_near() {
        match accepted(&socket)? {
            None => {}
            Some(_) if guests.len() >= READERS_MAX => complain(&format!(
                "there are {READERS_MAX} readers; another was sent away"
            )),
            Some(connected) => {
                came += 1;
                tell(output, &Told::Came { reader: came })?;
                match welcomed(came, connected, broker, asked, &ending) {
                    Ok(guest) => guests.push(guest),
                    Err(cause) => complain(&format!("reader {came} cannot be served: {cause}")),
                }
            }
        }
        let (gone, here) = guests
            .into_iter()
            .partition(|guest| guest.thread.is_finished());
        guests = here;
        see_off(gone, output)?;
    }
    see_off(guests, output)
}

/// Who connected, if somebody did before long.
fn accepted(socket: &Socket) -> Result<Option<UnixStream>, Failure> {
    let mut watched = [PollFd::new(&socket.listener, PollFlags::IN)];
    match poll(&mut watched, Some(&GLANCE)) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(cause) => return Err(system("poll", cause)),
    }
    match socket.listener.accept() {
        Ok((connected, _)) => Ok(Some(connected)),
        Err(cause) if cause.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(cause) => {
            complain(&format!("a reader could not be let in: {cause}"));
            thread::sleep(std::time::Duration::from_millis(200));
            Ok(None)
        }
    }
}

fn welcomed(
    number: u64,
    connected: UnixStream,
    broker: &Broker<'_>,
    asked: &Gst,
    ending: &Ending,
) -> io::Result<Guest> {
    let reader = Reader::new(connected, asked.leases)?;
    let builder = broker.subscription(asked.stream.as_str());
    let ending = ending.clone();
    let name = format!("reader {number}");
    let thread = thread::Builder::new().name(name);
    let thread = thread.spawn(move || reader.serve(builder, &ending))?;
    Ok(Guest { number, thread })
}

fn system(doing: &'static str, cause: impl Into<io::Error>) -> Failure {
    let cause = cause.into();
    streamem::Error::System { doing, cause }.into()
}

/// Waits for those who leave, and tells how it went.
fn see_off(guests: Vec<Guest>, output: &mut Output) -> Result<(), Failure> {
    for Guest { number, thread } in guests {
        match thread.join() {
            Ok(Ok(Served { frames, missed })) => tell(
                output,
                &Told::Left {
                    reader: number,
                    frames,
                    missed,
                },
            )?,
            Ok(Err(failure)) => complain(&format!("reader {number}: {failure}")),
            Err(_) => complain(&format!("reader {number}: its thread failed; report this")),
        }
    }
    Ok(())
}

fn tell(output: &mut Output, told: &Told<'_>) -> Result<(), Failure> {
    if output.json() {
        return Ok(output.json_line(told)?);
    }
    let line = match told {
        Told::Listening { socket, caps } => format!(
            "{caps}\nread it with: gst-launch-1.0 unixfdsrc socket-path={} ! …",
            socket.display()
        ),
        Told::Came { reader } => format!("reader {reader} came"),
        Told::Left {
            reader,
            frames,
            missed,
        } => format!("reader {reader} left: {frames} frames, {missed} missed"),
    };
    for line in line.lines() {
        output.line(line)?;
    }
    Ok(())
}
