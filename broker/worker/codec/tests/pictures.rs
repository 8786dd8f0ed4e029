//! Pictures are decoded where they are wanted, and are what FFmpeg itself makes of the same bytes.

mod support;

use std::sync::Arc;
use streamem_codec::{Codec, CodecError, Need, Planes, VideoDecoder};
use support::slot::Slot;
use support::{GROUP, Placement, by_ffmpeg, into_slot, no_memory, seen, units};

const BOTH: [Codec; 2] = [Codec::H264, Codec::Hevc];
/// Those of the headset's cameras.
const SIZES: [(usize, usize); 13] = [
    (1952, 1100),
    (1920, 1080),
    (1504, 846),
    (1280, 720),
    (1128, 636),
    (960, 540),
    (760, 428),
    (640, 360),
    (640, 480),
    (512, 512),
    (500, 282),
    (424, 240),
    (320, 288),
];

#[test]
fn pictures_of_every_size_lie_in_their_slot_and_nothing_beside_it_is_touched() {
    for ((width, height), codec) in SIZES
        .into_iter()
        .flat_map(|size| BOTH.map(|codec| (size, codec)))
    {
        let count = GROUP + 2;
        let units = units(codec, width, height, count);
        let wanted = by_ffmpeg(codec, &units, "yuv420p");
        let placement = Placement::of(width, height);
        let mut decoder = VideoDecoder::new(codec).unwrap();
        let frame = width * height * 3 / 2;
        assert_eq!(wanted.len(), frame * units.len());
        for ((number, unit), wanted) in (40..).zip(&units).zip(wanted.chunks(frame)) {
            let slot = Slot::new(placement.bytes);
            let picture =
                into_slot(&mut decoder, unit, number, &slot, placement).expect("one in, one out");
            let context = format!("{width}x{height} {codec:?} {number}");
            assert_eq!(
                (picture.number, picture.is_damaged),
                (number, false),
                "{context}"
            );
            assert_eq!(
                (picture.width, picture.height),
                (width, height),
                "{context}"
            );
            assert_eq!(picture.is_key, (number - 40) % GROUP == 0, "{context}");
            for (which, plane) in picture.planes().planes.into_iter().enumerate() {
                let place = placement.planes[which];
                assert_eq!(picture.place(which), Some(place), "{context}");
                let address = slot.base().as_ptr().addr() + place.offset;
                assert_eq!(plane.bytes.as_ptr().addr(), address, "{context}");
            }
            assert!(std::ptr::eq(
                picture.owner::<Slot>().unwrap(),
                &raw const *slot
            ));
            assert!(seen(&picture) == wanted, "{context}: other bytes");
            assert!(slot.is_front_untouched(), "{context}");
        }
    }
}

#[test]
fn brightness_alone_lies_in_the_slot_and_colours_elsewhere() {
    for codec in BOTH {
        let (width, height) = (640, 480);
        let units = units(codec, width, height, GROUP);
        let wanted = by_ffmpeg(codec, &units, "yuv420p");
        let room = Placement::of(width, height);
        let place = room.planes[0];
        let mut decoder = VideoDecoder::new(codec).unwrap();
        for ((number, unit), wanted) in (0..).zip(&units).zip(wanted.chunks(width * height * 3 / 2))
        {
            let slot = Slot::new(room.luma_bytes);
            let mut give = |_: Need| Some(slot.target(Planes::Brightness(place)));
            let picture = decoder.decode(unit, number, &mut give).unwrap().unwrap();
            assert_eq!(picture.place(0), Some(place));
            assert_eq!([picture.place(1), picture.place(2)], [None, None]);
            assert!(slot.look()[..width] == wanted[..width]);
            assert!(seen(&picture) == wanted, "{codec:?} {number}");
            assert!(slot.is_front_untouched());
        }
    }
}

#[test]
fn a_slot_is_kept_for_as_long_as_pictures_are_made_from_it() {
    for codec in BOTH {
        let (width, height) = (640, 360);
        let units = units(codec, width, height, GROUP);
        let wanted = by_ffmpeg(codec, &units, "yuv420p");
        let frame = width * height * 3 / 2;
        let placement = Placement::of(width, height);
        let run = |is_patient: bool| {
            let mut decoder = VideoDecoder::new(codec).unwrap();
            let mut slots: Vec<Arc<Slot>> = Vec::new();
            let mut right = 0;
            for ((number, unit), wanted) in (0..).zip(&units).zip(wanted.chunks(frame)) {
                let is_free = |slot: &&Arc<Slot>| Arc::strong_count(slot) == 1;
                let free = slots.iter().find(is_free).cloned();
                let slot = free.unwrap_or_else(|| {
                    slots.push(Slot::new(placement.bytes));
                    Arc::clone(&slots[slots.len() - 1])
                });
                let picture = into_slot(&mut decoder, unit, number, &slot, placement).unwrap();
                right += u32::from(seen(&picture) == wanted);
                drop((picture, slot));
                // Somebody who looks whether a slot is free writes to it, and somebody else does not look.
                for slot in &slots {
                    if !is_patient || Arc::strong_count(slot) == 1 {
                        slot.overwrite(77);
                    }
                }
            }
            let held = slots
                .iter()
                .filter(|slot| Arc::strong_count(slot) > 1)
                .count();
            assert!(held >= 1, "the decoder still refers to the last");
            drop(decoder);
            assert!(
                slots.iter().all(|slot| Arc::strong_count(slot) == 1),
                "all are let go"
            );
            (right, slots.len())
        };
        let (right, slots) = run(true);
        assert_eq!(right, u32::try_from(units.len()).unwrap(), "{codec:?}");
        assert!(slots < units.len(), "{codec:?}: slots are used again");
        let (right, _) = run(false);
        assert_eq!(
            right, 1,
            "{codec:?}: all after the first are made from what was overwritten"
        );
    }
}

#[test]
fn a_picture_outlives_its_decoder() {
    let (width, height) = (424, 240);
    let units = units(Codec::Hevc, width, height, 1);
    let wanted = by_ffmpeg(Codec::Hevc, &units, "yuv420p");
    let placement = Placement::of(width, height);
    let slot = Slot::new(placement.bytes);
    let mut decoder = VideoDecoder::new(Codec::Hevc).unwrap();
    let in_slot = into_slot(&mut decoder, &units[0], 0, &slot, placement).unwrap();
    decoder.reset();
    let own = decoder
        .decode(&units[0], 1, &mut no_memory)
        .unwrap()
        .unwrap();
    drop((decoder, slot));
    let elsewhere = std::thread::spawn(move || (seen(&in_slot), seen(&own)));
    let (in_slot, own) = elsewhere.join().unwrap();
    assert!(in_slot == wanted && own == wanted);
}

#[test]
fn a_picture_without_a_slot_spoils_none_that_follow() {
    for codec in BOTH {
        let (width, height) = (960, 540);
        let units = units(codec, width, height, GROUP);
        let wanted = by_ffmpeg(codec, &units, "yuv420p");
        let placement = Placement::of(width, height);
        let (short, slot) = (Slot::new(4096), Slot::new(placement.bytes + 128));
        let mut decoder = VideoDecoder::new(codec).unwrap();
        for ((number, unit), wanted) in (0..).zip(&units).zip(wanted.chunks(width * height * 3 / 2))
        {
            let mut off = placement.planes;
            off[1].offset += 16;
            let slot = Slot::new(slot.bytes);
            let picture = decoder.decode(unit, number, &mut |_| match number {
                1 => None,
                3 => Some(short.target(Planes::All(placement.planes))),
                4 => Some(slot.target(Planes::All(off))),
                _ => Some(slot.target(Planes::All(placement.planes))),
            });
            let picture = picture.unwrap().unwrap();
            let has_slot = !matches!(number, 1 | 3 | 4);
            assert_eq!(picture.place(0).is_some(), has_slot, "{number}");
            assert_eq!(picture.owner::<Slot>().is_some(), has_slot, "{number}");
            assert!(seen(&picture) == wanted, "{codec:?} {number}");
        }
        assert_eq!(Arc::strong_count(&short), 1, "what did not fit is let go");
    }
}

#[test]
fn nothing_comes_before_a_key_frame_and_what_follows_a_loss_is_damaged() {
    for codec in BOTH {
        let units = units(codec, 424, 240, GROUP + 2);
        let mut decoder = VideoDecoder::new(codec).unwrap();
        let decode = |decoder: &mut VideoDecoder, number: usize| {
            let picture = decoder.decode(&units[number], number as u64, &mut no_memory);
            // Some decoders say that there is nothing to make it from.
            picture.ok().flatten().map(|picture| picture.is_damaged)
        };
        for late in [1, 2, 3] {
            assert_eq!(decode(&mut decoder, late), None, "{codec:?}");
        }
        assert_eq!(decode(&mut decoder, 6), Some(false), "{codec:?}");
        assert_eq!(decode(&mut decoder, 7), Some(false));
        decoder.reset();
        assert_eq!(decode(&mut decoder, 2), None, "{codec:?}");
        assert_eq!(decode(&mut decoder, 0), Some(false));
        assert_eq!(decode(&mut decoder, 1), Some(false));
        decoder.broken();
        assert_eq!(decode(&mut decoder, 3), Some(true));
        assert_eq!(decode(&mut decoder, 4), Some(true));
        assert_eq!(decode(&mut decoder, 6), Some(false));
    }
}

#[test]
fn another_size_is_told_and_decoded() {
    for codec in BOTH {
        let mut decoder = VideoDecoder::new(codec).unwrap();
        for (width, height) in [(424, 240), (640, 360), (424, 240)] {
            let units = units(codec, width, height, 3);
            let wanted = by_ffmpeg(codec, &units, "yuv420p");
            let placement = Placement::of(width, height);
            for ((number, unit), wanted) in
                (0..).zip(&units).zip(wanted.chunks(width * height * 3 / 2))
            {
                let slot = Slot::new(placement.bytes);
                let picture = into_slot(&mut decoder, unit, number, &slot, placement).unwrap();
                assert_eq!((picture.width, picture.height), (width, height));
                assert!(picture.place(0).is_some() && seen(&picture) == wanted);
            }
        }
    }
}

#[test]
fn garbage_is_an_error_or_damaged_and_the_next_key_frame_is_whole_again() {
    for codec in BOTH {
        let (width, height) = (424, 240);
        let units = units(codec, width, height, GROUP + 1);
        let wanted = by_ffmpeg(codec, &units, "yuv420p");
        let last = &wanted[wanted.len() - width * height * 3 / 2..];
        let placement = Placement::of(width, height);
        for seed in 0..40_usize {
            let mut decoder = VideoDecoder::new(codec).unwrap();
            let mut is_seen = false;
            for (number, unit) in units.iter().enumerate() {
                let mut unit = unit.to_vec();
                if number == 2 {
                    let at = 12 + seed * 97 % (unit.len() - 12);
                    match seed % 3 {
                        0 => unit.truncate(at),
                        1 => unit[at..].fill(0xff),
                        _ => unit[at..].iter_mut().for_each(|byte| *byte ^= 0x5a),
                    }
                }
                let slot = Slot::new(placement.bytes);
                let mut give = |_: Need| Some(slot.target(Planes::All(placement.planes)));
                match decoder.decode(&unit, number as u64, &mut give) {
                    Ok(Some(picture)) if number as u64 == GROUP => {
                        assert!(!picture.is_damaged && seen(&picture) == last);
                    }
                    Ok(Some(picture)) => is_seen |= picture.is_damaged,
                    Ok(None) | Err(CodecError::Undecodable { .. }) => is_seen = true,
                    Err(other) => panic!("{other}"),
                }
                assert!(slot.is_front_untouched());
            }
            // H.265 takes almost anything for a picture.
            assert!(is_seen || codec == Codec::Hevc, "{seed}: nobody was told");
        }
    }
}

#[test]
fn what_is_no_access_unit_is_an_error_or_nothing() {
    for codec in BOTH {
        let mut decoder = VideoDecoder::new(codec).unwrap();
        assert!(matches!(decoder.decode(&[], 0, &mut no_memory), Ok(None)));
        let error = decoder.decode(b"no access unit at all", 7, &mut no_memory);
        let text = error.expect_err("it is none").to_string();
        assert!(text.starts_with("picture 7 cannot be decoded: "), "{text}");
        assert!(text.contains("Invalid data"), "{text}");
        let parameters = units(codec, 424, 240, 1);
        assert!(
            decoder
                .decode(&parameters[0], 8, &mut no_memory)
                .unwrap()
                .is_some()
        );
    }
}

#[test]
fn pictures_of_ten_bits_are_refused() {
    let words = "-hide_banner -loglevel error -f lavfi -i testsrc=s=320x288:r=1 -frames:v 1 -pix_fmt yuv420p10le \
                 -c:v libx265 -x265-params log-level=none:bframes=0 -f hevc -";
    let words: Vec<&str> = words.split_whitespace().collect();
    let unit = support::piped("ffmpeg", &words, Vec::new());
    let mut decoder = VideoDecoder::new(Codec::Hevc).unwrap();
    let mut asked = 0;
    let outcome = decoder.decode(&unit, 5, &mut |_| {
        asked += 1;
        None
    });
    assert_eq!(outcome.map(|_| ()), Err(CodecError::Kind { number: 5 }));
    assert_eq!(asked, 0);
}
