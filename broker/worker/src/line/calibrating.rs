//! The calibration of a camera, asked for once.
//!
//! Owns the connection for it and what is told of it; never changes a number.

use super::{Line, LineError, Ring};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;
use streamem_hl2ss::calibration::{self, Camera};
use streamem_hl2ss::{Answer, Stream};
use streamem_orders::{Calibration, Notice};

/// The device works it out pixel by pixel, and the largest has five megabytes.
const CALIBRATION_MAX: Duration = Duration::from_secs(30);

impl Line {
    /// Asks for the calibration where it is wished for and not there yet. Frames come without it as well.
    pub(super) fn calibrate(&mut self, ring: &mut Ring) {
        let is_wanted = self.outputs.iter().any(|output| output.wish.calibration);
        if self.is_calibrated || !is_wanted {
            return;
        }
        match self.fetch(ring) {
            Ok(None) => self.is_calibrated = true,
            Ok(Some((calibration, bytes))) => {
                self.is_calibrated = true;
                match sealed(&bytes) {
                    Ok(file) => self.calibration = Some((calibration, file)),
                    Err(why) => {
                        let what = format!("no memory for a calibration: {why}");
                        self.teller.trouble(None, what);
                    }
                }
                self.tell_calibration();
            }
            Err(why) => {
                let stream = self.outputs.first().map(|output| &output.stream);
                self.teller
                    .trouble(stream, format!("there is no calibration: {why}"));
            }
        }
    }

    fn fetch(&mut self, ring: &mut Ring) -> Result<Option<(Calibration, Vec<u8>)>, LineError> {
        let Some(request) = self.ask.calibration() else {
            return Ok(None);
        };
        let Answer::Calibration(length) = request.answer() else {
            return Ok(None);
        };
        let mut link = self.link(ring)?;
        link.limit(Some(CALIBRATION_MAX));
        link.send(request.bytes())?;
        let mut bytes = vec![0; length];
        link.receive(&mut bytes, &mut |_: Duration| true)?;
        let calibration = read(self.ask.stream(), &bytes)?.map(finite);
        Ok(calibration.map(|calibration| (calibration, bytes)))
    }

    /// Tells those streams of it that want it and were not told yet.
    pub(super) fn tell_calibration(&mut self) {
        let Some((calibration, file)) = &self.calibration else {
            return;
        };
        for output in &mut self.outputs {
            if output.wish.calibration && !std::mem::replace(&mut output.is_calibrated, true) {
                let notice = Notice::Calibration {
                    stream: output.stream.clone(),
                    calibration: Box::new(calibration.clone()),
                };
                self.teller.hand(&notice, Some(file.as_fd()));
            }
        }
    }
}

/// Without what is no number, which nobody could use and no message can carry.
fn finite(told: Calibration) -> Calibration {
    fn all<const N: usize>(numbers: &[f32; N]) -> bool {
        numbers.iter().all(|number| number.is_finite())
    }
    Calibration {
        intrinsics: told.intrinsics.filter(all),
        extrinsics: told.extrinsics.filter(all),
        scale: told.scale.filter(|number| number.is_finite()),
        alias: told.alias.filter(|number| number.is_finite()),
        distortion: told.distortion.filter(all),
        tables: told.tables,
    }
}

fn sealed(bytes: &[u8]) -> std::io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = File::from(memfd_create("streamem-calibration", flags)?);
    file.write_all(bytes)?;
    let all = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
    fcntl_add_seals(&file, all)?;
    Ok(file.into())
}

fn read(stream: Stream, bytes: &[u8]) -> Result<Option<Calibration>, LineError> {
    let camera = match stream {
        Stream::Grey(_) => Camera::grey(bytes)?,
        Stream::Ahat => Camera::ahat(bytes)?,
        Stream::LongThrow => Camera::long_throw(bytes)?,
        Stream::Imu(_) => {
            return Ok(Some(Calibration {
                extrinsics: Some(calibration::imu(bytes)?),
                ..Calibration::default()
            }));
        }
        Stream::Video => {
            let video = calibration::Video::of(bytes)?;
            let ([fx, fy], [cx, cy]) = (video.focal_length, video.principal_point);
            let ([k1, k2, k3], [p1, p2]) = (video.radial, video.tangential);
            return Ok(Some(Calibration {
                intrinsics: Some([fx, fy, cx, cy]),
                extrinsics: Some(video.extrinsics),
                distortion: Some([k1, k2, k3, p1, p2]),
                ..Calibration::default()
            }));
        }
        _ => return Ok(None),
    };
    let side = |side: usize| u32::try_from(side).unwrap_or(0);
    let (rows, columns) = (side(camera.height), side(camera.width));
    let table = u64::from(rows) * u64::from(columns) * 4;
    let between = bytes.len() as u64 - 4 * table - 16;
    let tables = [
        ("unit_x", 0),
        ("unit_y", table),
        ("map_x", 2 * table + between),
        ("map_y", 3 * table + between),
    ];
    Ok(Some(Calibration {
        intrinsics: Some(camera.intrinsics),
        extrinsics: Some(camera.extrinsics),
        scale: camera.scale,
        alias: camera.alias,
        distortion: None,
        tables: tables
            .map(|(name, at)| (name.to_owned(), at, rows, columns))
            .to_vec(),
    }))
}
