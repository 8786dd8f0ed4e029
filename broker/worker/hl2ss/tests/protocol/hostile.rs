//! Bytes no device in order would send.
//!
//! Owns nothing; whatever comes, there is an answer, and it is no panic.

use proptest::prelude::*;
use streamem_hl2ss::access_unit::{Codec, is_key};
use streamem_hl2ss::payload::{
    self, Adts, Ahat, Batch, ExtendedDepth, Grey, LongThrow, SpatialInput, Video,
};
use streamem_hl2ss::remote::{Clock, Mapping};
use streamem_hl2ss::request::{self, Eyes, Microphone};
use streamem_hl2ss::{
    Command, GreyCamera, Packets, Request, Sensor, Stream, Ticks, UtcOffset, Wants, calibration,
    devices,
};

fn requests() -> Vec<Request> {
    let sensor = Sensor::Gyroscope;
    let imu = request::Imu {
        sensor,
        posed: true,
    };
    let grey = request::Grey::new(GreyCamera::LeftLeft);
    vec![
        Eyes::Fps60.stream(),
        Microphone::RawArray.stream(),
        request::SpatialInput.stream(),
        imu.stream(),
        grey.stream().unwrap(),
    ]
}

proptest! {
    #[test]
    fn packets(
        which in 0_usize..5,
        plausible in any::<bool>(),
        pieces in prop::collection::vec((0_u32..200, prop::collection::vec(any::<u8>(), 0..200)), 0..20),
    ) {
        let request = &requests()[which];
        let mut packets = Packets::of(request).unwrap();
        let most = *request.stream().payload_bytes().end();
        for (placed, mut piece) in pieces {
            if plausible && piece.len() > 10 {
                piece[2..].fill(0); // So that some lengths are within bounds.
            }
            let mut rest = &piece[..];
            while let Ok(Some(_)) = packets.feed(&mut rest) {}
            if let Wants::Payload { at, bytes } = packets.wants() {
                prop_assert!(at + bytes <= most);
                prop_assert_eq!(packets.placed(placed).is_ok(), placed <= bytes);
            }
        }
    }

    #[test]
    fn payloads(bytes in prop::collection::vec(any::<u8>(), 0..2100), exact in any::<bool>()) {
        let bytes = if exact { let mut b = bytes; b.resize(SpatialInput::BYTES, 7); b } else { bytes };
        prop_assert_eq!(Grey::of(&bytes).is_ok(), bytes.len() >= Grey::TRAILER);
        prop_assert_eq!(LongThrow::of(&bytes).is_ok(), bytes.len() >= LongThrow::TRAILER);
        prop_assert_eq!(SpatialInput::of(&bytes).is_ok(), bytes.len() == SpatialInput::BYTES);
        prop_assert_eq!(payload::Eyes::of(&bytes).is_ok(), bytes.len() == payload::Eyes::BYTES);
        if let Ok(picture) = Ahat::of(&bytes) {
            prop_assert_eq!(picture.depth.len() + picture.picture.len() + 16, bytes.len());
        }
        let video = Video::of(&bytes);
        prop_assert_eq!(video.is_ok(), bytes.len() >= Video::TRAILER);
        if let Some(stride) = video.ok().and_then(|video| video.raw_stride()) {
            prop_assert!(stride <= bytes.len());
        }
        let depth = ExtendedDepth::of(&bytes);
        prop_assert_eq!(depth.is_ok(), bytes.len() >= ExtendedDepth::TRAILER);
        let _ = depth.map(|depth| depth.raw().map(<[u8]>::len));
        if let Ok(batch) = Batch::of(Sensor::Gyroscope, &bytes) {
            prop_assert_eq!(batch.samples().count(), bytes.len() / 32);
        }
        if let Ok(samples) = payload::stereo(&bytes) {
            prop_assert_eq!(samples.count() * 4, bytes.len());
        }
        if let Ok(samples) = payload::array(&bytes) {
            prop_assert_eq!(samples.count() * 20, bytes.len());
        }
        let _ = Adts::of(&bytes);
        let _ = (is_key(Codec::H264, &bytes), is_key(Codec::Hevc, &bytes));
    }

    #[test]
    fn an_aac_frame_is_as_long_as_it_says(tail in prop::collection::vec(any::<u8>(), 5..60)) {
        let bytes = [&[0xff, 0xf1][..], &tail].concat();
        if let Ok(frame) = Adts::of(&bytes) {
            prop_assert!(frame.rate > 0 && frame.channels < 8);
            prop_assert_eq!(frame.frame.len(), bytes.len());
        }
    }

    #[test]
    fn answers(bytes in prop::collection::vec(any::<u8>(), 0..300), count in 0_usize..4) {
        prop_assert_eq!(calibration::imu(&bytes).is_ok(), bytes.len() == 64);
        prop_assert_eq!(calibration::Video::of(&bytes).is_ok(), bytes.len() == 208);
        prop_assert!(calibration::Camera::grey(&bytes).is_err());
        let _ = devices::text(&bytes);
        let commands = [
            Command::Version,
            Command::UtcOffset,
            Command::VideoStatus,
            Command::Now(Clock::Utc),
            Command::MapPoints(Stream::Ahat, Mapping::ToPixels, vec![[0.0; 2]; count]),
            Command::RigPoses(vec![Ticks(0); count]),
            Command::Quiet(false),
        ];
        for command in commands {
            let wanted = command.reply_bytes();
            let _ = command.reply(&bytes);
            if let Some(right) = bytes.get(..wanted) {
                let is_status = command == Command::VideoStatus;
                prop_assert!(is_status || command.reply(right).is_ok());
            }
        }
    }

    #[test]
    fn times(ticks in any::<u64>(), offset in any::<u64>()) {
        let _ = UtcOffset(offset).unix_ns(Ticks(ticks));
        prop_assert_eq!(Ticks(ticks).ns() / 100, u128::from(ticks));
    }
}
