//! Streamem: a real `streamemd` with its test picture, consumers that use the `streamem` crate.
//!
//! It owns starting the broker and the ways a consumer can use its subscription. The producer is the broker, so the
//! publish call is not ours to time here; `alone` times it.

pub mod alone;
pub mod broker;
pub mod c;
pub mod published;

use crate::clock::now_ns;
use crate::harness::company::{Company, Scene};
use crate::peer::{Check, Consumer, Held, Peer, Stage};
use broker::{STREAM, Streamemd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use streamem::{Frame, Subscription};
use streamem_wire::{Format, Layout};
use streamemd::source::pattern::bars;

/// How consumers use their subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streamem {
    /// The newest frame, waiting in `Subscription::next`.
    Newest,
    /// The newest frame, waiting for an eventfd, then `Subscription::try_next`.
    Eventfd,
    /// Every frame in order, as long as the consumer is at most so many behind.
    Every(u32),
    /// Every frame in order, 4K nv12 instead of 1080p rgb24.
    UltraHd,
}

impl Peer for Streamem {
    fn name(&self) -> &'static str {
        match self {
            Self::Newest => "streamem",
            Self::Eventfd => "streamem-eventfd",
            Self::Every(_) => "streamem-every",
            Self::UltraHd => "streamem-4k",
        }
    }

    fn about(&self) -> &'static str {
        match self {
            Self::Newest => "Streamem",
            Self::Eventfd => "Streamem, by eventfd",
            Self::Every(_) => "Streamem, every frame in order",
            Self::UltraHd => "Streamem, 3840x2160 nv12, every frame in order",
        }
    }

    fn missing(&self) -> Option<String> {
        broker::missing()
    }

    fn bears_hundred(&self) -> bool {
        true
    }

    fn litter(&self) -> &'static [&'static str] {
        &["streamem."]
    }

    fn start(&self, scene: &Scene) -> io::Result<Company> {
        let source = match self {
            Self::UltraHd => picture(scene, "3840x2160", "nv12"),
            _ => full_hd(scene),
        };
        let mut company = Company::default();
        company.add(Streamemd::start(scene.folder(), &source)?);
        company.add_consumers(scene, self.name())?;
        Ok(company)
    }

    fn consumer(&self, stage: &Stage) -> io::Result<Box<dyn Consumer>> {
        let builder = Subscription::builder(STREAM).socket(broker::socket(&stage.folder));
        let builder = match self {
            Self::Newest => builder,
            Self::Eventfd => builder.eventfd(true),
            Self::Every(depth) => builder.every(*depth),
            Self::UltraHd => builder.every(4),
        };
        let subscription = builder.open().map_err(io::Error::other)?;
        Ok(match self {
            Self::Eventfd => Box::new(Polling(subscription)),
            Self::Newest | Self::Every(_) | Self::UltraHd => Box::new(Waiting(subscription)),
        })
    }
}

/// The source of the run: 1080p rgb24 at the rate of the ledger.
#[must_use]
pub fn full_hd(scene: &Scene) -> String {
    picture(scene, "1920x1080", "rgb24")
}

fn picture(scene: &Scene, size: &str, format: &str) -> String {
    let rate = scene.ledger().rate.load(Relaxed);
    format!("pattern://bars?size={size}&rate={rate}&format={format}")
}

struct Waiting(Subscription);

impl Consumer for Waiting {
    fn next(&mut self, timeout: Duration, look: &mut dyn FnMut(&Held<'_>)) -> io::Result<()> {
        if let Some(frame) = self.0.next(timeout).map_err(io::Error::other)? {
            look(&held(&frame, None));
        }
        Ok(())
    }

    fn check(&self) -> io::Result<Check> {
        check()
    }
}

struct Polling(Subscription);

impl Consumer for Polling {
    fn next(&mut self, timeout: Duration, look: &mut dyn FnMut(&Held<'_>)) -> io::Result<()> {
        let limit = Timespec::try_from(timeout).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&limit)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let awake_ns = now_ns();
        if let Some(frame) = self.0.try_next().map_err(io::Error::other)? {
            look(&held(&frame, Some(awake_ns)));
        }
        Ok(())
    }

    fn check(&self) -> io::Result<Check> {
        check()
    }
}

fn held(frame: &Frame, awake_ns: Option<u64>) -> Held<'_> {
    Held {
        bytes: frame.bytes(),
        sequence: frame.sequence(),
        published_ns: frame.published_ns(),
        awake_ns,
    }
}

/// The broker's picture says of itself what every byte must be.
fn check() -> io::Result<Check> {
    let layout = Layout::video(Format::Rgb24, 1920, 1080, 30.0).map_err(io::Error::other)?;
    Ok(Box::new(move |held| {
        bars::check(&layout, held.bytes).is_ok()
    }))
}
