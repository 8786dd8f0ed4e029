//! Frames as numpy files, with the stream's own type and shape.
//!
//! Owns the .npy header and taking padding out; never interprets an element.

use crate::failure::Failure;
use streamem_wire::{Array, FRAME_BYTES_MAX, Format, Layout};

/// Frames gathered for one file.
#[derive(Debug)]
pub struct Gathering {
    format: Format,
    array: Array,
    element_bytes: usize,
    first_shape: Vec<u64>,
    records: u64,
    frames: u64,
    data: Vec<u8>,
}

fn unfit(sentence: String) -> Failure {
    Failure::Unfit(sentence)
}

impl Gathering {
    /// For frames of this layout.
    pub fn new(layout: &Layout) -> Result<Gathering, Failure> {
        let array = layout.array.clone().unwrap_or_else(|| Array {
            shape: vec![0],
            strides: vec![1],
            dtype: "|u1".to_owned(),
            fields: Vec::new(),
        });
        let element_bytes = width(&array.dtype)
            .filter(|bytes| *bytes > 0 && array.shape.len() == array.strides.len())
            .ok_or_else(|| {
                unfit(format!(
                    "numpy has no type {:?}; write a .raw file",
                    array.dtype
                ))
            })?;
        Ok(Gathering {
            format: layout.format,
            first_shape: Vec::new(),
            array,
            element_bytes,
            records: 0,
            frames: 0,
            data: Vec::new(),
        })
    }

    /// Adds a frame.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let mut shape = self.array.shape.clone();
        if self.varies()
            && let (Some(length), Some(stride)) = (shape.first_mut(), self.array.strides.first())
        {
            *length = bytes.len() as u64 / (*stride).max(1);
        }
        let total = shape
            .iter()
            .try_fold(self.element_bytes as u64, |all, length| {
                all.checked_mul(*length)
            });
        if total.is_none_or(|total| total > FRAME_BYTES_MAX) {
            return Err(unfit(format!(
                "an array of shape {shape:?} is too large; write a .raw file"
            )));
        }
        self.copy(bytes, 0, &shape).ok_or_else(|| {
            unfit(format!(
                "a frame has {} bytes, too few for its shape {shape:?}; write a .raw file",
                bytes.len()
            ))
        })?;
        self.records += shape.first().copied().unwrap_or(1);
        self.frames += 1;
        self.first_shape = shape;
        Ok(())
    }

    /// Whether frames of this kind differ in length.
    fn varies(&self) -> bool {
        matches!(
            self.format,
            Format::Batch | Format::Mjpeg | Format::H264 | Format::H265
        )
    }

    fn copy(&mut self, bytes: &[u8], from: usize, shape: &[u64]) -> Option<()> {
        let depth = self.array.shape.len() - shape.len();
        let Some((length, inner)) = shape.split_first() else {
            let element = bytes.get(from..from.checked_add(self.element_bytes)?)?;
            self.data.extend_from_slice(element);
            return Some(());
        };
        let length = usize::try_from(*length).ok()?;
        let stride = usize::try_from(*self.array.strides.get(depth)?).ok()?;
        if self.is_tight(depth) {
            let elements: usize = inner
                .iter()
                .try_fold(length, |all, n| all.checked_mul(usize::try_from(*n).ok()?))?;
            let end = from.checked_add(elements.checked_mul(self.element_bytes)?)?;
            self.data.extend_from_slice(bytes.get(from..end)?);
            return Some(());
        }
        for index in 0..length {
            self.copy(bytes, from.checked_add(index.checked_mul(stride)?)?, inner)?;
        }
        Some(())
    }

    /// Whether the elements from this dimension on follow each other without gaps.
    fn is_tight(&self, depth: usize) -> bool {
        let mut step = self.element_bytes as u64;
        let dimensions = self.array.shape.iter().zip(&self.array.strides);
        dimensions.skip(depth).rev().all(|(length, stride)| {
            let tight = *stride == step;
            step = step.saturating_mul(*length);
            tight
        })
    }

    /// The file: one frame as it is, or frames stacked along a new first dimension. Batches of records
    /// vary in length and are strung together instead.
    pub fn file(self, stacked: bool) -> Vec<u8> {
        let mut shape = self.first_shape.clone();
        if stacked && self.varies() {
            shape = vec![self.records];
        } else if stacked {
            shape.insert(0, self.frames);
        }
        let mut file = header(&description(&self.array, self.element_bytes), &shape);
        file.extend(self.data);
        file
    }
}

/// Bytes of an element, by the digits of its numpy name.
fn width(dtype: &str) -> Option<usize> {
    let digits = dtype.trim_start_matches(|c: char| !c.is_ascii_digit());
    digits.parse().ok()
}

/// A name or type as Python writes it between quotes.
fn quoted(text: &str) -> String {
    let plain = |c: char| match c {
        '\'' | '\\' => '_',
        c if c.is_ascii_graphic() || c == ' ' => c,
        _ => '_',
    };
    format!("'{}'", text.chars().map(plain).collect::<String>())
}

fn description(array: &Array, element_bytes: usize) -> String {
    if array.fields.is_empty() {
        return quoted(&array.dtype);
    }
    let mut fields: Vec<String> = array
        .fields
        .iter()
        .map(|field| format!("({}, {})", quoted(&field.name), quoted(&field.dtype)))
        .collect();
    let named: usize = array
        .fields
        .iter()
        .filter_map(|field| width(&field.dtype))
        .sum();
    if named < element_bytes {
        fields.push(format!("('', '|V{}')", element_bytes - named));
    }
    format!("[{}]", fields.join(", "))
}

fn header(description: &str, shape: &[u64]) -> Vec<u8> {
    let mut lengths: String = shape.iter().map(|length| format!("{length}, ")).collect();
    if shape.len() != 1 {
        lengths.truncate(lengths.trim_end_matches(", ").len());
    } else {
        lengths.truncate(lengths.trim_end().len());
    }
    let mut text =
        format!("{{'descr': {description}, 'fortran_order': False, 'shape': ({lengths}), }}");
    const PREFIX_BYTES: usize = 10;
    let padded = (PREFIX_BYTES + text.len() + 1).next_multiple_of(64) - PREFIX_BYTES;
    text.extend(std::iter::repeat_n(' ', padded - text.len() - 1));
    text.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes());
    file.extend(text.into_bytes());
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(file: &[u8]) -> (String, &[u8]) {
        assert_eq!(&file[..8], b"\x93NUMPY\x01\x00");
        let length = usize::from(u16::from_le_bytes([file[8], file[9]]));
        assert_eq!((10 + length) % 64, 0, "data must be aligned");
        let text = String::from_utf8(file[10..10 + length].to_vec()).unwrap();
        assert!(text.ends_with('\n'));
        (text.trim_end().to_owned(), &file[10 + length..])
    }

    #[test]
    fn a_picture_has_its_shape() {
        let layout = Layout::video(Format::Bgr24, 2, 1, 30.0).unwrap();
        let mut gathering = Gathering::new(&layout).unwrap();
        gathering.push(&[1, 2, 3, 4, 5, 6]).unwrap();
        let file = gathering.file(false);
        let (text, data) = parsed(&file);
        assert_eq!(
            text,
            "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 3), }"
        );
        assert_eq!(data, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_clip_has_a_dimension_more() {
        let layout = Layout::video(Format::Depth16, 1, 1, 30.0).unwrap();
        let mut gathering = Gathering::new(&layout).unwrap();
        gathering.push(&[1, 0]).unwrap();
        gathering.push(&[2, 0]).unwrap();
        let file = gathering.file(true);
        let (text, data) = parsed(&file);
        assert!(
            text.contains("'descr': '<u2'") && text.contains("'shape': (2, 1, 1)"),
            "{text}"
        );
        assert_eq!(data, [1, 0, 2, 0]);
    }

    #[test]
    fn records_keep_their_fields_and_short_batches_their_length() {
        let layout = Layout::batch(&[("t", "<u4"), ("x", "<f4")], 4, 10.0).unwrap();
        let mut gathering = Gathering::new(&layout).unwrap();
        gathering.push(&[0; 16]).unwrap();
        gathering.push(&[0; 32]).unwrap();
        let file = gathering.file(true);
        let (text, data) = parsed(&file);
        assert!(
            text.contains("'descr': [('t', '<u4'), ('x', '<f4')]"),
            "{text}"
        );
        assert!(text.contains("'shape': (6,)"), "{text}");
        assert_eq!(data.len(), 48);
    }

    #[test]
    fn padding_between_rows_is_left_out() {
        let mut layout = Layout::video(Format::Gray8, 2, 2, 30.0).unwrap();
        layout.array.as_mut().unwrap().strides = vec![4, 1];
        let mut gathering = Gathering::new(&layout).unwrap();
        gathering.push(&[1, 2, 9, 9, 3, 4, 9, 9]).unwrap();
        let file = gathering.file(false);
        assert_eq!(parsed(&file).1, [1, 2, 3, 4]);
    }

    #[test]
    fn a_frame_shorter_than_its_shape_is_refused() {
        let layout = Layout::video(Format::Gray8, 4, 4, 30.0).unwrap();
        let mut gathering = Gathering::new(&layout).unwrap();
        assert!(gathering.push(&[0; 15]).is_err());
    }

    #[test]
    fn a_shape_without_end_is_refused_before_memory_is_taken() {
        let mut layout = Layout::video(Format::Gray8, 4, 4, 30.0).unwrap();
        let array = layout.array.as_mut().unwrap();
        (array.shape, array.strides) = (vec![u64::MAX, 4], vec![0, 1]);
        let mut gathering = Gathering::new(&layout).unwrap();
        assert!(gathering.push(&[0; 16]).is_err());
    }

    #[test]
    fn packets_are_bytes() {
        let layout = Layout::packet(Format::Mjpeg, 4, 4, 30.0, 1000).unwrap();
        let mut gathering = Gathering::new(&layout).unwrap();
        gathering.push(&[7; 5]).unwrap();
        let file = gathering.file(false);
        let (text, data) = parsed(&file);
        assert!(text.contains("'|u1'") && text.contains("(5,)"), "{text}");
        assert_eq!(data, [7; 5]);
    }
}
