//! A worker that publishes known bytes, or misbehaves in the one way its host is called by.
//!
//! Owns what is wrong with it; never receives or decodes anything.

mod manners;
mod publishing;

use manners::Manners;
use publishing::Publishing;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use std::collections::BTreeMap;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::process::exit;
use std::time::Duration;
use streamem_orders::{Calibration, Channel, ChannelError, Figures, Notice, Order, Wish};
use streamem_wire::StreamName;

const TURN: Duration = Duration::from_millis(20);

type Line = Channel<Notice, Order>;

struct Worker {
    line: Line,
    manners: Manners,
    streams: BTreeMap<StreamName, Publishing>,
    has_quit: bool,
}

fn host() -> String {
    let mut arguments = std::env::args().skip(1);
    match (
        arguments.next().as_deref(),
        arguments.next(),
        arguments.next(),
    ) {
        (Some("--host"), Some(host), None) => host,
        other => panic!("a worker is called with --host HOST, and not with {other:?}"),
    }
}

fn main() {
    // The broker's standard input is this end of the channel.
    let socket = std::io::stdin().as_fd().try_clone_to_owned();
    let mut worker = Worker {
        line: Channel::over(socket.expect("a standard input")),
        manners: Manners::of(&host()),
        streams: BTreeMap::new(),
        has_quit: false,
    };
    worker.begin();
    loop {
        worker.turn();
    }
}

impl Worker {
    fn say(&self, notice: &Notice) {
        loop {
            match self.line.send(notice, None) {
                Err(ChannelError::Full) => std::thread::sleep(TURN),
                Err(_) => exit(0),
                Ok(()) => return,
            }
        }
    }

    fn begin(&self) {
        match self.manners {
            Manners::Mute => std::thread::park(),
            Manners::Failing => {
                let _told = writeln!(std::io::stderr(), "no walls to be had");
                exit(3);
            }
            Manners::Sullen => loop {
                let what = "no walls yet".to_owned();
                self.say(&Notice::Trouble { stream: None, what });
                std::thread::sleep(TURN);
            },
            Manners::Writer => {
                let _told = write!(std::io::stderr(), "red \x1b[31m line\n{}", "x".repeat(900));
                let _told = write!(std::io::stdout(), "\n{}", "flood\n".repeat(60));
            }
            Manners::Bare => {
                let walls = "landlock (not in this kernel)".to_owned();
                self.say(&Notice::Missing { walls });
            }
            Manners::Hasty => self.say(&Notice::Connect { port: 3810 }),
            _ => {}
        }
        let walls = "none: a stand-in".to_owned();
        self.say(&Notice::Ready { walls });
    }

    fn turn(&mut self) {
        for (name, stream) in &mut self.streams {
            if let Some(came) = stream.turn(name.as_str()) {
                self.line.send(&came, None).unwrap_or_else(|_| exit(0));
            }
        }
        self.say(&Notice::Alive);
        loop {
            match self.line.receive() {
                Ok(Some(received)) => self.obey(received.message, received.descriptor),
                Ok(None) => break,
                Err(_) => exit(0),
            }
        }
        std::thread::sleep(TURN);
    }

    fn obey(&mut self, order: Order, descriptor: Option<OwnedFd>) {
        match (order, descriptor) {
            (Order::Fill { stream, wish }, Some(socket)) => self.fill(stream, *wish, socket),
            (Order::Leave { stream }, None) => {
                self.streams.remove(&stream);
                if self.streams.is_empty() {
                    self.say(&Notice::Done);
                }
            }
            (Order::Connected { port }, Some(socket)) => {
                for stream in self.streams.values_mut() {
                    stream.connected(port, &socket);
                }
            }
            (Order::Unreachable { port, why }, None) => {
                for (name, stream) in &self.streams {
                    if stream.port() == port {
                        let stream = name.clone();
                        let why = why.clone();
                        self.say(&Notice::Lost { stream, why });
                    }
                }
            }
            other => panic!("the broker says {other:?}"),
        }
    }

    fn fill(&mut self, stream: StreamName, wish: Wish, socket: OwnedFd) {
        let port = wish.ask.stream().port();
        match self.manners {
            Manners::Thief => return self.steal(&stream, socket),
            Manners::Dialler => self.say(&Notice::Connect { port }),
            Manners::Porter => self.say(&Notice::Connect { port: 22 }),
            Manners::Flooder => (0..2000).for_each(|_| self.say(&Notice::Connect { port })),
            Manners::Chatterer => (0..5000).for_each(|_| self.say(&Notice::Alive)),
            Manners::Stranger => {
                let stream = StreamName::new("other").expect("a name");
                self.say(&Notice::Live { stream });
            }
            Manners::Rambler => {
                let _gone = streamem_sys::socket::send(&self.line, b"{\"what\":1}", &[]);
            }
            Manners::Quitter if stream.as_str() == "bad" && !self.has_quit => {
                self.has_quit = true;
                let why = "there is no room for it".to_owned();
                return self.say(&Notice::Lost { stream, why });
            }
            Manners::Dropper if stream.as_str() == "bad" => return drop(socket),
            Manners::Greedy => return manners::publish_for_ever(stream.as_str(), socket, false),
            Manners::Renewer => return manners::publish_for_ever(stream.as_str(), socket, true),
            Manners::Restless => loop {
                for n in 0..20 {
                    let (stream, why) = (stream.clone(), format!("reason {n}"));
                    self.say(&Notice::Lost { stream, why });
                }
                std::thread::sleep(TURN * 5);
            },
            Manners::Giver => {
                let notice = Notice::Alive;
                let _gone = self.line.send(&notice, Some(socket.as_fd()));
            }
            _ => {}
        }
        let waits = self.manners == Manners::Dialler;
        let mut publishing = Publishing::begin(&stream, &wish, socket, waits);
        if !waits {
            publishing.submit();
            self.say(&Notice::Live {
                stream: stream.clone(),
            });
            let figures = Box::new(Figures {
                device: Some("1.0.37.0".to_owned()),
                connected: true,
                bits_per_second: 4_976_640,
                decoder: Some("stand-in".to_owned()),
                ..Figures::default()
            });
            let stream = stream.clone();
            self.say(&Notice::Figures { stream, figures });
            self.tell_calibration(&wish, publishing.name());
        }
        self.streams.insert(stream, publishing);
        match self.manners {
            Manners::Crasher => std::process::abort(),
            Manners::Stuck => loop {
                std::thread::park();
            },
            _ => {}
        }
    }

    /// A table of two rows, if one is wanted.
    fn tell_calibration(&self, wish: &Wish, stream: StreamName) {
        let values: Vec<u8> = (1..=6u8)
            .flat_map(|it| f32::from(it).to_le_bytes())
            .collect();
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let memory = memfd_create("calibration", flags).expect("memory");
        rustix::io::write(&memory, &values).expect("room");
        let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
        fcntl_add_seals(&memory, seals).expect("seals");
        let calibration = Box::new(Calibration {
            intrinsics: Some([360.0, 361.0, 320.5, 240.0]),
            tables: vec![("map_x".to_owned(), 0, 2, 3)],
            ..Calibration::default()
        });
        let notice = Notice::Calibration {
            stream,
            calibration,
        };
        if wish.calibration {
            self.line
                .send(&notice, Some(memory.as_fd()))
                .unwrap_or_else(|_| exit(0));
        }
    }

    /// Tries whatever a session for one stream could be misused for, and tells how it went.
    fn steal(&mut self, own: &StreamName, socket: OwnedFd) {
        let answers = manners::misuse(own.as_str(), &socket);
        let why = answers.join(" ");
        let stream = own.clone();
        self.say(&Notice::Lost { stream, why });
        // The session is kept, so that it is not missed.
        std::mem::forget(socket);
    }
}
