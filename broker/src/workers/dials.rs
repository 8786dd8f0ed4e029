//! Connections that are being made: one at a time for each port of a device, whichever of its processes asks.
//!
//! Owns who is told what came of one; never waits for any.

use super::dialling::{self, PATIENCE};
use crate::source::hl2ss::Host;
use crate::stream::Mailbox;
use std::collections::BTreeMap;
use std::time::Duration;

/// To all devices together; one has 22 ports.
const DIALS_MAX: usize = 256;
/// A thread that took longer than connecting may is still looking the name up, which nobody can end.
const OVERDUE: Duration = PATIENCE.saturating_add(Duration::from_secs(2));

#[derive(Debug)]
struct Dial {
    host: Host,
    port: u16,
    /// The process that waits for it; none where it was told already that this takes too long.
    waits: Option<u64>,
    since_ns: u64,
}

/// All of them, by their numbers.
#[derive(Debug)]
pub(super) struct Dials {
    by_number: BTreeMap<u64, Dial>,
    begun: u64,
    mailbox: Mailbox,
}

impl Dials {
    pub(super) fn new(mailbox: Mailbox) -> Dials {
        Dials {
            by_number: BTreeMap::new(),
            begun: 0,
            mailbox,
        }
    }

    /// Connects for this process. One that is on its way already is for it from now on.
    pub(super) fn begin(
        &mut self,
        host: Host,
        port: u16,
        process: u64,
        now_ns: u64,
    ) -> Result<(), String> {
        let mut there = self.by_number.values_mut();
        if let Some(dial) = there.find(|dial| dial.host == host && dial.port == port) {
            dial.waits = Some(process);
            dial.since_ns = now_ns;
            return Ok(());
        }
        if self.by_number.len() >= DIALS_MAX {
            return Err(format!(
                "{DIALS_MAX} connections are being made already; it is tried again"
            ));
        }
        self.begun += 1;
        dialling::begin(host.clone(), port, self.begun, self.mailbox.clone())?;
        let dial = Dial {
            host,
            port,
            waits: Some(process),
            since_ns: now_ns,
        };
        self.by_number.insert(self.begun, dial);
        Ok(())
    }

    /// One has come to its end. Returns the process that waits for it, and the port.
    pub(super) fn end(&mut self, dial: u64) -> Option<(u64, u16)> {
        let dial = self.by_number.remove(&dial)?;
        Some((dial.waits?, dial.port))
    }

    /// The processes that wait in vain, each with its port and what to tell it.
    pub(super) fn overdue(&mut self, now_ns: u64) -> Vec<(u64, u16, String)> {
        let late = self.by_number.values_mut().filter(|dial| {
            let taken = Duration::from_nanos(now_ns.saturating_sub(dial.since_ns));
            taken > OVERDUE
        });
        let told = late.filter_map(|dial| {
            let why = format!(
                "{} is not found, the name servers do not answer: is this machine on the network? An address as in \
                 192.168.1.80 needs none",
                dial.host
            );
            Some((dial.waits.take()?, dial.port, why))
        });
        told.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Reports;
    use std::net::TcpListener;

    #[test]
    fn a_port_is_connected_to_once_for_whoever_asked_last() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let reports = Reports::new().unwrap();
        let mut dials = Dials::new(reports.mailbox());
        let host = Host::new("127.0.0.1").unwrap();
        for process in [1, 2, 3] {
            dials.begin(host.clone(), port, process, 0).unwrap();
        }
        assert_eq!(dials.by_number.len(), 1);
        assert_eq!(dials.end(1), Some((3, port)));
        assert_eq!(dials.end(1), None);
    }

    #[test]
    fn who_waits_too_long_is_told_once() {
        let reports = Reports::new().unwrap();
        let mut dials = Dials::new(reports.mailbox());
        let host = Host::new("127.0.0.1").unwrap();
        dials.begin(host, 3810, 1, 0).unwrap();
        assert!(dials.overdue(5_000_000_000).is_empty());
        let [(1, 3810, why)] = &dials.overdue(8_000_000_000)[..] else {
            panic!("one waits");
        };
        assert!(why.contains("name servers"), "{why}");
        assert!(dials.overdue(9_000_000_000).is_empty());
        assert_eq!(dials.end(1), None);
    }
}
