//! Connections to the device, which the broker makes.
//!
//! Owns who waits for which one; never makes one.

use crate::teller::Teller;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use streamem_orders::Notice;

/// The broker gives up before that.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection, or why there is none.
pub type Outcome = Result<OwnedFd, String>;

/// Asks the broker for connections, from any thread.
#[derive(Clone, Debug)]
pub struct Exchange {
    teller: Teller,
    waiting: Arc<Mutex<BTreeMap<u16, Sender<Outcome>>>>,
}

impl Exchange {
    /// Asks over this.
    pub fn new(teller: Teller) -> Exchange {
        let waiting = Arc::default();
        Exchange { teller, waiting }
    }

    /// A connection to this port. One thread at a time asks for each.
    pub fn connect(&self, port: u16) -> Outcome {
        let outcome = self.await_outcome(port);
        self.teller.say(&Notice::Connect { port });
        let outcome = outcome.recv_timeout(PATIENCE);
        outcome.unwrap_or_else(|_| {
            Err(format!(
                "the broker has made no connection to port {port} of the device in {} s; its log says why",
                PATIENCE.as_secs()
            ))
        })
    }

    fn await_outcome(&self, port: u16) -> Receiver<Outcome> {
        let (told, outcome) = channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert(port, told);
        outcome
    }

    /// What became of a wish.
    pub fn tell(&self, port: u16, outcome: Outcome) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(told) = waiting.remove(&port) {
            // Who asked may have given up.
            let _given_up = told.send(outcome);
        }
    }
}
