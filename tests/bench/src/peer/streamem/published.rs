//! Streamem with a source outside the broker: a process that publishes with the `streamem` crate.
//!
//! It owns the publisher. Its frames say themselves when they were published: the broker stamps a frame only when
//! it has taken it over, and that takes a part of the time.

use super::Waiting;
use super::broker::{self, STREAM, Streamemd};
use crate::harness::company::{Company, Scene};
use crate::harness::picture::read_stamp;
use crate::peer::{Consumer, Held, Peer, Producer, Stage};
use std::io;
use std::time::Duration;
use streamem::{Format, LayoutWish, Publisher, Subscription};

/// Published from another process.
#[derive(Debug)]
pub struct StreamemPublished;

const PATIENCE: Duration = Duration::from_millis(200);

impl Peer for StreamemPublished {
    fn name(&self) -> &'static str {
        "streamem-published"
    }

    fn about(&self) -> &'static str {
        "Streamem, published from outside"
    }

    fn missing(&self) -> Option<String> {
        broker::missing()
    }

    fn is_paced_only(&self) -> bool {
        true
    }

    fn start(&self, scene: &Scene) -> io::Result<Company> {
        let mut company = Company::default();
        let source = "publish://?format=rgb24&size=1920x1080";
        company.add(Streamemd::start(scene.folder(), source)?);
        company.add_producer(scene, self.name())?;
        company.add_consumers(scene, self.name())?;
        Ok(company)
    }

    fn producer(&self, stage: &Stage) -> io::Result<Box<dyn Producer>> {
        let publisher = streamem::publish(STREAM)
            .layout(LayoutWish {
                width: Some(1920),
                height: Some(1080),
                ..LayoutWish::new(Format::Rgb24)
            })
            .socket(broker::socket(&stage.folder))
            .open()
            .map_err(io::Error::other)?;
        Ok(Box::new(Outside(publisher)))
    }

    fn consumer(&self, stage: &Stage) -> io::Result<Box<dyn Consumer>> {
        let subscription = Subscription::builder(STREAM).socket(broker::socket(&stage.folder));
        let subscription = subscription.open().map_err(io::Error::other)?;
        Ok(Box::new(Stamped(Waiting(subscription))))
    }
}

struct Outside(Publisher);

impl Producer for Outside {
    fn publish(&mut self, fill: &mut dyn FnMut(&mut [u8])) -> io::Result<bool> {
        let slot = self.0.slot(PATIENCE).map_err(io::Error::other)?;
        let Some(mut slot) = slot else {
            return Ok(false);
        };
        fill(slot.bytes_mut());
        slot.submit().map_err(io::Error::other)?;
        Ok(true)
    }
}

struct Stamped(Waiting);

impl Consumer for Stamped {
    fn next(&mut self, timeout: Duration, look: &mut dyn FnMut(&Held<'_>)) -> io::Result<()> {
        self.0.next(timeout, &mut |held| {
            if let Some(stamp) = read_stamp(held.bytes) {
                look(&Held {
                    published_ns: stamp.published_ns,
                    ..*held
                });
            }
        })
    }
}
