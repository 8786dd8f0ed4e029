//! The controls of a camera by name: looking at them and setting them.
//!
//! Owns what a written value means; whether somebody may set it is not asked here.

use crate::source::uri::hint;
use std::collections::BTreeMap;
use streamem_v4l2::{Control, Device, Error, Kind};
use streamem_wire::message::{self, MenuItem};

/// Why a control is not set.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The camera has none of that name.
    #[error("there is no control {name:?}: {hint}")]
    Unknown {
        /// What was written.
        name: String,
        /// What was meant.
        hint: String,
    },
    /// It cannot have this value.
    #[error("{name}={value} is not possible: {possible}")]
    Value {
        /// Which control.
        name: String,
        /// What was written.
        value: String,
        /// What could be.
        possible: String,
    },
    /// It cannot be set.
    #[error("{name} can only be looked at")]
    ReadOnly {
        /// Which control.
        name: String,
    },
    /// The driver refused.
    #[error("{name}={value}: {cause}")]
    Device {
        /// Which control.
        name: String,
        /// What was written.
        value: String,
        /// Why.
        cause: Error,
    },
}

fn words(control: &Control) -> Vec<MenuItem> {
    let item = |value: &i64, name: String| MenuItem {
        value: *value,
        name,
    };
    match &control.kind {
        Kind::Menu(items) => items
            .iter()
            .map(|(value, name)| item(value, name.clone()))
            .collect(),
        Kind::IntegerMenu(items) => items
            .iter()
            .map(|(value, meant)| item(value, meant.to_string()))
            .collect(),
        _ => Vec::new(),
    }
}

fn kind(control: &Control) -> Option<&'static str> {
    match control.kind {
        Kind::Integer | Kind::Integer64 => Some("integer"),
        Kind::Boolean => Some("boolean"),
        Kind::Menu(_) | Kind::IntegerMenu(_) => Some("menu"),
        Kind::Bitmask => Some("bitmask"),
        Kind::Button => Some("button"),
        // Texts and what is not known yet are left alone.
        _ => None,
    }
}

/// Is there a number, or a word of the menu, for what was written.
fn value(control: &Control, written: &str) -> Option<i64> {
    let number = match written.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => written.parse().ok(),
    };
    let words = words(control);
    let word = || {
        words
            .iter()
            .find(|item| item.name.eq_ignore_ascii_case(written))
            .map(|item| item.value)
    };
    let value = match control.kind {
        Kind::Boolean if written == "true" => Some(1),
        Kind::Boolean if written == "false" => Some(0),
        Kind::Button => Some(1),
        Kind::Menu(_) | Kind::IntegerMenu(_) => word().or(number),
        _ => number,
    }?;
    let is_possible = match control.kind {
        Kind::Menu(_) | Kind::IntegerMenu(_) => words.iter().any(|item| item.value == value),
        Kind::Button => true,
        _ => (control.min..=control.max).contains(&value),
    };
    is_possible.then_some(value)
}

fn possible(control: &Control) -> String {
    match control.kind {
        Kind::Boolean => "true or false".to_owned(),
        Kind::Menu(_) | Kind::IntegerMenu(_) => {
            let words = words(control);
            let words: Vec<&str> = words.iter().map(|item| item.name.as_str()).collect();
            words.join(", ")
        }
        _ => format!(
            "{} to {} in steps of {}",
            control.min,
            control.max,
            control.step.max(1)
        ),
    }
}

/// Sets these controls, in the order of the camera, so that what enables others comes before them. Those
/// that can be set are, whatever is wrong with the others.
pub fn set(device: &Device, wanted: &BTreeMap<String, String>) -> Result<Vec<ControlError>, Error> {
    let controls = device.controls()?;
    let names: Vec<&str> = controls
        .iter()
        .map(|control| control.name.as_str())
        .collect();
    let unknown = wanted.keys().filter(|name| !names.contains(&name.as_str()));
    let mut wrong: Vec<ControlError> = unknown
        .map(|name| ControlError::Unknown {
            name: name.clone(),
            hint: hint(name, &names),
        })
        .collect();
    for control in &controls {
        let Some(written) = wanted.get(&control.name) else {
            continue;
        };
        wrong.extend(set_one(device, control, written).err());
    }
    Ok(wrong)
}

fn set_one(device: &Device, control: &Control, written: &str) -> Result<(), ControlError> {
    let name = control.name.clone();
    if control.read_only || kind(control).is_none() {
        return Err(ControlError::ReadOnly { name });
    }
    let Some(value) = value(control, written) else {
        let (value, possible) = (written.to_owned(), possible(control));
        return Err(ControlError::Value {
            name,
            value,
            possible,
        });
    };
    let set = device.set_control(control.id, value);
    set.map(drop).map_err(|cause| ControlError::Device {
        name,
        value: written.to_owned(),
        cause,
    })
}

/// All controls as they are now.
pub fn read(device: &Device) -> Result<Vec<message::Control>, Error> {
    let describe = |control: Control| {
        let value = match control.kind {
            Kind::Button => None,
            _ if control.write_only => None,
            // One that cannot be read just now is shown without a value.
            _ => device.control(control.id).ok(),
        };
        Some(message::Control {
            kind: kind(&control)?.to_owned(),
            menu: words(&control),
            name: control.name,
            title: control.title,
            value,
            min: control.min,
            max: control.max,
            step: control.step,
            default: control.default,
            read_only: control.read_only,
            inactive: control.inactive,
        })
    };
    Ok(device
        .controls()?
        .into_iter()
        .filter_map(describe)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(kind: Kind) -> Control {
        Control {
            id: 1,
            name: "x".into(),
            title: "X".into(),
            kind,
            min: -10,
            max: 10,
            step: 5,
            default: 0,
            read_only: false,
            write_only: false,
            inactive: false,
            grabbed: false,
            volatile: false,
        }
    }

    #[test]
    fn a_value_is_a_number_or_a_word() {
        assert_eq!(value(&control(Kind::Integer), "-5"), Some(-5));
        assert_eq!(value(&control(Kind::Bitmask), "0xA"), Some(10));
        assert_eq!(value(&control(Kind::Boolean), "true"), Some(1));
        assert_eq!(value(&control(Kind::Button), ""), Some(1));
        let menu = control(Kind::Menu(vec![(0, "Off".into()), (2, "50 Hz".into())]));
        assert_eq!(
            (value(&menu, "50 hz"), value(&menu, "2"), value(&menu, "1")),
            (Some(2), Some(2), None)
        );
        let numbers = control(Kind::IntegerMenu(vec![(0, 8000), (1, 16_000)]));
        assert_eq!(
            (value(&numbers, "16000"), value(&numbers, "0")),
            (Some(1), Some(0))
        );
    }

    #[test]
    fn what_is_beyond_the_limits_is_not_rounded() {
        assert_eq!(value(&control(Kind::Integer), "11"), None);
        assert_eq!(value(&control(Kind::Boolean), "maybe"), None);
        assert_eq!(possible(&control(Kind::Integer)), "-10 to 10 in steps of 5");
    }
}
