//! Why a command did not do what it was asked to.
//!
//! Owns the sentences and exit codes; never prints.

use std::io;
use std::path::PathBuf;
use streamem_wire::StreamName;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The broker, or the way to it.
    #[error(transparent)]
    Client(streamem::Error),
    /// The stream was removed while it was read.
    #[error(
        "the stream {0} has ended; 'streamem list' shows those there are, 'streamem watch --wait {0}' waits until it comes again"
    )]
    Ended(String),
    /// Standard output or the terminal.
    #[error("cannot write to standard output: {0}; send the output somewhere else")]
    Output(#[from] io::Error),
    /// A file could not be written or read.
    #[error("cannot write {path:?}: {cause}; choose another place with -o")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Nothing came.
    #[error(
        "no frame of {stream} came within {seconds} s; see 'streamem info {stream}' whether its source is lost, or wait longer with --timeout"
    )]
    NoFrame {
        /// Of which stream.
        stream: StreamName,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The frame cannot become what was asked for.
    #[error("{0}")]
    Unfit(String),
    /// The words on the command line contradict each other or the stream.
    #[error("{0}")]
    Usage(String),
    /// A check found something.
    #[error("{0}")]
    Wrong(String),
}

impl Failure {
    /// Whether only the reader of our output went away, which is no failure.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Failure::Output(cause) if cause.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The exit code: 1 for what is wrong or refused, 2 for usage.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            _ => 1,
        }
    }
}

impl From<streamem::Error> for Failure {
    fn from(error: streamem::Error) -> Failure {
        match error {
            streamem::Error::StreamEnded { stream } => Failure::Ended(stream),
            error => Failure::Client(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_stream_is_told_in_words_of_the_command_line() {
        let stream = "cam".to_owned();
        let failure = Failure::from(streamem::Error::StreamEnded { stream });
        assert!(failure.to_string().contains("--wait cam"), "{failure}");
    }

    #[test]
    fn a_closed_pipe_is_told_from_a_full_disk() {
        let closed = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        let full = Failure::from(io::Error::from(io::ErrorKind::StorageFull));
        assert!(closed.is_closed_pipe() && !full.is_closed_pipe());
    }

    #[test]
    fn usage_exits_with_two_and_everything_else_with_one() {
        assert_eq!(Failure::Usage(String::new()).exit_code(), 2);
        assert_eq!(Failure::Wrong(String::new()).exit_code(), 1);
    }
}
