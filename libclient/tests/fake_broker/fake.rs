//! A broker with one stream, `cam`, that does what a test tells it.
//!
//! Owns the socket and the sessions; never more than the specification asks of a broker, unless a
//! test has it lie.

use crate::memory::{Memory, Page, SLOT_BYTES, SLOTS};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;
use serde_json::{Value, json};
use std::io::Read;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};
use streamem_sys::socket::{FDS_MAX, send};
use streamem_wire::message::{Change, Counters, Grant, Listing, OfSubscription, Pong, State};
use streamem_wire::message::{Stream, StreamInfo, Subscribe};
use streamem_wire::varlink::{CALL_BYTES_MAX, Call, Inbox, Reply, encode};
use streamem_wire::{Generation, Reason, Refusal, RingState, Sequence, StreamName, SubscriptionId};
use tempfile::TempDir;

/// What a hostile broker does to a grant and to the descriptors that go with it.
pub type Lie = Box<dyn Fn(&mut Grant, &mut Vec<OwnedFd>) + Send>;

/// What a broker knows.
pub struct Broker {
    pub memory: Memory,
    pub pages: Vec<Page>,
    pub exists: bool,
    pub sequence: Sequence,
    /// What `Subscribe` asked for, each time.
    pub asked: Vec<Subscribe>,
    pub renewals: usize,
    pub lie: Option<Lie>,
    /// What is sent instead of any reply.
    pub babble: Option<Vec<u8>>,
    pub blocking_eventfd: bool,
    sessions: Vec<UnixStream>,
    pub subscriptions: u64,
}

impl Broker {
    pub fn stream(&self) -> Stream {
        Stream {
            name: StreamName::new("cam").unwrap(),
            source: "test".into(),
            state: State::Live,
            why: None,
            layout: self.memory.layout.clone(),
            generation: self.memory.generation(),
            pool: "memfd".into(),
            protection: "sealed".into(),
            slots: SLOTS.try_into().unwrap(),
            slots_max: SLOTS.try_into().unwrap(),
            slot_bytes: SLOT_BYTES as u64,
            copies: 0,
            filled: None,
            network: None,
            newest: self.memory.newest(),
            subscriptions: 1,
            counters: Counters::default(),
        }
    }

    pub fn publish(&mut self, count: usize) {
        for _ in 0..count {
            self.sequence = self.sequence.next();
            self.memory.publish(self.sequence, &self.pages);
        }
    }

    /// Retires the memory for a new one.
    pub fn renew(&mut self) {
        let next = Generation(self.memory.generation().0 + 1);
        let old = std::mem::replace(&mut self.memory, Memory::new(next));
        old.set_state(RingState::Retired);
        self.pages.iter().for_each(Page::wake);
    }

    pub fn hang_up(&mut self) {
        for session in self.sessions.drain(..) {
            session.shutdown(Shutdown::Both).unwrap();
        }
    }

    fn subscribe(&mut self, wanted: &Subscribe) -> Result<Grant, Refusal> {
        self.asked.push(wanted.clone());
        if wanted.stream.as_str() != "cam" || !self.exists {
            let name = wanted.stream.as_str();
            return Err(Refusal::new(
                Reason::NoSuchStream,
                name,
                "there is no such stream",
            ));
        }
        let known = |id: &SubscriptionId| self.pages.iter().any(|page| page.subscription == *id);
        if let Some(resumed) = wanted.resume.filter(known) {
            return Ok(self.grant(resumed, true, [None; 4]));
        }
        self.subscriptions += 1;
        let id = SubscriptionId(self.subscriptions);
        let mut page = Page::new(id, wanted.leases.try_into().unwrap());
        if wanted.eventfd {
            let mut flags = EventfdFlags::CLOEXEC;
            flags.set(EventfdFlags::NONBLOCK, !self.blocking_eventfd);
            page.eventfd = Some(eventfd(0, flags).unwrap());
        }
        self.pages.push(page);
        let eventfd = wanted.eventfd.then_some(3);
        Ok(self.grant(id, false, [Some(0), Some(1), Some(2), eventfd]))
    }

    fn grant(
        &self,
        subscription: SubscriptionId,
        resumed: bool,
        [ring, pool, lease, eventfd]: [Option<u32>; 4],
    ) -> Grant {
        Grant {
            subscription,
            resumed,
            stream: self.stream(),
            ring,
            pool,
            slots: None,
            dma_bufs: None,
            lease,
            eventfd,
        }
    }

    fn answer(&mut self, socket: &UnixStream, call: &Call) {
        if let Some(babble) = &self.babble {
            // Whoever hears enough of it hangs up.
            let _ = socket.set_write_timeout(Some(Duration::from_secs(5)));
            let _ = std::io::Write::write_all(&mut &*socket, babble);
            return;
        }
        let parameters = Value::Object(call.parameters.clone());
        let granted = match call.method.as_str() {
            "io.streamem.Subscribe" => {
                let wanted: Subscribe = serde_json::from_value(parameters).unwrap();
                self.subscribe(&wanted)
            }
            "io.streamem.Renew" => {
                self.renewals += 1;
                let of: OfSubscription = serde_json::from_value(parameters).unwrap();
                Ok(self.grant(of.subscription, false, [Some(0), Some(1), None, None]))
            }
            other => return self.tell(socket, other),
        };
        let mut grant = match granted {
            Ok(grant) => grant,
            Err(refusal) => return say(socket, &refusal.reply(), &[]),
        };
        let page = self
            .pages
            .iter()
            .find(|page| page.subscription == grant.subscription);
        let mut files: Vec<&OwnedFd> = Vec::new();
        if grant.ring.is_some() {
            files = vec![&self.memory.ring_file, &self.memory.pool_file];
        }
        if grant.lease.is_some() {
            files.extend(page.map(|page| &page.file));
            files.extend(page.and_then(|page| page.eventfd.as_ref()));
        }
        let mut fds: Vec<OwnedFd> = files.into_iter().map(copy).collect();
        if let Some(lie) = &self.lie {
            lie(&mut grant, &mut fds);
        }
        say(socket, &reply(&grant), &fds);
    }

    fn tell(&self, socket: &UnixStream, method: &str) {
        let pong = Pong {
            version: "test".into(),
            pid: std::process::id(),
            now_ns: 2,
            started_ns: 1,
        };
        let listing = |change, streams| Listing { change, streams };
        let told = match method {
            "io.streamem.Ping" => reply(&pong),
            "io.streamem.Info" => reply(&StreamInfo {
                stream: self.stream(),
            }),
            "io.streamem.RemoveStream" => reply(&json!({})),
            "io.streamem.List" => {
                let mut first = reply(&listing(Change::Present, vec![self.stream()]));
                first.continues = true;
                say(socket, &first, &[]);
                reply(&listing(Change::Vanished, vec![self.stream()]))
            }
            other => Refusal::new(Reason::MethodNotFound, other, "there is no such method").reply(),
        };
        say(socket, &told, &[]);
    }
}

fn reply(results: &impl serde::Serialize) -> Reply {
    let Value::Object(parameters) = serde_json::to_value(results).unwrap() else {
        panic!("results are an object");
    };
    Reply {
        parameters,
        ..Reply::default()
    }
}

fn say(socket: &UnixStream, reply: &Reply, fds: &[OwnedFd]) {
    let bytes = encode(reply);
    let fds: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    let (first_fds, rest_fds) = fds.split_at(fds.len().min(FDS_MAX));
    for (part, fds) in [(first, first_fds), (rest, rest_fds)] {
        match send(socket, part, fds) {
            // Somebody who waited long enough.
            Err(Errno::PIPE) => return,
            sent => assert_eq!(sent, Ok(part.len())),
        }
    }
}

/// Another descriptor of the same file.
pub fn copy(file: impl AsFd) -> OwnedFd {
    file.as_fd().try_clone_to_owned().unwrap()
}

/// A broker that listens.
pub struct FakeBroker {
    directory: TempDir,
    state: Arc<Mutex<Broker>>,
}

impl FakeBroker {
    pub fn start() -> FakeBroker {
        let broker = FakeBroker {
            directory: tempfile::tempdir().unwrap(),
            state: Arc::new(Mutex::new(Broker {
                memory: Memory::new(Generation(1)),
                pages: Vec::new(),
                exists: true,
                sequence: Sequence::NONE,
                asked: Vec::new(),
                renewals: 0,
                lie: None,
                babble: None,
                blocking_eventfd: false,
                sessions: Vec::new(),
                subscriptions: 0,
            })),
        };
        let listener = UnixListener::bind(broker.place()).unwrap();
        let state = Arc::clone(&broker.state);
        thread::spawn(move || {
            for socket in listener.incoming() {
                let (socket, state) = (socket.unwrap(), Arc::clone(&state));
                state
                    .lock()
                    .unwrap()
                    .sessions
                    .push(socket.try_clone().unwrap());
                thread::spawn(move || serve(&socket, &state));
            }
        });
        broker
    }

    pub fn place(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    /// What the broker knows; it answers nobody while this is held.
    pub fn state(&self) -> MutexGuard<'_, Broker> {
        self.state.lock().unwrap()
    }

    pub fn publish(&self, count: usize) {
        self.state().publish(count);
    }

    /// Lets go of the socket's name, so that nobody can connect any more, and hangs up.
    pub fn vanish(&self) {
        std::fs::rename(self.place(), self.directory.path().join("gone")).unwrap();
        self.state().hang_up();
    }

    pub fn come_back(&self) {
        std::fs::rename(self.directory.path().join("gone"), self.place()).unwrap();
    }

    pub fn subscribe(&self) -> streamem::Builder {
        streamem::Subscription::builder("cam").socket(self.place())
    }

    /// Does something as soon as the broker's state is so.
    pub fn when(
        &self,
        so: impl Fn(&Broker) -> bool + Send + 'static,
        act: impl FnOnce(&mut Broker) + Send + 'static,
    ) -> thread::JoinHandle<()> {
        let state = Arc::clone(&self.state);
        thread::spawn(move || {
            let end = Instant::now() + Duration::from_secs(20);
            while !so(&state.lock().unwrap()) {
                assert!(Instant::now() < end, "it never came to that");
                thread::sleep(Duration::from_millis(1));
            }
            act(&mut state.lock().unwrap());
        })
    }
}

fn serve(mut socket: &UnixStream, state: &Mutex<Broker>) {
    let mut inbox = Inbox::new(CALL_BYTES_MAX);
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = socket.read(&mut buffer) {
        inbox.push(&buffer[..count]);
        while let Some(call) = inbox.take::<Call>().unwrap() {
            let waits = call.parameters.get("wait") == Some(&Value::Bool(true));
            while waits && !state.lock().unwrap().exists {
                thread::sleep(Duration::from_millis(1));
            }
            state.lock().unwrap().answer(socket, &call);
        }
    }
}
