//! What a device tells without being asked: that its source, or a control, is not what it was.
//!
//! Owns asking for it and taking it; never waits: poll the device for priority data.

use crate::abi;
use crate::device::Device;
use crate::error::Error;
use crate::ioctl::{self, Plain, calls};
use rustix::io::Errno;
use std::os::fd::AsFd;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// What the input shows has another size or rate, or none any more.
    SourceChange,
    /// No frame follows.
    EndOfStream,
    /// The control with this number has another value, other limits, or can be used or not; changes made
    /// through this same open device are not told.
    Control(u32),
}

impl Event {
    fn interest(self) -> abi::Interest {
        let (kind, id) = match self {
            Event::SourceChange => (abi::EVENT_SOURCE_CHANGE, 0),
            Event::EndOfStream => (abi::EVENT_END_OF_STREAM, 0),
            Event::Control(id) => (abi::EVENT_CONTROL, id),
        };
        abi::Interest {
            kind,
            id,
            ..Plain::zeroed()
        }
    }

    fn of(happening: &abi::Happening) -> Option<Event> {
        match happening.kind {
            abi::EVENT_SOURCE_CHANGE => Some(Event::SourceChange),
            abi::EVENT_END_OF_STREAM => Some(Event::EndOfStream),
            abi::EVENT_CONTROL => Some(Event::Control(happening.id)),
            _ => None,
        }
    }
}

impl Device {
    /// Asks to be told when this happens.
    ///
    /// # Errors
    ///
    /// When the device never tells of it, or is gone.
    pub fn subscribe(&self, event: Event) -> Result<(), Error> {
        let call = &calls::SUBSCRIBE_EVENT;
        match ioctl::call(self.as_fd(), call, &mut event.interest()) {
            Ok(()) => Ok(()),
            Err(Errno::INVAL) => Err(self.lacks(call.name, "such event")),
            Err(errno) => Err(self.error(call.name, errno)),
        }
    }

    /// Asks no more to be told.
    ///
    /// # Errors
    ///
    /// When the device is gone.
    pub fn unsubscribe(&self, event: Event) -> Result<(), Error> {
        self.call(&calls::UNSUBSCRIBE_EVENT, &mut event.interest())
    }

    /// What happened next; nothing if there was nothing more.
    ///
    /// # Errors
    ///
    /// When the device is gone.
    pub fn next_event(&self) -> Result<Option<Event>, Error> {
        let call = &calls::DQEVENT;
        loop {
            let mut happening = abi::Happening::zeroed();
            match ioctl::call(self.as_fd(), call, &mut happening) {
                Ok(()) => {}
                Err(Errno::NOENT | Errno::AGAIN) => return Ok(None),
                Err(errno) => return Err(self.error(call.name, errno)),
            }
            if let Some(event) = Event::of(&happening) {
                return Ok(Some(event));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_comes_back_as_it_was_asked_for() {
        for event in [Event::SourceChange, Event::EndOfStream, Event::Control(7)] {
            let interest = event.interest();
            let happening = abi::Happening {
                kind: interest.kind,
                id: interest.id,
                ..Plain::zeroed()
            };
            assert_eq!(Event::of(&happening), Some(event));
        }
        assert_eq!(Event::of(&abi::Happening::zeroed()), None);
    }
}
