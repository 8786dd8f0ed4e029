//! What a worker says, judged: whether it can be, and whether it is more than anybody has to say.
//!
//! Owns the bounds; never does anything about what was said.

use super::process::{Fault, Process};
use super::telling::{self, Known};
use super::words::plain;
use std::os::fd::OwnedFd;
use streamem_orders::Notice;
use streamem_wire::StreamName;
use streamem_wire::message::Network;

const SECOND_NS: u64 = 1_000_000_000;
/// What one may say in a second. Each stream's figures come once, and there are some 20 streams.
const NOTICES_MAX: u32 = 1000;
const CONNECTS_MAX: u32 = 100;
/// How often a stream may be lost or live again in a second; what comes then is told when it has passed.
const TURNS_MAX: u32 = 4;
/// For so many seconds on end that is borne.
const RESTLESS_MAX: u32 = 10;
/// The ports a device has.
const PORTS: std::ops::RangeInclusive<u16> = 3800..=3821;

/// What it said, once that can be.
#[derive(Debug)]
pub enum News {
    /// It can begin.
    Ready(String),
    /// Not all keeps it in that should.
    Missing(String),
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

/// What it has said in this second.
#[derive(Debug, Default)]
pub(super) struct Pace {
    since_ns: u64,
    notices: u32,
    connects: u32,
}

/// What it has said of a stream: why that has no frames, or nothing while it has some.
#[derive(Debug, Default)]
pub(super) struct Given {
    newest: Option<Option<String>>,
    turns: u32,
    is_kept: bool,
    restless: u32,
}

impl Given {
    /// Whether this is to be told now.
    fn turn(&mut self, state: Option<String>) -> bool {
        if self.newest.as_ref() != Some(&state) {
            self.turns += 1;
            self.is_kept = self.turns > TURNS_MAX;
            self.newest = Some(state);
        }
        !self.is_kept
    }

    /// A second has passed. Returns what was kept for it.
    fn pass(&mut self) -> Option<Option<String>> {
        let is_kept = std::mem::take(&mut self.is_kept);
        self.restless = if is_kept { self.restless + 1 } else { 0 };
        self.turns = 0;
        self.newest.clone().filter(|_| is_kept)
    }

    /// What was said of it before does not count any more.
    pub(super) fn begin(&mut self) {
        self.newest = None;
        self.is_kept = false;
    }
}

impl Process {
    pub(super) fn judge(
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
        let is_early = matches!(
            notice,
            Notice::Ready { .. } | Notice::Missing { .. } | Notice::Trouble { .. }
        );
        if !self.is_ready && !is_early {
            return Err("speaks before it is ready".to_owned());
        }
        Ok(match notice {
            Notice::Alive => None,
            Notice::Done => {
                self.is_idle = true;
                None
            }
            Notice::Ready { .. } | Notice::Missing { .. } if self.is_ready => {
                return Err("is ready twice".to_owned());
            }
            Notice::Missing { walls } => Some(News::Missing(plain(&walls))),
            Notice::Ready { walls } => {
                self.is_ready = true;
                Some(News::Ready(plain(&walls)))
            }
            Notice::Connect { port } => self.judge_connect(port)?,
            Notice::Lost { stream, why } => {
                let why = plain(&why);
                let is_told = self.given(&stream)?.turn(Some(why.clone()));
                is_told.then_some(News::Lost(stream, why))
            }
            Notice::Live { stream } => {
                let is_told = self.given(&stream)?.turn(None);
                is_told.then_some(News::Live(stream))
            }
            Notice::Figures { stream, figures } => {
                self.given(&stream)?;
                let network = telling::network(*figures);
                Some(News::Network(stream, Box::new(network)))
            }
            Notice::Calibration {
                stream,
                calibration,
            } => {
                self.given(&stream)?;
                let known = telling::known(*calibration, descriptor)?;
                Some(News::Calibration(stream, Box::new(known)))
            }
            Notice::Trouble { stream, what } => {
                if let Some(stream) = &stream {
                    self.given(stream)?;
                }
                Some(News::Trouble(stream, plain(&what)))
            }
        })
    }

    fn given(&mut self, stream: &StreamName) -> Result<&mut Given, String> {
        let given = self.given.get_mut(stream);
        given.ok_or_else(|| "speaks of a stream it was not given".to_owned())
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

    /// A second has passed. Returns what was kept for it.
    pub(super) fn pass(&mut self) -> Vec<News> {
        let mut news = Vec::new();
        let mut restless = None;
        for (name, given) in &mut self.given {
            news.extend(given.pass().map(|state| match state {
                Some(why) => News::Lost(name.clone(), why),
                None => News::Live(name.clone()),
            }));
            if given.restless > RESTLESS_MAX {
                restless = Some(name.clone());
            }
        }
        if let Some(name) = restless {
            let what = format!("loses and finds stream {:?} without end", name.as_str());
            self.condemn(Fault::Wrong(what));
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_too_many_turns_is_kept() {
        let mut given = Given::default();
        let lost = |n: u32| Some(format!("reason {n}"));
        let told = (0..10).filter(|n| given.turn(lost(*n))).count();
        assert_eq!(told, 4);
        assert_eq!(given.pass(), Some(lost(9)));
        assert_eq!(given.pass(), None);
        assert_eq!(given.restless, 0);
    }

    #[test]
    fn what_is_said_again_is_no_turn() {
        let mut given = Given::default();
        assert!((0..100).all(|_| given.turn(None)));
        assert_eq!(given.pass(), None);
        for _ in 0..=RESTLESS_MAX {
            for n in 0..10 {
                let _is_told = given.turn(Some(n.to_string()));
            }
            given.pass();
        }
        assert!(given.restless > RESTLESS_MAX);
    }
}
