//! What a worker tells of its device, in the words readers are told it in.
//!
//! Owns the judgement whether readers can be given it.

use super::words::plain;
use rustix::fs::{SealFlags, fcntl_get_seals, fstat};
use std::os::fd::{AsFd, OwnedFd};
use streamem_orders::{Calibration, Figures};
use streamem_wire::message::{self, Network, Table};

/// More than any device's tables have.
const BYTES_MAX: u64 = 16 << 20;
const TABLES_MAX: usize = 16;
/// Who is given the tables must find them as they are.
const SEALS: SealFlags = SealFlags::SHRINK
    .union(SealFlags::GROW)
    .union(SealFlags::WRITE);

/// What is known of a camera, and the memory its tables are in.
#[derive(Debug)]
pub struct Known {
    /// The part that is short.
    pub calibration: message::Calibration,
    /// The rest.
    pub tables: Option<OwnedFd>,
}

pub(super) fn network(figures: Figures) -> Network {
    Network {
        device: figures.device.as_deref().map(plain),
        connected: figures.connected,
        reconnects: figures.reconnects,
        bits_per_second: figures.bits_per_second,
        packets: figures.packets,
        empty: figures.empty,
        damaged: figures.damaged,
        dropped: figures.dropped,
        jitter_ns: figures.jitter_ns,
        publish_ns: figures.publish_ns,
        decoder: figures.decoder.as_deref().map(plain),
        decode_ns: figures.decode_ns,
        copied: figures.copied,
        clock_error_ns: figures.clock_error_ns,
    }
}

pub(super) fn known(told: Calibration, memory: Option<OwnedFd>) -> Result<Known, String> {
    let bytes = match &memory {
        Some(memory) => sealed_bytes(memory)?,
        None => 0,
    };
    let lists = [
        told.intrinsics.as_ref().map(|it| &it[..]),
        told.extrinsics.as_ref().map(|it| &it[..]),
        told.distortion.as_ref().map(|it| &it[..]),
    ];
    let lists = lists.into_iter().flatten().flatten();
    let mut numbers = lists.chain(&told.scale).chain(&told.alias);
    if !numbers.all(|number| number.is_finite()) {
        return Err("tells of numbers that are none".to_owned());
    }
    let fits = |(_, offset, rows, columns): &(String, u64, u32, u32)| {
        let table = u64::from(*rows) * u64::from(*columns);
        let end = table.checked_mul(4).and_then(|it| it.checked_add(*offset));
        end.is_some_and(|end| end <= bytes) && offset % 4 == 0
    };
    if told.tables.len() > TABLES_MAX || !told.tables.iter().all(fits) {
        return Err("tells of tables that are not there".to_owned());
    }
    let tables = told.tables.into_iter();
    let tables = tables.map(|(name, offset, rows, columns)| Table {
        name: plain(&name),
        offset,
        rows,
        columns,
    });
    let calibration = message::Calibration {
        intrinsics: told.intrinsics,
        extrinsics: told.extrinsics,
        scale: told.scale,
        alias: told.alias,
        distortion: told.distortion,
        tables: tables.collect(),
    };
    Ok(Known {
        calibration,
        tables: memory,
    })
}

fn sealed_bytes(memory: &OwnedFd) -> Result<u64, String> {
    let seals = fcntl_get_seals(memory.as_fd()).unwrap_or(SealFlags::empty());
    if !seals.contains(SEALS) {
        return Err("sends a calibration that is not sealed".to_owned());
    }
    let stat = fstat(memory).map_err(|error| format!("sends a calibration: {error}"))?;
    let bytes = u64::try_from(stat.st_size).unwrap_or(0);
    if bytes > BYTES_MAX {
        return Err(format!("sends a calibration of {bytes} bytes"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{MemfdFlags, fcntl_add_seals, ftruncate, memfd_create};

    fn memory(bytes: u64, seals: SealFlags) -> OwnedFd {
        let memory = memfd_create("tables", MemfdFlags::ALLOW_SEALING).unwrap();
        ftruncate(&memory, bytes).unwrap();
        fcntl_add_seals(&memory, seals).unwrap();
        memory
    }

    fn told(tables: &[(u64, u32, u32)]) -> Calibration {
        let tables = tables.iter();
        let tables = tables.map(|(offset, rows, columns)| ("x".into(), *offset, *rows, *columns));
        Calibration {
            tables: tables.collect(),
            ..Calibration::default()
        }
    }

    #[test]
    fn tables_lie_in_memory_nobody_changes() {
        let good = known(told(&[(0, 2, 3), (24, 1, 2)]), Some(memory(32, SEALS))).unwrap();
        assert_eq!(good.calibration.tables[1].offset, 24);
        for (tables, memory) in [
            (&[(8, 2, 3)][..], Some(memory(31, SEALS))),
            (&[(1, 1, 1)], Some(memory(32, SEALS))),
            (&[(0, u32::MAX, u32::MAX)], Some(memory(32, SEALS))),
            (&[(u64::MAX - 3, 1, 1)], Some(memory(32, SEALS))),
            (&[(0, 1, 1)], None),
            (&[(0, 0, 0); 17], Some(memory(32, SEALS))),
            (&[], Some(memory(32, SealFlags::SHRINK))),
            (&[], Some(memory(BYTES_MAX + 4, SEALS))),
        ] {
            assert!(known(told(tables), memory).is_err(), "{tables:?}");
        }
        assert!(known(told(&[]), None).is_ok());
    }

    #[test]
    fn numbers_are_numbers() {
        for wrong in [f32::NAN, f32::INFINITY] {
            let distortion = Some([0.0, 0.0, wrong, 0.0, 0.0]);
            let bent = Calibration {
                distortion,
                ..told(&[])
            };
            let scaled = Calibration {
                scale: Some(wrong),
                ..told(&[])
            };
            assert!(known(bent, None).is_err() && known(scaled, None).is_err());
        }
    }
}
