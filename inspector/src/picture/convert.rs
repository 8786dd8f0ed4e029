//! Any pixel of any uncompressed picture as red, green and blue.
//!
//! Owns where each format keeps a pixel; never copies the frame, and reads black where a frame is
//! shorter than its layout says.

use super::matrix::Matrix;
use super::{Picture, Rgb};
use crate::failure::Failure;
use streamem_wire::{Format, Kind, Layout};

#[derive(Clone, Copy, Debug)]
struct Rows<'a> {
    bytes: &'a [u8],
    stride: usize,
}

impl Rows<'_> {
    fn byte(&self, row: usize, column: usize) -> u8 {
        let at = row.saturating_mul(self.stride).saturating_add(column);
        self.bytes.get(at).copied().unwrap_or(0)
    }

    fn word(&self, row: usize, column: usize) -> u16 {
        let at = column * 2;
        u16::from_le_bytes([self.byte(row, at), self.byte(row, at + 1)])
    }
}

#[derive(Clone, Copy, Debug)]
enum Form<'a> {
    Interleaved {
        rows: Rows<'a>,
        step: usize,
        order: [usize; 3],
    },
    Grey16 {
        rows: Rows<'a>,
    },
    Depth {
        rows: Rows<'a>,
        farthest: u16,
    },
    Packed {
        rows: Rows<'a>,
        luma_at: usize,
        chroma_at: usize,
        matrix: Matrix,
    },
    TwoPlanes {
        luma: Rows<'a>,
        chroma: Rows<'a>,
        matrix: Matrix,
    },
    TwoPlanesWide {
        luma: Rows<'a>,
        chroma: Rows<'a>,
        matrix: Matrix,
    },
    ThreePlanes {
        luma: Rows<'a>,
        u: Rows<'a>,
        v: Rows<'a>,
        matrix: Matrix,
    },
}

/// A look at a frame as a picture.
#[derive(Clone, Copy, Debug)]
pub struct Pixels<'a> {
    width: u32,
    height: u32,
    form: Form<'a>,
}

/// The answer for streams that are no uncompressed pictures.
pub fn not_a_picture(layout: &Layout) -> Failure {
    let instead = match layout.format {
        Format::Mjpeg => "write it as it is to a .jpg file",
        Format::H264 | Format::H265 => "write it as it is to a .raw file",
        _ => "write it to a .npy file",
    };
    Failure::Unfit(format!(
        "a frame of format {} is no uncompressed picture; {instead}",
        layout.format
    ))
}

impl<'a> Pixels<'a> {
    /// Looks at `bytes`, a frame of this layout.
    pub fn new(layout: &Layout, bytes: &'a [u8]) -> Result<Pixels<'a>, Failure> {
        if layout.format.kind() != Kind::Video {
            return Err(not_a_picture(layout));
        }
        let rows = |plane: usize| {
            let plane = layout.planes.get(plane).ok_or_else(|| {
                Failure::Unfit(format!(
                    "the broker describes {} with too few planes; its version may differ from this one's",
                    layout.format
                ))
            })?;
            let at = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
            Ok::<_, Failure>(Rows {
                bytes: bytes.get(at(plane.offset)..).unwrap_or_default(),
                stride: at(plane.stride),
            })
        };
        let interleaved = |step, order| {
            let rows = rows(0)?;
            Ok::<_, Failure>(Form::Interleaved { rows, step, order })
        };
        let matrix = Matrix::new(layout, if layout.format == Format::P010 { 10 } else { 8 });
        let form = match layout.format {
            Format::Rgb24 => interleaved(3, [0, 1, 2])?,
            Format::Bgr24 => interleaved(3, [2, 1, 0])?,
            Format::Rgba => interleaved(4, [0, 1, 2])?,
            Format::Bgra => interleaved(4, [2, 1, 0])?,
            Format::Gray8 => interleaved(1, [0, 0, 0])?,
            Format::Gray16 => Form::Grey16 { rows: rows(0)? },
            Format::Depth16 => Form::Depth {
                rows: rows(0)?,
                farthest: farthest(rows(0)?, layout.width, layout.height),
            },
            Format::Yuyv => Form::Packed {
                rows: rows(0)?,
                luma_at: 0,
                chroma_at: 1,
                matrix,
            },
            Format::Uyvy => Form::Packed {
                rows: rows(0)?,
                luma_at: 1,
                chroma_at: 0,
                matrix,
            },
            Format::Nv12 => Form::TwoPlanes {
                luma: rows(0)?,
                chroma: rows(1)?,
                matrix,
            },
            Format::P010 => Form::TwoPlanesWide {
                luma: rows(0)?,
                chroma: rows(1)?,
                matrix,
            },
            Format::I420 => Form::ThreePlanes {
                luma: rows(0)?,
                u: rows(1)?,
                v: rows(2)?,
                matrix,
            },
            Format::Mjpeg | Format::H264 | Format::H265 => return Err(not_a_picture(layout)),
            Format::F32 | Format::S16 | Format::Batch => return Err(not_a_picture(layout)),
        };
        Ok(Pixels {
            width: layout.width,
            height: layout.height,
            form,
        })
    }

    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// One pixel.
    pub fn at(&self, x: u32, y: u32) -> Rgb {
        let (x, y) = (x as usize, y as usize);
        match &self.form {
            Form::Interleaved { rows, step, order } => {
                order.map(|channel| rows.byte(y, x * step + channel))
            }
            Form::Grey16 { rows } => [rows.byte(y, x * 2 + 1); 3],
            Form::Depth { rows, farthest } => [brightness(rows.word(y, x), *farthest); 3],
            Form::Packed {
                rows,
                luma_at,
                chroma_at,
                matrix,
            } => {
                let pair = x / 2 * 4 + chroma_at;
                let luma = rows.byte(y, x * 2 + luma_at);
                matrix.rgb(
                    luma.into(),
                    rows.byte(y, pair).into(),
                    rows.byte(y, pair + 2).into(),
                )
            }
            Form::TwoPlanes {
                luma,
                chroma,
                matrix,
            } => {
                let (row, pair) = (y / 2, x / 2 * 2);
                let (u, v) = (chroma.byte(row, pair), chroma.byte(row, pair + 1));
                matrix.rgb(luma.byte(y, x).into(), u.into(), v.into())
            }
            Form::TwoPlanesWide {
                luma,
                chroma,
                matrix,
            } => {
                let (row, pair) = (y / 2, x / 2 * 2);
                let (u, v) = (chroma.word(row, pair), chroma.word(row, pair + 1));
                matrix.rgb(luma.word(y, x) >> 6, u >> 6, v >> 6)
            }
            Form::ThreePlanes { luma, u, v, matrix } => {
                let (row, column) = (y / 2, x / 2);
                let (u, v) = (u.byte(row, column), v.byte(row, column));
                matrix.rgb(luma.byte(y, x).into(), u.into(), v.into())
            }
        }
    }

    /// The whole picture.
    pub fn picture(&self) -> Picture {
        Picture::made(self.width, self.height, |x, y| self.at(x, y))
    }
}

/// The largest distance among a sample of the picture.
fn farthest(rows: Rows<'_>, width: u32, height: u32) -> u16 {
    let row = |y: u32| {
        (0..width)
            .step_by(4)
            .map(move |x| rows.word(y as usize, x as usize))
    };
    (0..height).step_by(4).flat_map(row).max().unwrap_or(0)
}

/// Near is bright, far is dark, and what was not measured is black.
fn brightness(distance: u16, farthest: u16) -> u8 {
    if distance == 0 {
        return 0;
    }
    let farthest = u32::from(farthest.max(1));
    let share = u32::from(distance).min(farthest) * 223 / farthest;
    u8::try_from(255 - share).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(format: Format, bytes: &[u8]) -> Rgb {
        let layout = Layout::video(format, 2, 2, 30.0).unwrap();
        assert_eq!(layout.bytes, bytes.len() as u64, "{format}");
        Pixels::new(&layout, bytes).unwrap().at(0, 0)
    }

    fn repeated(pattern: &[u8], bytes: usize) -> Vec<u8> {
        pattern.iter().copied().cycle().take(bytes).collect()
    }

    #[test]
    fn channels_are_found_in_their_order() {
        assert_eq!(first(Format::Rgb24, &repeated(&[1, 2, 3], 12)), [1, 2, 3]);
        assert_eq!(first(Format::Bgr24, &repeated(&[1, 2, 3], 12)), [3, 2, 1]);
        assert_eq!(first(Format::Rgba, &repeated(&[1, 2, 3, 9], 16)), [1, 2, 3]);
        assert_eq!(first(Format::Bgra, &repeated(&[1, 2, 3, 9], 16)), [3, 2, 1]);
        assert_eq!(first(Format::Gray8, &[7; 4]), [7; 3]);
        assert_eq!(first(Format::Gray16, &repeated(&[0, 200], 8)), [200; 3]);
    }

    #[test]
    fn every_yuv_format_gives_the_same_red() {
        let (y, u, v) = (82, 90, 240);
        let nv12 = [[y; 4].as_slice(), &[u, v]].concat();
        let i420 = [[y; 4].as_slice(), &[u, v]].concat();
        let p010: Vec<u8> = nv12.iter().flat_map(|sample| [0, *sample]).collect();
        let red = first(Format::Yuyv, &repeated(&[y, u, y, v], 8));
        assert_eq!(red, [255, 1, 0]);
        assert_eq!(first(Format::Uyvy, &repeated(&[u, y, v, y], 8)), red);
        assert_eq!(first(Format::Nv12, &nv12), red);
        assert_eq!(first(Format::I420, &i420), red);
        assert_eq!(first(Format::P010, &p010), red);
    }

    #[test]
    fn near_is_brighter_than_far_and_unmeasured_is_black() {
        let depths: Vec<u8> = [4000u16, 500, 0, 4000]
            .into_iter()
            .flat_map(u16::to_le_bytes)
            .collect();
        let layout = Layout::video(Format::Depth16, 2, 2, 30.0).unwrap();
        let pixels = Pixels::new(&layout, &depths).unwrap();
        assert_eq!(pixels.at(0, 1), [0; 3]);
        assert_eq!(pixels.at(0, 0), [32; 3]);
        assert!(pixels.at(1, 0)[0] > 200);
    }

    #[test]
    fn rows_are_found_by_their_stride() {
        let mut layout = Layout::video(Format::Gray8, 2, 2, 30.0).unwrap();
        layout.planes[0].stride = 5;
        let pixels = [1, 2, 0, 0, 0, 3, 4, 0, 0, 0];
        let picture = Pixels::new(&layout, &pixels).unwrap().picture();
        assert_eq!(picture.pixels, [[1; 3], [2; 3], [3; 3], [4; 3]]);
    }

    #[test]
    fn a_short_frame_is_black_where_it_ends() {
        let layout = Layout::video(Format::Rgb24, 2, 2, 30.0).unwrap();
        let pixels = Pixels::new(&layout, &[9, 9, 9]).unwrap();
        assert_eq!((pixels.at(0, 0), pixels.at(1, 1)), ([9; 3], [0; 3]));
    }

    #[test]
    fn sound_is_refused_with_what_to_do_instead() {
        let layout = Layout::audio(Format::F32, 2, 8, 48_000).unwrap();
        let error = Pixels::new(&layout, &[]).unwrap_err().to_string();
        assert!(error.contains(".npy"), "{error}");
    }
}
