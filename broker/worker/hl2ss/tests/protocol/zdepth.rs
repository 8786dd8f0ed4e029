//! Packed depth comes out as it was put in.
//!
//! Owns a way to put it in; packing the parts themselves is not tried here.

use crate::vectors::vector;
use proptest::prelude::*;
use streamem_hl2ss::zdepth::Zdepth;
use streamem_hl2ss::{DepthFault, Malformed};

fn head(size: [u16; 2], lengths: [usize; 4]) -> Vec<u8> {
    let mut bytes = vec![0xca, 1, 0, 0];
    bytes.extend(size.iter().flat_map(|side| side.to_le_bytes()));
    for length in lengths {
        bytes.extend(u32::try_from(length).unwrap().to_le_bytes());
        bytes.extend([0; 4]); // Packed to nothing: nobody unpacks it here.
    }
    bytes
}

fn read(depth: &[u8]) -> Vec<u16> {
    let pairs = depth.as_chunks().0.iter();
    pairs.map(|pair| u16::from_le_bytes(*pair)).collect()
}

#[test]
fn a_known_picture() {
    let blob = vector("zdepth_24x16");
    let packed = Zdepth::of(&blob).unwrap();
    assert_eq!((packed.width, packed.height), (24, 16));
    let frames = packed.parts.map(|part| part.frame);
    assert!(
        frames
            .iter()
            .all(|frame| frame.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]))
    );
    assert_eq!(frames.concat(), blob[40..]);
    let parts = ["zeroes", "blocks", "edges", "surfaces"];
    let parts = parts.map(|name| vector(&format!("unpacked_{name}")));
    let parts = [&parts[0][..], &parts[1], &parts[2], &parts[3]];
    let mut depth = vec![0xee; 24 * 16 * 2];
    packed.depth(parts, &mut depth).unwrap();
    // From 750 mm on only every second is told apart, from 1500 on every fourth.
    let put_in = |x: u16, y: u16| {
        let depth = 300 + 10 * x + 5 * y + if x >= 16 { 1000 } else { 0 };
        match depth {
            _ if x < 4 && y < 4 => 0,
            ..750 => depth,
            750..1500 => depth & !1,
            _ => depth & !3,
        }
    };
    let expected: Vec<u16> = (0..16)
        .flat_map(|y| (0..24).map(move |x| put_in(x, y)))
        .collect();
    assert_eq!(read(&depth), expected);

    assert!(packed.depth(parts, &mut depth[1..]).is_err());
    let [zeroes, blocks, edges, _] = parts;
    let error = packed.depth([zeroes, blocks, edges, edges], &mut depth);
    assert!(matches!(
        error,
        Err(DepthFault::Malformed(Malformed::Size { .. }))
    ));
}

#[test]
fn what_cannot_be_is_refused_before_it_is_unpacked() {
    let right = [8 * 16 / 8, 2, 3, 3];
    assert!(Zdepth::of(&head([16, 8], right)).is_ok());
    assert!(Zdepth::of(&head([16, 8], right)[1..]).is_err());
    assert!(Zdepth::of(&head([16, 9], right)).is_err());
    assert!(Zdepth::of(&head([0, 8], right)).is_err());
    assert!(Zdepth::of(&head([8192, 8], right)).is_err());
    for (part, length) in [(0, 17), (1, 3), (2, 193), (3, 1 << 30)] {
        let mut lengths = right;
        lengths[part] = length;
        assert!(Zdepth::of(&head([16, 8], lengths)).is_err(), "{part}");
    }
    let mut needs_another = head([16, 8], right);
    needs_another[1] = 0;
    assert!(Zdepth::of(&needs_another).is_err());
    // A part that ends too soon, and a predictor there is none of.
    let mut depth = vec![0; 256];
    let bytes = head([16, 8], right);
    let packed = Zdepth::of(&bytes).unwrap();
    let all = [
        &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
        &[0, 0],
        &[0; 3],
        &[0; 3],
    ];
    assert!(packed.depth(all, &mut depth).is_err());
    let bytes = head([16, 16], [32, 1, 0, 0]);
    let packed = Zdepth::of(&bytes).unwrap();
    let mut depth = vec![0; 512];
    assert!(packed.depth([&[0; 32], &[5], &[], &[]], &mut depth).is_ok());
    assert_eq!(depth, [0; 512]);
    assert!(
        packed
            .depth([&[0; 32], &[6], &[], &[]], &mut depth)
            .is_err()
    );
}

/// The steps of a pixel's depth from what is before it, told as the format tells it.
fn prediction(predictor: u8, [l, ll, u, uu]: [i32; 4]) -> i32 {
    let either = |first: i32, second: i32| if first == 0 { second } else { first };
    match predictor {
        1 => either(u, l),
        2 => either(l, u),
        3 if u != 0 && uu != 0 => 2 * u - uu,
        4 if l != 0 && ll != 0 => 2 * l - ll,
        5 if l != 0 && u != 0 => (l + u) / 2,
        _ => l.max(u),
    }
}

fn pack(numbers: &[u16]) -> Vec<u8> {
    let mut even = numbers.to_vec();
    even.resize(numbers.len().next_multiple_of(2), 0);
    let upper = even.iter().map(|number| u8::try_from(number >> 4).unwrap());
    let lower = even
        .chunks(2)
        .map(|two| u8::try_from(two[0] & 15 | (two[1] & 15) << 4).unwrap());
    upper.chain(lower).collect()
}

/// Parts for a picture of steps of 1 mm.
fn put_in(steps: &[i32], width: usize, predictors: &[u8]) -> [Vec<u8>; 4] {
    let mut zeroes = vec![0; steps.len() / 8];
    let mut before = false;
    for (at, step) in steps.iter().enumerate() {
        if (*step != 0) != before {
            zeroes[at / 8] |= 1 << (at % 8);
            before = !before;
        }
    }
    let (across, down) = (width / 8, steps.len() / width / 8);
    let (mut edges, mut surfaces) = (Vec::new(), Vec::new());
    for (by, bx, y, x) in (0..down).flat_map(|by| {
        let pixels = (0..64).map(|at| (at / 8, at % 8));
        (0..across).flat_map(move |bx| pixels.clone().map(move |(y, x)| (by, bx, y, x)))
    }) {
        let is_outer = bx == 0 || by == 0;
        let at = (by * 8 + y) * width + bx * 8 + x;
        let get = |hidden: bool, back: usize| {
            if is_outer && hidden {
                0
            } else {
                steps[at - back]
            }
        };
        let (l, u) = (get(x < 1, 1), get(y < 1, width));
        let (ll, uu) = (get(x < 2, 2), get(y < 2, 2 * width));
        let predictor = if is_outer {
            0
        } else {
            predictors[(by - 1) * (across - 1) + bx - 1]
        };
        let off = steps[at] - prediction(predictor, [l, ll, u, uu]);
        let number = u16::try_from(off << 1 ^ off >> 31).unwrap();
        match steps[at] {
            0 => {}
            _ if l == 0 || u == 0 => edges.push(number),
            _ => surfaces.push(number),
        }
    }
    [zeroes, predictors.to_vec(), pack(&edges), pack(&surfaces)]
}

proptest! {
    #[test]
    fn every_predictor(
        steps in prop::collection::vec(prop_oneof![1 => Just(0), 5 => 1..550], 24 * 32),
        predictors in prop::collection::vec(0_u8..6, 6),
    ) {
        let parts = put_in(&steps, 24, &predictors);
        let bytes = head([24, 32], [0, 1, 2, 3].map(|part: usize| parts[part].len()));
        let packed = Zdepth::of(&bytes).unwrap();
        let mut depth = vec![0xee; steps.len() * 2];
        let parts = [&parts[0][..], &parts[1], &parts[2], &parts[3]];
        packed.depth(parts, &mut depth).unwrap();
        let millimetres = |step: &i32| if *step == 0 { 0 } else { u16::try_from(200 + step).unwrap() };
        prop_assert_eq!(read(&depth), steps.iter().map(millimetres).collect::<Vec<u16>>());
    }

    #[test]
    fn anything(
        bytes in prop::collection::vec(any::<u8>(), 0..100),
        parts in prop::collection::vec(any::<u8>(), 32 + 2 + 96 * 2),
        mend in any::<bool>(),
    ) {
        let mut bytes = bytes;
        if mend {
            bytes.splice(..40.min(bytes.len()), head([16, 16], [32, 2, 96, 96]));
        }
        let Ok(packed) = Zdepth::of(&bytes) else {
            prop_assert!(!mend);
            return Ok(());
        };
        let (zeroes, rest) = parts.split_at(32);
        let (blocks, rest) = rest.split_at(2);
        let (edges, surfaces) = rest.split_at(96);
        let mut depth = vec![0; packed.width * packed.height * 2];
        let _ = packed.depth([zeroes, blocks, edges, surfaces], &mut depth);
    }
}
