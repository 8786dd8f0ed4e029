//! A headset's replies to commands, and its lists of devices, with anything in them.
//!
//! Owns nothing; a reply of the right length is one, but for what means nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use streamem_hl2ss::remote::{Clock, Mapping, Reply};
use streamem_hl2ss::{Command, Malformed, Stream, Ticks, devices};

fuzz_target!(|input: &[u8]| {
    let [which, count, bytes @ ..] = input else {
        return;
    };
    let count = usize::from(*count);
    let command = match which % 7 {
        0 => Command::Version,
        1 => Command::UtcOffset,
        2 => Command::VideoStatus,
        3 => Command::Now(Clock::Ticks),
        4 => Command::MapPoints(Stream::Ahat, Mapping::ToPixels, vec![[0.0; 2]; count]),
        5 => Command::RigPoses(vec![Ticks(0); count]),
        _ => {
            if let Some((head, rest)) = bytes.split_first_chunk()
                && devices::length(*head) == Ok(rest.len())
                && let Ok(text) = devices::text(rest)
            {
                let again: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                assert_eq!(again, rest);
            }
            return;
        }
    };
    match command.reply(bytes) {
        Ok(Reply::Version(version)) => {
            let refused = version.check().map_err(|error| error.to_string());
            assert!(refused.is_ok() || refused.is_err_and(|it| it.contains(&version.to_string())));
        }
        Ok(Reply::Points(points)) => assert_eq!(points.len(), count),
        Ok(Reply::Poses(poses)) => assert_eq!(poses.len(), count),
        Ok(_) => assert_eq!(bytes.len(), command.reply_bytes()),
        Err(Malformed::Meaningless { .. }) => assert_eq!(command, Command::VideoStatus),
        Err(_) => assert_ne!(bytes.len(), command.reply_bytes()),
    }
});
