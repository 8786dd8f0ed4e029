//! A look as plain text.
//!
//! Owns its columns; never draws.

use super::look::{Consumer, Look, StreamLook};
use crate::output::{Align, Cell, Output, Table, Tint, units};
use std::io;
use streamem_wire::message::State;

pub fn write(look: &Look, output: &mut Output) -> io::Result<()> {
    output.line(&headline(look))?;
    output.line("")?;
    output.table(&table(look))
}

/// The broker in a line.
pub fn headline(look: &Look) -> String {
    format!(
        "streamemd {}, pid {}, running {}; {}, {} in pools",
        look.version,
        look.pid,
        units::span(look.running_ns),
        units::count(look.sessions as u64, "session"),
        units::size(look.committed_bytes)
    )
}

/// The columns of a look, here and on the screen.
pub const COLUMNS: [(&str, Align); 7] = [
    ("STREAM / CONSUMER", Align::Left),
    ("RATE", Align::Right),
    ("AGE", Align::Right),
    ("HELD", Align::Right),
    ("MISSED", Align::Right),
    ("BEHIND", Align::Right),
    ("WHAT", Align::Left),
];

/// The fields of a stream's line.
pub fn stream_fields(stream: &StreamLook) -> [String; 7] {
    let held: u32 = stream.consumers.iter().map(|consumer| consumer.held).sum();
    let state = match (&stream.state, &stream.why) {
        (State::Live, _) => format!(
            "{}, {}/{} slots",
            stream.summary, stream.slots, stream.slots_max
        ),
        (State::Lost, None) => "lost".to_owned(),
        (State::Lost, Some(why)) => format!("lost: {why}"),
    };
    [
        stream.name.to_string(),
        units::rate(stream.rate),
        "-".to_owned(),
        held.to_string(),
        stream.dropped.to_string(),
        "-".to_owned(),
        state,
    ]
}

/// The fields of a consumer's line.
pub fn consumer_fields(consumer: &Consumer) -> [String; 7] {
    let age = consumer.age_ns.map(units::milliseconds);
    [
        format!("  {} ({})", consumer.command, consumer.pid),
        units::rate(consumer.rate),
        age.unwrap_or_else(|| "-".to_owned()),
        format!("{}/{}", consumer.held, consumer.leases),
        consumer.missed.to_string(),
        consumer.behind.to_string(),
        format!(
            "{}{}",
            consumer.mode(),
            if consumer.waiting { ", waiting" } else { "" }
        ),
    ]
}

/// A consumer below this share of its stream's rate does not keep up.
const KEEPS_UP: f64 = 0.9;

/// What a stream's line deserves.
pub fn stream_tint(stream: &StreamLook) -> Tint {
    match stream.state {
        State::Live => Tint::Good,
        State::Lost => Tint::Bad,
    }
}

/// What a consumer's line deserves.
pub fn consumer_tint(stream: &StreamLook, consumer: &Consumer) -> Tint {
    let falls_behind = consumer.rate < stream.rate * KEEPS_UP;
    if consumer.missing_rate > 0.0 || falls_behind {
        Tint::Notable
    } else {
        Tint::Plain
    }
}

fn table(look: &Look) -> Table {
    let mut table = Table::new(&COLUMNS);
    for stream in &look.streams {
        let tint = stream_tint(stream);
        table.row(
            stream_fields(stream)
                .map(|text| Cell::tinted(text, tint))
                .into(),
        );
        for consumer in &stream.consumers {
            let tint = consumer_tint(stream, consumer);
            table.row(
                consumer_fields(consumer)
                    .map(|text| Cell::tinted(text, tint))
                    .into(),
            );
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::look::tests::inspection;
    use super::*;

    #[test]
    fn only_the_consumer_that_does_not_keep_up_stands_out() {
        let look = Look::between(&inspection(10), &inspection(11));
        let stream = &look.streams[0];
        let tints: Vec<Tint> = stream
            .consumers
            .iter()
            .map(|consumer| consumer_tint(stream, consumer))
            .collect();
        assert_eq!(tints, [Tint::Plain, Tint::Notable]);
    }

    #[test]
    fn one_session_is_no_plural() {
        let mut now = inspection(11);
        assert!(headline(&Look::between(&now, &now)).contains("; 2 sessions, "));
        now.sessions.truncate(1);
        assert!(headline(&Look::between(&now, &now)).contains("; 1 session, "));
    }

    #[test]
    fn one_look_has_a_line_for_each_stream_and_consumer() {
        let look = Look::between(&inspection(10), &inspection(11));
        let text = table(&look).render(false);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(
            lines[1].starts_with("randcam") && lines[1].contains("30.0/s"),
            "{text}"
        );
        assert!(
            lines[3].contains("slow (102)") && lines[3].contains("5.0/s"),
            "{text}"
        );
        assert!(
            lines[3].contains("275") && lines[3].contains("1/2"),
            "{text}"
        );
    }
}
