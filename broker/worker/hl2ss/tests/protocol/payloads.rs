//! What is in known packets.
//!
//! Owns what is expected of each; that they are cut right is tested beside.

use crate::vectors::{T, packet, pose, vector};
use streamem_hl2ss::access_unit::{Codec, is_key};
use streamem_hl2ss::payload::{
    self, Adts, Batch, ExtendedDepth, Focus, Grey, HAND_JOINTS, LongThrow, Ray, SpatialInput, Video,
};
use streamem_hl2ss::request::{self, DepthProfile, Microphone, PngFilter};
use streamem_hl2ss::{
    Aac, GreyCamera, Malformed, Profile, Request, Sensor, Ticks, VideoFormat, calibration, devices,
};

const H264: &[u8] = &[
    0, 0, 0, 1, 9, 0x10, 0, 0, 0, 1, 0x67, 0x4d, 0, 0x1e, 0, 0, 0, 1, 0x65, 0xb8, 0x40, 0,
];
const HEVC: &[u8] = &[
    0, 0, 0, 1, 0x40, 1, 0x0c, 1, 0, 0, 0, 1, 0x26, 1, 0x0a, 0xf8,
];

fn grey(posed: bool) -> Request {
    let mut request = request::Grey::new(GreyCamera::LeftFront);
    request.posed = posed;
    request.stream().unwrap()
}

fn video(posed: bool) -> Request {
    let mut request = request::Video::new(VideoFormat::new(1920, 1080, 30));
    request.posed = posed;
    request.stream().unwrap()
}

fn ahat(posed: bool) -> Request {
    let mut request = request::Ahat::new(DepthProfile::Same, Profile::Hevc);
    request.posed = posed;
    request.stream().unwrap()
}

#[test]
fn grey_pictures() {
    let packet_ = packet(&grey(true), "pkt_vlc_m1_h264");
    assert_eq!(
        (packet_.header.ticks, packet_.pose),
        (Ticks(T), Some(pose()))
    );
    let picture = Grey::of(&packet_.payload).unwrap();
    let expected = Grey {
        picture: H264,
        sensor_ticks: Ticks(123_456_789_000),
        exposure_ns: 5_990_000,
        gain: 7,
    };
    assert_eq!(picture, expected);
    assert!(is_key(Codec::H264, picture.picture));
    let empty = packet(&grey(false), "pkt_vlc_m0_empty");
    assert!(Grey::of(&empty.payload).unwrap().picture.is_empty());
}

#[test]
fn depth() {
    let same = packet(&ahat(true), "pkt_ahat_m1_same_hevc");
    let picture = payload::Ahat::of(&same.payload).unwrap();
    assert_eq!((picture.depth, picture.picture), (&[][..], HEVC));
    assert_eq!(picture.sensor_ticks, Ticks(987_654_321));
    assert!(is_key(Codec::Hevc, picture.picture));
    let apart = packet(&ahat(false), "pkt_ahat_m0_zdepth_h264");
    let picture = payload::Ahat::of(&apart.payload).unwrap();
    assert_eq!(picture.depth, [0xca, 1, 1, 0]);
    assert_eq!(picture.picture, H264);
    let mut wrong = apart.payload.clone();
    wrong[0] += 1;
    assert!(matches!(
        payload::Ahat::of(&wrong),
        Err(Malformed::Size { .. })
    ));

    let request = request::LongThrow {
        posed: true,
        divisor: 1,
        filter: PngFilter::Paeth,
    };
    let room = packet(&request.stream().unwrap(), "pkt_lt_m1");
    let picture = LongThrow::of(&room.payload).unwrap();
    assert_eq!(picture.sensor_ticks, Ticks(555_666_777));
    assert!(picture.png.starts_with(b"\x89PNG") && picture.png.ends_with(b"IEND\xaeB`\x82"));

    let request = request::ExtendedDepth {
        open: None,
        close: false,
        posed: false,
        divisor: 1,
        depth: DepthProfile::Same,
        media_index: 0,
        stride_mask: None,
    };
    let plugged = packet(&request.stream().unwrap(), "pkt_ez_m0_raw_8x2");
    let picture = ExtendedDepth::of(&plugged.payload).unwrap();
    assert_eq!((picture.width, picture.height), (8, 2));
    assert_eq!(picture.raw(), Some(picture.depth));
}

#[test]
fn sensors() {
    let request = |sensor| request::Imu {
        sensor,
        posed: false,
    };
    let sensor = Sensor::Accelerometer;
    let two = packet(&request(sensor).stream(), "pkt_imu_acc_m0_2");
    let batch = Batch::of(sensor, &two.payload).unwrap();
    let samples: Vec<_> = batch.samples().collect();
    assert_eq!(samples.len(), 2);
    assert_eq!(samples[0].value, [1.0, -9.5, 0.25]);
    assert_eq!(samples[1].value, [2.0, -9.5, 0.25]);
    assert_eq!(samples[1].temperature, Some(36.5));
    assert_eq!(
        (samples[0].ticks, samples[1].ticks),
        (Ticks(T), Ticks(T + 10))
    );

    let sensor = Sensor::Magnetometer;
    let one = packet(&request(sensor).stream(), "pkt_imu_mag_m0_1");
    let sample = Batch::of(sensor, &one.payload).unwrap().get(0).unwrap();
    assert_eq!(sample.value, [10.0, 20.0, 30.0]);
    assert_eq!((sample.sensor_ns, sample.temperature), (1, None));
    assert!(Batch::of(sensor, &one.payload[1..]).is_err());
    assert!(Batch::of(sensor, &[]).unwrap().is_empty());
}

#[test]
fn samples_that_came_with_one_time_are_counted_from_the_first() {
    let record = |sensor_ns: u64| {
        let words = [sensor_ns, 5000].map(u64::to_le_bytes).concat();
        [words, vec![0; 16]].concat()
    };
    let batch = [record(1000), record(1900), record(3000)].concat();
    let batch = Batch::of(Sensor::Gyroscope, &batch).unwrap();
    let ticks: Vec<u64> = batch.samples().map(|sample| sample.ticks.0).collect();
    assert_eq!(ticks, [5000, 5009, 5020]);
}

#[test]
fn personal_video() {
    for (name, posed, bytes) in [
        ("pkt_pv_m1_hevc", true, HEVC),
        ("pkt_pv_m0_h264", false, H264),
        ("pkt_pv_m0_empty", false, &[][..]),
    ] {
        let packet = packet(&video(posed), name);
        assert_eq!(packet.pose, posed.then(pose), "{name}");
        let expected = Video {
            picture: bytes,
            focal_length: [1456.5, 1457.25],
            principal_point: [960.0, 540.5],
            exposure_ticks: 166_666,
            exposure_compensation: [0x10, 0],
            lens_position: 550,
            focus: Focus::Focused,
            iso_speed: 400,
            white_balance: 4000,
            iso_gains: [1.5, 1.25],
            white_balance_gains: [1.0, 1.125, 1.75],
            width: 1920,
            height: 1080,
        };
        assert_eq!(Video::of(&packet.payload), Ok(expected), "{name}");
    }
}

#[test]
fn raw_video_says_how_long_its_rows_are() {
    let mut payload = vec![0; 768 * 428 * 3 / 2 + 80];
    let end = payload.len();
    payload[end - 4..].copy_from_slice(&[0xf8, 2, 0xac, 1]);
    assert_eq!(payload.len(), 493_056 + 80);
    assert_eq!(Video::of(&payload).unwrap().raw_stride(), Some(768));
    assert_eq!(Video::of(&payload[2..]).unwrap().raw_stride(), None);
    assert_eq!(Video::of(&[0; 80]).unwrap().raw_stride(), None);
}

#[test]
fn other_cameras() {
    let request = request::ExtendedVideo {
        open: None,
        close: false,
        posed: false,
        format: VideoFormat::new(640, 480, 30),
        divisor: 1,
        encoding: streamem_hl2ss::Encoding::new(Profile::H264Main),
        acquisition: None,
        stride_mask: None,
    };
    let packet = packet(&request.stream().unwrap(), "pkt_ev_m0_h264");
    let picture = Video::of(&packet.payload).unwrap();
    assert_eq!(picture.picture, H264);
    assert_eq!((picture.width, picture.height), (640, 480));
    let list = vector("rsp_devlist");
    let (head, rest) = list.split_at(devices::HEAD);
    assert_eq!(devices::length(head.try_into().unwrap()), Ok(rest.len()));
    assert_eq!(devices::text(rest).unwrap(), r#"{"0":{"Name":"cam"}}"#);
    assert_eq!(devices::text(&rest[1..]), Err(Malformed::NotText));
    assert_eq!(devices::text(&[0, 0xd8]), Err(Malformed::NotText));
    assert!(devices::length([0xff; 4]).is_err());
}

#[test]
fn sound() {
    let stereo = packet(
        &Microphone::RawStereo.stream(),
        "pkt_mic_raw_stereo_2frames",
    );
    let samples: Vec<_> = payload::stereo(&stereo.payload).unwrap().collect();
    assert_eq!(samples, [[100, -100], [200, -200]]);
    assert!(payload::stereo(&stereo.payload[1..]).is_err());
    let array = packet(&Microphone::RawArray.stream(), "pkt_mic_raw_array_1frame");
    let samples: Vec<_> = payload::array(&array.payload).unwrap().collect();
    assert_eq!(samples, [[0.1, 0.2, 0.3, 0.4, 0.5]]);
    let aac = packet(&Microphone::Aac(Aac::default()).stream(), "pkt_mic_aac");
    let frame = Adts::of(&aac.payload).unwrap();
    assert_eq!((frame.rate, frame.channels), (48_000, 2));
    assert!(Adts::of(&aac.payload[..12]).is_err());
    assert!(Adts::of(&[0; 13]).is_err());
}

#[test]
fn head_eyes_and_hands() {
    let packet_ = packet(&request::SpatialInput.stream(), "pkt_si");
    let input = SpatialInput::of(&packet_.payload).unwrap();
    let head = input.head.unwrap();
    assert_eq!((head.position, head.up), ([0.0, 1.5, 0.0], [0.0, 1.0, 0.0]));
    assert_eq!(head.forward, [0.0, 0.0, -1.0]);
    assert_eq!(input.eyes, None);
    for (hand, from) in [(input.left, 0_u8), (input.right, 100)] {
        let hand = hand.unwrap();
        assert_eq!(hand.len(), HAND_JOINTS);
        for (joint, x) in hand.iter().zip(from..) {
            assert_eq!(joint.orientation, [0.0, 0.0, 0.0, 1.0]);
            assert_eq!(joint.position, [f32::from(x), 0.5, -0.25]);
            assert_eq!((joint.radius, joint.accuracy), (0.01, 0));
        }
    }
}

#[test]
fn eyes() {
    let packet_ = packet(&request::Eyes::Fps30.stream(), "pkt_eet");
    assert_eq!(packet_.pose, Some(pose()));
    let eyes = payload::Eyes::of(&packet_.payload).unwrap();
    let ahead = Some(Ray {
        origin: [0.0; 3],
        direction: [0.0, 0.0, -1.0],
    });
    assert!(eyes.is_calibrated);
    assert_eq!(
        (eyes.combined, eyes.left.ray, eyes.right.ray),
        (ahead, ahead, ahead)
    );
    assert_eq!((eyes.left.openness, eyes.vergence), (None, None));
    let none = packet(&request::Eyes::Fps90.stream(), "pkt_eet_novalid");
    let eyes = payload::Eyes::of(&none.payload).unwrap();
    assert!(!eyes.is_calibrated && eyes.combined.is_none() && eyes.right.ray.is_none());
}

#[test]
fn calibrations() {
    let video = calibration::Video::of(&vector("rsp_pv_m2")).unwrap();
    assert_eq!(video.focal_length, [1456.5, 1457.25]);
    assert_eq!(video.principal_point, [960.0, 540.5]);
    assert_eq!(video.radial, [0.01, -0.02, 0.003]);
    assert_eq!(video.tangential, [0.0001, -0.0002]);
    assert_eq!(video.projection[15], 15.0);
    assert_eq!(video.extrinsics, pose().0);
    assert_eq!(video.driver_intrinsics, [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(video.driver_extrinsics, [0.1, 0.2, 0.3, 0.0, 0.0, 0.0, 1.0]);

    let numbers = |bytes: usize| {
        let number = |index: u16| f32::from(index).to_le_bytes();
        (0..=u16::MAX)
            .cycle()
            .take(bytes / 4)
            .flat_map(number)
            .collect::<Vec<u8>>()
    };
    let at = |index: usize| f32::from(u16::try_from(index % 65_536).unwrap());
    let bytes = numbers(calibration::AHAT_BYTES);
    let ahat = calibration::Camera::ahat(&bytes).unwrap();
    let pixels = ahat.width * ahat.height;
    assert_eq!(ahat.unit_y.get(1), Some(at(pixels + 1)));
    assert_eq!(ahat.extrinsics[0], at(2 * pixels));
    assert_eq!(
        (ahat.scale, ahat.alias),
        (Some(at(2 * pixels + 16)), Some(at(2 * pixels + 17)))
    );
    assert_eq!(ahat.map_y.iter().next(), Some(at(3 * pixels + 18)));
    assert_eq!(ahat.map_y.iter().len(), pixels);
    assert_eq!(ahat.map_x.get(pixels), None);
    assert_eq!(ahat.intrinsics[3], at(4 * pixels + 21));
    let bytes = numbers(calibration::LONG_THROW_BYTES);
    let room = calibration::Camera::long_throw(&bytes).unwrap();
    assert!(room.scale.is_some() && room.alias.is_none());
    let bytes = numbers(calibration::GREY_BYTES);
    let grey = calibration::Camera::grey(&bytes).unwrap();
    assert_eq!((grey.width, grey.scale), (640, None));
    assert!(calibration::Camera::ahat(&bytes).is_err());
    assert_eq!(calibration::imu(&vector("pose_example")), Ok(pose().0));
}
