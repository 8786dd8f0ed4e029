//! Pictures whose rows a device places: further apart than they need be, or planes not one after the other.
//!
//! Owns what becomes of the array view then; never chooses a place.

use super::{Array, BadLayout, Layout, Plane, sized};

impl Layout {
    /// The same picture where a device puts its rows: offset and stride of each plane, in `bytes` in all.
    pub fn placed(mut self, places: &[(u64, u64)], bytes: u64) -> Result<Layout, BadLayout> {
        if places.len() != self.planes.len() {
            return Err(BadLayout::Planes(self.format, places.len()));
        }
        for (plane, (offset, stride)) in self.planes.iter_mut().zip(places) {
            if *stride < plane.stride {
                return Err(BadLayout::Stride(*stride, plane.stride));
            }
            (plane.offset, plane.stride) = (*offset, *stride);
        }
        let end = self.planes.iter().map(Plane::end).max().unwrap_or(0);
        self.bytes = sized(end.max(bytes))?;
        let array = self.array.take().and_then(|array| self.reached(array));
        self.array = array;
        Ok(self)
    }

    /// The array over the planes as they lie now, if they can still be seen as one.
    fn reached(&self, mut array: Array) -> Option<Array> {
        let tight = array.strides[0];
        let first = self.planes.first()?;
        let mut end = 0;
        for plane in &self.planes {
            // Rows of half the length are seen two at a time, and only where nothing lies between.
            let as_rows =
                plane.stride == first.stride || first.stride == tight && plane.stride * 2 == tight;
            if plane.offset != end || !as_rows {
                return None;
            }
            end = plane.end();
        }
        array.strides[0] = first.stride;
        Some(array)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Format;

    fn placed(format: Format, places: &[(u64, u64)]) -> Result<Layout, BadLayout> {
        Layout::video(format, 64, 48, 30.0)?.placed(places, 0)
    }

    #[test]
    fn an_array_follows_rows_that_are_further_apart() {
        let layout = placed(Format::Bgr24, &[(0, 256)]).unwrap();
        let array = layout.array.unwrap();
        assert_eq!(
            (layout.bytes, array.shape, array.strides),
            (256 * 48, vec![48, 64, 3], vec![256, 3, 1])
        );
        let layout = placed(Format::Nv12, &[(0, 128), (128 * 48, 128)]).unwrap();
        let array = layout.array.unwrap();
        assert_eq!((array.shape, array.strides), (vec![72, 64], vec![128, 1]));
    }

    #[test]
    fn rows_as_tight_as_they_can_be_change_nothing() {
        for (format, places) in [
            (Format::Nv12, &[(0, 64), (64 * 48, 64)][..]),
            (Format::I420, &[(0, 64), (64 * 48, 32), (64 * 60, 32)]),
        ] {
            let tight = Layout::video(format, 64, 48, 30.0).unwrap();
            assert_eq!(placed(format, places).unwrap(), tight, "{format}");
        }
    }

    #[test]
    fn planes_that_do_not_follow_each_other_are_no_array() {
        assert_eq!(
            placed(Format::Nv12, &[(0, 64), (4096, 64)]).unwrap().array,
            None
        );
        assert_eq!(
            placed(Format::I420, &[(0, 128), (128 * 48, 64), (128 * 60, 64)])
                .unwrap()
                .array,
            None
        );
    }

    #[test]
    fn the_device_may_need_more_bytes_and_never_fewer() {
        let layout = Layout::video(Format::Gray8, 64, 48, 30.0).unwrap();
        assert_eq!(layout.clone().placed(&[(0, 64)], 8192).unwrap().bytes, 8192);
        assert_eq!(layout.clone().placed(&[(0, 64)], 1).unwrap().bytes, 64 * 48);
        assert_eq!(
            layout.clone().placed(&[(0, 63)], 0),
            Err(BadLayout::Stride(63, 64))
        );
        assert_eq!(
            layout.placed(&[], 0),
            Err(BadLayout::Planes(Format::Gray8, 0))
        );
    }
}
