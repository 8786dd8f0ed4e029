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
use std::thread;
use std::time::Duration;
use streamem_orders::{Ask, ChannelError, Notice, Order, Received, Wish};
use streamem_wire::StreamName;

/// How often the broker hears that this process is not stuck.
const BEAT: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};
/// A packet that takes so long has caught its decoder.
const STUCK: Duration = Duration::from_secs(5);

struct Port {
    ask: Ask,
    changes: Sender<Change>,
    pulse: Arc<Pulse>,
    streams: Vec<StreamName>,
}

/// What this process is there for.
pub struct Device {
    teller: Teller,
    exchange: Exchange,
    remote: Remote,
    rings: Arc<Mutex<Vec<Ring>>>,
    ports: BTreeMap<u16, Port>,
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
            match poll(&mut polled, Some(&BEAT)) {
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
        if self
            .ports
            .get(&number)
            .is_some_and(|port| port.ask != wish.ask)
        {
            let why = format!(
                "port {number} of the device serves one client at a time, and another stream asks it for something \
                 else: give both the same parameters"
            );
            return self.teller.lost(&stream, &why);
        }
        if !self.ports.contains_key(&number)
            && let Err(why) = self.open(number, &wish.ask)
        {
            return self.teller.lost(&stream, &why);
        }
        if let Some(port) = self.ports.get_mut(&number) {
            port.streams.push(stream.clone());
            let output = Output::new(stream, wish, layout, socket, self.teller.clone());
            // Its thread lives as long as this sender.
            let _heard = port.changes.send(Change::Add(Box::new(output)));
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
        spawned.map_err(|why| format!("no thread for port {number}: {why}"))?;
        let port = Port {
            ask: ask.clone(),
            changes,
            pulse,
            streams: Vec::new(),
        };
        self.ports.insert(number, port);
        Ok(())
    }

    fn leave(&mut self, stream: &StreamName) {
        for port in self.ports.values_mut() {
            if port.streams.contains(stream) {
                port.streams.retain(|other| other != stream);
                let _heard = port.changes.send(Change::Remove(stream.clone()));
            }
        }
        self.ports.retain(|_, port| !port.streams.is_empty());
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
