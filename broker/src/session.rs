//! One connected client: bytes in, bytes and descriptors out, and what it is owed.
//!
//! Owns the socket and its two queues; never looks into a call, and never lets a peer that does not
//! read make the broker remember more than a bounded amount for it.

use crate::access::Peer;
use crate::quota::Charge;
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, Shutdown, shutdown};
use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use streamem_sys::socket;
use streamem_wire::message::Subscribe;
use streamem_wire::varlink::{BadMessage, CALL_BYTES_MAX, Call, Inbox, Reply, encode};
use streamem_wire::{PublicationId, Reason, Refusal, SessionId, StreamName, SubscriptionId};

/// Most bytes a session may leave unread before it is closed, beside the reply it is being sent.
const OUTBOX_BYTES_MAX: usize = 256 << 10;
const READ_BYTES: usize = 16 * 1024;

/// Why a session is over, in the words of the log.
#[derive(Debug, thiserror::Error)]
pub enum Over {
    /// The peer closed it.
    #[error("closed")]
    Closed,
    /// What it sent is no call.
    #[error(transparent)]
    BadMessage(#[from] BadMessage),
    /// It sent descriptors nobody asked for.
    #[error("sent descriptors nobody asked for")]
    UnaskedDescriptors,
    /// Descriptors it was asked for did not all arrive.
    #[error("sent descriptors that could not be taken in (raise LimitNOFILE= of the service)")]
    DescriptorsLost,
    /// It does not read.
    #[error("left {0} bytes unread")]
    NotReading(usize),
    /// The socket failed.
    #[error("socket: {0}")]
    Socket(#[from] Errno),
}

/// What is to be done about a session's poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    /// Ask for this.
    For(PollFlags),
    /// What was asked for is not what is wanted any more.
    Forget,
    /// It is asked for already.
    Nothing,
}

/// Descriptors that go with a reply.
#[derive(Debug)]
pub struct Handover {
    /// The descriptors.
    pub fds: Vec<OwnedFd>,
    /// What is to be undone if they cannot go.
    pub undo: Undo,
}

/// What a reply has promised that its descriptors were to fulfil.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undo {
    /// The subscription as a whole.
    Subscription(SubscriptionId),
    /// That this subscription has the newest memory.
    Renewal(SubscriptionId),
    /// The publication as a whole.
    Publication(PublicationId),
    /// Nothing: who did not get it asks again.
    Nothing,
}

#[derive(Debug)]
struct Packet {
    bytes: Vec<u8>,
    sent: usize,
    handover: Option<Handover>,
}

fn too_many_on_their_way() -> Refusal {
    Refusal::new(
        Reason::OutOfResources,
        "descriptors",
        "more descriptors are on their way than the kernel lets the broker's user have there \
         (ETOOMANYREFS): some client does not read its replies. End that client, or raise \
         LimitNOFILE= of the service; then try again",
    )
}

/// A call that is answered later.
#[derive(Debug)]
pub enum Pending {
    /// As soon as there is such a stream.
    Subscribe(Subscribe),
    /// As soon as the camera has answered.
    Controls,
}

/// A session.
#[derive(Debug)]
pub struct Session {
    /// Its number.
    pub id: SessionId,
    /// Who it is.
    pub peer: Peer,
    /// Since when.
    pub connected_ns: u64,
    /// It asked to be told of streams.
    pub watching: bool,
    /// It asked to be told of events.
    pub monitoring: bool,
    /// It was made for a worker, to publish this stream and nothing else.
    pub errand: Option<StreamName>,
    /// It waits for a stream to appear; calls after this one wait too.
    pub pending: Option<Pending>,
    socket: OwnedFd,
    inbox: Inbox,
    outbox: VecDeque<Packet>,
    outbox_bytes: usize,
    undelivered: Vec<Undo>,
    armed: Option<PollFlags>,
    half_closed: bool,
    expected: usize,
    brought: Vec<OwnedFd>,
    _charge: Charge,
}

impl Session {
    /// A session on a socket that was just accepted, non-blocking.
    #[must_use]
    pub fn new(
        id: SessionId,
        peer: Peer,
        socket: OwnedFd,
        connected_ns: u64,
        charge: Charge,
    ) -> Session {
        Session {
            id,
            peer,
            connected_ns,
            watching: false,
            monitoring: false,
            errand: None,
            pending: None,
            socket,
            inbox: Inbox::new(CALL_BYTES_MAX),
            outbox: VecDeque::new(),
            outbox_bytes: 0,
            undelivered: Vec::new(),
            armed: None,
            half_closed: false,
            expected: 0,
            brought: Vec::new(),
            _charge: charge,
        }
    }

    /// Its socket.
    #[must_use]
    pub fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// What to be told of next. A peer that does not read its replies is not listened to.
    pub fn poll(&mut self) -> Poll {
        if self.owes_half_closed() {
            return Poll::Nothing;
        }
        let wanted = match (self.outbox.is_empty(), self.is_busy()) {
            (false, _) => PollFlags::OUT,
            (true, true) => PollFlags::RDHUP,
            (true, false) => PollFlags::IN | PollFlags::RDHUP,
        };
        match self.armed {
            Some(armed) if armed == wanted => Poll::Nothing,
            Some(_) => Poll::Forget,
            None => {
                self.armed = Some(wanted);
                Poll::For(wanted)
            }
        }
    }

    /// The poll asked for has been answered, or given up. Returns whether the peer is gone.
    pub fn polled(&mut self, ready: PollFlags) -> bool {
        self.armed = None;
        self.half_closed |= ready.contains(PollFlags::RDHUP);
        ready.intersects(PollFlags::HUP | PollFlags::ERR)
            || ready.contains(PollFlags::RDHUP) && self.is_busy()
    }

    /// Whether replies are left for a peer that will send no more. An io_uring tells of a half-closed
    /// socket at once, asked or not, so such a peer is tried now and then instead of polled.
    #[must_use]
    pub fn owes_half_closed(&self) -> bool {
        self.half_closed && self.armed.is_none() && !self.outbox.is_empty()
    }

    /// Whether a call is still being answered, so that the next one has to wait.
    fn is_busy(&self) -> bool {
        self.pending.is_some() || self.watching || self.monitoring
    }

    /// Reads what there is, once.
    pub fn read(&mut self) -> Result<(), Over> {
        let mut buffer = [0; READ_BYTES];
        let received = match socket::receive(&self.socket, &mut buffer, RecvFlags::DONTWAIT) {
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            other => other?,
        };
        self.brought.extend(received.fds);
        if self.brought.len() > self.expected || received.fds_lost && self.expected == 0 {
            return Err(Over::UnaskedDescriptors);
        }
        if received.fds_lost {
            return Err(Over::DescriptorsLost);
        }
        if received.bytes == 0 {
            return Err(Over::Closed);
        }
        self.inbox.push(&buffer[..received.bytes]);
        Ok(())
    }

    /// From now on so many descriptors may come, until they are taken.
    pub fn expect_descriptors(&mut self, count: usize) {
        self.expected = count;
    }

    /// The descriptors that came.
    pub fn take_brought(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.brought)
    }

    /// The next whole call, if this session is ready for it.
    pub fn take_call(&mut self) -> Result<Option<Call>, Over> {
        if self.is_busy() || !self.outbox.is_empty() {
            return Ok(None);
        }
        Ok(self.inbox.take()?)
    }

    /// Queues a reply and sends what the socket takes.
    pub fn reply(&mut self, reply: &Reply, handover: Option<Handover>) -> Result<(), Over> {
        let bytes = encode(reply);
        if self.outbox_bytes > OUTBOX_BYTES_MAX {
            return Err(Over::NotReading(self.outbox_bytes));
        }
        self.outbox_bytes += bytes.len();
        self.outbox.push_back(Packet {
            bytes,
            sent: 0,
            handover,
        });
        self.write()
    }

    /// Sends what the socket takes. A reply whose descriptors the kernel refuses becomes a refusal.
    pub fn write(&mut self) -> Result<(), Over> {
        while let Some(packet) = self.outbox.front_mut() {
            let fds = packet.handover.iter().flat_map(|handover| &handover.fds);
            let fds: Vec<BorrowedFd<'_>> = fds.map(AsFd::as_fd).collect();
            let sent = match socket::send(&self.socket, &packet.bytes[packet.sent..], &fds) {
                Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
                Err(Errno::TOOMANYREFS) if packet.handover.is_some() => {
                    let promised = packet.handover.take();
                    self.undelivered
                        .extend(promised.map(|handover| handover.undo));
                    self.outbox_bytes -= packet.bytes.len();
                    packet.bytes = encode(&too_many_on_their_way().reply());
                    self.outbox_bytes += packet.bytes.len();
                    continue;
                }
                other => other?,
            };
            packet.handover = None;
            packet.sent += sent;
            self.outbox_bytes -= sent;
            if packet.sent == packet.bytes.len() {
                self.outbox.pop_front();
            }
        }
        Ok(())
    }

    /// What was promised and could not be delivered since this was asked last.
    pub fn take_undelivered(&mut self) -> Vec<Undo> {
        std::mem::take(&mut self.undelivered)
    }

    /// Says to the peer that nothing more will come, which is how it learns that it is to hang up.
    pub fn say_goodbye(&self) {
        // A peer that is gone has nothing to learn.
        let _gone = shutdown(&self.socket, Shutdown::Write);
    }

    /// Whether everything has been sent.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.outbox.is_empty()
    }
}
