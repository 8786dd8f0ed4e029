//! One reader of the served stream: a subscription of its own, and what it holds.
//!
//! Owns the frames the reader was handed, each until it is given back or the reader is gone; never
//! waits for the reader, which is handed nothing more while it holds all it may.

use super::caps::Caps;
use super::system;
use super::wire::{self, Buffer, Inbox, Said, mark};
use crate::command::ending::Ending;
use crate::failure::Failure;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::RecvFlags;
use std::collections::HashMap;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use streamem::{Builder, Error, Frame, Kind, Layout, Subscription, flags};
use streamem_sys::socket::{receive, send};

/// How long an ending may go unseen.
const GLANCE: Duration = Duration::from_millis(250);
/// How long a reader may take to let go, once it was told that no more will come.
const LEAVE_TIME: Duration = Duration::from_secs(2);

/// What a reader was given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Served {
    /// Frames it was handed.
    pub frames: u64,
    /// Frames it was not, since it held as many as it may.
    pub missed: u64,
}

/// Whether a reader is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Here,
    Gone,
}

/// A connected `unixfdsrc`.
pub struct Reader {
    socket: UnixStream,
    inbox: Inbox,
    leases: u32,
    held: HashMap<u64, Frame>,
    told: Option<(Layout, Caps)>,
    served: Served,
    is_behind: bool,
}

impl Reader {
    /// Who connected, and how many frames it may hold.
    pub fn new(socket: UnixStream, leases: u32) -> io::Result<Reader> {
        socket.set_nonblocking(true)?;
        Ok(Reader {
            socket,
            inbox: Inbox::default(),
            leases,
            held: HashMap::new(),
            told: None,
            served: Served::default(),
            is_behind: false,
        })
    }

    /// Serves it until it goes, the stream ends, or this program does.
    pub fn serve(mut self, builder: Builder, ending: &Ending) -> Result<Served, Failure> {
        let builder = builder.every(self.leases).leases(self.leases);
        let mut subscription = builder.eventfd(true).open()?;
        let layout = subscription.layout().clone();
        let mut presence = self.tell(&layout)?;
        while presence == Presence::Here && !ending.is_near() {
            presence = match subscription.try_next() {
                Ok(Some(frame)) => self.hand_over(frame)?,
                Ok(None) => self.listen(&[&subscription], GLANCE)?,
                // It may be long until one is given back; the subscription is looked after meanwhile.
                Err(Error::LeasesExhausted { .. }) => self.listen(&[], GLANCE)?,
                Err(Error::StreamEnded { .. }) => break,
                Err(error) => return Err(error.into()),
            };
        }
        if presence == Presence::Here {
            self.take_leave()?;
        }
        self.served.missed += subscription.missed();
        Ok(self.served)
    }

    /// Tells what the frames are, if that is news.
    fn tell(&mut self, layout: &Layout) -> Result<Presence, Failure> {
        if self.told.as_ref().is_some_and(|(told, _)| told == layout) {
            return Ok(Presence::Here);
        }
        let caps = Caps::of(layout)?;
        let message = wire::caps(&caps.text);
        self.told = Some((layout.clone(), caps));
        Ok(match self.say(&message, &[]) {
            Ok(()) => Presence::Here,
            Err(_) => Presence::Gone,
        })
    }

    fn hand_over(&mut self, frame: Frame) -> Result<Presence, Failure> {
        if self.tell(frame.layout())? == Presence::Gone {
            return Ok(Presence::Gone);
        }
        let caps = self.told.as_ref().map(|(_, caps)| caps);
        let (file, place) = frame.memory();
        let buffer = Buffer {
            id: self.served.frames,
            captured_ns: frame.captured_ns(),
            duration_ns: caps.and_then(|caps| caps.duration_ns),
            sequence: frame.sequence(),
            marks: marks(&frame, self.is_behind),
            bytes: place.end - place.start,
            start: place.start,
        };
        let message = wire::new_buffer(&buffer);
        match self.say(&message, &[file]) {
            Ok(()) => {
                self.held.insert(buffer.id, frame);
                self.served.frames += 1;
                self.is_behind = false;
            }
            Err(Errno::AGAIN | Errno::NOBUFS | Errno::NOMEM | Errno::TOOMANYREFS) => {
                self.served.missed += 1;
                self.is_behind = true;
            }
            Err(_) => return Ok(Presence::Gone),
        }
        // Between two frames, since a fast stream may never leave a time without one.
        self.listen(&[], Duration::ZERO)
    }

    fn say(&self, message: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), Errno> {
        match send(&self.socket, message, fds)? {
            sent if sent == message.len() => Ok(()),
            _ => Err(Errno::MSGSIZE),
        }
    }

    /// Waits until the reader or one of the others has something to say, and hears the reader.
    fn listen(&mut self, others: &[&Subscription], wait: Duration) -> Result<Presence, Failure> {
        let mut watched = vec![PollFd::new(&self.socket, PollFlags::IN)];
        watched.extend(
            others
                .iter()
                .map(|other| PollFd::new(*other, PollFlags::IN)),
        );
        let wait = Timespec::try_from(wait).ok();
        match poll(&mut watched, wait.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(cause) => return Err(system("poll", cause)),
        }
        if watched[0].revents().is_empty() {
            return Ok(Presence::Here);
        }
        self.hear()
    }

    fn hear(&mut self) -> Result<Presence, Failure> {
        let mut bytes = [0; 4096];
        let received = match receive(&self.socket, &mut bytes, RecvFlags::DONTWAIT) {
            Ok(received) => received,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(Presence::Here),
            Err(_) => return Ok(Presence::Gone),
        };
        if received.bytes == 0 {
            return Ok(Presence::Gone);
        }
        self.inbox.push(&bytes[..received.bytes]);
        while let Some(said) = self.inbox.next().map_err(wrong)? {
            if let Said::Release(id) = said
                && self.held.remove(&id).is_none()
            {
                return Err(wrong(format!(
                    "it gave back buffer {id}, which it does not hold"
                )));
            }
        }
        Ok(Presence::Here)
    }

    /// Says that no more will come, and lets the reader finish with what it holds.
    fn take_leave(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + LEAVE_TIME;
        if self.say(&wire::end_of_stream(), &[]).is_err() {
            return Ok(());
        }
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.listen(&[], left)? == Presence::Gone {
                return Ok(());
            }
        }
    }
}

fn marks(frame: &Frame, is_behind: bool) -> u32 {
    let has = |flag| frame.flags() & flag != 0;
    let is_gap = is_behind || frame.missed() > 0 || has(flags::GAP);
    let is_delta = frame.layout().kind == Kind::Packet && !has(flags::KEY);
    [
        (is_gap, mark::GAP),
        (has(flags::BROKEN), mark::BROKEN),
        (is_delta, mark::DELTA),
    ]
    .into_iter()
    .filter(|(is_so, _)| *is_so)
    .fold(mark::LIVE, |marks, (_, mark)| marks | mark)
}

fn wrong(what: impl ToString) -> Failure {
    Failure::Wrong(format!(
        "{}; it was let go, see that it is a unixfdsrc",
        what.to_string()
    ))
}
