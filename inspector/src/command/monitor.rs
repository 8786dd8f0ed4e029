//! `streamem monitor`: what happens, as it happens.
//!
//! Owns the line of an event; never waits for anything but the next one.

use super::Broker;
use crate::cli::Monitor;
use crate::failure::Failure;
use crate::output::{Output, Tint, units};
use std::time::Duration;
use streamem_sys::clock::monotonic_ns;
use streamem_wire::message::Event;

pub fn run(broker: &Broker<'_>, asked: &Monitor, output: &mut Output) -> Result<(), Failure> {
    let mut events = broker.connect()?.monitor()?;
    let most = usize::try_from(asked.count.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    for event in events.by_ref().take(most) {
        let event = event?;
        if output.json() {
            output.json_line(&event)?;
            continue;
        }
        let ago = Duration::from_nanos(monotonic_ns().saturating_sub(event.at_ns));
        output.tinted_line(&text(&event, &units::clock_time(ago)), tint(&event))?;
    }
    if asked.count.is_none() {
        return Err(Failure::Wrong(
            "the broker ended the events; it was stopped, or closed this session and says why in its log".to_owned(),
        ));
    }
    Ok(())
}

fn tint(event: &Event) -> Tint {
    match event.event.as_str() {
        "stream-lost" => Tint::Bad,
        "stream-added" | "stream-live" => Tint::Good,
        "stream-removed" | "stream-renewed" | "reloaded" => Tint::Notable,
        _ => Tint::Plain,
    }
}

fn text(event: &Event, time: &str) -> String {
    let mut text = format!("{time}  {:<15}", event.event);
    if let Some(stream) = &event.stream {
        text.push_str(&format!("  {stream}"));
    }
    let numbers = [
        ("session", event.session.map(|id| id.0)),
        ("subscription", event.subscription.map(|id| id.0)),
        ("pid", event.pid.map(u64::from)),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            text.push_str(&format!("  {name} {number}"));
        }
    }
    if let Some(message) = &event.message {
        text.push_str(&format!("  {message}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use streamem_wire::{SessionId, StreamName};

    #[test]
    fn a_line_says_only_what_the_event_does() {
        let mut event = Event {
            at_ns: 1,
            event: "stream-lost".to_owned(),
            stream: Some(StreamName::new("cam").unwrap()),
            session: None,
            subscription: None,
            pid: None,
            message: Some("unplugged".to_owned()),
        };
        assert_eq!(text(&event, "T"), "T  stream-lost      cam  unplugged");
        event.stream = None;
        event.message = None;
        event.session = Some(SessionId(4));
        event.pid = Some(77);
        assert_eq!(text(&event, "T"), "T  stream-lost      session 4  pid 77");
    }
}
