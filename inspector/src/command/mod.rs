//! The commands, a module each.
//!
//! Owns choosing the module; never knows what a command says.

mod controls;
mod device;
mod doctor;
mod edit;
mod ending;
mod fds;
mod frame_line;
mod generate;
mod grab;
mod gst;
mod info;
mod list;
mod monitor;
mod top;
mod view;
mod watch;

use crate::cli::{Cli, Command};
use crate::failure::Failure;
use crate::output::Output;
use std::path::Path;
use streamem::Client;

/// Does what the command line asks for.
pub fn run(cli: &Cli, output: &mut Output) -> Result<(), Failure> {
    let broker = Broker {
        socket: cli.socket.as_deref(),
    };
    match &cli.command {
        Command::List => list::run(&broker, output),
        Command::Info(asked) => info::run(&broker, &asked.stream, output),
        Command::Watch(asked) => watch::run(&broker, asked, output),
        Command::Top(asked) => top::run(&broker, asked, output),
        Command::Grab(asked) => grab::run(&broker, asked, output),
        Command::Gst(asked) => gst::run(&broker, asked, output),
        Command::View(asked) => view::run(&broker, asked, output),
        Command::Fds(asked) => fds::run(&broker, asked, output),
        Command::Monitor(asked) => monitor::run(&broker, asked, output),
        Command::Add(asked) => edit::add(&broker, asked, output),
        Command::Controls(asked) => controls::run(&broker, asked, output),
        Command::Remove(asked) => edit::remove(&broker, &asked.stream, output),
        Command::Doctor => doctor::run(&broker, output),
        Command::Generate(asked) => generate::run(&asked.folder, output),
    }
}

/// The way to the broker.
#[derive(Clone, Copy, Debug)]
struct Broker<'a> {
    socket: Option<&'a Path>,
}

impl Broker<'_> {
    fn connect(&self) -> Result<Client, Failure> {
        Ok(Client::connect(self.socket)?)
    }

    /// The beginning of a subscription.
    fn subscription(&self, stream: &str) -> streamem::Builder {
        let builder = streamem::Subscription::builder(stream);
        match self.socket {
            Some(socket) => builder.socket(socket),
            None => builder,
        }
    }
}
