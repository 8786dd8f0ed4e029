//! A camera that is open and set to what was asked of it, before its first frame.
//!
//! Owns the device and what was agreed on with its driver; never a slot.

use super::identity::{Node, Places, nodes};
use super::layout::{PAGE_BYTES, layout_of};
use super::offer::{Choice, NoSuchOffer, Offer, choose, format_of};
use super::signal;
use super::wish::{Fill, Which, Wish};
use std::ops::Range;
use std::path::PathBuf;
use streamem_v4l2::{
    Device, Event, Format as DriverFormat, Fourcc, Fraction, Intervals, Queue, Rows, Size, Sizes,
};
use streamem_wire::{BadLayout, Layout};
use tracing::debug;

/// Why there are no frames of a camera.
#[derive(Debug, thiserror::Error)]
pub enum CameraError {
    /// Nothing is there.
    #[error("there is no {which}{}: plug it in, or see `v4l2-ctl --list-devices`", among(.others))]
    Absent {
        /// What was looked for.
        which: Which,
        /// What there is.
        others: Vec<String>,
    },
    /// It is there, and gives no frames.
    #[error(
        "{0} gives no frames of its own: it is another sort of device, another node of the same camera, or a loop \
         that nobody feeds yet; see `v4l2-ctl --list-devices`"
    )]
    NotACamera(PathBuf),
    /// It has no such format, size and rate.
    #[error("{place}: {cause}")]
    Offer {
        /// Where it is.
        place: PathBuf,
        /// What it has.
        cause: NoSuchOffer,
    },
    /// Its frames do not lie in a way we know.
    #[error(
        "{place}: the driver says that frames lie as they cannot: {cause}; ask for another format="
    )]
    Layout {
        /// Where it is.
        place: PathBuf,
        /// What is wrong.
        cause: BadLayout,
    },
    /// The driver set something else.
    #[error(
        "{place}: the driver gives {given} where {asked} is asked: ask for that, or for size=auto"
    )]
    Other {
        /// Where it is.
        place: PathBuf,
        /// What was asked.
        asked: String,
        /// What it gives.
        given: String,
    },
    /// Its frames are halves of pictures.
    #[error(
        "{0}: the driver gives the two halves of each picture's rows one after the other (fields), which is not \
         served: have the source be progressive, or choose another input="
    )]
    Halves(PathBuf),
    /// Nothing that could be shown comes in.
    #[error("{place}: at its input {input:?} {what}")]
    Signal {
        /// Where it is.
        place: PathBuf,
        /// What the driver calls the input.
        input: String,
        /// What is wrong, and what to do.
        what: &'static str,
    },
    /// No way to fill slots works.
    #[error("{place}: frames cannot come into slots by {asked}: {why}")]
    Fill {
        /// Where it is.
        place: PathBuf,
        /// What was tried.
        asked: &'static str,
        /// What was wrong with each.
        why: String,
    },
    /// The driver refused.
    #[error(transparent)]
    Device(#[from] streamem_v4l2::Error),
}

impl CameraError {
    /// Whether somebody else has it.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, CameraError::Device(streamem_v4l2::Error::Busy { .. }))
    }

    /// Whether it is only that nothing comes in.
    #[must_use]
    pub fn is_about_signal(&self) -> bool {
        matches!(self, CameraError::Signal { .. })
    }
}

fn among(others: &[String]) -> String {
    if others.is_empty() {
        return " (there is no camera at all)".to_owned();
    }
    format!(" (there is {})", others.join(", "))
}

/// A camera that is set up.
#[derive(Debug)]
pub struct Camera {
    /// The device.
    pub device: Device,
    /// Its side that gives frames.
    pub queue: Queue,
    /// What the driver makes of a frame.
    pub format: DriverFormat,
    /// The same, as readers are told.
    pub layout: Layout,
    /// The only way its slots may be filled, if that was said.
    pub fill: Option<Fill>,
}

fn candidates(which: &Which) -> Result<Vec<PathBuf>, CameraError> {
    if let Which::Node(place) = which {
        // A link that somebody's own rule made is as good as the node.
        return Ok(vec![place.clone()]);
    }
    let all = nodes(&Places::default());
    let found: Vec<PathBuf> = all
        .iter()
        .filter(|node| node.is(which))
        .map(|node| node.place.clone())
        .collect();
    if found.is_empty() {
        let others = all.iter().map(Node::to_string).collect();
        return Err(CameraError::Absent {
            which: which.clone(),
            others,
        });
    }
    Ok(found)
}

fn opened(wish: &Wish) -> Result<(Device, Queue), CameraError> {
    let which = &wish.which;
    let found = candidates(which)?;
    let mut before = wish.node;
    for place in &found {
        let device = match Device::open(place) {
            Ok(device) => device,
            Err(error) if error.is_gone() => {
                let others = nodes(&Places::default());
                return Err(CameraError::Absent {
                    which: which.clone(),
                    others: others.iter().map(Node::to_string).collect(),
                });
            }
            Err(error) => return Err(error.into()),
        };
        // What converts frames has such a queue too, and gives only what it is given.
        let queue = device.capture_queue().filter(|_| !device.about().caps.m2m);
        match queue {
            Some(queue) if before == 0 => return Ok((device, queue)),
            Some(_) => before -= 1,
            None => {}
        }
    }
    Err(CameraError::NotACamera(
        found.into_iter().next().unwrap_or_default(),
    ))
}

fn offers(
    device: &Device,
    queue: Queue,
    wish: &Wish,
    preset: Size,
) -> Result<Vec<Offer>, CameraError> {
    let mut offers = Vec::new();
    for about in device.formats(queue)? {
        let Some(format) = format_of(about.fourcc) else {
            continue;
        };
        let sizes = device.sizes(about.fourcc)?;
        let asked = wish.size.map(|(width, height)| Size { width, height });
        let sizes = match sizes {
            // A driver that does not list its sizes is asked for one all the same.
            Sizes::Discrete(none) if none.is_empty() => {
                Sizes::Discrete(vec![asked.unwrap_or(preset)])
            }
            listed => listed,
        };
        let mut of_interest = match &sizes {
            Sizes::Discrete(listed) => listed.clone(),
            Sizes::Range { .. } => vec![preset],
        };
        of_interest.extend(asked.filter(|asked| !of_interest.contains(asked)));
        let mut rates = Vec::new();
        for size in of_interest.into_iter().filter(|size| sizes.contains(*size)) {
            match device.intervals(about.fourcc, size)? {
                Intervals::Discrete(none) if none.is_empty() => {}
                intervals => rates.push((size, intervals)),
            }
        }
        offers.push(Offer {
            fourcc: about.fourcc,
            format,
            sizes,
            rates,
        });
    }
    Ok(offers)
}

impl Camera {
    /// Finds the camera and has its driver agree.
    pub fn open(wish: &Wish) -> Result<Camera, CameraError> {
        let (device, queue) = opened(wish)?;
        if let Some(input) = wish.input {
            device.set_input(input)?;
        }
        // Before looking, so that no change after it is missed. A driver that does not know of such events sends
        // none.
        let _unknown = device.subscribe(Event::SourceChange);
        let signal = signal::take(&device)?;
        let before = device.format(queue)?;
        let preset = signal.map_or(before.size, |signal| signal.size());
        let offers = offers(&device, queue, wish, preset)?;
        let place = || device.path().to_owned();
        let choice =
            choose(wish, &offers, (before.fourcc, preset)).map_err(|cause| CameraError::Offer {
                place: place(),
                cause,
            })?;
        let format = set(&device, queue, &choice)?;
        let rate = match choice.interval {
            Some(interval) => Some(device.set_interval(queue, interval)?),
            None => device.interval(queue).ok(),
        };
        let rate = rate
            .map(Fraction::rate)
            .or(signal.map(|signal| signal.rate()));
        let rate = rate.map_or(0.0, |rate| (rate * 1000.0).round() / 1000.0);
        let layout =
            layout_of(choice.format, &format, rate).map_err(|cause| CameraError::Layout {
                place: place(),
                cause,
            })?;
        debug!(place = %place().display(), driver = device.about().driver, layout = layout.summary(), "camera opened");
        Ok(Camera {
            device,
            queue,
            format,
            layout,
            fill: wish.fill,
        })
    }
}

impl Camera {
    /// What of a slot the driver writes, buffer by buffer.
    #[must_use]
    pub fn parts(&self) -> Vec<Range<u64>> {
        let whole = self.layout.bytes.next_multiple_of(PAGE_BYTES);
        // Where all planes are in one buffer, that begins with the first.
        let buffers = self.format.planes.len().max(1);
        let start = |plane: usize| {
            self.layout
                .planes
                .get(plane)
                .map_or(0, |plane| plane.offset)
        };
        let starts = (0..buffers).map(start);
        let bounds: Vec<u64> = starts.chain([whole]).collect();
        bounds.windows(2).map(|pair| pair[0]..pair[1]).collect()
    }
}

fn set(device: &Device, queue: Queue, choice: &Choice) -> Result<DriverFormat, CameraError> {
    let given = device.set_format(queue, &DriverFormat::wish(choice.fourcc, choice.size))?;
    if given.rows == Rows::Apart {
        return Err(CameraError::Halves(device.path().to_owned()));
    }
    let described = |fourcc: Fourcc, size: Size| format!("{}x{} {fourcc}", size.width, size.height);
    if given.fourcc != choice.fourcc || given.size != choice.size {
        return Err(CameraError::Other {
            place: device.path().to_owned(),
            asked: described(choice.fourcc, choice.size),
            given: described(given.fourcc, given.size),
        });
    }
    Ok(given)
}
