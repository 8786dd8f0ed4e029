//! `streamem list`: what there is.
//!
//! Owns the choice of columns; never hides a stream the broker names.

use super::Broker;
use crate::failure::Failure;
use crate::output::{Align, Cell, Output, Table, Tint, units};
use streamem_wire::message::{Change, Listing, State, Stream};
use streamem_wire::{Kind, Layout};

pub fn run(broker: &Broker<'_>, output: &mut Output) -> Result<(), Failure> {
    let streams = broker.connect()?.list()?;
    if output.json() {
        let change = Change::Present;
        return Ok(output.document(&Listing { change, streams })?);
    }
    if streams.is_empty() {
        output.line("no streams; add one: streamem add bars pattern://bars")?;
        return Ok(());
    }
    Ok(output.table(&table(&streams))?)
}

fn table(streams: &[Stream]) -> Table {
    let mut table = Table::new(&[
        ("NAME", Align::Left),
        ("STATE", Align::Left),
        ("FORMAT", Align::Left),
        ("SIZE", Align::Left),
        ("RATE", Align::Right),
        ("FRAME", Align::Right),
        ("NEWEST", Align::Right),
        ("READERS", Align::Right),
        ("SOURCE", Align::Left),
    ]);
    for stream in streams {
        table.row(vec![
            (&stream.name).into(),
            state(stream),
            stream.layout.format.into(),
            dimensions(&stream.layout).into(),
            nominal_rate(&stream.layout).into(),
            units::size(stream.layout.bytes).into(),
            stream.newest.into(),
            stream.subscriptions.into(),
            (&stream.source).into(),
        ]);
    }
    table
}

/// The state of a stream in its colour.
pub fn state(stream: &Stream) -> Cell {
    match stream.state {
        State::Live => Cell::tinted("live", Tint::Good),
        State::Lost => Cell::tinted("lost", Tint::Bad),
    }
}

/// What a frame has instead of, or as, width and height.
pub fn dimensions(layout: &Layout) -> String {
    let lengths = layout.array.as_ref().map(|array| &array.shape);
    let shape = || lengths.map(|all| all.iter().map(u64::to_string).collect::<Vec<_>>().join("x"));
    match layout.kind {
        Kind::Video | Kind::Packet => format!("{}x{}", layout.width, layout.height),
        Kind::Audio => shape().unwrap_or_default(),
        Kind::Batch => format!("{} records", shape().unwrap_or_default()),
    }
}

/// The rate a stream says it has.
pub fn nominal_rate(layout: &Layout) -> String {
    match layout.rate {
        0.0 => "-".to_owned(),
        rate => units::rate(rate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use streamem_wire::Format;

    #[test]
    fn each_kind_says_its_size_its_own_way() {
        let picture = Layout::video(Format::Nv12, 1280, 720, 30.0).unwrap();
        let sound = Layout::audio(Format::F32, 2, 1024, 48_000).unwrap();
        let batch = Layout::batch(&[("t", "<u8")], 16, 0.0).unwrap();
        assert_eq!(dimensions(&picture), "1280x720");
        assert_eq!(dimensions(&sound), "2x1024");
        assert_eq!(dimensions(&batch), "16 records");
        assert_eq!(nominal_rate(&sound), "46.9/s");
        assert_eq!(nominal_rate(&batch), "-");
    }
}
