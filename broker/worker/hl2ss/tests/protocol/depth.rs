//! Depth and brightness come out of pictures as the device puts them in.
//!
//! Owns a device's way to put them in.

use streamem_hl2ss::depth::{
    AHAT_SIDE, LONG_THROW_PIXELS, Plane, ahat, ahat_brightness, long_throw,
};

const PIXELS: usize = AHAT_SIDE * AHAT_SIDE;

fn depth_at(index: usize) -> u16 {
    u16::try_from((200 + index % AHAT_SIDE + index / AHAT_SIDE / 2) & !3).unwrap()
}

fn root_at(index: usize) -> u8 {
    // Pairs have one value, since only one of two is sent.
    u8::try_from(index / 2 % 251).unwrap()
}

fn square(root: u8) -> u16 {
    u16::from(root) * u16::from(root)
}

/// Rows with something behind them, as a decoder leaves it.
fn with_stride(bytes: &[u8], width: usize, stride: usize) -> Vec<u8> {
    let row = |row: &[u8]| [row, &vec![0xee; stride - width][..]].concat();
    bytes.chunks(width).flat_map(row).collect()
}

fn read(bytes: &[u8]) -> Vec<u16> {
    let pairs = bytes.as_chunks().0.iter();
    pairs.map(|pair| u16::from_le_bytes(*pair)).collect()
}

#[test]
fn of_one_picture_for_hands() {
    let luma: Vec<u8> = (0..PIXELS)
        .map(|at| u8::try_from(depth_at(at) >> 2 & 0xff).unwrap())
        .collect();
    // Chroma lies in pairs (u, v), linear over the brightness.
    let chroma: Vec<u8> = (0..PIXELS / 2).map(|at| root_at(2 * at)).collect();
    let plane = |first: usize| {
        chroma
            .iter()
            .skip(first)
            .step_by(2)
            .copied()
            .collect::<Vec<u8>>()
    };
    let (luma, u, v) = (
        with_stride(&luma, 512, 576),
        with_stride(&plane(0), 256, 288),
        with_stride(&plane(1), 256, 288),
    );
    let planes = |luma| {
        let chroma = |bytes| Plane { bytes, stride: 288 };
        [
            Plane {
                bytes: luma,
                stride: 576,
            },
            chroma(&u[..]),
            chroma(&v[..]),
        ]
    };
    let (mut depth, mut brightness) = (vec![1; PIXELS * 2], vec![1; PIXELS * 2]);
    ahat(planes(&luma), &mut depth, &mut brightness).unwrap();
    let expected: Vec<u16> = (0..PIXELS).map(|at| depth_at(at) & 0x3fc).collect();
    assert!(read(&depth) == expected);
    let expected: Vec<u16> = (0..PIXELS).map(|at| square(root_at(at))).collect();
    assert!(read(&brightness) == expected);

    // The last row needs nothing behind it, and every pixel it has.
    let end = 576 * 511 + 512;
    assert!(ahat(planes(&luma[..end]), &mut depth, &mut brightness).is_ok());
    let error = ahat(planes(&luma[..end - 1]), &mut depth, &mut brightness).unwrap_err();
    assert_eq!((error.what, error.wanted), ("luma", end));
    let error = ahat(planes(&luma), &mut depth[1..], &mut brightness).unwrap_err();
    assert_eq!((error.what, error.wanted), ("depth", PIXELS * 2));
}

#[test]
fn of_a_picture_with_brightness_alone() {
    let luma: Vec<u8> = (0..PIXELS).map(root_at).collect();
    let mut brightness = vec![1; PIXELS * 2];
    let plane = |stride| Plane {
        bytes: &luma,
        stride,
    };
    ahat_brightness(plane(512), &mut brightness).unwrap();
    let expected: Vec<u16> = luma.iter().copied().map(square).collect();
    assert!(read(&brightness) == expected);
    for stride in [0, 511, usize::MAX] {
        assert!(ahat_brightness(plane(stride), &mut brightness).is_err());
    }
}

#[test]
fn of_the_room() {
    let numbers = 0..u32::try_from(LONG_THROW_PIXELS * 2).unwrap();
    let number = |at: u32| u16::try_from(at % 65_521).unwrap().to_le_bytes();
    let expected: Vec<u8> = numbers.flat_map(number).collect();
    let mut pixels = expected.clone();
    for [blue, _, red, _] in pixels.as_chunks_mut().0 {
        std::mem::swap(red, blue);
    }
    long_throw(&mut pixels).unwrap();
    assert!(pixels == expected);
    assert!(long_throw(&mut pixels[4..]).is_err());
}
