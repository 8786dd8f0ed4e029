//! Colours are those of the definition, and of FFmpeg's own conversion.

mod support;

use streamem_codec::colour::{Colours, I420, Matrix, Nv12, Order, Pixels, Plane, paint_grey};
use streamem_codec::{Codec, CodecError, VideoDecoder};
use support::{no_memory, piped};

const LIMITED_709: Colours = Colours {
    matrix: Matrix::Bt709,
    is_full_range: false,
};
const ORDERS: [Order; 4] = [Order::Bgr, Order::Rgb, Order::Bgra, Order::Rgba];

/// A picture with many combinations of brightness and colours, and with rows apart. None is darker than black is in
/// limited range, which is taken for black.
struct Picture {
    width: usize,
    height: usize,
    luma: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
}

const APART: usize = 13;

impl Picture {
    fn new(width: usize, height: usize) -> Self {
        let plane = |width: usize, height: usize, of: &dyn Fn(usize, usize) -> usize| {
            let rows = (0..height).flat_map(|y| (0..width + APART).map(move |x| (x, y)));
            rows.map(|(x, y)| {
                if x < width {
                    u8::try_from(of(x, y) % 256).unwrap()
                } else {
                    99
                }
            })
            .collect::<Vec<u8>>()
        };
        let half = [width.div_ceil(2), height.div_ceil(2)];
        Self {
            width,
            height,
            luma: plane(width, height, &|x, y| 16 + (x * 7 + y * 31) % 240),
            u: plane(half[0], half[1], &|x, y| x * 11 + y * 3),
            v: plane(half[0], half[1], &|x, y| x * 5 + y * 17),
        }
    }

    fn i420(&self) -> I420<'_> {
        let half = self.width.div_ceil(2) + APART;
        let strides = [self.width + APART, half, half];
        let planes = [&self.luma, &self.u, &self.v];
        let plane = |which: usize| Plane {
            bytes: planes[which],
            stride: strides[which],
        };
        I420 {
            width: self.width,
            height: self.height,
            planes: [0, 1, 2].map(plane),
        }
    }

    /// Brightness and colours of a pixel.
    fn at(&self, x: usize, y: usize) -> [f64; 3] {
        let half = self.width.div_ceil(2) + APART;
        let colour = y / 2 * half + x / 2;
        [
            self.luma[y * (self.width + APART) + x],
            self.u[colour],
            self.v[colour],
        ]
        .map(f64::from)
    }
}

/// Red, green and blue as ITU-R defines them.
fn defined([y, u, v]: [f64; 3], colours: Colours) -> [f64; 3] {
    let (red, blue) = match colours.matrix {
        Matrix::Bt601 => (0.299, 0.114),
        Matrix::Bt709 => (0.2126, 0.0722),
        Matrix::Bt2020 => (0.2627, 0.0593),
    };
    let (y, u, v) = if colours.is_full_range {
        (y / 255.0, (u - 128.0) / 255.0, (v - 128.0) / 255.0)
    } else {
        ((y - 16.0) / 219.0, (u - 128.0) / 224.0, (v - 128.0) / 224.0)
    };
    let r = y + 2.0 * (1.0 - red) * v;
    let b = y + 2.0 * (1.0 - blue) * u;
    let g = (y - red * r - blue * b) / (1.0 - red - blue);
    [r, g, b].map(|colour| (colour * 255.0).clamp(0.0, 255.0))
}

fn by_order([r, g, b]: [f64; 3], order: Order) -> Vec<f64> {
    match order {
        Order::Bgr => vec![b, g, r],
        Order::Rgb => vec![r, g, b],
        Order::Bgra => vec![b, g, r, 255.0],
        Order::Rgba => vec![r, g, b, 255.0],
    }
}

fn compare(
    picture: &Picture,
    colours: Colours,
    paint: impl Fn(Pixels<'_>) -> Result<(), CodecError>,
) {
    for order in ORDERS {
        let row = picture.width * order.bytes();
        let stride = row + APART;
        let mut bytes = vec![0xa5; stride * picture.height];
        let out = Pixels {
            bytes: &mut bytes,
            stride,
            order,
        };
        paint(out).unwrap();
        for (y, bytes) in bytes.chunks(stride).enumerate() {
            assert!(
                bytes[row..].iter().all(|byte| *byte == 0xa5),
                "{order:?}: beside row {y}"
            );
            for (x, pixel) in bytes[..row].chunks(order.bytes()).enumerate() {
                let wanted = by_order(defined(picture.at(x, y), colours), order);
                for (found, wanted) in pixel.iter().zip(&wanted) {
                    // Rounded once to 13 bits and once to 8: never more than one beside.
                    let off = (f64::from(*found) - wanted).abs();
                    assert!(
                        off <= 1.5,
                        "{order:?} {colours:?} {x} {y}: {pixel:?} {wanted:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn colours_are_those_of_the_definition() {
    for (width, height) in [(64, 48), (61, 33), (2, 2), (1, 1), (424, 240)] {
        let picture = Picture::new(width, height);
        let mut both = vec![0x33; (width.div_ceil(2) * 2 + 6) * height.div_ceil(2)];
        let stride = width.div_ceil(2) * 2 + 6;
        picture.i420().interleave(&mut both, stride).unwrap();
        let luma = picture.i420().planes[0];
        let nv12 = Nv12 {
            width,
            height,
            planes: [
                luma,
                Plane {
                    bytes: &both,
                    stride,
                },
            ],
        };
        for matrix in [Matrix::Bt601, Matrix::Bt709, Matrix::Bt2020] {
            for is_full_range in [false, true] {
                let colours = Colours {
                    matrix,
                    is_full_range,
                };
                compare(&picture, colours, |out| picture.i420().paint(colours, out));
                compare(&picture, colours, |out| nv12.paint(colours, out));
            }
        }
    }
}

#[test]
fn colours_of_both_planes_are_put_by_turns() {
    let picture = Picture::new(61, 33);
    let mut out = vec![0xa5; 70 * 17];
    picture.i420().interleave(&mut out, 70).unwrap();
    for (y, row) in out.chunks(70).enumerate() {
        for (x, pair) in row[..62].chunks(2).enumerate() {
            let at = y * (31 + APART) + x;
            assert_eq!(pair, [picture.u[at], picture.v[at]]);
        }
        assert!(row[62..].iter().all(|byte| *byte == 0xa5));
    }
}

#[test]
fn grey_is_as_bright_in_each_colour() {
    let grey: Vec<u8> = (0..=255).collect();
    for order in ORDERS {
        let mut bytes = vec![0; 256 * order.bytes()];
        let (plane, stride) = (
            Plane {
                bytes: &grey,
                stride: 16,
            },
            16 * order.bytes(),
        );
        let out = Pixels {
            bytes: &mut bytes,
            stride,
            order,
        };
        paint_grey(plane, [16, 16], out).unwrap();
        for (pixel, grey) in bytes.chunks(order.bytes()).zip(&grey) {
            assert_eq!(pixel[..3], [*grey; 3]);
            assert!(pixel.get(3).is_none_or(|alpha| *alpha == 255));
        }
    }
}

#[test]
fn colours_are_those_of_ffmpeg() {
    let (width, height) = (640, 360);
    let picture = Picture::new(width, height);
    let raw: Vec<u8> = [
        (&picture.luma, width),
        (&picture.u, width / 2),
        (&picture.v, width / 2),
    ]
    .into_iter()
    .flat_map(|(plane, width)| {
        plane
            .chunks(width + APART)
            .flat_map(move |row| row[..width].to_vec())
    })
    .collect();
    let words = "-hide_banner -loglevel error -f rawvideo -pix_fmt yuv420p -s 640x360 -i - -vf \
                 scale=in_color_matrix=bt709:in_range=tv:flags=neighbor \
                 -f rawvideo -pix_fmt bgr24 -";
    let words: Vec<&str> = words.split_whitespace().collect();
    let wanted = piped("ffmpeg", &words, raw);
    let mut bytes = vec![0; width * height * 3];
    let out = Pixels {
        bytes: &mut bytes,
        stride: width * 3,
        order: Order::Bgr,
    };
    picture.i420().paint(LIMITED_709, out).unwrap();
    assert_eq!(bytes.len(), wanted.len());
    let off = bytes
        .iter()
        .zip(&wanted)
        .map(|(one, other)| one.abs_diff(*other));
    // FFmpeg's fast way is up to 3 beside the definition, and its exact one turns over where colours are too strong.
    assert!(off.max().is_some_and(|most| most <= 4));
}

#[test]
fn what_has_no_room_is_told() {
    let picture = Picture::new(64, 48);
    for (bytes, stride) in [(64 * 48 * 3 - 1, 192), (64 * 48 * 3, 191), (0, 0)] {
        let mut room = vec![0; bytes];
        let out = Pixels {
            bytes: &mut room,
            stride,
            order: Order::Bgr,
        };
        let error = picture.i420().paint(LIMITED_709, out).expect_err("no room");
        assert!(
            matches!(error, CodecError::Room { wanted, .. } if wanted >= 64 * 48 * 3),
            "{error}"
        );
    }
    assert!(
        picture
            .i420()
            .interleave(&mut [0; 64 * 24 - 1], 64)
            .is_err()
    );
    assert!(picture.i420().interleave(&mut [0; 64 * 24], 63).is_err());
    let mut short = picture.i420();
    short.planes[1].bytes = &short.planes[1].bytes[..9];
    assert!(short.interleave(&mut [0; 64 * 24], 64).is_err());
    let mut room = vec![0; 64 * 48 * 3];
    let out = Pixels {
        bytes: &mut room,
        stride: 192,
        order: Order::Bgr,
    };
    assert!(short.paint(LIMITED_709, out).is_err());
}

#[test]
fn what_a_stream_says_about_its_colours_is_heard() {
    let colours = |size: &str, said: &str| {
        let words = format!(
            "-hide_banner -loglevel error -f lavfi -i testsrc=s={size}:r=1 -frames:v 1 -pix_fmt yuv420p {said} \
             -c:v libx264 -tune zerolatency -f h264 -"
        );
        let words: Vec<&str> = words.split_whitespace().collect();
        let unit = piped("ffmpeg", &words, Vec::new());
        let mut decoder = VideoDecoder::new(Codec::H264).unwrap();
        let picture = decoder.decode(&unit, 0, &mut no_memory).unwrap().unwrap();
        picture.colours
    };
    let of = |matrix, is_full_range| Colours {
        matrix,
        is_full_range,
    };
    assert_eq!(colours("640x360", ""), of(Matrix::Bt601, false));
    assert_eq!(colours("1280x720", ""), of(Matrix::Bt709, false));
    let said = "-colorspace bt709 -color_range pc";
    assert_eq!(colours("640x360", said), of(Matrix::Bt709, true));
    assert_eq!(
        colours("1280x720", "-colorspace smpte170m"),
        of(Matrix::Bt601, false)
    );
    assert_eq!(
        colours("1280x720", "-colorspace bt2020nc"),
        of(Matrix::Bt2020, false)
    );
}
