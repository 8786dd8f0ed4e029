//! What a completion is about: one enum, packed into the 64 bits the kernel gives back.
//!
//! Owns the packing; numbers in it are never used twice, so a late completion finds nothing rather
//! than somebody else.

use streamem_wire::{SessionId, SubscriptionId};

/// Everything the loop can be told about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// A client connected.
    Listener,
    /// A signal came.
    Signal,
    /// A second has passed.
    Tick,
    /// A source has ended.
    Reports,
    /// A session's socket is ready.
    Session(SessionId),
    /// The owner of a subscription from before a restart has ended.
    Owner(SubscriptionId),
    /// The peer of a session that was closed has hung up.
    Leaver(SessionId),
    /// The service manager takes messages again.
    Manager,
    /// A device may have come.
    Plugged,
    /// A worker's process has ended, by its number.
    Worker(u64),
    /// A worker says something, by its number.
    Orders(u64),
    /// A worker writes something for the log, by its number.
    Words(u64),
    /// Nobody is interested.
    Nobody,
}

const NUMBER_BITS: u32 = 56;
const NUMBER_MASK: u64 = (1 << NUMBER_BITS) - 1;

impl Token {
    /// The token as the kernel keeps it.
    #[must_use]
    pub fn pack(self) -> u64 {
        let (kind, number) = match self {
            Token::Nobody => (0, 0),
            Token::Listener => (1, 0),
            Token::Signal => (2, 0),
            Token::Tick => (3, 0),
            Token::Reports => (4, 0),
            Token::Session(id) => (5, id.0),
            Token::Owner(id) => (6, id.0),
            Token::Manager => (7, 0),
            Token::Leaver(id) => (8, id.0),
            Token::Plugged => (9, 0),
            Token::Worker(number) => (10, number),
            Token::Orders(number) => (11, number),
            Token::Words(number) => (12, number),
        };
        kind << NUMBER_BITS | number & NUMBER_MASK
    }

    /// The token a completion carries.
    #[must_use]
    pub fn unpack(word: u64) -> Token {
        let number = word & NUMBER_MASK;
        match word >> NUMBER_BITS {
            1 => Token::Listener,
            2 => Token::Signal,
            3 => Token::Tick,
            4 => Token::Reports,
            5 => Token::Session(SessionId(number)),
            6 => Token::Owner(SubscriptionId(number)),
            7 => Token::Manager,
            8 => Token::Leaver(SessionId(number)),
            9 => Token::Plugged,
            10 => Token::Worker(number),
            11 => Token::Orders(number),
            12 => Token::Words(number),
            _ => Token::Nobody,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_as_they_went() {
        let all = [
            Token::Listener,
            Token::Signal,
            Token::Tick,
            Token::Reports,
            Token::Session(SessionId(7)),
            Token::Owner(SubscriptionId(NUMBER_MASK)),
            Token::Manager,
            Token::Leaver(SessionId(8)),
            Token::Plugged,
            Token::Worker(9),
            Token::Orders(10),
            Token::Words(11),
            Token::Nobody,
        ];
        for token in all {
            assert_eq!(Token::unpack(token.pack()), token);
        }
    }
}
