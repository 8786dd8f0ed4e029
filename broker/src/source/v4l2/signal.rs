//! The signal at an input that has timings, as HDMI has: a camera is set to what is there.
//!
//! Owns asking for it; never waits until there is one.

use super::camera::CameraError;
use streamem_v4l2::{Device, Error, Found, Input, Timings};

/// Sets the camera to the signal at its input; nothing where signals have no timings, or the driver cannot
/// find them out.
pub(super) fn take(device: &Device) -> Result<Option<Timings>, CameraError> {
    let Some(input) = chosen(device)?.filter(|input| input.has_timings) else {
        return Ok(None);
    };
    let what = match device.detect_timings() {
        Ok(Found::Signal(timings)) => {
            device.set_timings(&timings)?;
            return Ok(Some(timings));
        }
        Ok(Found::Nothing) => "there is no signal: is it connected and switched on?",
        Ok(Found::Unsteady) => {
            "there is a signal, and the device cannot follow it: try another cable"
        }
        Ok(Found::Beyond) => {
            "there is a signal the device cannot take: have what is connected give a smaller size or rate"
        }
        Err(Error::NotSupported { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Err(CameraError::Signal {
        place: device.path().to_owned(),
        input: input.name,
        what,
    })
}

/// The input it looks at, if it has any.
fn chosen(device: &Device) -> Result<Option<Input>, CameraError> {
    let index = match device.input() {
        Ok(index) => index,
        Err(error) if error.is_gone() => return Err(error.into()),
        Err(_) => return Ok(None),
    };
    let inputs = device.inputs()?;
    Ok(inputs.into_iter().find(|input| input.index == index))
}
