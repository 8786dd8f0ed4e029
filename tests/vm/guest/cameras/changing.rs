//! Controls, and being told of changes.
//!
//! Owns what is set and what comes of it.

use crate::vivid::{SINGLE, control, fresh, hdmi, open};
use streamem_v4l2::{Device, Error, Event, Kind};

#[test]
fn controls_have_kinds_and_limits() {
    let camera = fresh(SINGLE);
    let brightness = control(&camera, "brightness");
    assert_eq!(brightness.kind, Kind::Integer);
    assert_eq!(brightness.title, "Brightness");
    assert!(brightness.min < brightness.max && brightness.step == 1);
    assert!((brightness.min..=brightness.max).contains(&brightness.default));
    assert!(!brightness.read_only && !brightness.write_only);
    for (name, kind) in [
        ("horizontal_flip", Kind::Boolean),
        ("integer_64_bits", Kind::Integer64),
        ("bitmask", Kind::Bitmask),
        ("button", Kind::Button),
        ("string", Kind::String),
    ] {
        assert_eq!(control(&camera, name).kind, kind, "{name}");
    }
    let Kind::Menu(patterns) = control(&camera, "test_pattern").kind else {
        panic!("it has patterns to choose from");
    };
    assert!(patterns.len() > 5 && patterns[0].0 == 0, "{patterns:?}");
    assert!(patterns.iter().all(|(_, name)| !name.is_empty()));
    let Kind::IntegerMenu(numbers) = control(&camera, "integer_menu").kind else {
        panic!("it has numbers to choose from");
    };
    assert!(
        numbers.windows(2).all(|two| two[0].1 != two[1].1),
        "{numbers:?}"
    );
    assert!(control(&camera, "button").write_only);
}

#[test]
fn a_control_is_what_it_was_set_to() {
    let camera = fresh(SINGLE);
    for (name, value) in [
        ("brightness", 17),
        ("horizontal_flip", 1),
        ("test_pattern", 3),
        ("integer_64_bits", 1 << 40),
        ("bitmask", 0x8000_2000),
    ] {
        let found = control(&camera, name);
        let before = camera.control(found.id).expect("it can be read");
        assert_eq!(before, found.default, "{name}");
        for value in [value, found.max, found.min, value] {
            let value = if found.kind == Kind::Bitmask {
                value & found.max
            } else {
                value
            };
            let set = camera.set_control(found.id, value);
            assert_eq!(set.expect("it can be set"), value, "{name}");
            let read = camera.control(found.id).expect("it can be read");
            assert_eq!(read, value, "{name}");
        }
    }
}

#[test]
fn values_beyond_the_limits_do_not_arrive() {
    let camera = fresh(SINGLE);
    let brightness = control(&camera, "brightness");
    let set = camera.set_control(brightness.id, brightness.max + 1000);
    assert_eq!(set.expect("it takes the nearest"), brightness.max);
    let set = camera.set_control(brightness.id, i64::MAX);
    assert!(matches!(set, Err(Error::Refused { .. })), "{set:?}");
    assert_eq!(
        camera.control(brightness.id).expect("it can be read"),
        brightness.max
    );
    let menu = control(&camera, "test_pattern");
    let set = camera.set_control(menu.id, menu.max + 1);
    assert!(matches!(set, Err(Error::Refused { .. })), "{set:?}");
}

#[test]
fn what_is_no_number_is_left_alone() {
    let camera = fresh(SINGLE);
    let lacks = |result: Result<i64, Error>| matches!(result, Err(Error::NotSupported { .. }));
    let text = control(&camera, "string").id;
    assert!(lacks(camera.control(text)));
    assert!(lacks(camera.set_control(text, 1)));
    let nothing = 0x0098_7654;
    assert!(lacks(camera.control(nothing)));
    assert!(lacks(camera.set_control(nothing, 1)));
    let button = control(&camera, "button").id;
    assert!(lacks(camera.control(button)));
    camera.set_control(button, 0).expect("it can be pressed");
}

fn events(camera: &Device) -> Vec<Event> {
    let next = || camera.next_event().expect("the camera is there");
    std::iter::from_fn(next).collect()
}

#[test]
fn a_change_made_elsewhere_is_told() {
    let camera = fresh(SINGLE);
    let other = open(SINGLE);
    let brightness = control(&camera, "brightness").id;
    let told = Event::Control(brightness);
    camera.subscribe(told).expect("it can tell");
    assert_eq!(events(&camera), []);
    other.set_control(brightness, 3).expect("it can be set");
    assert_eq!(events(&camera), [told]);
    let contrast = control(&camera, "contrast").id;
    other.set_control(contrast, 3).expect("it can be set");
    camera.set_control(brightness, 4).expect("it can be set");
    assert_eq!(events(&camera), [], "not asked for, or one's own");
    camera.unsubscribe(told).expect("it can be left");
    other.set_control(brightness, 5).expect("it can be set");
    assert_eq!(events(&camera), []);
    let nothing = camera.subscribe(Event::Control(0x0098_7654));
    assert!(
        matches!(nothing, Err(Error::NotSupported { .. })),
        "{nothing:?}"
    );
}

#[test]
fn another_signal_is_told() {
    let camera = fresh(SINGLE);
    let chosen = camera.set_input(hdmi(&camera));
    chosen.expect("it has this input");
    camera.subscribe(Event::SourceChange).expect("it can tell");
    assert_eq!(events(&camera), []);
    let mode = control(&camera, "dv_timings_signal_mode");
    camera.set_control(mode.id, 1).expect("it can be set");
    assert!(events(&camera).contains(&Event::SourceChange));
}
