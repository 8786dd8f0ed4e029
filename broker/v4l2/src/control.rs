//! A device's controls: what there is to set, within which limits, and setting it.
//!
//! Owns names and kinds; never sets what it was not told to, and leaves text and tables alone.

use crate::abi;
use crate::device::{Device, text};
use crate::error::Error;
use crate::ioctl::{self, Plain, calls};
use rustix::io::Errno;
use std::ops::RangeInclusive;
use std::os::fd::AsFd;

/// Menus longer than this are cut off.
const ITEMS_MAX: i64 = 1024;
const CONTROLS_MAX: usize = 4096;

/// What a control's value is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A number of 32 bits.
    Integer,
    /// A number of 64 bits.
    Integer64,
    /// 0 or 1.
    Boolean,
    /// One of these numbers, which have names.
    Menu(Vec<(i64, String)>),
    /// One of these numbers, which stand for others.
    IntegerMenu(Vec<(i64, i64)>),
    /// None: setting it does something.
    Button,
    /// 32 bits, each by itself.
    Bitmask,
    /// A text, which can be neither read nor set here.
    String,
    /// One that is not known here, by the kernel's number.
    Other(u32),
}

/// Something that can be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// Its number.
    pub id: u32,
    /// Its name, as `v4l2-ctl` has it: `white_balance_automatic`.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What its value is.
    pub kind: Kind,
    /// The smallest value.
    pub min: i64,
    /// The largest value.
    pub max: i64,
    /// From one value to the next.
    pub step: i64,
    /// The value after loading the driver.
    pub default: i64,
    /// It can only be read.
    pub read_only: bool,
    /// It can only be set.
    pub write_only: bool,
    /// Another control makes it do nothing.
    pub inactive: bool,
    /// It cannot be set now, mostly since the device is streaming.
    pub grabbed: bool,
    /// The device changes it by itself, without an event.
    pub volatile: bool,
}

impl Control {
    /// The number of the one that says how many buffers must be queued before the first frame comes.
    pub const LEAST_BUFFERS: u32 = 0x0098_0927;
}

impl Device {
    /// All controls that are a single value.
    ///
    /// # Errors
    ///
    /// When the device is gone.
    pub fn controls(&self) -> Result<Vec<Control>, Error> {
        let call = &calls::QUERY_EXT_CTRL;
        let mut controls = Vec::new();
        let mut last = 0;
        while controls.len() < CONTROLS_MAX {
            let mut entry = asking(last | abi::CONTROL_NEXT);
            match ioctl::call(self.as_fd(), call, &mut entry) {
                // One that does not go forward would be asked for for ever.
                Ok(()) if entry.id <= last => break,
                Ok(()) => last = entry.id,
                Err(Errno::INVAL | Errno::NOTTY) => break,
                Err(errno) => match self.error(call.name, errno) {
                    gone if gone.is_gone() => return Err(gone),
                    // Some devices fail to answer for one control; those before it are of use.
                    _ => break,
                },
            }
            let is_value = entry.kind != abi::CONTROL_CLASS && entry.kind < abi::CONTROL_COMPOUND;
            if is_value && entry.flags & abi::CONTROL_DISABLED == 0 {
                let kind = self.kind(&entry)?;
                controls.push(control(&entry, kind));
            }
        }
        Ok(controls)
    }

    /// The value of a control.
    ///
    /// # Errors
    ///
    /// When there is no such control, or it has no number to be read.
    pub fn control(&self, id: u32) -> Result<i64, Error> {
        let call = &calls::G_EXT_CTRLS;
        let width = self.width(id)?;
        match ioctl::control(self.as_fd(), call, id, [0; 8]) {
            Ok(value) => Ok(width.number(value)),
            Err(Errno::ACCESS) => Err(self.lacks(call.name, "value to read in this control")),
            Err(errno) => Err(self.error(call.name, errno)),
        }
    }

    /// Sets a control, and says which value it has got: most drivers take the nearest they have.
    ///
    /// # Errors
    ///
    /// When there is no such control, it cannot be set, not now, or not to this.
    pub fn set_control(&self, id: u32, value: i64) -> Result<i64, Error> {
        let call = &calls::S_EXT_CTRLS;
        let width = self.width(id)?;
        let bytes = width.bytes(value);
        let bytes = bytes.ok_or_else(|| self.error(call.name, Errno::RANGE))?;
        match ioctl::control(self.as_fd(), call, id, bytes) {
            Ok(value) => Ok(width.number(value)),
            Err(Errno::ACCESS) => Err(self.lacks(call.name, "way to set this control")),
            Err(errno) => Err(self.error(call.name, errno)),
        }
    }

    fn kind(&self, entry: &abi::ControlEntry) -> Result<Kind, Error> {
        Ok(match entry.kind {
            abi::CONTROL_INTEGER => Kind::Integer,
            abi::CONTROL_INTEGER64 => Kind::Integer64,
            abi::CONTROL_BOOLEAN => Kind::Boolean,
            abi::CONTROL_BUTTON => Kind::Button,
            abi::CONTROL_BITMASK => Kind::Bitmask,
            abi::CONTROL_STRING => Kind::String,
            abi::CONTROL_MENU => Kind::Menu(self.menu(entry, text)?),
            abi::CONTROL_INTEGER_MENU => Kind::IntegerMenu(self.menu(entry, first_number)?),
            other => Kind::Other(other),
        })
    }

    fn menu<T>(
        &self,
        entry: &abi::ControlEntry,
        item: impl Fn(&[u8]) -> T,
    ) -> Result<Vec<(i64, T)>, Error> {
        let call = &calls::QUERYMENU;
        let mut items = Vec::new();
        for index in numbers(entry) {
            let mut asked = abi::MenuEntry {
                id: entry.id,
                index,
                ..Plain::zeroed()
            };
            match ioctl::call(self.as_fd(), call, &mut asked) {
                Ok(()) => items.push((index.into(), item(&asked.name))),
                // Menus have gaps.
                Err(Errno::INVAL) => {}
                Err(errno) => match self.error(call.name, errno) {
                    gone if gone.is_gone() => return Err(gone),
                    _ => break,
                },
            }
        }
        Ok(items)
    }

    fn width(&self, id: u32) -> Result<Width, Error> {
        let call = &calls::QUERY_EXT_CTRL;
        let mut entry = asking(id & !abi::CONTROL_NEXT);
        let name = call.name;
        ioctl::call(self.as_fd(), call, &mut entry).map_err(|errno| match errno {
            Errno::INVAL => self.lacks(name, "such control"),
            _ => self.error(name, errno),
        })?;
        let is_elsewhere = entry.flags & abi::CONTROL_HAS_PAYLOAD != 0;
        match entry.kind {
            _ if is_elsewhere => Err(self.lacks(name, "number in this control")),
            abi::CONTROL_STRING | abi::CONTROL_CLASS | abi::CONTROL_COMPOUND.. => {
                Err(self.lacks(name, "number in this control"))
            }
            abi::CONTROL_INTEGER64 => Ok(Width::Long),
            abi::CONTROL_BITMASK => Ok(Width::Bits),
            _ => Ok(Width::Short),
        }
    }
}

/// How a value is written into the eight bytes for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    Short,
    Bits,
    Long,
}

impl Width {
    fn number(self, bytes: [u8; 8]) -> i64 {
        let [a, b, c, d, ..] = bytes;
        match self {
            Width::Short => i32::from_ne_bytes([a, b, c, d]).into(),
            Width::Bits => u32::from_ne_bytes([a, b, c, d]).into(),
            Width::Long => i64::from_ne_bytes(bytes),
        }
    }

    /// Nothing if the number does not fit.
    fn bytes(self, number: i64) -> Option<[u8; 8]> {
        let four = match self {
            Width::Short => i32::try_from(number).ok()?.to_ne_bytes(),
            Width::Bits => u32::try_from(number).ok()?.to_ne_bytes(),
            Width::Long => return Some(number.to_ne_bytes()),
        };
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&four);
        Some(bytes)
    }
}

fn asking(id: u32) -> abi::ControlEntry {
    abi::ControlEntry {
        id,
        ..Plain::zeroed()
    }
}

/// The numbers a menu may have.
fn numbers(entry: &abi::ControlEntry) -> RangeInclusive<u32> {
    let last = entry.max.min(entry.min.saturating_add(ITEMS_MAX));
    match (u32::try_from(entry.min), u32::try_from(last)) {
        (Ok(first), Ok(last)) => first..=last,
        #[allow(clippy::reversed_empty_ranges, reason = "there are none")]
        _ => 1..=0,
    }
}

fn first_number(bytes: &[u8]) -> i64 {
    bytes.first_chunk().copied().map_or(0, i64::from_ne_bytes)
}

fn control(entry: &abi::ControlEntry, kind: Kind) -> Control {
    let has = |flag: u32| entry.flags & flag != 0;
    let title = text(&entry.name);
    Control {
        id: entry.id,
        name: slug(&title),
        title,
        kind,
        min: entry.min,
        max: entry.max,
        step: i64::try_from(entry.step).unwrap_or(i64::MAX),
        default: entry.default,
        read_only: has(abi::CONTROL_READ_ONLY),
        write_only: has(abi::CONTROL_WRITE_ONLY),
        inactive: has(abi::CONTROL_INACTIVE),
        grabbed: has(abi::CONTROL_GRABBED),
        volatile: has(abi::CONTROL_VOLATILE),
    }
}

/// Letters and digits, in lower case, with one `_` for whatever is between them.
fn slug(title: &str) -> String {
    let words = title.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    words.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_v4l2_ctl() {
        for (title, name) in [
            ("White Balance, Automatic", "white_balance_automatic"),
            ("Gain", "gain"),
            ("  H264 I-Frame Period ", "h264_i_frame_period"),
            ("Pan (Absolute)", "pan_absolute"),
            ("", ""),
        ] {
            assert_eq!(slug(title), name);
        }
    }

    #[test]
    fn numbers_keep_sign_and_width() {
        for (width, number) in [
            (Width::Short, -5),
            (Width::Bits, 0xffff_ffff),
            (Width::Long, i64::MIN),
        ] {
            assert_eq!(width.number(width.bytes(number).unwrap()), number);
        }
        assert_eq!(Width::Short.bytes(1 << 31), None);
        assert_eq!(Width::Bits.bytes(-1), None);
    }

    #[test]
    fn a_menu_without_end_is_cut_off() {
        let mut entry = asking(1);
        (entry.min, entry.max) = (1, 3);
        assert_eq!(numbers(&entry).count(), 3);
        entry.max = i64::MAX;
        assert_eq!(numbers(&entry).count(), 1025);
        entry.min = -4;
        assert_eq!(numbers(&entry).count(), 0);
    }
}
