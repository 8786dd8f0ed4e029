//! `streamem info`: everything about one stream.
//!
//! Owns the order in which it is told; JSON is the broker's own answer.

use super::Broker;
use super::device;
use super::list::{dimensions, nominal_rate, state};
use crate::failure::Failure;
use crate::output::{Align, Output, Table, units};
use streamem_wire::message::{Pool, Publication, Stream};
use streamem_wire::{Array, Layout, StreamName};

pub fn run(broker: &Broker<'_>, stream: &StreamName, output: &mut Output) -> Result<(), Failure> {
    let mut client = broker.connect()?;
    let stream = client.info(stream.as_str())?;
    if output.json() {
        return Ok(output.document(&stream)?);
    }
    let seen = client.inspect()?;
    let pool = seen.pools.iter().find(|pool| pool.stream == stream.name);
    let mut table = facts(&stream, pool);
    let publishers = seen.publications.iter();
    for publication in publishers.filter(|it| it.begun && it.stream == stream.name) {
        table.pair("publisher", publisher(publication));
    }
    // Who may see a stream but not read it is told nothing of its camera.
    if let Ok(Some(known)) = client.calibration(stream.name.as_str()) {
        device::add_calibration(&mut table, &known);
    }
    output.table(&table)?;
    if !stream.layout.planes.is_empty() {
        output.line("")?;
        output.table(&planes(&stream.layout))?;
    }
    Ok(())
}

fn facts(stream: &Stream, pool: Option<&Pool>) -> Table {
    let layout = &stream.layout;
    let counters = &stream.counters;
    let mut table = Table::pairs();
    table.pair("name", &stream.name);
    table.pair("source", &stream.source);
    table.pair("state", state(stream));
    if let Some(why) = &stream.why {
        table.pair("why", why);
    }
    table.pair("format", format!("{} ({})", layout.format, layout.fourcc));
    table.pair("size", dimensions(layout));
    table.pair("rate", nominal_rate(layout));
    if let Some(rate) = layout.sample_rate {
        table.pair("samples", format!("{rate}/s"));
    }
    if let Some(colour) = &layout.colour {
        table.pair(
            "colour",
            format!("{}, {} range", colour.space, colour.range),
        );
    }
    table.pair(
        "frame",
        format!("{} ({} bytes)", units::size(layout.bytes), layout.bytes),
    );
    table.pair("modifier", format!("{:#x}", layout.modifier));
    if let Some(array) = &layout.array {
        table.pair("array", describe(array));
    }
    table.pair("pool", format!("{}, {}", stream.pool, stream.protection));
    table.pair(
        "slots",
        format!(
            "{} of at most {}, {} each",
            stream.slots,
            stream.slots_max,
            units::size(stream.slot_bytes)
        ),
    );
    if let Some(pool) = pool {
        table.pair("slots for", sum(pool));
        table.pair(
            "memory",
            format!(
                "{} committed of {} reserved",
                units::size(pool.committed_bytes),
                units::size(pool.reserved_bytes)
            ),
        );
    }
    table.pair("generation", stream.generation);
    table.pair("copies", stream.copies);
    if let Some(filled) = &stream.filled {
        table.pair("filled by", filled);
    }
    if let Some(network) = &stream.network {
        device::add_network(&mut table, network);
    }
    table.pair("readers", stream.subscriptions);
    table.pair("newest", stream.newest);
    table.pair("published", counters.published);
    table.pair(
        "dropped",
        format!(
            "{} for want of a slot, {} by the source",
            counters.dropped_no_slot, counters.dropped_by_source
        ),
    );
    table.pair(
        "leases",
        format!(
            "{} found held at reuse, {} refused",
            units::count(counters.held_at_reuse, "slot"),
            units::count(counters.refused_leases, "lease")
        ),
    );
    table
}

fn publisher(it: &Publication) -> String {
    let mut said = format!(
        "pid {}, {} of {} in hand, {} taken, {} rejected",
        it.pid,
        it.in_hand,
        units::count(it.slots.into(), "slot"),
        units::count(it.taken - it.rejected.min(it.taken), "frame"),
        it.rejected
    );
    if let Some(why) = &it.last_rejection {
        said += &format!(" (the last because {why})");
    }
    if it.floods > 0 {
        said += &format!(", made to pause {}", units::count(it.floods, "time"));
    }
    said
}

fn sum(pool: &Pool) -> String {
    let terms = pool.sum.iter();
    let terms = terms.map(|term| format!("{} ({})", term.reason, term.slots));
    terms.collect::<Vec<_>>().join(" + ")
}

fn describe(array: &Array) -> String {
    let fields: Vec<String> = array
        .fields
        .iter()
        .map(|field| format!("{} {}", field.name, field.dtype))
        .collect();
    let element = if fields.is_empty() {
        array.dtype.clone()
    } else {
        format!("{{{}}}", fields.join(", "))
    };
    format!(
        "shape {:?}, strides {:?}, {element}",
        array.shape, array.strides
    )
}

fn planes(layout: &Layout) -> Table {
    let mut table = Table::new(&[
        ("PLANE", Align::Right),
        ("OFFSET", Align::Right),
        ("STRIDE", Align::Right),
        ("ROWS", Align::Right),
    ]);
    for (index, plane) in layout.planes.iter().enumerate() {
        let numbers = [plane.offset, plane.stride, plane.rows];
        let mut row = vec![index.into()];
        row.extend(numbers.map(Into::into));
        table.row(row);
    }
    table
}
