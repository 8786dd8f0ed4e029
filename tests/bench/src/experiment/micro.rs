//! What single calls cost when nobody waits: publishing, and obtaining and releasing a frame.
//!
//! It owns the loops. Publishing runs in this process on the broker's own code; obtaining uses the `streamem` crate
//! against a real broker.

use crate::clock::now_ns;
use crate::harness::company::Scene;
use crate::peer::script;
use crate::peer::streamem::alone::CoreStream;
use crate::peer::streamem::broker::{self, STREAM, Streamemd};
use crate::report::figures::{Call, Micro};
use crate::samples::Samples;
use std::hint::black_box;
use std::io;
use std::time::Duration;
use streamem::Subscription;

const PUBLISHES: usize = 20_000;
const OBTAINS: u32 = 200_000;

/// Publishing, then obtaining.
pub fn all() -> io::Result<Vec<Micro>> {
    let mut found = Vec::new();
    for readers in [0, 1, 10, 100] {
        found.push(publish(readers)?);
    }
    if broker::missing().is_none() {
        for (size, subscriptions) in [("1920x1080", 1), ("64x64", 1), ("1920x1080", 10)] {
            found.push(obtain(size, subscriptions)?);
        }
        found.extend(obtain_in_python()?);
    }
    Ok(found)
}

/// The publish call with readers that are busy: nobody has to be woken.
fn publish(readers: u64) -> io::Result<Micro> {
    let mut stream = CoreStream::new()?;
    let seats: Vec<_> = (0..readers)
        .map(|id| stream.join(id + 1))
        .collect::<Result<_, _>>()?;
    let mut durations = Samples::default();
    for _ in 0..PUBLISHES {
        if stream.slot().is_none() {
            return Err(io::Error::other("no slot although nobody holds one"));
        }
        let before = now_ns();
        stream.publish();
        durations.push(now_ns() - before);
    }
    black_box(&seats);
    let nanoseconds = durations.summary().p50_us * 1000.0;
    Ok(Micro {
        call: Call::Publish { readers },
        nanoseconds,
    })
}

/// What the script says, where there is a Python to run it.
fn obtain_in_python() -> io::Result<Option<Micro>> {
    let Some(mut command) = script::command("streamem_obtain.py") else {
        return Ok(None);
    };
    let scene = Scene::set(0, 0)?;
    let source = "pattern://bars?size=1920x1080&rate=5&format=rgb24";
    let running = Streamemd::start(scene.folder(), source)?;
    let said = command
        .arg(broker::socket(scene.folder()))
        .arg(STREAM)
        .output()?;
    drop(running);
    let nanoseconds = String::from_utf8_lossy(&said.stdout)
        .trim()
        .parse()
        .map_err(|_| io::Error::other(String::from_utf8_lossy(&said.stderr).into_owned()))?;
    Ok(Some(Micro {
        call: Call::ObtainInPython,
        nanoseconds,
    }))
}

/// Takes and drops the newest frame over and over.
fn obtain(size: &'static str, subscriptions: usize) -> io::Result<Micro> {
    let scene = Scene::set(0, 0)?;
    let source = format!("pattern://bars?size={size}&rate=5&format=rgb24");
    let running = Streamemd::start(scene.folder(), &source)?;
    let open = || {
        Subscription::builder(STREAM)
            .socket(broker::socket(scene.folder()))
            .open()
    };
    let mut opened = (0..subscriptions)
        .map(|_| open())
        .collect::<Result<Vec<_>, _>>()
        .map_err(io::Error::other)?;
    let Some(subscription) = opened.first_mut() else {
        return Err(io::Error::other("no subscription"));
    };
    drop(
        subscription
            .next(Duration::from_secs(5))
            .map_err(io::Error::other)?,
    );
    let before = now_ns();
    for _ in 0..OBTAINS {
        let frame = subscription.latest().map_err(io::Error::other)?;
        black_box(frame.map(|frame| frame.bytes().len()));
    }
    let nanoseconds = (now_ns() - before) as f64 / f64::from(OBTAINS);
    drop(opened);
    drop(running);
    Ok(Micro {
        call: Call::Obtain {
            size,
            subscriptions,
        },
        nanoseconds,
    })
}
