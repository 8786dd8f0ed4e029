//! Packets of one connection, each received to where it is wanted.
//!
//! Owns the order of header, payload and pose; never looks into a payload.

use super::link::{Link, LinkError, Patience};
use super::{Line, LineError};
use crate::fill::{Fill, FillError, Taken};
use crate::output::Output;
use std::time::Duration;
use streamem_hl2ss::{Event, Header, Packets, Pose, Request, Ticks, Wants};
use streamem_sys::clock::monotonic_ns;

/// A stream that gives nothing for so long is said to be lost; the connection may still be good.
const SILENT: Duration = Duration::from_secs(2);

/// No packet is so long on its way: the device was started again, and its clock is not known yet.
const ELSEWHEN_NS: u64 = 10_000_000_000;

/// A packet that takes longer is none: streams are to be what is now.
const PACKET_MAX: Duration = Duration::from_secs(15);

/// Reads the packets of one connection.
#[derive(Debug)]
pub(super) struct Reading {
    packets: Packets,
    header: Header,
}

/// What is done while nothing comes.
struct Waiting<'a>(&'a mut Line);

impl Patience for Waiting<'_> {
    fn goes_on(&mut self, silent: Duration) -> bool {
        let line = &mut *self.0;
        if silent >= SILENT {
            line.lose(
                "the device is connected and sends nothing: it serves one program at a time on each port, and \
                 nothing while it sleeps; end the other, or wake it",
            );
        }
        line.mention();
        line.take_changes(Duration::ZERO)
    }
}

impl Reading {
    /// Of what answers this request.
    pub(super) fn of(request: &Request) -> Option<Reading> {
        let header = Header {
            ticks: Ticks(0),
            payload_bytes: 0,
        };
        let packets = Packets::of(request)?;
        Some(Reading { packets, header })
    }

    /// Reads one packet, and has frames made of it.
    pub(super) fn packet(
        &mut self,
        link: &mut Link<'_>,
        line: &mut Line,
        fill: &mut dyn Fill,
    ) -> Result<(), LineError> {
        if !line.take_changes(Duration::ZERO) {
            return Err(LinkError::Stopped.into());
        }
        let mut pose = None;
        // Between two packets changes are taken in; in the middle of one the memory of streams is in use.
        let mut is_between = true;
        let mut few = [0; if Pose::BYTES > Header::BYTES {
            Pose::BYTES
        } else {
            Header::BYTES
        }];
        loop {
            let event = match self.packets.wants() {
                Wants::Bytes(count) => {
                    let piece = few.get_mut(..count).unwrap_or_default();
                    if is_between {
                        link.receive(piece, &mut Waiting(line))?;
                    } else {
                        link.receive(piece, &mut |_: Duration| true)?;
                    }
                    self.packets.feed(&mut &*piece)?
                }
                Wants::Payload { at, bytes } => {
                    self.payload(link, line, fill, at, bytes)?;
                    continue;
                }
                Wants::End => self.packets.feed(&mut &[][..])?,
            };
            match event {
                Some(Event::Header(header)) => {
                    is_between = false;
                    link.limit(Some(PACKET_MAX));
                    line.outputs.iter_mut().for_each(Output::prepare);
                    self.header = header;
                    fill.begin(bytes_of(header), &mut line.outputs);
                }
                Some(Event::End(located)) => {
                    pose = located.or(pose);
                    link.limit(None);
                    break;
                }
                Some(Event::Payload { .. }) | None => {}
            }
        }
        self.fill(line, fill, pose)
    }

    fn payload(
        &mut self,
        link: &mut Link<'_>,
        line: &mut Line,
        fill: &mut dyn Fill,
        at: u32,
        bytes: u32,
    ) -> Result<(), LineError> {
        let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let place = fill.place(number(at), &mut line.outputs);
        let count = place.len().min(number(bytes));
        let place = place.get_mut(..count).unwrap_or_default();
        if place.is_empty() {
            let lost = "the broker has taken back the memory of the stream".to_owned();
            return Err(FillError::Unfit(lost).into());
        }
        link.receive(place, &mut |_: Duration| true)?;
        let placed = u32::try_from(count).unwrap_or(u32::MAX);
        // It was no more than is missing.
        let _placed = self.packets.placed(placed);
        Ok(())
    }

    fn fill(
        &mut self,
        line: &mut Line,
        fill: &mut dyn Fill,
        pose: Option<Pose>,
    ) -> Result<(), LineError> {
        let arrived_ns = monotonic_ns();
        let ticks = self.header.ticks;
        let device_ns = u64::try_from(ticks.ns()).unwrap_or(u64::MAX);
        line.meter
            .packet(bytes_of(self.header), device_ns, arrived_ns);
        line.number += 1;
        let estimate = line.remote.time.here(ticks);
        let estimate = estimate.filter(|here| here.ns.abs_diff(arrived_ns) < ELSEWHEN_NS);
        let taken = Taken {
            ticks,
            captured_ns: estimate.map_or(arrived_ns, |here| here.ns.min(arrived_ns)),
            pose,
            number: line.number,
        };
        line.clock_error_ns = estimate.map(|here| here.error_ns);
        line.is_up = true;
        line.pulse.begin();
        let filled = fill.end(taken, &mut line.outputs, &mut line.meter);
        line.pulse.end();
        line.meter
            .published(monotonic_ns().saturating_sub(arrived_ns));
        match filled {
            Ok(()) => {}
            Err(why @ FillError::Unfit(_)) => return Err(why.into()),
            Err(why) => {
                line.meter.damaged();
                let number = line.number;
                let outputs = line.outputs.iter_mut();
                outputs.for_each(|output| output.miss_packet(number));
                line.complain(&why.to_string());
            }
        }
        line.look_for_frames();
        line.mention();
        Ok(())
    }
}

fn bytes_of(header: Header) -> usize {
    usize::try_from(header.payload_bytes).unwrap_or(usize::MAX)
}
