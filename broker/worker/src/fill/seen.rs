//! What a camera says of a picture, behind it.
//!
//! Owns what of it becomes side-data; never looks at the picture.

use super::{FillError, paint};
use streamem::{Optics, SideData};
use streamem_hl2ss::payload::{Focus, Grey, Video};
use streamem_hl2ss::{Ticks, WrongSize};

/// By a grey camera.
pub(super) fn grey(payload: &[u8]) -> Result<Vec<SideData>, FillError> {
    let grey = Grey::of(payload)?;
    #[allow(clippy::cast_precision_loss, reason = "gains are small")]
    let gain = grey.gain as f32;
    let exposure_ns = grey.exposure_ns;
    Ok(vec![SideData::Exposure { exposure_ns, gain }])
}

/// By another one, if its picture is of this size.
pub(super) fn colours(
    payload: &[u8],
    [width, height]: [usize; 2],
    is_raw: bool,
) -> Result<Vec<SideData>, FillError> {
    let video = Video::of(payload)?;
    let sent = [video.width, video.height].map(usize::from);
    if sent != [0, 0] && sent != [width, height] {
        return Err(unfit([width, height], sent));
    }
    let (bytes, wanted) = (
        video.picture.len(),
        width.next_multiple_of(paint::RAW_ALIGNED) * height * 3 / 2,
    );
    if is_raw && ![0, wanted].contains(&bytes) {
        let what = "raw picture";
        return Err(FillError::Size(WrongSize {
            what,
            bytes,
            wanted,
        }));
    }
    let mut side = Vec::new();
    let ([fx, fy], [cx, cy]) = (video.focal_length, video.principal_point);
    if fx > 0.0 {
        side.push(SideData::Intrinsics([fx, fy, cx, cy]));
    }
    if video.exposure_ticks > 0 {
        side.push(SideData::Exposure {
            exposure_ns: video.exposure_ticks.saturating_mul(Ticks::NS),
            gain: video.iso_gains[0] * video.iso_gains[1],
        });
    }
    if video.iso_speed > 0 {
        side.push(SideData::Optics(optics(&video)));
    }
    Ok(side)
}

/// The device sends another size.
pub(super) fn unfit([width, height]: [usize; 2], [wide, high]: [usize; 2]) -> FillError {
    FillError::Unfit(format!(
        "the device sends pictures of {wide}x{high} and {width}x{height} is configured: another program has the \
         camera; end that, or set size={wide}x{high}"
    ))
}

fn optics(video: &Video<'_>) -> Optics {
    Optics {
        iso_speed: video.iso_speed,
        white_balance_kelvin: video.white_balance,
        lens_position: video.lens_position,
        focus: match video.focus {
            Focus::Unset => 0,
            Focus::Lost => 1,
            Focus::Searching => 2,
            Focus::Focused => 3,
            Focus::Failed => 4,
            Focus::Other(number) => number,
        },
        white_balance_gains: video.white_balance_gains,
        iso_gains: video.iso_gains,
    }
}
