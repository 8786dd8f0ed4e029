//! `streamemd`: the Streamem broker.
//!
//! Owns the command line and the order of starting up; everything else is in the library.

use anyhow::Context;
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use streamemd::broker::{Broker, Start};
use streamemd::config::Config;
use streamemd::listener::{Listener, default_place};
use streamemd::manager::Manager;
use streamemd::store::{Kept, Store};
use streamemd::{activation, logging};

/// One camera, many programs: serves streams of frames to any number of programs without copying them.
#[derive(Debug, Parser)]
#[command(name = "streamemd", version, about)]
struct Arguments {
    /// Read this configuration and no other, a file or a folder with streamem.toml and streamem.d/*.toml
    /// [default: $STREAMEM_CONFIG, else /etc/streamem, else a test-pattern camera and microphone]
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,

    /// Listen here [default: $STREAMEM_SOCKET, else /run/streamem/streamem.sock for root, else
    /// $XDG_RUNTIME_DIR/streamem.sock]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,

    /// Only check the configuration
    #[arg(long)]
    check: bool,

    /// Keep memory in the service manager's descriptor store, so that readers go on over a restart
    #[arg(long)]
    fd_store: bool,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Under systemd this reaches the journal too; without a terminal nobody is left to tell.
            let _told = writeln!(std::io::stderr(), "streamemd: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    // Nothing may open a descriptor before those of the service manager are taken.
    let passed = activation::take().context("taking over the service manager's descriptors")?;
    let config = Config::load(arguments.config.as_deref())?;
    if arguments.check {
        return Ok(());
    }
    logging::start();
    raise_descriptor_limit();
    let listener = match passed.listener {
        Some(socket) => {
            let listener = Listener::passed(socket);
            if let Some(unused) = &arguments.socket {
                tracing::warn!(
                    "--socket {} is not used: the service manager passed a socket, {}; change ListenStream= there, or \
                     start this program by hand",
                    unused.display(),
                    listener.place().display()
                );
            }
            listener
        }
        None => {
            let place = arguments
                .socket
                .or_else(|| config.socket.clone())
                .unwrap_or_else(default_place);
            Listener::bind(&place)?
        }
    };
    let manager = Manager::of_environment();
    let mut broker = Broker::new(Start {
        config,
        config_place: arguments.config,
        listener,
        kept: Kept::sort(passed.kept),
        store: Store::new(manager.clone(), arguments.fd_store),
        manager: manager.clone(),
    })?;
    manager.tell(&[sd_notify::NotifyState::Ready]);
    tracing::info!("serving {} streams", broker.streams());
    broker.run().context("the broker cannot go on")
}

/// A descriptor costs little, and running out of them costs a client its stream.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, most) {
        tracing::debug!("the limit of descriptors stays as it is: {error}");
    }
}
