//! Layouts that are possible, and those that are not.
//!
//! Owns the comparison with every single element's place; never reads a frame.

use super::*;
use proptest::prelude::*;

#[test]
fn every_picture_format_fills_its_frame_exactly() {
    for format in Format::ALL
        .iter()
        .filter(|format| format.kind() == Kind::Video)
    {
        let layout = Layout::video(*format, 64, 48, 30.0).unwrap();
        assert_eq!(
            layout.planes.last().unwrap().end(),
            layout.bytes,
            "{format}"
        );
        let array = layout.array.as_ref().unwrap();
        let elements: u64 = array.shape.iter().product();
        assert_eq!(
            elements * format.element_bytes() as u64,
            layout.bytes,
            "{format}"
        );
        assert!(layout.fits(layout.bytes));
        assert!(!layout.fits(layout.bytes - 1));
    }
}

#[test]
fn nv12_is_a_plane_and_a_half() {
    let layout = Layout::video(Format::Nv12, 1920, 1080, 30.0).unwrap();
    assert_eq!(layout.bytes, 3_110_400);
    assert_eq!(
        layout.planes[1],
        Plane {
            offset: 2_073_600,
            stride: 1920,
            rows: 540
        }
    );
}

#[test]
fn impossible_pictures_are_refused() {
    assert_eq!(
        Layout::video(Format::Nv12, 3, 2, 1.0),
        Err(BadLayout::Odd(3, 2, Format::Nv12))
    );
    assert_eq!(
        Layout::video(Format::Bgr24, 0, 2, 1.0),
        Err(BadLayout::Size(0, 2))
    );
    assert!(matches!(
        Layout::video(Format::H264, 2, 2, 1.0),
        Err(BadLayout::Kind(..))
    ));
    assert!(matches!(
        Layout::video(Format::Rgba, 16384, 16384, 1.0).map(|l| l.bytes),
        Ok(1_073_741_824)
    ));
}

#[test]
fn a_layout_that_overflows_does_not_fit() {
    let mut layout = Layout::video(Format::Gray8, 8, 8, 1.0).unwrap();
    layout.array.as_mut().unwrap().strides = vec![u64::MAX, 1];
    assert!(!layout.fits(u64::MAX));
    layout.array = None;
    layout.planes[0].stride = u64::MAX;
    assert!(!layout.fits(1 << 40));
}

#[test]
fn audio_is_planar() {
    let layout = Layout::audio(Format::F32, 2, 1024, 48_000).unwrap();
    assert_eq!(layout.array.as_ref().unwrap().strides, [4096, 4]);
    assert_eq!(layout.summary(), "2x1024 f32 46.88/s");
}

#[test]
fn the_last_element_must_lie_in_the_frame_with_all_its_bytes() {
    let mut layout = Layout::video(Format::Gray16, 4, 2, 1.0).unwrap();
    assert!(layout.fits(16));
    layout.array.as_mut().unwrap().dtype = "<u4".to_owned();
    assert!(!layout.fits(16), "it reaches two bytes beyond");
    layout.array.as_mut().unwrap().dtype = "<u".to_owned();
    assert!(!layout.fits(16), "nobody knows how far it reaches");
}

#[test]
fn fields_count_where_they_are_more_than_the_element() {
    let mut layout = Layout::batch(&[("t", "<u8"), ("x", "<f4")], 3, 1.0).unwrap();
    assert!(layout.fits(36));
    let array = layout.array.as_mut().unwrap();
    array.fields.push(Field {
        name: "y".to_owned(),
        dtype: "|u1".to_owned(),
    });
    assert!(!layout.fits(36));
}

/// First byte after every element that can be named by an index, one after the other.
fn ends(shape: &[u64], strides: &[u64], element: u64) -> Vec<u64> {
    shape
        .iter()
        .zip(strides)
        .fold(vec![element], |ends, (length, stride)| {
            let steps = |end: u64| (0..*length).map(move |index| end + index * stride);
            ends.into_iter().flat_map(steps).collect()
        })
}

proptest! {
    #[test]
    fn a_layout_fits_exactly_if_every_element_lies_in_the_frame(
        dimensions in proptest::collection::vec((0..5u64, 0..40u64), 0..4),
        element in 1..20u64,
        bytes in 1..200u64,
        spare in 0..3u64,
    ) {
        let (shape, strides): (Vec<u64>, Vec<u64>) = dimensions.into_iter().unzip();
        let ends = ends(&shape, &strides, element);
        let mut layout = Layout::packet(Format::Mjpeg, 1, 1, 1.0, bytes).unwrap();
        layout.array = Some(Array { shape, strides, dtype: format!("|V{element}"), fields: Vec::new() });
        let inside = !ends.is_empty() && ends.iter().all(|end| *end <= bytes);
        prop_assert_eq!(layout.fits(bytes + spare), inside);
        prop_assert!(!layout.fits(bytes - 1));
    }

    #[test]
    fn no_layout_however_absurd_is_too_much_to_ask(
        shape in proptest::collection::vec(any::<u64>(), 0..5),
        strides in proptest::collection::vec(any::<u64>(), 0..5),
        dtype in "[<|]?[a-zA-Z]?[0-9]{0,25}",
        slot_bytes: u64,
    ) {
        let mut layout = Layout::packet(Format::Mjpeg, 1, 1, 1.0, 100).unwrap();
        layout.array = Some(Array { shape, strides, dtype, fields: Vec::new() });
        let _either = layout.fits(slot_bytes);
    }
}
