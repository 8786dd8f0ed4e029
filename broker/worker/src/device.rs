//! The device: which of its ports are in use, and whether the threads that read them are well.
//!
//! Owns these threads; never reads a stream itself.

use crate::exchange::Exchange;
use crate::line::{Change, Line, Ring};
use crate::output::Output;
use crate::pulse::Pulse;
use crate::remote::Remote;
use crate::teller::Teller;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use streamem_orders::{Ask, ChannelError, Notice, Order, Received, Wish};
use streamem_wire::StreamName;

/// How often the broker hears that this process is not stuck.
const BEAT: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};
/// And how often it is looked whether a thread has ended that is to.
const SOON: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};
/// A packet that takes so long has caught its decoder.
const STUCK: Duration = Duration::from_secs(5);

struct Port {
    ask: Ask,
    /// What its thread is told; nothing when it is to end.
    changes: Option<Sender<Change>>,
    thread: JoinHandle<()>,
    pulse: Arc<Pulse>,
    streams: Vec<StreamName>,
}

/// A stream that waits for the thread of its port to end, which serves another wish.
struct Waiting {
    stream: StreamName,
    wish: Wish,
    socket: OwnedFd,
}

/// What this process is there for.
pub struct Device {
    teller: Teller,
    exchange: Exchange,
    remote: Remote,
    rings: Arc<Mutex<Vec<Ring>>>,
    ports: BTreeMap<u16, Port>,
    waiting: Vec<Waiting>,
}

impl Device {
    /// With rings for all its ports.
    pub fn new(teller: Teller, mut rings: Vec<Ring>) -> Option<Device> {
        let exchange = Exchange::new(teller.clone());
        let remote = Remote::new(exchange.clone(), rings.pop()?);
        Some(Device {
            teller,
            exchange,
            remote,
            rings: Arc::new(Mutex::new(rings)),
            ports: BTreeMap::new(),
            waiting: Vec::new(),
        })
    }

    /// Does what it is told until nobody is there to tell it. Says why it ended.
    pub fn run(mut self) -> String {
        let remote = self.remote.clone();
        let asking = thread::Builder::new().name("remote".to_owned());
        if let Err(why) = asking.spawn(move || remote.run()) {
            return format!("no thread: {why}");
        }
        loop {
            let teller = self.teller.clone();
            let socket = teller.socket();
            let mut polled = [PollFd::from_borrowed_fd(socket, PollFlags::IN)];
            let is_ending = self.ports.values().any(|port| port.changes.is_none());
            let pause = if is_ending { &SOON } else { &BEAT };
            match poll(&mut polled, Some(pause)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(why) => return format!("waiting for orders: {why}"),
            }
            loop {
                match self.teller.channel().receive() {
                    Ok(Some(order)) => self.obey(order),
                    Ok(None) => break,
                    Err(ChannelError::HungUp) => return String::new(),
                    Err(why) => return format!("an order of the broker: {why}"),
                }
            }
            self.bury();
            if let Some(stuck) = self.stuck() {
                return stuck;
            }
            self.teller.mention(&Notice::Alive);
        }
    }

    fn obey(&mut self, order: Received<Order>) {
        match (order.message, order.descriptor) {
            (Order::Fill { stream, wish }, Some(socket)) => self.fill(stream, *wish, socket),
            (Order::Fill { stream, .. }, None) => {
                self.teller
                    .lost(&stream, "the broker gave no socket to publish it on");
            }
            (Order::Leave { stream }, _) => self.leave(&stream),
            (Order::Connected { port }, Some(socket)) => self.exchange.tell(port, Ok(socket)),
            (Order::Connected { port }, None) => {
                let why = "the broker gave no connection".to_owned();
                self.exchange.tell(port, Err(why));
            }
            (Order::Unreachable { port, why }, _) => self.exchange.tell(port, Err(why)),
        }
    }

    fn fill(&mut self, stream: StreamName, wish: Wish, socket: OwnedFd) {
        let layout = match wish.layout() {
            Ok(layout) => layout,
            Err(why) => return self.teller.lost(&stream, &why.to_string()),
        };
        let number = wish.ask.stream().port();
        let port = self.ports.get(&number);
        if port.is_some_and(|port| port.changes.is_none()) {
            let wait = Waiting {
                stream,
                wish,
                socket,
            };
            return self.waiting.push(wait);
        }
        if port.is_some_and(|port| port.ask != wish.ask) {
            let why = format!(
                "port {number} of the device serves one client at a time, and another stream asks it for something \
                 else: give both the same parameters"
            );
            return self.teller.lost(&stream, &why);
        }
        if port.is_none()
            && let Err(why) = self.open(number, &wish.ask)
        {
            return self.teller.lost(&stream, &why);
        }
        if let Some(port) = self.ports.get_mut(&number) {
            port.streams.push(stream.clone());
            let output = Output::new(stream, wish, layout, socket, self.teller.clone());
            port.tell(Change::Add(Box::new(output)));
        }
    }

    /// Forgets the ports whose threads have ended, and goes on with who waited for that.
    fn bury(&mut self) {
        let is_over = |port: &Port| port.changes.is_none() && port.thread.is_finished();
        let before = self.ports.len();
        self.ports.retain(|_, port| !is_over(port));
        if self.ports.len() < before {
            if self.ports.is_empty() && self.waiting.is_empty() {
                self.teller.say(&Notice::Done);
            }
            for waiting in std::mem::take(&mut self.waiting) {
                self.fill(waiting.stream, waiting.wish, waiting.socket);
            }
        }
    }

    fn open(&mut self, number: u16, ask: &Ask) -> Result<(), String> {
        let ring = self
            .rings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut ring = ring.ok_or("all rings of this worker are in use")?;
        let (changes, told) = channel();
        let pulse = Arc::new(Pulse::default());
        let line = Line::new(
            ask.clone(),
            told,
            self.exchange.clone(),
            self.remote.clone(),
            self.teller.clone(),
            Arc::clone(&pulse),
        );
        let rings = Arc::clone(&self.rings);
        let reading = thread::Builder::new().name(format!("port-{number}"));
        let spawned = reading.spawn(move || {
            line.run(&mut ring);
            rings
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(ring);
        });
        let thread = spawned.map_err(|why| {
            format!("no thread for port {number}: {why} (raise TasksMax= of the service)")
        })?;
        let port = Port {
            ask: ask.clone(),
            changes: Some(changes),
            thread,
            pulse,
            streams: Vec::new(),
        };
        self.ports.insert(number, port);
        Ok(())
    }

    fn leave(&mut self, stream: &StreamName) {
        self.waiting.retain(|waiting| waiting.stream != *stream);
        for port in self.ports.values_mut() {
            if port.streams.contains(stream) {
                port.streams.retain(|other| other != stream);
                port.tell(Change::Remove(stream.clone()));
                if port.streams.is_empty() {
                    port.changes = None;
                }
            }
        }
    }

    /// A decoder that does not come back: only a new process gets rid of it.
    fn stuck(&self) -> Option<String> {
        let stuck = self
            .ports
            .iter()
            .find(|(_, port)| port.pulse.busy() > STUCK);
        stuck.map(|(number, port)| {
            let streams: Vec<&str> = port.streams.iter().map(StreamName::as_str).collect();
            format!(
                "the decoder of port {number} ({}) has been at one packet for {} s",
                streams.join(", "),
                STUCK.as_secs()
            )
        })
    }
}

impl Port {
    /// Its thread lives as long as it can be told something.
    fn tell(&self, change: Change) {
        if let Some(changes) = &self.changes {
            let _heard = changes.send(change);
        }
    }
}
