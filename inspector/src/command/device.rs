//! What `streamem info` tells of the device a stream comes from.
//!
//! Owns the words; never asks the broker.

use crate::output::{Table, units};
use streamem::Calibration;
use streamem_wire::message::Network;

/// How it does on its way from a device.
pub fn add_network(table: &mut Table, it: &Network) {
    let state = if it.connected {
        "connected"
    } else {
        "not connected"
    };
    let version = it.device.as_deref().map(|it| format!(", version {it}"));
    table.pair(
        "device",
        format!(
            "{state}{}, {}",
            version.unwrap_or_default(),
            units::count(it.reconnects, "reconnect")
        ),
    );
    let clock = it
        .clock_error_ns
        .map(|error| format!(", clock known to {}", units::milliseconds(error)));
    table.pair(
        "network",
        format!(
            "{}, jitter {}{}",
            units::bit_rate(it.bits_per_second),
            units::milliseconds(it.jitter_ns),
            clock.unwrap_or_default()
        ),
    );
    table.pair(
        "packets",
        format!(
            "{}, {} empty, {} damaged, {} dropped, {} copied",
            it.packets, it.empty, it.damaged, it.dropped, it.copied
        ),
    );
    table.pair(
        "times",
        format!(
            "decoded in {} by {}, published after {}",
            units::milliseconds(it.decode_ns),
            it.decoder.as_deref().unwrap_or("nobody"),
            units::milliseconds(it.publish_ns)
        ),
    );
}

/// What is known of its camera, without the tables' numbers.
pub fn add_calibration(table: &mut Table, known: &Calibration) {
    let short = &known.short;
    let numbers = |numbers: &[f32]| {
        let numbers = numbers.iter().map(|number| format!("{number}"));
        numbers.collect::<Vec<_>>().join(" ")
    };
    if let Some(intrinsics) = &short.intrinsics {
        table.pair("intrinsics", numbers(intrinsics));
    }
    if let Some(extrinsics) = &short.extrinsics {
        table.pair("extrinsics", numbers(extrinsics));
    }
    if let Some(distortion) = &short.distortion {
        table.pair("distortion", numbers(distortion));
    }
    if let Some(scale) = short.scale {
        table.pair("scale", format!("{scale} to the metre"));
    }
    let tables = known.tables.iter();
    let tables = tables.map(|it| format!("{} {}x{}", it.name, it.rows, it.columns));
    let tables: Vec<String> = tables.collect();
    if !tables.is_empty() {
        table.pair("tables", tables.join(", "));
    }
}
