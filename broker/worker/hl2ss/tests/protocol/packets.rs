//! Packets are found however the bytes were cut, and a length that cannot be ends it.
//!
//! Owns the cuts.

use crate::vectors::{T, pose, read, vector};
use proptest::prelude::*;
use streamem_hl2ss::request::{self, Eyes, Microphone};
use streamem_hl2ss::{
    Event, GreyCamera, Header, Malformed, Misplaced, Packets, Pose, Request, Stream, Ticks, Wants,
};

fn grey() -> Request {
    request::Grey::new(GreyCamera::LeftFront).stream().unwrap()
}

#[test]
fn a_payload_is_received_to_its_place() {
    let bytes = vector("pkt_vlc_m1_h264");
    let mut packets = Packets::of(&grey()).unwrap();
    assert_eq!(packets.wants(), Wants::Bytes(Header::BYTES));
    let (head, rest) = bytes.split_at(Header::BYTES);
    let header = packets.feed(&mut &head[..]).unwrap();
    let expected = Header {
        ticks: Ticks(T),
        payload_bytes: 46,
    };
    assert_eq!(header, Some(Event::Header(expected)));
    assert_eq!(packets.wants(), Wants::Payload { at: 0, bytes: 46 });
    packets.placed(40).unwrap();
    assert_eq!(packets.wants(), Wants::Payload { at: 40, bytes: 6 });
    let too_many = Misplaced {
        placed: 7,
        wanted: 6,
    };
    assert_eq!(packets.placed(7), Err(too_many));
    packets.placed(6).unwrap();
    assert_eq!(packets.wants(), Wants::Bytes(Pose::BYTES));
    let mut behind = &rest[46..];
    assert_eq!(
        packets.feed(&mut behind),
        Ok(Some(Event::End(Some(pose()))))
    );
    assert_eq!(packets.wants(), Wants::Bytes(Header::BYTES));
    assert!(packets.placed(1).is_err());
}

#[test]
fn a_packet_without_pose_ends_without_another_byte() {
    let mut packets = Packets::of(&Microphone::RawStereo.stream()).unwrap();
    let bytes = vector("pkt_mic_raw_stereo_2frames");
    let mut head = &bytes[..Header::BYTES];
    assert!(packets.feed(&mut head).unwrap().is_some());
    packets.placed(8).unwrap();
    assert_eq!(packets.wants(), Wants::End);
    assert_eq!(packets.feed(&mut &[][..]), Ok(Some(Event::End(None))));
    assert_eq!(packets.feed(&mut &[][..]), Ok(None));
}

#[test]
fn a_length_that_cannot_be_is_refused_before_anything_is_awaited() {
    let lengths: [(Request, u32); 4] = [
        (grey(), u32::MAX),
        (grey(), 23),
        (request::SpatialInput.stream(), 1935),
        (Eyes::Fps30.stream(), 93),
    ];
    for (request, length) in lengths {
        let mut packets = Packets::of(&request).unwrap();
        let head = [&[0; 8][..], &length.to_le_bytes()].concat();
        let mut piece = &head[..];
        let error = packets.feed(&mut piece).unwrap_err();
        assert!(matches!(error, Malformed::Length { bytes, .. } if bytes == length));
        let sentence = error.to_string();
        assert!(sentence.contains(&length.to_string()), "{sentence}");
        assert!(
            sentence.contains(&request.stream().to_string()),
            "{sentence}"
        );
        assert_eq!(packets.wants(), Wants::End);
        assert_eq!(packets.feed(&mut &head[..]), Err(error));
    }
    assert!(Packets::of(&request::calibration(Stream::Ahat).unwrap()).is_none());
}

#[test]
fn a_raw_picture_begins_as_any_other() {
    let mut packets = Packets::of(&grey()).unwrap();
    let bytes = vector("pkt_vlc_m0_raw_head");
    let mut piece = &bytes[..];
    let header = packets.feed(&mut piece).unwrap();
    assert!(matches!(header, Some(Event::Header(header)) if header.payload_bytes == 307_224));
    let first = packets.feed(&mut piece).unwrap();
    let twenty = Event::Payload {
        at: 0,
        bytes: &bytes[12..],
    };
    assert_eq!(first, Some(twenty));
    let missing = Wants::Payload {
        at: 20,
        bytes: 307_204,
    };
    assert_eq!(packets.wants(), missing);
}

#[test]
fn a_pose_that_says_nothing_is_told_apart() {
    let of = |bytes: Vec<u8>| Pose::of(&bytes.try_into().unwrap());
    let known = of(vector("pose_example"));
    assert!(known.is_located());
    assert_eq!(known.translation(), [0.5, -0.25, 2.0]);
    assert!(!of(vector("pose_invalid")).is_located());
    let mut broken = known;
    broken.0[3] = f32::NAN;
    assert!(!broken.is_located());
}

proptest! {
    #[test]
    fn cuts_make_no_difference(
        payloads in prop::collection::vec((any::<u64>(), 24_u8..80), 1..6),
        pieces in prop::collection::vec(1_usize..90, 1..20),
    ) {
        let place = vector("pose_example");
        let mut bytes = Vec::new();
        for (ticks, length) in &payloads {
            bytes.extend(ticks.to_le_bytes());
            bytes.extend(u32::from(*length).to_le_bytes());
            bytes.extend(0..*length);
            bytes.extend(&place);
        }
        let found = read(&grey(), &bytes, &pieces);
        prop_assert_eq!(found.len(), payloads.len());
        for (packet, (ticks, length)) in found.iter().zip(&payloads) {
            prop_assert_eq!(packet.header.ticks, Ticks(*ticks));
            prop_assert_eq!(&packet.payload, &(0..*length).collect::<Vec<u8>>());
            prop_assert_eq!(packet.pose, Some(pose()));
        }
    }
}
