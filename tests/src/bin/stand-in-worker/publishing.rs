//! A stream that is published: each frame is full of one byte.
//!
//! Owns the publication; where bytes come from a connection, that as well.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::time::Duration;
use streamem::Publisher;
use streamem_orders::{Notice, Wish};
use streamem_wire::StreamName;

const PATIENCE: Duration = Duration::from_secs(10);

/// A stream.
pub struct Publishing {
    name: StreamName,
    publisher: Publisher,
    wish: Wish,
    device: Option<TcpStream>,
    waits: bool,
    byte: u8,
}

impl Publishing {
    /// Publishes over a socket that was given. One that waits has no frames before something comes.
    pub fn begin(stream: &StreamName, wish: &Wish, socket: OwnedFd, waits: bool) -> Publishing {
        let opened = streamem::publish(stream.as_str()).over(socket).open();
        Publishing {
            name: stream.clone(),
            publisher: opened.unwrap_or_else(|error| panic!("publishing {stream}: {error}")),
            wish: wish.clone(),
            device: None,
            waits,
            byte: 0,
        }
    }

    /// What it is called.
    pub fn name(&self) -> StreamName {
        self.name.clone()
    }

    /// The port its device serves it on.
    pub fn port(&self) -> u16 {
        self.wish.ask.stream().port()
    }

    /// Takes a connection over if it is the one it wants.
    pub fn connected(&mut self, port: u16, socket: &OwnedFd) {
        if port != self.port() {
            return;
        }
        let mut device = TcpStream::from(socket.try_clone().expect("a descriptor is free"));
        let request = self.wish.ask.request().expect("the broker has looked");
        device.write_all(request.bytes()).expect("a device");
        device.set_nonblocking(true).expect("a socket");
        self.device = Some(device);
    }

    /// Publishes one more frame. Returns what is to be said of it.
    pub fn turn(&mut self, name: &str) -> Option<Notice> {
        let stream = StreamName::new(name).ok()?;
        if !self.waits {
            self.submit();
            return None;
        }
        let mut byte = [0];
        match self.device.as_mut()?.read(&mut byte) {
            Ok(1..) => {
                self.byte = byte[0];
                self.submit();
                Some(Notice::Live { stream })
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            // Not all of what it was asked may have been read: then its end is an error.
            Ok(0) | Err(_) => {
                self.device = None;
                let why = "the device hung up".to_owned();
                Some(Notice::Lost { stream, why })
            }
        }
    }

    /// A frame full of its byte.
    pub fn submit(&mut self) {
        let slot = self.publisher.slot(PATIENCE);
        // A broker that is gone is noticed on the channel.
        if let Ok(Some(mut slot)) = slot {
            slot.bytes_mut().fill(self.byte);
            let _gone = slot.submit();
        }
        if !self.waits {
            self.byte = self.byte.wrapping_add(1);
        }
    }
}
