//! The socket between broker and worker: whole messages, each with at most one descriptor.
//!
//! Owns the framing and its bounds; never waits.

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, socketpair};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use streamem_sys::socket;

/// Longest message.
const BYTES_MAX: usize = 64 << 10;

/// What went wrong between the two.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The other has ended.
    #[error("the other end has hung up")]
    HungUp,
    /// What came is no message.
    #[error("what came is no message: {0}")]
    Message(serde_json::Error),
    /// It is too long.
    #[error("a message of {0} bytes is too long")]
    Long(usize),
    /// Descriptors were lost or came in vain.
    #[error("a message came with {0} descriptors")]
    Descriptors(usize),
    /// The other does not read what it is told.
    #[error("the other end does not read")]
    Full,
    /// The socket failed.
    #[error("socket: {0}")]
    Socket(Errno),
}

/// A message and what came beside it.
#[derive(Debug)]
pub struct Received<T> {
    /// The message.
    pub message: T,
    /// The descriptor that came along.
    pub descriptor: Option<OwnedFd>,
}

/// One end, which says `Out` and hears `In`.
#[derive(Debug)]
pub struct Channel<Out, In> {
    socket: OwnedFd,
    says: PhantomData<fn(Out) -> In>,
}

impl<Out, In> AsFd for Channel<Out, In> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl<Out: Serialize, In: DeserializeOwned> Channel<Out, In> {
    /// Both ends.
    pub fn pair() -> Result<(Self, OwnedFd), Errno> {
        let (flags, kind) = (SocketFlags::CLOEXEC, SocketType::SEQPACKET);
        let (here, there) = socketpair(AddressFamily::UNIX, kind, flags, None)?;
        Ok((Self::over(here), there))
    }

    /// The end that is this socket.
    #[must_use]
    pub fn over(socket: OwnedFd) -> Self {
        let says = PhantomData;
        Self { socket, says }
    }

    /// Says something, and hands a descriptor over.
    pub fn send(
        &self,
        message: &Out,
        descriptor: Option<BorrowedFd<'_>>,
    ) -> Result<(), ChannelError> {
        let bytes = serde_json::to_vec(message).map_err(ChannelError::Message)?;
        if bytes.len() > BYTES_MAX {
            return Err(ChannelError::Long(bytes.len()));
        }
        loop {
            return match socket::send_now(&self.socket, &bytes, descriptor.as_slice()) {
                Ok(_) => Ok(()),
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => Err(ChannelError::Full),
                Err(Errno::PIPE | Errno::CONNRESET) => Err(ChannelError::HungUp),
                Err(error) => Err(ChannelError::Socket(error)),
            };
        }
    }

    /// The next thing that was said, if there is one now.
    pub fn receive(&self) -> Result<Option<Received<In>>, ChannelError> {
        let mut bytes = vec![0; BYTES_MAX];
        let received = loop {
            match socket::receive(&self.socket, &mut bytes, RecvFlags::DONTWAIT) {
                Ok(received) => break received,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::CONNRESET) => return Err(ChannelError::HungUp),
                Err(error) => return Err(ChannelError::Socket(error)),
            }
        };
        if received.bytes == 0 {
            return Err(ChannelError::HungUp);
        }
        if received.fds_lost || received.fds.len() > 1 {
            return Err(ChannelError::Descriptors(received.fds.len()));
        }
        let message = serde_json::from_slice(&bytes[..received.bytes]);
        Ok(Some(Received {
            message: message.map_err(ChannelError::Message)?,
            descriptor: received.fds.into_iter().next(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Notice, Order};
    use proptest::collection::vec;
    use proptest::prelude::*;

    type Broker = Channel<Order, Notice>;
    type Worker = Channel<Notice, Order>;

    #[test]
    fn messages_come_whole_and_in_order_with_their_descriptors() {
        let (broker, there) = Broker::pair().unwrap();
        let worker = Worker::over(there);
        assert!(worker.receive().unwrap().is_none());
        let (end, other) = std::os::unix::net::UnixStream::pair().unwrap();
        broker
            .send(&Order::Connected { port: 3810 }, Some(end.as_fd()))
            .unwrap();
        let why = "nobody is there".to_owned();
        let second = Order::Unreachable { port: 3811, why };
        broker.send(&second, None).unwrap();
        let first = worker.receive().unwrap().unwrap();
        assert_eq!(first.message, Order::Connected { port: 3810 });
        drop((first.descriptor.unwrap(), end));
        assert_eq!(std::io::Read::read(&mut &other, &mut [0]).unwrap(), 0);
        let next = worker.receive().unwrap().unwrap();
        assert_eq!((next.message, next.descriptor.is_none()), (second, true));
        drop(broker);
        assert!(matches!(worker.receive(), Err(ChannelError::HungUp)));
        assert!(matches!(
            worker.send(&Notice::Alive, None),
            Err(ChannelError::HungUp)
        ));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived_by_both_ends(bytes in vec(any::<u8>(), 1..600)) {
            let (broker, there) = Broker::pair().unwrap();
            let worker = Worker::over(there);
            socket::send(&worker, &bytes, &[]).unwrap();
            socket::send(&broker, &bytes, &[]).unwrap();
            let (notice, order) = (broker.receive(), worker.receive());
            prop_assert!(!matches!(notice, Ok(None)) && !matches!(order, Ok(None)));
        }

        #[test]
        fn a_message_that_is_bent_is_survived_too(at in 0..70_usize, byte in any::<u8>()) {
            let (broker, there) = Broker::pair().unwrap();
            let worker = Worker::over(there);
            let stream = streamem_wire::StreamName::new("left").unwrap();
            let lost = Notice::Lost { stream, why: "the device hung up, it seems".into() };
            let mut bytes = serde_json::to_vec(&lost).unwrap();
            let at = at % bytes.len();
            bytes[at] = byte;
            socket::send(&worker, &bytes, &[]).unwrap();
            if let Ok(heard) = broker.receive() {
                let is_lost = matches!(heard.unwrap().message, Notice::Lost { .. });
                prop_assert!(is_lost);
            }
        }
    }

    #[test]
    fn what_is_no_message_is_told_and_one_who_does_not_read_too() {
        let (broker, there) = Broker::pair().unwrap();
        let worker = Worker::over(there);
        socket::send(&worker, b"{\"what\":1}", &[]).unwrap();
        assert!(matches!(broker.receive(), Err(ChannelError::Message(_))));
        let what = "x".repeat(1000);
        let trouble = Notice::Trouble { stream: None, what };
        let full = (0..100_000).find_map(|_| worker.send(&trouble, None).err());
        assert!(matches!(full, Some(ChannelError::Full)));
        let what = "x".repeat(BYTES_MAX);
        let long = worker.send(&Notice::Trouble { stream: None, what }, None);
        assert!(matches!(long, Err(ChannelError::Long(_))));
    }
}
