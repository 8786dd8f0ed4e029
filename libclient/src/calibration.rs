//! What a device tells of a camera or a sensor.
//!
//! Owns reading its tables; never asks the broker by itself.

use crate::connection::Descriptors;
use crate::error::Error;
use rustix::io::pread;
use std::os::fd::OwnedFd;
use streamem_wire::message::{self, Calibrated};

/// A table of numbers, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// What it is of.
    pub name: String,
    /// How many rows it has.
    pub rows: u32,
    /// How many numbers each of them has.
    pub columns: u32,
    /// The numbers.
    pub values: Vec<f32>,
}

/// What is known of a camera or a sensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// The part that is short; where the tables lie is of no interest any more.
    pub short: message::Calibration,
    /// The tables.
    pub tables: Vec<Table>,
}

impl Calibration {
    pub(crate) fn of(
        told: Calibrated,
        mut descriptors: Descriptors,
    ) -> Result<Option<Calibration>, Error> {
        let Some(short) = told.calibration else {
            return Ok(None);
        };
        let memory = told.tables.and_then(|place| descriptors.take(place));
        let tables = short
            .tables
            .iter()
            .map(|table| read(table, memory.as_ref()));
        let tables = tables.collect::<Result<Vec<Table>, Error>>()?;
        Ok(Some(Calibration { short, tables }))
    }

    /// The table of this name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }
}

fn read(table: &message::Table, memory: Option<&OwnedFd>) -> Result<Table, Error> {
    let failed = |error| Error::system("reading a calibration", error);
    let memory = memory.ok_or_else(|| failed(rustix::io::Errno::BADF))?;
    let mut values = Vec::new();
    let count = u64::from(table.rows) * u64::from(table.columns);
    let (mut at, end) = (table.offset, table.offset.saturating_add(count * 4));
    let mut piece = [0; 1 << 16];
    while at < end {
        let wanted = usize::try_from(end - at).unwrap_or(piece.len());
        let wanted = wanted.min(piece.len());
        let got = pread(memory, &mut piece[..wanted], at).map_err(failed)?;
        let whole = got - got % 4;
        if whole == 0 {
            return Err(failed(rustix::io::Errno::NODATA));
        }
        let numbers = piece[..whole].chunks_exact(4);
        values.extend(numbers.map(|it| f32::from_le_bytes([it[0], it[1], it[2], it[3]])));
        at += whole as u64;
    }
    Ok(Table {
        name: table.name.clone(),
        rows: table.rows,
        columns: table.columns,
        values,
    })
}
