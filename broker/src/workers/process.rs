//! A worker's process: its channel, what it says, and its end.
//!
//! Owns the judgement whether what it says can be; never waits for it.

use super::judgement::{Given, News, Pace};
use super::program;
use super::words::Words;
use crate::source::hl2ss::Host;
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use streamem_orders::{Channel, ChannelError, Notice, Order};
use streamem_wire::StreamName;

/// One that says nothing for so many seconds is stuck. Those count in which the loop turned and heard nothing: if all
/// of us were stopped for an hour, that is no silence.
const SILENT_MAX: u32 = 10;
/// Its walls stand after so many seconds.
const UNREADY_MAX: u32 = 10;
/// One that was told to end has this long.
const LEAVE_NS: u64 = 2_000_000_000;
const SECOND_NS: u64 = 1_000_000_000;
/// What is heard of one before others have their turn.
const NOTICES_PER_TURN: u32 = 64;

/// What is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It says nothing.
    #[error("says nothing for {SILENT_MAX} s")]
    Stuck,
    /// It does not get its walls up.
    #[error("is not ready after {UNREADY_MAX} s")]
    Slow,
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
    pub(super) is_ready: bool,
    /// It has left all it was given.
    pub(super) is_idle: bool,
    child: Child,
    pidfd: OwnedFd,
    channel: Option<Channel<Order, Notice>>,
    pub(super) since_ns: u64,
    /// When seconds were counted last, and in how many nothing was heard, or it was not ready.
    counted_ns: u64,
    silent: u32,
    unready: u32,
    /// Until when it may end by itself.
    until_ns: Option<u64>,
    fault: Option<Fault>,
    pub(super) dials: BTreeSet<u16>,
    pub(super) given: BTreeMap<StreamName, Given>,
    pub(super) pace: Pace,
    pub(super) words: Words,
}

impl Process {
    /// Starts one.
    pub(super) fn start(host: &Host, number: u64, now_ns: u64) -> Result<Process, String> {
        let no_socket = |error| format!("no socket for its worker: {error}");
        let (channel, there) = Channel::pair().map_err(no_socket)?;
        let no_pipe = |error| format!("no pipe for its worker: {error}");
        let (words, end) = Words::pipe().map_err(no_pipe)?;
        let mut child = program::start(host, &there, &end)?;
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
            is_idle: true,
            child,
            pidfd,
            channel: Some(channel),
            since_ns: now_ns,
            counted_ns: now_ns,
            silent: 0,
            unready: 0,
            until_ns: None,
            fault: None,
            dials: BTreeSet::new(),
            given: BTreeMap::new(),
            pace: Pace::default(),
            words,
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
                    self.is_idle = false;
                    self.given.entry(stream.clone()).or_default().begin();
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
                    self.silent = 0;
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

    /// Readable when it writes something for the log, if that is to be watched from now on.
    pub fn words(&mut self) -> Option<BorrowedFd<'_>> {
        self.words.unwatched()
    }

    /// What it has written.
    pub fn take_words(&mut self) -> Vec<String> {
        self.words.take()
    }

    /// Whether one more line about it fits into this second.
    pub fn may_log(&mut self) -> bool {
        self.words.may_log()
    }

    /// Ends it if it is stuck, or has had its time to end. It must have been heard just before. Returns what was kept
    /// of what it said, and how many lines the log did not get.
    pub(super) fn look_after(&mut self, now_ns: u64) -> (Vec<News>, u32) {
        if self.until_ns.is_some_and(|until_ns| until_ns <= now_ns) {
            self.kill();
        }
        if now_ns.saturating_sub(self.counted_ns) < SECOND_NS {
            return (Vec::new(), 0);
        }
        self.counted_ns = now_ns;
        let left_out = self.words.pass();
        if self.channel.is_none() {
            return (Vec::new(), left_out);
        }
        self.silent += 1;
        self.unready += u32::from(!self.is_ready);
        if self.silent > SILENT_MAX {
            self.condemn(Fault::Stuck);
        } else if !self.is_ready && self.unready > UNREADY_MAX {
            self.condemn(Fault::Slow);
        }
        (self.pass(), left_out)
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
    fn an_end_is_put_into_words() {
        assert!(ended(ExitStatus::from_raw(9)).contains("signal 9"));
        assert!(ended(ExitStatus::from_raw(1 << 8)).contains("status 1"));
    }
}
