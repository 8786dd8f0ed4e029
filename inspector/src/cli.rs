//! The words on the command line.
//!
//! Owns options, help and examples; never does what they ask for.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use streamem_wire::StreamName;

const OVERVIEW: &str = "Examples:
  streamem list                        what there is
  streamem view randcam                a moving picture in this terminal
  streamem grab randcam -o x.png       one frame as a file
  streamem top                         who reads what, how fast, and what they miss
  streamem doctor                      what is wrong, and what to do

Exit codes: 0 done, 1 something is wrong or was refused, 2 usage.
Environment: STREAMEM_SOCKET (the broker's socket), NO_COLOR (no colour).";

/// See and try everything a Streamem broker serves.
#[derive(Debug, Parser)]
#[command(name = "streamem", version, after_help = OVERVIEW, disable_help_subcommand = true)]
pub struct Cli {
    /// Print JSON: one document, or one on each line where the output is a stream.
    #[arg(long, global = true)]
    pub json: bool,
    /// The broker's socket [default: STREAMEM_SOCKET, else the usual places].
    #[arg(long, global = true, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the streams.
    #[command(after_help = "Examples:
  streamem list
  streamem list --json | jq -r '.streams[].name'")]
    List,
    /// Show everything about one stream.
    #[command(after_help = "Examples:
  streamem info randcam
  streamem info randcam --json | jq .layout.array")]
    Info(OfStream),
    /// Print a line for each frame: sequence, age, size, missed.
    #[command(after_help = "Examples:
  streamem watch randcam --count 10
  streamem watch imu --every 8        each frame in order, up to 8 behind")]
    Watch(Watch),
    /// Show streams and consumers with rate, age, held leases and misses.
    #[command(after_help = "Examples:
  streamem top                        arrows select, q quits
  streamem top --once                 one look as plain text
  streamem top --once --json")]
    Top(Top),
    /// Write a frame, or a clip of frames, to a file.
    #[command(after_help = "The file's ending says what it becomes:
  .png  a picture (16-bit grey for gray16 and depth16)
  .npy  a numpy array with the stream's own type and shape
  .raw  the bytes as they are (.jpg, .h264, .h265: the same, for such streams)

Examples:
  streamem grab randcam -o x.png
  streamem grab imu -o imu.npy --clip 100
  streamem grab randcam -o clip.npy --clip 30    shape (30, 720, 1280, 3)")]
    Grab(Grab),
    /// Serve a stream to GStreamer's unixfdsrc, which needs no plugin of ours.
    #[command(after_help = "Examples:
  streamem gst randcam --listen /tmp/randcam.gst
  gst-launch-1.0 unixfdsrc socket-path=/tmp/randcam.gst ! videoconvert ! autovideosink sync=false

Needs GStreamer 1.24 or newer on the reading side, and no more rights than any client.
Each reader is a subscription of its own: one that is stopped holds up nobody.
Whoever may write to the socket may read the stream: its mode follows the umask.
A buffer's time stamp is when the frame was captured; a sink that keeps time needs room
for the frame's age, as with sync=false or ts-offset.
Ends with Ctrl-C; readers are told so.")]
    Gst(Gst),
    /// Show a stream in this terminal: a moving picture, sound levels or numbers.
    #[command(after_help = "Examples:
  streamem view randcam               q or Ctrl-C ends it
  streamem view randmc
  streamem view randcam --renderer blocks --count 100")]
    View(View),
    /// List every descriptor of pools, rings, leases and eventfds, and verify them against /proc.
    #[command(after_help = "Examples:
  sudo streamem fds                   sees every process
  streamem fds randcam --json

Each descriptor is looked up in the broker and in every process it was handed to:
  verified       it is there, and is the file the broker says it is
  closed         the process has let go of it
  not permitted  this user may not look into that process
  MISMATCH       it is something else, or mapped for writing against the promise (exit 1)")]
    Fds(Fds),
    /// Print what happens, as it happens.
    #[command(after_help = "Examples:
  streamem monitor
  streamem monitor --json | jq -c 'select(.event == \"stream-lost\")'")]
    Monitor(Monitor),
    /// Add a stream, until it is removed or the broker ends.
    #[command(after_help = "Examples:
  streamem add bars 'pattern://bars?size=1920x1080&rate=60&format=nv12'
  streamem add imu pattern://imu")]
    Add(Add),
    /// Show what can be set on a stream's camera, or set it.
    #[command(after_help = "Examples:
  streamem controls cam
  streamem controls cam --set exposure_time_absolute=250 --set power_line_frequency='50 Hz'

A value is a number, true or false, or a word of the control's menu. Setting needs the right
to administer the stream.")]
    Controls(Controls),
    /// Remove a stream; its readers are told so and keep what they hold.
    #[command(after_help = "Examples:
  streamem remove bars")]
    Remove(OfStream),
    /// Check kernel, limits, permissions, devices and a test frame through the whole path.
    #[command(after_help = "Examples:
  streamem doctor
  streamem doctor --json | jq '.checks[] | select(.state == \"wrong\")'

Exits with 1 when something is wrong, and says what to do.")]
    Doctor,
    /// Write completions and man pages into a folder.
    #[command(hide = true)]
    Generate(Generate),
}

/// A stream's name.
#[derive(Args, Debug)]
pub struct OfStream {
    /// The stream.
    #[arg(value_parser = StreamName::new)]
    pub stream: StreamName,
}

/// `controls`.
#[derive(Args, Debug)]
pub struct Controls {
    /// The stream.
    #[arg(value_parser = StreamName::new)]
    pub stream: StreamName,
    /// Set a control; may be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub set: Vec<(String, String)>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| format!("write a name and a value, as in {text}=1"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// `watch`.
#[derive(Args, Debug)]
pub struct Watch {
    /// The stream.
    #[arg(value_parser = StreamName::new)]
    pub stream: StreamName,
    /// End after so many frames.
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// Each frame in order, as long as this is at most DEPTH behind, instead of the newest.
    #[arg(long, value_name = "DEPTH", value_parser = clap::value_parser!(u32).range(1..))]
    pub every: Option<u32>,
    /// Wait for the stream if it does not exist yet.
    #[arg(long)]
    pub wait: bool,
}

/// `top`.
#[derive(Args, Debug)]
pub struct Top {
    /// Print one look as plain text.
    #[arg(long)]
    pub once: bool,
    /// Seconds between looks.
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub interval: u64,
}

/// `grab`.
#[derive(Args, Debug)]
pub struct Grab {
    /// The stream.
    #[arg(value_parser = StreamName::new)]
    pub stream: StreamName,
    /// The file to write; its ending says what it becomes.
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
    /// So many frames in a row, stacked in one .npy or .raw.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub clip: Option<u32>,
    /// How long to wait for a frame.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
}

/// `gst`.
#[derive(Args, Debug)]
pub struct Gst {
    /// The stream.
    #[arg(value_parser = StreamName::new)]
    pub stream: StreamName,
    /// The socket to make for readers.
    #[arg(long, value_name = "PATH")]
    pub listen: PathBuf,
    /// How many frames each reader may hold; it misses those that come meanwhile.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub leases: u32,
}

/// How a picture is drawn in the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Renderer {
    /// The best the terminal has.
    Auto,
    /// The kitty graphics protocol.
    Kitty,
    /// Sixel graphics.
    Sixel,
    /// Half blocks, in as many colours as there are.
    Blocks,
}

/// `view`.
#[derive(Args, Debug)]
pub struct View {
    /// The stream.
    #[arg(value_parser = StreamName::new)]
    pub stream: StreamName,
    /// End after so many frames.
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
    /// How to draw.
    #[arg(long, value_enum, default_value_t = Renderer::Auto)]
    pub renderer: Renderer,
}

/// `fds`.
#[derive(Args, Debug)]
pub struct Fds {
    /// Only this stream.
    #[arg(value_parser = StreamName::new)]
    pub stream: Option<StreamName>,
}

/// `monitor`.
#[derive(Args, Debug)]
pub struct Monitor {
    /// End after so many events.
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub count: Option<u64>,
}

/// `add`.
#[derive(Args, Debug)]
pub struct Add {
    /// What it shall be called.
    #[arg(value_name = "NAME", value_parser = StreamName::new)]
    pub stream: StreamName,
    /// Its source, such as pattern://bars?size=1280x720&rate=30&format=rgb24.
    #[arg(value_name = "URI")]
    pub source: String,
}

/// `generate`.
#[derive(Args, Debug)]
pub struct Generate {
    /// Gets `completions/` and `man/`.
    pub folder: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_has_no_contradictions() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_options_are_taken_before_and_after_the_command() {
        for words in [
            ["streamem", "--json", "list"],
            ["streamem", "list", "--json"],
        ] {
            assert!(Cli::try_parse_from(words).unwrap().json);
        }
    }

    #[test]
    fn a_name_that_cannot_be_one_is_a_usage_error() {
        let error = Cli::try_parse_from(["streamem", "info", "../etc"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn every_visible_command_has_examples() {
        for command in Cli::command()
            .get_subcommands()
            .filter(|c| !c.is_hide_set())
        {
            let help = command.get_after_help().map(ToString::to_string);
            assert!(
                help.is_some_and(|help| help.contains("Examples:")),
                "{}",
                command.get_name()
            );
        }
    }
}
