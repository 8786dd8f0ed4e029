//! A worker's process: its channel, what it says, and its end.
//!
//! Owns the judgement whether what it says can be; never waits for it.

use super::program;
use super::telling::{self, Known};
use crate::source::hl2ss::Host;
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use streamem_orders::{Channel, ChannelError, Notice, Order};
use streamem_wire::StreamName;
use streamem_wire::message::Network;

/// One that says nothing for this long is stuck.
const SILENT_NS: u64 = 10_000_000_000;
/// One that was told to end has this long.
const LEAVE_NS: u64 = 2_000_000_000;
const SECOND_NS: u64 = 1_000_000_000;
/// What one may say in a second. Each stream's figures come once, and there are some 20 streams.
const NOTICES_MAX: u32 = 1000;
const CONNECTS_MAX: u32 = 100;
/// What is heard of one before others have their turn.
const NOTICES_PER_TURN: u32 = 64;
/// Longest sentence that is taken from one.
const WORDS_MAX: usize = 400;
/// The ports a device has.
const PORTS: std::ops::RangeInclusive<u16> = 3800..=3821;

/// What it said, once that can be.
#[derive(Debug)]
pub enum News {
    /// It can begin.
    Ready(String),
    /// It wants a connection to its device.
    Connect(u16),
    /// A stream has no frames.
    Lost(StreamName, String),
    /// A stream has frames.
    Live(StreamName),
    /// How a stream does.
    Network(StreamName, Box<Network>),
    /// What is known of a stream's camera.
    Calibration(StreamName, Box<Known>),
    /// Something people should know.
    Trouble(Option<StreamName>, String),
}

/// What is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It says nothing.
    #[error("says nothing for {} s", SILENT_NS / SECOND_NS)]
    Stuck,
    /// It takes nothing in.
    #[error("does not read")]
    Deaf,
    /// It says what it must not.
    #[error("{0}")]
    Wrong(String),
}

/// A process.
#[derive(Debug)]
pub struct Process {
    /// Tells it from those before it.
    pub number: u64,
    is_ready: bool,
    child: Child,
    pidfd: OwnedFd,
    channel: Option<Channel<Order, Notice>>,
    pub(super) since_ns: u64,
    heard_ns: u64,
    /// Until when it may end by itself.
    until_ns: Option<u64>,
    fault: Option<Fault>,
    pub(super) dials: BTreeSet<u16>,
    given: BTreeSet<StreamName>,
    pace: Pace,
}

/// What it has said in this second.
#[derive(Debug, Default)]
struct Pace {
    since_ns: u64,
    notices: u32,
    connects: u32,
}

/// What people can be shown of a sentence that came from outside.
pub(super) fn plain(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(WORDS_MAX).collect()
}

impl Process {
    /// Starts one.
    pub(super) fn start(host: &Host, number: u64, now_ns: u64) -> Result<Process, String> {
        let no_socket = |error| format!("no socket for its worker: {error}");
        let (channel, there) = Channel::pair().map_err(no_socket)?;
        let mut child = program::start(host, &there)?;
        let pid = i32::try_from(child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        let pidfd = pid.map(|pid| pidfd_open(pid, PidfdFlags::empty()));
        let Some(Ok(pidfd)) = pidfd else {
            let _gone = child.kill();
            let _how = child.wait();
            return Err("its worker cannot be watched (raise LimitNOFILE= of the service)".into());
        };
        Ok(Process {
            number,
            is_ready: false,
            child,
            pidfd,
            channel: Some(channel),
            since_ns: now_ns,
            heard_ns: now_ns,
            until_ns: None,
            fault: None,
            dials: BTreeSet::new(),
            given: BTreeSet::new(),
            pace: Pace::default(),
        })
    }

    /// Its number among processes.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Readable when it has ended.
    #[must_use]
    pub fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Readable when it says something, while it is listened to.
    #[must_use]
    pub fn channel(&self) -> Option<BorrowedFd<'_>> {
        self.channel.as_ref().map(AsFd::as_fd)
    }

    /// Whether its walls stand, and it can be given streams.
    pub(super) fn takes_orders(&self) -> bool {
        self.is_ready && self.channel.is_some()
    }

    /// Tells it something.
    pub(super) fn tell(&mut self, order: &Order, descriptor: Option<BorrowedFd<'_>>) {
        let Some(channel) = &self.channel else {
            return;
        };
        match channel.send(order, descriptor) {
            Ok(()) => {
                if let Order::Fill { stream, .. } = order {
                    self.given.insert(stream.clone());
                }
            }
            Err(ChannelError::HungUp) => self.kill(),
            Err(ChannelError::Full) => self.condemn(Fault::Deaf),
            Err(error) => self.condemn(Fault::Wrong(format!("cannot be told: {error}"))),
        }
    }

    /// What it has said, as much as has its turn now.
    pub fn hear(&mut self, now_ns: u64) -> Vec<News> {
        let mut news = Vec::new();
        for _ in 0..NOTICES_PER_TURN {
            let Some(channel) = &self.channel else {
                break;
            };
            match channel.receive() {
                Ok(Some(received)) => {
                    self.heard_ns = now_ns;
                    match self.judge(received.message, received.descriptor, now_ns) {
                        Ok(said) => news.extend(said),
                        Err(why) => self.condemn(Fault::Wrong(why)),
                    }
                }
                Ok(None) => break,
                // Nothing is to be had from it any more; why is known when it has ended.
                Err(ChannelError::HungUp) => self.kill(),
                Err(error) => self.condemn(Fault::Wrong(format!("cannot be understood: {error}"))),
            }
        }
        news
    }

    fn judge(
        &mut self,
        notice: Notice,
        descriptor: Option<OwnedFd>,
        now_ns: u64,
    ) -> Result<Option<News>, String> {
        if now_ns.saturating_sub(self.pace.since_ns) > SECOND_NS {
            self.pace = Pace {
                since_ns: now_ns,
                ..Pace::default()
            };
        }
        self.pace.notices += 1;
        if self.pace.notices > NOTICES_MAX {
            return Err(format!("says more than {NOTICES_MAX} things in a second"));
        }
        if descriptor.is_some() && !matches!(notice, Notice::Calibration { .. }) {
            return Err("sends descriptors nobody asked for".to_owned());
        }
        if !self.is_ready && !matches!(notice, Notice::Ready { .. } | Notice::Trouble { .. }) {
            return Err("speaks before it is ready".to_owned());
        }
        let given = |stream: StreamName| {
            let is_given = self.given.contains(&stream);
            is_given
                .then_some(stream)
                .ok_or_else(|| "speaks of a stream it was not given".to_owned())
        };
        Ok(match notice {
            Notice::Alive => None,
            Notice::Ready { .. } if self.is_ready => return Err("is ready twice".to_owned()),
            Notice::Ready { walls } => {
                self.is_ready = true;
                Some(News::Ready(plain(&walls)))
            }
            Notice::Connect { port } => self.judge_connect(port)?,
            Notice::Lost { stream, why } => Some(News::Lost(given(stream)?, plain(&why))),
            Notice::Live { stream } => Some(News::Live(given(stream)?)),
            Notice::Figures { stream, figures } => {
                let network = telling::network(*figures);
                Some(News::Network(given(stream)?, Box::new(network)))
            }
            Notice::Calibration {
                stream,
                calibration,
            } => {
                let known = telling::known(*calibration, descriptor)?;
                Some(News::Calibration(given(stream)?, Box::new(known)))
            }
            Notice::Trouble { stream, what } => {
                let stream = stream.map(given).transpose()?;
                Some(News::Trouble(stream, plain(&what)))
            }
        })
    }

    fn judge_connect(&mut self, port: u16) -> Result<Option<News>, String> {
        self.pace.connects += 1;
        if !PORTS.contains(&port) {
            return Err(format!(
                "asks for port {port}, and a device has {} to {}",
                PORTS.start(),
                PORTS.end()
            ));
        }
        if self.pace.connects > CONNECTS_MAX {
            return Err(format!(
                "asks for more than {CONNECTS_MAX} connections in a second"
            ));
        }
        // One that is on its way is the one that was asked for.
        Ok(self.dials.insert(port).then_some(News::Connect(port)))
    }

    /// It is not to be listened to any more, for this reason.
    pub(super) fn condemn(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
        self.kill();
    }

    /// Tells it to end.
    pub(super) fn hang_up(&mut self, now_ns: u64) {
        self.channel = None;
        self.until_ns = Some(now_ns + LEAVE_NS);
    }

    /// Ends it.
    pub(super) fn kill(&mut self) {
        self.channel = None;
        // One that is gone cannot be ended once more.
        let _gone = pidfd_send_signal(&self.pidfd, Signal::KILL);
    }

    /// Ends it if it is stuck, or has had its time to end.
    pub(super) fn look_after(&mut self, now_ns: u64) {
        if self.until_ns.is_some_and(|until_ns| until_ns <= now_ns) {
            self.kill();
        } else if self.channel.is_some() && now_ns.saturating_sub(self.heard_ns) > SILENT_NS {
            self.condemn(Fault::Stuck);
        }
    }

    /// How it ended, once it has.
    pub(super) fn reap(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok().flatten()?;
        let pid = self.pid();
        Some(match &self.fault {
            Some(fault) => format!("its worker (pid {pid}) {fault}, and was ended"),
            None => format!("its worker (pid {pid}) {}", ended(status)),
        })
    }
}

fn ended(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("was killed by signal {signal}"),
        (None, Some(code)) => {
            format!("ended with status {code}; what it said of that is in the log")
        }
        (None, None) => "has ended".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_shown_as_one_short_line() {
        assert_eq!(plain("a\nb\u{1b}[31m"), "a b [31m");
        assert_eq!(plain(&"x".repeat(1000)).len(), WORDS_MAX);
    }

    #[test]
    fn an_end_is_put_into_words() {
        assert!(ended(ExitStatus::from_raw(9)).contains("signal 9"));
        assert!(ended(ExitStatus::from_raw(1 << 8)).contains("status 1"));
    }
}
