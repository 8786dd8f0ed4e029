//! `streamem controls`: what can be set on a camera, and setting it.
//!
//! Owns the table; which value is possible is the camera's to say.

use super::Broker;
use crate::cli::Controls;
use crate::failure::Failure;
use crate::output::{Align, Cell, Output, Table, Tint};
use streamem_wire::message::{Control, ControlList};

pub fn run(broker: &Broker<'_>, asked: &Controls, output: &mut Output) -> Result<(), Failure> {
    let mut client = broker.connect()?;
    let controls = client.controls(asked.stream.as_str(), asked.set.iter().cloned())?;
    if output.json() {
        return Ok(output.document(&ControlList { controls })?);
    }
    if controls.is_empty() {
        return Ok(output.line("this camera has no controls")?);
    }
    Ok(output.table(&table(&controls))?)
}

fn table(controls: &[Control]) -> Table {
    let mut table = Table::new(&[
        ("NAME", Align::Left),
        ("VALUE", Align::Left),
        ("DEFAULT", Align::Right),
        ("POSSIBLE", Align::Left),
    ]);
    for control in controls {
        let is_changed = control.value.is_some_and(|value| value != control.default);
        let tint = if is_changed {
            Tint::Notable
        } else {
            Tint::Plain
        };
        table.row(vec![
            (&control.name).into(),
            Cell::tinted(value(control), tint),
            control.default.into(),
            possible(control).into(),
        ]);
    }
    table
}

fn value(control: &Control) -> String {
    let word = |value| control.menu.iter().find(|item| item.value == value);
    match control.value {
        None => String::new(),
        Some(value) if control.kind == "boolean" => (value != 0).to_string(),
        Some(value) if control.kind == "bitmask" => format!("{value:#x}"),
        Some(value) => word(value).map_or(value.to_string(), |item| item.name.clone()),
    }
}

fn possible(control: &Control) -> String {
    let values = match control.kind.as_str() {
        "boolean" => "true, false".to_owned(),
        "menu" => {
            let words: Vec<&str> = control.menu.iter().map(|item| item.name.as_str()).collect();
            words.join(", ")
        }
        "button" => "does something when it is set".to_owned(),
        _ if control.step > 1 => {
            format!("{} to {}, step {}", control.min, control.max, control.step)
        }
        _ => format!("{} to {}", control.min, control.max),
    };
    match (control.read_only, control.inactive) {
        (true, _) => format!("{values} (read only)"),
        (false, true) => format!("{values} (inactive)"),
        (false, false) => values,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use streamem_wire::message::MenuItem;

    fn control(kind: &str) -> Control {
        Control {
            name: "x".into(),
            title: "X".into(),
            kind: kind.into(),
            value: Some(1),
            min: 0,
            max: 10,
            step: 5,
            default: 0,
            menu: vec![MenuItem {
                value: 1,
                name: "50 Hz".into(),
            }],
            read_only: false,
            inactive: false,
        }
    }

    #[test]
    fn values_are_shown_as_they_can_be_written() {
        assert_eq!(value(&control("menu")), "50 Hz");
        assert_eq!(value(&control("boolean")), "true");
        assert_eq!(possible(&control("integer")), "0 to 10, step 5");
        let inactive = Control {
            inactive: true,
            ..control("boolean")
        };
        assert_eq!(possible(&inactive), "true, false (inactive)");
    }
}
