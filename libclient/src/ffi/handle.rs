//! Handles: what a C program holds instead of a pointer into this library.
//!
//! Owns the tables of what is open. A handle looks like a pointer and is a number that is given out
//! once; so one that was released, was never given out or is of another kind is found out, whatever
//! the caller does. Never follows a handle.

use super::failure::Failure;
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::ptr::without_provenance_mut;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

/// Odd numbers only, which are no addresses of anything a C program has.
static NEXT: AtomicUsize = AtomicUsize::new(1);

/// The things of one kind that are open.
#[derive(Debug)]
pub(super) struct Table<T> {
    kind: &'static str,
    open: Mutex<BTreeMap<usize, Arc<T>>>,
}

impl<T> Table<T> {
    pub(super) const fn new(kind: &'static str) -> Table<T> {
        let open = Mutex::new(BTreeMap::new());
        Table { kind, open }
    }

    /// Takes a thing in and gives its handle.
    pub(super) fn insert<H>(&self, thing: T) -> *mut H {
        let number = NEXT.fetch_add(2, Relaxed);
        self.open().insert(number, Arc::new(thing));
        without_provenance_mut(number)
    }

    /// The thing this handle stands for; it lives on while it is used, released or not.
    pub(super) fn get<H>(&self, handle: *const H) -> Result<Arc<T>, Failure> {
        let found = self.open().get(&handle.addr()).map(Arc::clone);
        found.ok_or_else(|| self.stranger(handle))
    }

    /// Lets a thing go; NULL is nothing to let go, as with `free`.
    pub(super) fn remove<H>(&self, handle: *const H) -> Result<(), Failure> {
        // Dropped only here, where the table is free for others again.
        self.take(handle).map(drop)
    }

    /// Takes a thing out.
    pub(super) fn take<H>(&self, handle: *const H) -> Result<Option<Arc<T>>, Failure> {
        if handle.is_null() {
            return Ok(None);
        }
        let mut open = self.open();
        let removed = open.remove(&handle.addr());
        if open.is_empty() {
            // An empty map keeps some memory; so what is still there at the end was never released.
            *open = BTreeMap::new();
        }
        drop(open);
        match removed {
            Some(thing) => Ok(Some(thing)),
            None => Err(self.stranger(handle)),
        }
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<usize, Arc<T>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stranger<H>(&self, handle: *const H) -> Failure {
        let kind = self.kind;
        if handle.is_null() {
            return Failure::argument(format!(
                "the {kind} is NULL; look at what the call that should have given it returned"
            ));
        }
        Failure::new(
            Errno::BADF,
            format!("that is no {kind}: it was released already, or it never was one"),
        )
    }
}

impl<T> Table<Mutex<T>> {
    /// Does something with a thing nobody else is using.
    pub(super) fn with<H, R>(
        &self,
        handle: *const H,
        work: impl FnOnce(&mut T) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        let thing = self.get(handle)?;
        let kind = self.kind;
        match thing.try_lock() {
            Ok(mut thing) => work(&mut thing),
            Err(TryLockError::WouldBlock) => Err(Failure::new(
                Errno::BUSY,
                format!("another thread uses this {kind} now; each thread needs one of its own"),
            )),
            Err(TryLockError::Poisoned(_)) => Err(Failure::new(
                Errno::IO,
                format!(
                    "a call on this {kind} met a defect of the library; end it, and begin anew"
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static TABLE: Table<&str> = Table::new("thing");
    static OTHERS: Table<&str> = Table::new("other");

    #[test]
    fn a_handle_stands_for_its_thing_until_it_is_removed() {
        let first = TABLE.insert::<u8>("first");
        let second = TABLE.insert::<u8>("second");
        assert_eq!(*TABLE.get(first).unwrap(), "first");
        TABLE.remove(first).unwrap();
        assert!(TABLE.get(first).is_err());
        assert!(TABLE.remove(first).is_err());
        assert_eq!(*TABLE.get(second).unwrap(), "second");
        assert_ne!(TABLE.insert::<u8>("third"), first);
    }

    #[test]
    fn strangers_are_found_out() {
        let handle = TABLE.insert::<u8>("mine");
        assert!(OTHERS.get(handle).is_err());
        assert!(TABLE.get(&raw const OTHERS).is_err());
        assert!(TABLE.get(std::ptr::null::<u8>()).is_err());
        assert!(TABLE.remove(std::ptr::null::<u8>()).is_ok());
    }
}
