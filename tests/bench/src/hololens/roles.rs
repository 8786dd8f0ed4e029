//! The roles of a headset's run that are this program again: the device, a reader, a bare receiver.
//!
//! It owns their loops, and never compares anything.

use super::conducted::{Conductor, Phase};
use super::device;
use super::report::{Seen, View};
use crate::child::end_with_parent;
use crate::clock::now_ns;
use rustix::net::{RecvFlags, recv};
use std::io::{self, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;
use streamem::Subscription;
use streamem_hl2ss::{Encoding, GreyCamera, Profile, Request, VideoFormat, request};

/// How far a reader of every frame may be behind.
const DEPTH: u32 = 8;
const SLICE: Duration = Duration::from_millis(100);
/// Grey pictures are asked for with times that are so much earlier than they are sent.
const GREY_EARLY_NS: i64 = 12_500_000;
const HEADER_BYTES: usize = 12;
const POSE_BYTES: usize = 64;
const PAYLOAD_MAX: usize = 8 << 20;

/// Plays the role these words name.
pub fn play(words: &[String]) -> io::Result<()> {
    end_with_parent()?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["device"] => device::play(),
        ["reader", socket, offset_ns, ref streams @ ..] => {
            let offset_ns = offset_ns.parse().map_err(io::Error::other)?;
            let view = read(Path::new(socket), offset_ns, streams)?;
            say(&serde_json::to_string(&view)?)
        }
        ["bare", address, what] => say(&serde_json::to_string(&receive(address, what)?)?),
        _ => Err(io::Error::other(format!("no such role: {words:?}"))),
    }
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// Reads every frame of these streams, each on a thread.
fn read(socket: &Path, offset_ns: i64, streams: &[&str]) -> io::Result<View> {
    let conductor = Conductor::listen();
    let (told, first) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let open = |name: &&str| {
            let (name, told, conductor) = ((*name).to_owned(), told.clone(), conductor.clone());
            scope.spawn(move || {
                let seen = read_one(socket, offset_ns, &name, &conductor, || {
                    let _over = told.send(());
                });
                (name, seen)
            })
        };
        let reading: Vec<_> = streams.iter().map(open).collect();
        let all = (0..streams.len()).all(|_| first.recv_timeout(Duration::from_secs(60)).is_ok());
        if all {
            say("true")?;
        }
        let joined = reading.into_iter().map(|thread| {
            let (name, seen) = thread
                .join()
                .map_err(|_| io::Error::other("a reader panicked"))?;
            Ok((name, seen?))
        });
        joined.collect()
    })
}

fn read_one(
    socket: &Path,
    offset_ns: i64,
    name: &str,
    conductor: &Conductor,
    first: impl FnOnce(),
) -> io::Result<Seen> {
    let subscription = Subscription::builder(name).socket(socket).every(DEPTH);
    let mut subscription = subscription.open().map_err(io::Error::other)?;
    let early_ns = if name.starts_with("vlc") {
        GREY_EARLY_NS
    } else {
        0
    };
    let (mut seen, mut first, mut last) = (Seen::default(), Some(first), None);
    while conductor.phase() != Phase::Over {
        let Some(frame) = subscription.next(SLICE).map_err(io::Error::other)? else {
            continue;
        };
        let has_ns = now_ns().cast_signed();
        if let Some(first) = first.take() {
            first();
        }
        let number = frame.source_sequence();
        if conductor.phase() == Phase::Measure {
            let due_ns = (frame.source_clock().1 * 100).cast_signed() + offset_ns + early_ns;
            seen.frames += 1;
            seen.skipped += frame.missed();
            let passed = last.map_or(1, |last| number.saturating_sub(last));
            seen.gaps += passed.saturating_sub(1 + frame.missed());
            seen.latency_ns
                .push((has_ns - due_ns).max(0).cast_unsigned());
        }
        last = Some(number);
    }
    Ok(seen)
}

/// Receives packets into one buffer, and does nothing with them.
fn receive(address: &str, what: &str) -> io::Result<View> {
    let conductor = Conductor::listen();
    let request = requested(what).map_err(io::Error::other)?;
    let connect = || TcpStream::connect((address, request.stream().port()));
    if what != "grey" {
        let start = request::Video::start(&Default::default()).map_err(io::Error::other)?;
        connect()?.write_all(start.bytes())?;
        std::thread::sleep(Duration::from_secs(1));
    }
    let mut socket = connect()?;
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    socket.write_all(request.bytes())?;
    let (mut header, mut rest) = ([0; HEADER_BYTES], vec![0; PAYLOAD_MAX]);
    let (mut seen, mut is_first) = (Seen::default(), true);
    while conductor.phase() != Phase::Over {
        fill(&socket, &mut header)?;
        let payload = u32::from_le_bytes([header[8], header[9], header[10], header[11]]) as usize;
        let whole = rest.get_mut(..payload + POSE_BYTES);
        fill(
            &socket,
            whole.ok_or_else(|| io::Error::other("a packet too large"))?,
        )?;
        if std::mem::take(&mut is_first) {
            say("true")?;
        }
        seen.frames += u64::from(conductor.phase() == Phase::Measure);
    }
    Ok(View::from([(what.to_owned(), seen)]))
}

fn fill(socket: &TcpStream, place: &mut [u8]) -> io::Result<()> {
    let length = place.len();
    match recv(socket, place, RecvFlags::WAITALL)?.1 {
        received if received == length => Ok(()),
        received => Err(io::Error::other(format!("{received} of {length} bytes"))),
    }
}

/// What the broker asks for, too: raw pictures, with poses.
fn requested(what: &str) -> Result<Request, streamem_hl2ss::Refused> {
    let encoding = Encoding::new(Profile::Raw);
    let video = |width, height| request::Video {
        encoding: encoding.clone(),
        ..request::Video::new(VideoFormat::new(width, height, 30))
    };
    match what {
        "grey" => request::Grey {
            encoding: encoding.clone(),
            ..request::Grey::new(GreyCamera::LeftFront)
        }
        .stream(),
        "video-640x360" => video(640, 360).stream(),
        _ => video(1280, 720).stream(),
    }
}
