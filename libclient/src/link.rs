//! The way to the broker of one subscription: up, asking for something, or down and to be tried again.
//!
//! Owns when and how often a broker that went away is called; never waits beyond the deadline it is
//! given, never touches a frame.

use crate::connection::{ANSWER_TIME, Connection};
use crate::deadline::Deadline;
use crate::error::Error;
use crate::mapping::{Adopted, Before, Granted, adopt};
use crate::watch::{Expected, Watch};
use std::mem::replace;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};
use streamem_wire::message::{Grant, OfSubscription, Subscribe};
use streamem_wire::{Reason, SubscriptionId};

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What the broker has been asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Subscribe,
    Renew,
}

#[derive(Debug)]
enum Phase {
    Up(Connection),
    Asked(Connection, Question),
    Down,
}

/// The way to the broker.
#[derive(Debug)]
pub(crate) struct Link {
    phase: Phase,
    request: Subscribe,
    place: PathBuf,
    watch: Watch,
    pause: Duration,
    next_try: Instant,
}

impl Link {
    /// Subscribes; waits for the stream as long as the request says.
    pub(crate) fn open(
        mut connection: Connection,
        request: Subscribe,
        deadline: Deadline,
    ) -> Result<(Link, Adopted), Error> {
        connection.ask(
            "io.streamem.Subscribe",
            &request,
            false,
            Deadline::after(ANSWER_TIME),
        )?;
        let answer = connection.answer::<Grant>(deadline)?;
        let answer = answer.ok_or_else(|| connection.no_answer())?;
        let mut adopted = adopt(answer, Before::Nothing, connection.socket())?;
        let mut link = Link {
            place: connection.place().to_owned(),
            phase: Phase::Down,
            request,
            watch: Watch::new()?,
            pause: Duration::ZERO,
            next_try: Instant::now(),
        };
        link.go_up(connection, &mut adopted)?;
        Ok((link, adopted))
    }

    /// Whether there is a session.
    pub(crate) fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::Up(_) | Phase::Asked(_, Question::Renew))
    }

    /// Whether there is a session, and nothing under way.
    pub(crate) fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up(_))
    }

    /// Whether the stream is to be waited for when it is not there.
    pub(crate) fn waits(&self) -> bool {
        self.request.wait
    }

    /// Looks whether the broker is still there.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        match &self.phase {
            Phase::Up(connection) if connection.hung_up() => self.go_down(),
            _ => Ok(()),
        }
    }

    /// Takes what the eventfd counted.
    pub(crate) fn drain(&self) {
        self.watch.drain();
    }

    /// Asks for the renewed memory, if nothing is being asked already.
    pub(crate) fn renew(&mut self, subscription: SubscriptionId) -> Result<(), Error> {
        let Phase::Up(connection) = &mut self.phase else {
            return Ok(());
        };
        let which = OfSubscription { subscription };
        let asked = connection.ask("io.streamem.Renew", &which, false, Deadline::now());
        match asked {
            Err(error) if error.is_absence() => self.go_down(),
            Err(error) => Err(error),
            Ok(()) => match replace(&mut self.phase, Phase::Down) {
                Phase::Up(connection) => self.wait_for_answer(connection, Question::Renew),
                other => {
                    self.phase = other;
                    Ok(())
                }
            },
        }
    }

    /// Gives the subscription up for a new one.
    pub(crate) fn start_over(&mut self) -> Result<(), Error> {
        if let Phase::Up(_) = self.phase {
            self.request.resume = None;
            self.go_down()?;
        }
        Ok(())
    }

    /// Goes on with what is under way, until a grant has come or the deadline.
    pub(crate) fn advance(
        &mut self,
        deadline: Deadline,
        before: &Granted,
    ) -> Result<Option<Adopted>, Error> {
        loop {
            let step = match replace(&mut self.phase, Phase::Down) {
                Phase::Up(connection) => {
                    self.phase = Phase::Up(connection);
                    return Ok(None);
                }
                Phase::Down => {
                    sleep(deadline.slice(self.next_try.saturating_duration_since(Instant::now())));
                    if self.next_try > Instant::now() {
                        return Ok(None);
                    }
                    self.dial(deadline)
                }
                Phase::Asked(mut connection, question) => {
                    match connection.answer::<Grant>(deadline) {
                        Ok(None) => {
                            self.phase = Phase::Asked(connection, question);
                            return Ok(None);
                        }
                        Ok(Some(answer)) => {
                            let before = match question {
                                Question::Subscribe => Before::Subscribed(before),
                                Question::Renew => Before::Renewed(before),
                            };
                            let socket = Arc::clone(connection.socket());
                            let adopted = adopt(answer, before, &socket);
                            let adopted = adopted.and_then(|mut adopted| {
                                self.go_up(connection, &mut adopted)?;
                                Ok(Some(adopted))
                            });
                            if adopted.is_err() {
                                self.watch.forget(&socket);
                                self.schedule_retry()?;
                            }
                            return adopted;
                        }
                        Err(error) => {
                            self.watch.forget(connection.socket());
                            Err(error)
                        }
                    }
                }
            };
            if let Err(error) = step {
                self.schedule_retry()?;
                self.recover(error)?;
            }
        }
    }

    /// Whether, after this error, it is worth going on without telling.
    fn recover(&mut self, error: Error) -> Result<(), Error> {
        match error {
            error if error.is_absence() => Ok(()),
            Error::Refused(refusal)
                if refusal.reason == Reason::NoSuchSubscription
                    && self.request.resume.is_some() =>
            {
                self.request.resume = None;
                Ok(())
            }
            error => Err(error),
        }
    }

    fn dial(&mut self, deadline: Deadline) -> Result<(), Error> {
        let mut connection = Connection::open_at(&self.place, deadline)?;
        connection.ask("io.streamem.Subscribe", &self.request, false, deadline)?;
        self.wait_for_answer(connection, Question::Subscribe)
    }

    fn wait_for_answer(&mut self, connection: Connection, question: Question) -> Result<(), Error> {
        self.watch.follow(connection.socket(), Expected::Answer)?;
        self.watch.alarm(None)?;
        self.phase = Phase::Asked(connection, question);
        Ok(())
    }

    fn go_up(&mut self, connection: Connection, adopted: &mut Adopted) -> Result<(), Error> {
        if let Some(eventfd) = adopted.eventfd.take() {
            self.watch.replace_eventfd(eventfd)?;
        }
        self.watch.follow(connection.socket(), Expected::HangUp)?;
        self.request.resume = Some(adopted.grant.subscription);
        self.pause = Duration::ZERO;
        self.phase = Phase::Up(connection);
        Ok(())
    }

    fn go_down(&mut self) -> Result<(), Error> {
        if let Phase::Up(connection) | Phase::Asked(connection, _) =
            replace(&mut self.phase, Phase::Down)
        {
            self.watch.forget(connection.socket());
        }
        self.next_try = Instant::now();
        self.watch.alarm(Some(Duration::ZERO))
    }

    fn schedule_retry(&mut self) -> Result<(), Error> {
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        self.next_try = Instant::now() + self.pause;
        self.watch.alarm(Some(self.pause))
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.watch.as_fd()
    }
}
