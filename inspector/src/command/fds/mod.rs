//! `streamem fds`: every descriptor of pools, rings, leases and eventfds, and whether it is what it
//! is said to be.
//!
//! Owns the table; what the kernel says is read in `process`, and compared in `verify`.

mod process;
mod verify;

use super::Broker;
use crate::cli::Fds;
use crate::failure::Failure;
use crate::output::{Align, Cell, Output, Table, Tint, units};
use process::Processes;
use rustix::process::getuid;
use serde::Serialize;
use std::env;
use std::time::Duration;
use streamem_wire::message::{Descriptor, Inspection};
use verify::{Verdict, holder, own};

/// Before a mismatch is believed it is looked at again: clients come and go while we look.
const SECOND_LOOK: Duration = Duration::from_millis(100);

#[derive(Debug, Serialize)]
struct Checked {
    #[serde(flatten)]
    descriptor: Descriptor,
    /// How the broker has it open, if that may be seen.
    mode: Option<&'static str>,
    broker: Verdict,
    holders: Vec<CheckedHolder>,
}

#[derive(Debug, Serialize)]
struct CheckedHolder {
    session: u64,
    pid: u32,
    command: String,
    access: String,
    #[serde(flatten)]
    verdict: Verdict,
}

#[derive(Debug, Serialize)]
struct Report {
    broker_pid: u32,
    descriptors: Vec<Checked>,
    mismatches: usize,
}

pub fn run(broker: &Broker<'_>, asked: &Fds, output: &mut Output) -> Result<(), Failure> {
    let mut client = broker.connect().map_err(|failure| {
        let is_named = broker.socket.is_some()
            || env::var_os("STREAMEM_SOCKET").is_some_and(|it| !it.is_empty());
        match is_named || !getuid().is_root() {
            true => failure,
            false => root_must_name_it(failure),
        }
    })?;
    if let Some(stream) = &asked.stream {
        client.info(stream.as_str())?;
    }
    let mut report = checked(&client.inspect()?, asked);
    if report.mismatches > 0 {
        std::thread::sleep(SECOND_LOOK);
        report = checked(&client.inspect()?, asked);
    }
    if output.json() {
        output.document(&report)?;
    } else {
        output.table(&table(&report))?;
    }
    match report.mismatches {
        0 => Ok(()),
        count => Err(Failure::Wrong(format!(
            "not as the broker says: {}; see the lines with MISMATCH, and report this with the output of 'streamem fds --json'",
            units::count(count as u64, "descriptor")
        ))),
    }
}

/// A user's broker has its socket where only that user's programs look for it.
fn root_must_name_it(failure: Failure) -> Failure {
    match failure {
        Failure::Client(error @ streamem::Error::NoBroker { .. }) => Failure::Wrong(format!(
            "{error}; a user's broker is found with --socket /run/user/UID/streamem.sock"
        )),
        failure => failure,
    }
}

fn checked(inspection: &Inspection, asked: &Fds) -> Report {
    let mut processes = Processes::default();
    let broker_pid = inspection.broker.pid;
    let wanted = |it: &&Descriptor| asked.stream.as_ref().is_none_or(|name| *name == it.stream);
    let descriptors: Vec<Checked> = inspection
        .descriptors
        .iter()
        .filter(wanted)
        .map(|it| {
            let (broker, seen) = own(it, processes.get(broker_pid));
            let holders = it.handed_to.iter().map(|handed| {
                let session = inspection
                    .sessions
                    .iter()
                    .find(|s| s.session == handed.session);
                CheckedHolder {
                    session: handed.session.0,
                    pid: handed.pid,
                    command: session.map_or_else(String::new, |s| s.command.clone()),
                    access: handed.access.clone(),
                    verdict: holder(it, handed, seen.as_ref(), processes.get(handed.pid)),
                }
            });
            Checked {
                holders: holders.collect(),
                descriptor: it.clone(),
                mode: seen.and_then(|seen| seen.mode),
                broker,
            }
        })
        .collect();
    let verdicts = descriptors
        .iter()
        .flat_map(|it| it.holders.iter().map(|h| &h.verdict).chain([&it.broker]));
    Report {
        broker_pid,
        mismatches: verdicts.filter(|verdict| verdict.is_mismatch()).count(),
        descriptors,
    }
}

fn table(report: &Report) -> Table {
    let mut table = Table::new(&[
        ("STREAM", Align::Left),
        ("ROLE", Align::Left),
        ("KIND", Align::Left),
        ("FD", Align::Right),
        ("SIZE", Align::Right),
        ("INODE", Align::Right),
        ("MODE", Align::Left),
        ("SEALS", Align::Left),
        ("EXPORTER", Align::Left),
        ("WHERE", Align::Left),
        ("VERDICT", Align::Left),
    ]);
    for checked in &report.descriptors {
        let it = &checked.descriptor;
        let role = match it.subscription {
            Some(id) => format!("{} of {id}", it.role),
            None => it.role.clone(),
        };
        let seals = if it.seals.is_empty() {
            "-".to_owned()
        } else {
            it.seals.join(",")
        };
        table.row(vec![
            (&it.stream).into(),
            role.into(),
            (&it.kind).into(),
            it.number.into(),
            units::size(it.bytes).into(),
            it.inode.into(),
            checked.mode.unwrap_or("-").into(),
            seals.into(),
            (&it.exporter).into(),
            format!("broker ({})", report.broker_pid).into(),
            cell(&checked.broker),
        ]);
        for handed in &checked.holders {
            let to = format!("{} ({}), {}", handed.command, handed.pid, handed.access);
            let mut row: Vec<Cell> = (0..9).map(|_| "".into()).collect();
            row.extend([to.into(), cell(&handed.verdict)]);
            table.row(row);
        }
    }
    table
}

fn cell(verdict: &Verdict) -> Cell {
    let tint = match verdict {
        Verdict::Verified { .. } => Tint::Good,
        Verdict::Mismatch { .. } => Tint::Bad,
        Verdict::NotPermitted | Verdict::Closed | Verdict::Gone => Tint::Plain,
    };
    Cell::tinted(verdict, tint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn root_is_told_where_a_users_broker_is() {
        let cause = io::ErrorKind::NotFound.into();
        let socket = "/run/streamem/streamem.sock".into();
        let absent = streamem::Error::NoBroker { socket, cause };
        let said = root_must_name_it(absent.into()).to_string();
        assert!(said.contains("no broker at /run/streamem"), "{said}");
        assert!(
            said.ends_with("--socket /run/user/UID/streamem.sock"),
            "{said}"
        );
        let other = root_must_name_it(Failure::Ended("cam".to_owned()));
        assert!(matches!(other, Failure::Ended(_)));
    }
}
