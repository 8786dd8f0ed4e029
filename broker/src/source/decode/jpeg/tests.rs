//! What cameras and publishers may send, made by an encoder that shares nothing with the decoder.

use super::*;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use streamem_wire::Format::{Bgr24, Bgra, Gray8, I420, Rgb24, Rgba};

const WIDTH: u16 = 80;
const HEIGHT: u16 = 48;
/// A 16x16 picture whose codes are arithmetic ones; each pixel is 8 * (x + y).
const ARITHMETIC: &str = "ffd8ffe000104a46494600010100000100010000ffdb0043000302020302020303030304030304\
    050805050404050a070706080c0a0c0c0b0a0b0b0d0e12100d0e110e0b0b1016101113141515150c0f171816141812141514\
    ffc9000b080010001001011100ffcc000600101005ffda0008010100003f00ff00dc1bd84e849676c7c0a4fe68b3854c7903\
    e4f559bb7298c0ffd9";

/// Rows of 8 pixels in one colour, so that halved colours are whole ones.
fn colour(x: u16, y: u16) -> [u8; 3] {
    [
        u8::try_from(x / 8 * 20).unwrap(),
        u8::try_from(y / 8 * 40).unwrap(),
        128,
    ]
}

fn rgb() -> Vec<u8> {
    let pixels = (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| colour(x, y)));
    pixels.flatten().collect()
}

fn encoded(change: impl FnOnce(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, 95);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    change(&mut encoder);
    encoder
        .encode(&rgb(), WIDTH, HEIGHT, ColorType::Rgb)
        .unwrap();
    jpeg
}

fn layout(format: Format) -> Layout {
    Layout::video(format, WIDTH.into(), HEIGHT.into(), 30.0).unwrap()
}

fn decode_as(format: Format, jpeg: &[u8]) -> (Result<Decoded, Undecodable>, Vec<u8>) {
    let layout = layout(format);
    let mut slot = vec![7; usize::try_from(layout.bytes).unwrap()];
    let decoded = decode(jpeg, &layout, &mut slot);
    (decoded, slot)
}

fn decode_rgb(jpeg: &[u8]) -> (Result<Decoded, Undecodable>, Vec<u8>) {
    decode_as(Rgb24, jpeg)
}

fn assert_near(found: &[u8], wanted: &[u8]) {
    assert_eq!(found.len(), wanted.len());
    let furthest = found.iter().zip(wanted).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(furthest <= Some(12), "{furthest:?}");
}

fn assert_whole(jpeg: &[u8]) {
    let (decoded, slot) = decode_rgb(jpeg);
    assert_eq!(decoded, Ok(Decoded::Whole));
    assert_near(&slot, &rgb());
}

/// The segments up to the picture's data, each with its marker, and that data.
fn segments(jpeg: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let (mut found, mut rest) = (Vec::new(), &jpeg[2..]);
    loop {
        let length = 2 + usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        let (segment, tail) = rest.split_at(length);
        found.push(segment);
        rest = tail;
        if segment[1] == 0xda {
            return (found, rest);
        }
    }
}

fn joined(segments: &[&[u8]], data: &[u8]) -> Vec<u8> {
    [&[0xff, 0xd8][..], &segments.concat(), data].concat()
}

#[test]
fn pixels_lie_as_the_format_says() {
    let jpeg = encoded(|_| ());
    for (format, order) in [
        (Rgb24, &[0, 1, 2][..]),
        (Bgr24, &[2, 1, 0]),
        (Rgba, &[0, 1, 2, 3]),
        (Bgra, &[2, 1, 0, 3]),
    ] {
        let (decoded, slot) = decode_as(format, &jpeg);
        assert_eq!(decoded, Ok(Decoded::Whole), "{format}");
        let wanted: Vec<u8> = rgb()
            .chunks(3)
            .flat_map(|rgb| {
                order
                    .iter()
                    .map(|part| rgb.get(*part).copied().unwrap_or(255))
            })
            .collect();
        assert_near(&slot, &wanted);
    }
    let (decoded, slot) = decode_as(Gray8, &jpeg);
    assert_eq!(decoded, Ok(Decoded::Whole));
    assert_near(&slot, &brightness());
}

fn brightness() -> Vec<u8> {
    let of = |rgb: &[u8]| (299 * u32::from(rgb[0]) + 587 * u32::from(rgb[1]) + 114 * 128) / 1000;
    let all = rgb();
    all.chunks(3)
        .map(|rgb| u8::try_from(of(rgb)).unwrap())
        .collect()
}

#[test]
fn planes_are_taken_as_they_are_in_the_picture() {
    let (decoded, slot) = decode_as(I420, &encoded(|_| ()));
    assert_eq!(decoded, Ok(Decoded::Whole));
    let y = usize::from(WIDTH) * usize::from(HEIGHT);
    assert_near(&slot[..y], &brightness());
    // The last block of red, 9 * 20, at the top, where there is no green.
    let red_difference = slot[y + y / 4 + usize::from(WIDTH) / 2 - 2];
    assert!(red_difference.abs_diff(206) < 12, "{red_difference}");
}

#[test]
fn other_colours_than_those_of_i420_are_refused_by_name() {
    for (sampling, name) in [
        (SamplingFactor::R_4_2_2, "4:2:2"),
        (SamplingFactor::R_4_4_4, "4:4:4"),
    ] {
        let jpeg = encoded(|encoder| encoder.set_sampling_factor(sampling));
        let (decoded, _) = decode_as(I420, &jpeg);
        assert_eq!(decoded, Err(Undecodable::Sampling(name)));
        assert_whole(&jpeg);
    }
}

#[test]
fn a_grey_picture_is_grey_in_every_format() {
    let mut jpeg = Vec::new();
    let encoder = Encoder::new(&mut jpeg, 95);
    encoder
        .encode(&brightness(), WIDTH, HEIGHT, ColorType::Luma)
        .unwrap();
    let (decoded, slot) = decode_rgb(&jpeg);
    assert_eq!(decoded, Ok(Decoded::Whole));
    assert!(
        slot.chunks(3)
            .all(|rgb| rgb[0] == rgb[1] && rgb[1] == rgb[2])
    );
    let (decoded, slot) = decode_as(I420, &jpeg);
    assert_eq!(decoded, Ok(Decoded::Whole));
    let (y, colours) = slot.split_at(brightness().len());
    assert_near(y, &brightness());
    assert!(colours.iter().all(|difference| *difference == 128));
}

#[test]
fn what_cameras_leave_out_or_put_in_changes_nothing() {
    let plain = encoded(|_| ());
    let (parts, data) = segments(&plain);
    let bare: Vec<&[u8]> = parts
        .iter()
        .copied()
        .filter(|part| part[1] != 0xc4)
        .collect();
    assert!(bare.len() < parts.len(), "there were tables");
    assert_whole(&joined(&bare, data));
    assert_whole(&encoded(|encoder| encoder.set_restart_interval(2)));
    assert_whole(&encoded(|encoder| encoder.set_progressive(true)));
    assert_whole(&encoded(|encoder| {
        encoder.set_optimized_huffman_tables(true)
    }));
    let behind = [&plain[..], &[0; 100]].concat();
    assert_whole(&behind);
    let (data, end) = plain.split_at(plain.len() - 2);
    assert_whole(&[data, &[0; 9], end].concat());
}

#[test]
fn what_one_picture_brought_is_not_used_for_the_next() {
    let own = encoded(|encoder| encoder.set_optimized_huffman_tables(true));
    let plain = encoded(|_| ());
    let (parts, data) = segments(&plain);
    let without = |marker: u8| -> Vec<u8> {
        let rest = parts.iter().copied().filter(|part| part[1] != marker);
        joined(&rest.collect::<Vec<_>>(), data)
    };
    assert_whole(&own);
    assert_whole(&without(0xc4));
    let (decoded, _) = decode_rgb(&without(0xdb));
    assert!(decoded.is_err(), "{decoded:?}");
}

#[test]
fn a_picture_of_one_pixel_is_a_picture() {
    let mut jpeg = Vec::new();
    let encoder = Encoder::new(&mut jpeg, 95);
    encoder
        .encode(&[200, 100, 50], 1, 1, ColorType::Rgb)
        .unwrap();
    let layout = Layout::video(Rgb24, 1, 1, 0.0).unwrap();
    let mut slot = [0; 3];
    let decoded = decode(&jpeg, &layout, &mut slot);
    assert_eq!(decoded, Ok(Decoded::Whole));
    assert_near(&slot, &[200, 100, 50]);
}

#[test]
fn arithmetic_codes_are_decoded() {
    let digits: Vec<u8> = ARITHMETIC.bytes().filter(|byte| *byte != b' ').collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    let jpeg: Vec<u8> = digits.chunks(2).map(byte).collect();
    let layout = Layout::video(Gray8, 16, 16, 0.0).unwrap();
    let mut slot = [0; 256];
    let decoded = decode(&jpeg, &layout, &mut slot);
    assert_eq!(decoded, Ok(Decoded::Whole));
    let wanted: Vec<u8> = (0..256)
        .map(|i| u8::try_from(8 * (i % 16 + i / 16)).unwrap())
        .collect();
    assert_near(&slot, &wanted);
}

#[test]
fn a_picture_that_was_cut_is_broken_and_shows_nothing_of_another() {
    let jpeg = encoded(|_| ());
    let (parts, data) = segments(&jpeg);
    let before = jpeg.len() - data.len();
    assert!(parts.len() > 3);
    let (decoded, slot) = decode_rgb(&jpeg[..before + data.len() / 2]);
    assert_eq!(decoded, Ok(Decoded::Broken));
    let half = slot.len() / 4;
    assert_near(&slot[..half], &rgb()[..half]);
    let (decoded, slot) = decode_rgb(&jpeg[..before]);
    assert_eq!(decoded, Ok(Decoded::Broken));
    assert!(slot.iter().all(|byte| *byte != 7), "what was there before");
    for end in 0..before - parts[parts.len() - 1].len() {
        let (decoded, _) = decode_rgb(&jpeg[..end]);
        assert!(decoded.is_err(), "{end} bytes of a header: {decoded:?}");
    }
}

#[test]
fn a_picture_made_of_parts_may_be_filled_up_and_misses_none() {
    let jpeg = encoded(|encoder| encoder.set_restart_interval(2));
    let (data, end) = jpeg.split_at(jpeg.len() - 2);
    for filled in 0..40 {
        assert_whole(&[data, &vec![0; filled], end].concat());
    }
    let is_mark = |two: &[u8]| two[0] == 0xff && (0xd0..=0xd7).contains(&two[1]);
    let marks = (0..data.len() - 1).filter(|at| is_mark(&data[*at..*at + 2]));
    let marks: Vec<usize> = marks.collect();
    assert!(marks.len() > 3);
    let (mut holes, mut looks_filled_up) = (0, 0);
    for (nth, mark) in marks.iter().enumerate() {
        // From within one part to within another, as when a packet is lost.
        for to in &marks[nth..] {
            let cut = [&jpeg[..mark - 2], &jpeg[to + 4..]].concat();
            let (mut slot, layout) = (vec![7; rgb().len()], layout(Rgb24));
            let complaint = try_decode(&cut, &layout, &mut slot);
            looks_filled_up +=
                usize::from(matches!(complaint, Ok(Some(text)) if text.ends_with(FILLED_UP)));
            let (decoded, _) = decode_rgb(&cut);
            assert_ne!(decoded, Ok(Decoded::Whole), "a hole from {mark} to {to}");
            holes += 1;
        }
    }
    assert!(
        looks_filled_up > 0,
        "none of {holes} is taken for a whole one"
    );
}

#[test]
fn what_is_no_picture_is_refused_and_the_next_is_decoded() {
    let layout = layout(Rgb24);
    let mut slot = vec![7; usize::try_from(layout.bytes).unwrap()];
    assert_eq!(decode(&[], &layout, &mut slot), Err(Undecodable::Empty));
    for garbage in [
        &[0; 4096][..],
        b"\xff\xd8",
        b"\xff\xd8\xff\xd9",
        b"\x89PNG\r\n\x1a\n",
    ] {
        let decoded = decode(garbage, &layout, &mut slot);
        assert!(decoded.is_err(), "{decoded:?}");
        assert!(slot.iter().all(|byte| *byte == 7), "nothing was written");
    }
    let decoded = decode(&encoded(|_| ()), &layout, &mut slot);
    assert_eq!(decoded, Ok(Decoded::Whole));
    assert_near(&slot, &rgb());
}

#[test]
fn any_byte_may_be_another() {
    let jpeg = encoded(|encoder| encoder.set_restart_interval(3));
    for at in 0..jpeg.len() {
        for other in [0x00, 0x7f, 0xd9, 0xff] {
            let mut changed = jpeg.clone();
            changed[at] = other;
            // Whatever comes of it: no byte outside of the slot was written, or this would not go on.
            let _any = decode_rgb(&changed);
            let _any = decode_as(I420, &changed);
        }
    }
    assert_whole(&jpeg);
}

#[test]
fn pictures_of_another_size_are_refused_before_they_are_decoded() {
    let mut jpeg = encoded(|_| ());
    let at = jpeg
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    // 65,500 both ways: it would be 12 GB.
    jpeg[at + 5..at + 9].copy_from_slice(&[0xff, 0xdc, 0xff, 0xdc]);
    let (decoded, slot) = decode_rgb(&jpeg);
    let why = decoded.unwrap_err().to_string();
    assert_eq!(why, "it is 65500x65500 where the stream has 80x48");
    assert!(slot.iter().all(|byte| *byte == 7));
}

#[test]
fn colours_for_printing_are_refused() {
    let mut jpeg = Vec::new();
    let cmyk = vec![100; usize::from(WIDTH) * usize::from(HEIGHT) * 4];
    Encoder::new(&mut jpeg, 95)
        .encode(&cmyk, WIDTH, HEIGHT, ColorType::Cmyk)
        .unwrap();
    for format in [Rgb24, Gray8, I420] {
        let (decoded, _) = decode_as(format, &jpeg);
        assert!(decoded.is_err(), "{format}: {decoded:?}");
    }
}

#[test]
fn a_picture_in_a_thousand_scans_is_not_worked_on() {
    let jpeg = encoded(|encoder| encoder.set_progressive(true));
    let last = jpeg
        .windows(2)
        .rposition(|pair| pair == [0xff, 0xda])
        .unwrap();
    let (scans, scan) = jpeg.split_at(last);
    let scan = &scan[..scan.len() - 2];
    let many = [scans, &scan.repeat(1000), &[0xff, 0xd9]].concat();
    let (decoded, _) = decode_rgb(&many);
    let why = decoded.unwrap_err().to_string();
    assert!(why.contains("scans"), "{why}");
}
