//! iceoryx2: a loaned sample is filled and sent, then an event tells the consumers.
//!
//! It owns the mapping of our two roles onto its services. Buffers hold two samples and the newest wins, as in the
//! other latest-frame peers.
//!
//! # Safety
//!
//! A loaned slice starts uninitialised; its memory comes zeroed from the kernel and holds bytes.
#![allow(unsafe_code)]

use crate::clock::now_ns;
use crate::harness::picture::{FRAME_BYTES, read_stamp};
use crate::peer::{Consumer, Held, Peer, Producer, Stage};
use iceoryx2::port::listener::Listener;
use iceoryx2::port::notifier::Notifier;
use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::prelude::*;
use iceoryx2::service::port_factory::{event, publish_subscribe};
use std::fmt::Debug;
use std::io;
use std::time::Duration;

/// iceoryx2 as its own examples use it.
#[derive(Debug)]
pub struct Iceoryx;

impl Peer for Iceoryx {
    fn name(&self) -> &'static str {
        "iceoryx2"
    }

    fn about(&self) -> &'static str {
        "iceoryx2 (loan, send, event)"
    }

    fn litter(&self) -> &'static [&'static str] {
        &["iox2_", "iceoryx2"]
    }

    fn next_start(&self) -> io::Result<()> {
        // Any new node clears away what dead ones left.
        NodeBuilder::new()
            .create::<ipc::Service>()
            .map(drop)
            .map_err(failed)
    }

    fn producer(&self, stage: &Stage) -> io::Result<Box<dyn Producer>> {
        let services = Services::open(stage)?;
        let publisher = services
            .frames
            .publisher_builder()
            .initial_max_slice_len(FRAME_BYTES)
            .max_loaned_samples(1)
            .create()
            .map_err(failed)?;
        let notifier = services.news.notifier_builder().create().map_err(failed)?;
        Ok(Box::new(IceoryxProducer {
            publisher,
            notifier,
            _services: services,
        }))
    }

    fn consumer(&self, stage: &Stage) -> io::Result<Box<dyn Consumer>> {
        let services = Services::open(stage)?;
        let subscriber = services
            .frames
            .subscriber_builder()
            .buffer_size(BUFFER)
            .create()
            .map_err(failed)?;
        let listener = services.news.listener_builder().create().map_err(failed)?;
        Ok(Box::new(IceoryxConsumer {
            subscriber,
            listener,
            _services: services,
        }))
    }
}

const BUFFER: usize = 2;

struct Services {
    frames: publish_subscribe::PortFactory<ipc::Service, [u8], ()>,
    news: event::PortFactory<ipc::Service>,
    _node: Node<ipc::Service>,
}

impl Services {
    fn open(stage: &Stage) -> io::Result<Self> {
        set_log_level(LogLevel::Error);
        let folder = stage
            .folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let node = NodeBuilder::new()
            .create::<ipc::Service>()
            .map_err(failed)?;
        let name = ServiceName::new(&format!("{folder}/frames")).map_err(failed)?;
        let frames = node
            .service_builder(&name)
            .publish_subscribe::<[u8]>()
            .enable_safe_overflow(true)
            .history_size(0)
            .subscriber_max_buffer_size(BUFFER)
            .subscriber_max_borrowed_samples(2)
            .max_publishers(1)
            .max_subscribers(stage.consumers)
            .max_nodes(stage.consumers + 1)
            .open_or_create()
            .map_err(failed)?;
        let name = ServiceName::new(&format!("{folder}/news")).map_err(failed)?;
        let news = node
            .service_builder(&name)
            .event()
            .max_notifiers(1)
            .max_listeners(stage.consumers)
            .max_nodes(stage.consumers + 1)
            .open_or_create()
            .map_err(failed)?;
        Ok(Self {
            frames,
            news,
            _node: node,
        })
    }
}

struct IceoryxProducer {
    publisher: Publisher<ipc::Service, [u8], ()>,
    notifier: Notifier<ipc::Service>,
    _services: Services,
}

impl Producer for IceoryxProducer {
    fn publish(&mut self, fill: &mut dyn FnMut(&mut [u8])) -> io::Result<bool> {
        let loan = self
            .publisher
            .loan_slice_uninit(FRAME_BYTES)
            .map_err(failed)?;
        // SAFETY: bytes from a zeroed shared memory, written by nobody but us: initialised, whatever they say.
        let mut loan = unsafe { loan.assume_init() };
        fill(loan.payload_mut());
        loan.send().map_err(failed)?;
        self.notifier.notify().map_err(failed)?;
        Ok(true)
    }
}

struct IceoryxConsumer {
    subscriber: Subscriber<ipc::Service, [u8], ()>,
    listener: Listener<ipc::Service>,
    _services: Services,
}

impl Consumer for IceoryxConsumer {
    fn next(&mut self, timeout: Duration, look: &mut dyn FnMut(&Held<'_>)) -> io::Result<()> {
        self.listener.timed_wait(|_| {}, timeout).map_err(failed)?;
        let awake_ns = now_ns();
        // Whatever waited while we were away: the newest counts.
        let mut newest = None;
        while let Some(sample) = self.subscriber.receive().map_err(failed)? {
            newest = Some(sample);
        }
        let Some(sample) = newest else { return Ok(()) };
        let bytes = sample.payload();
        let Some(stamp) = read_stamp(bytes) else {
            return Ok(());
        };
        look(&Held {
            bytes,
            sequence: stamp.sequence,
            published_ns: stamp.published_ns,
            awake_ns: Some(awake_ns),
        });
        Ok(())
    }
}

fn failed(error: impl Debug) -> io::Error {
    io::Error::other(format!("iceoryx2: {error:?}"))
}
