//! The replies of a call that has several.
//!
//! Owns the connection they come over; never knows what they mean.

use crate::connection::Connection;
use crate::deadline::Deadline;
use crate::error::Error;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// Replies as they come; the iterator waits for each and ends with the last, or after an error.
///
/// Its descriptor is readable when a reply, or a part of one, is there.
#[derive(Debug)]
pub struct Replies<T> {
    connection: Connection,
    ended: bool,
    each: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Replies<T> {
    pub(crate) fn of(connection: Connection) -> Replies<T> {
        Replies {
            connection,
            ended: false,
            each: PhantomData,
        }
    }

    /// The next reply if it comes in that time.
    pub fn next_within(&mut self, time: Duration) -> Result<Option<T>, Error> {
        self.next_before(Deadline::after(time))
    }

    /// Whether the last reply has come, or none will any more.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    fn next_before(&mut self, deadline: Deadline) -> Result<Option<T>, Error> {
        if self.ended {
            return Ok(None);
        }
        let answer = self.connection.answer(deadline);
        self.ended = match &answer {
            Ok(Some(answer)) => !answer.continues,
            Ok(None) => false,
            Err(_) => true,
        };
        Ok(answer?.map(|answer| answer.results))
    }
}

impl<T: DeserializeOwned> Iterator for Replies<T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Result<T, Error>> {
        self.next_before(Deadline::NEVER).transpose()
    }
}

impl<T> AsFd for Replies<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.socket().as_fd()
    }
}
