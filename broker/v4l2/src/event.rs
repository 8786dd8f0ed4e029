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
    fn number(self) -> u32 {
        match self {
            Event::SourceChange => abi::EVENT_SOURCE_CHANGE,
            Event::EndOfStream => abi::EVENT_END_OF_STREAM,
            Event::Control(_) => abi::EVENT_CONTROL,
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
    /// Asks to be told when this happens; a change of source is told of each input there is.
    ///
    /// # Errors
    ///
    /// When the device never tells of it, or is gone.
    pub fn subscribe(&self, event: Event) -> Result<(), Error> {
        let call = &calls::SUBSCRIBE_EVENT;
        for mut interest in self.interests(event)? {
            match ioctl::call(self.as_fd(), call, &mut interest) {
                Ok(()) => {}
                Err(Errno::INVAL) => return Err(self.lacks(call.name, "such event")),
                Err(errno) => return Err(self.error(call.name, errno)),
            }
        }
        Ok(())
    }

    /// Asks no more to be told.
    ///
    /// # Errors
    ///
    /// When the device is gone.
    pub fn unsubscribe(&self, event: Event) -> Result<(), Error> {
        let mut interests = self.interests(event)?;
        let mut each = interests.iter_mut();
        each.try_for_each(|interest| self.call(&calls::UNSUBSCRIBE_EVENT, interest))
    }

    fn interests(&self, event: Event) -> Result<Vec<abi::Interest>, Error> {
        let ids = match event {
            Event::Control(id) => vec![id],
            Event::EndOfStream => vec![0],
            Event::SourceChange => match self.inputs()? {
                none if none.is_empty() => vec![0],
                inputs => inputs.iter().map(|input| input.index).collect(),
            },
        };
        let about = |id| abi::Interest {
            kind: event.number(),
            id,
            ..Plain::zeroed()
        };
        Ok(ids.into_iter().map(about).collect())
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
            let happening = abi::Happening {
                kind: event.number(),
                id: 7,
                ..Plain::zeroed()
            };
            assert_eq!(Event::of(&happening), Some(event));
        }
        assert_eq!(Event::of(&abi::Happening::zeroed()), None);
    }
}
