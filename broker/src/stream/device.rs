//! What is told of the device a stream comes from.
//!
//! Owns the newest of it; never judges it.

use super::Stream;
use crate::source::SourceUri;
use std::os::fd::OwnedFd;
use streamem_wire::message::{Calibration, Network};

/// What there is.
#[derive(Debug, Default)]
pub(super) struct FromDevice {
    pub network: Option<Network>,
    pub calibration: Option<(Calibration, Option<OwnedFd>)>,
}

impl Stream {
    /// How its stream does on the way from the device.
    pub fn put_network(&mut self, network: Network) {
        self.device.network = Some(network);
    }

    /// Nobody receives it any more, so nobody knows.
    pub fn forget_network(&mut self) {
        self.device.network = None;
    }

    /// What is known of its camera, and the memory with the tables.
    pub fn put_calibration(&mut self, calibration: Calibration, tables: Option<OwnedFd>) {
        self.device.calibration = Some((calibration, tables));
    }

    /// The same, to be told.
    #[must_use]
    pub fn calibration(&self) -> Option<&(Calibration, Option<OwnedFd>)> {
        self.device.calibration.as_ref()
    }

    /// It comes from elsewhere now, of which nothing is known yet.
    pub fn come_from(&mut self, source: SourceUri) {
        self.config.source = source;
        self.device = FromDevice::default();
    }
}
