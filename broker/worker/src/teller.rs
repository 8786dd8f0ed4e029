//! What this process says to the broker.
//!
//! Owns this end of the channel for all threads; never waits long for the broker to listen.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;
use streamem_orders::{Channel, ChannelError, Notice, Order};
use streamem_wire::StreamName;

/// A broker that has not read for so long is no broker any more.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(5);

/// Speaks from any thread.
#[derive(Clone, Debug)]
pub struct Teller(Arc<Channel<Notice, Order>>);

impl Teller {
    /// Over this channel.
    pub fn new(channel: Channel<Notice, Order>) -> Teller {
        Teller(Arc::new(channel))
    }

    /// The channel, to hear from.
    pub fn channel(&self) -> &Channel<Notice, Order> {
        &self.0
    }

    /// Says something. A worker whose broker does not hear it has nothing left to do.
    pub fn say(&self, notice: &Notice) {
        self.hand(notice, None);
    }

    /// Says something, with a descriptor beside it.
    pub fn hand(&self, notice: &Notice, beside: Option<BorrowedFd<'_>>) {
        let mut waited = Duration::ZERO;
        loop {
            match self.0.send(notice, beside) {
                Ok(()) => return,
                Err(ChannelError::Full) if waited < PATIENCE => {
                    sleep(PAUSE);
                    waited += PAUSE;
                }
                // Nobody is left who could be told why.
                Err(_) => std::process::exit(crate::NO_BROKER),
            }
        }
    }

    /// Says it unless the broker is busy; for what is said again soon.
    pub fn mention(&self, notice: &Notice) {
        let _said_again_soon = self.0.send(notice, None);
    }

    /// A stream has no frames.
    pub fn lost(&self, stream: &StreamName, why: &str) {
        let (stream, why) = (stream.clone(), why.to_owned());
        self.say(&Notice::Lost { stream, why });
    }

    /// A stream has frames.
    pub fn live(&self, stream: &StreamName) {
        let stream = stream.clone();
        self.say(&Notice::Live { stream });
    }

    /// Something people should know of a stream.
    pub fn trouble(&self, stream: Option<&StreamName>, what: impl Into<String>) {
        let (stream, what) = (stream.cloned(), what.into());
        self.mention(&Notice::Trouble { stream, what });
    }

    /// What is said over.
    pub fn socket(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
