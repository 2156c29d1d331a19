//! A callback that one thread can replace while others run it, without a lock: a forked
//! child could inherit one held by a thread that does not exist in the child.

use libc::{c_char, c_int, c_void};
use std::cell::UnsafeCell;
use std::process;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, AtomicUsize};
use std::thread;
use std::time::Duration;

/// How often a thread that replaces the callback checks whether the old one has
/// returned. Replacing is rare, and callbacks are short.
const POLL_INTERVAL: Duration = Duration::from_micros(200);

/// A function from C that works on any thread, and its pointer.
#[derive(Clone, Copy)]
pub(crate) struct Callback {
    pub(crate) function: unsafe extern "C" fn(c_int, *const c_char, *mut c_void),
    pub(crate) user_data: *mut c_void,
}

impl PartialEq for Callback {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.function, other.function) && self.user_data == other.user_data
    }
}

/// The callback of the process. One slot contains it; the other is for the next one.
pub(crate) struct CallbackCell {
    slots: [Slot; 2],
    /// The slot of the callback, or `NONE`.
    current: AtomicUsize,
    /// The process that is replacing the callback, or 0.
    replacing: AtomicU32,
}

const NONE: usize = usize::MAX;

struct Slot {
    /// Written only while this is not the current slot and no thread is inside; read
    /// only by threads that are inside and have checked that it is the current one.
    callback: UnsafeCell<Option<Callback>>,
    max_level: AtomicI32,
    inside: Inside,
}

// SAFETY: `Slot::callback` documents who may access it, and the header requires a callback
// and a pointer that work on any thread.
unsafe impl Sync for CallbackCell {}

impl CallbackCell {
    pub(crate) const fn new() -> Self {
        CallbackCell {
            slots: [Slot::new(), Slot::new()],
            current: AtomicUsize::new(NONE),
            replacing: AtomicU32::new(0),
        }
    }

    /// Returns whether a message of this level would be logged. Fast, because most are
    /// not.
    pub(crate) fn is_enabled(&self, level: c_int) -> bool {
        let slot = self.slots.get(self.current.load(SeqCst));
        slot.is_some_and(|slot| level <= slot.max_level.load(SeqCst))
    }

    /// Runs `call` with the callback, which stays valid during the call.
    pub(crate) fn with(&self, level: c_int, call: impl FnOnce(Callback)) {
        loop {
            let current = self.current.load(SeqCst);
            let Some(slot) = self.slots.get(current) else { return };
            let _visit = slot.inside.enter();
            if self.current.load(SeqCst) != current {
                continue;
            }
            // SAFETY: it is the current slot, and a thread that replaces it waits
            // for this visit to end before it writes there again.
            let callback = unsafe { *slot.callback.get() };
            let is_enabled_for = |_: &Callback| level <= slot.max_level.load(SeqCst);
            if let Some(callback) = callback.filter(is_enabled_for) {
                call(callback);
            }
            return;
        }
    }

    /// Replaces the callback, and returns when the old one is no longer running.
    /// Setting the same one again only changes the level, and does not wait.
    pub(crate) fn replace(&self, callback: Option<Callback>, max_level: c_int) {
        let _turn = Turn::take(&self.replacing);
        let old = self.current.load(SeqCst);
        // SAFETY: only the thread that has the turn writes to slots.
        let is_same = |slot: &&Slot| unsafe { *slot.callback.get() } == callback;
        if let Some(slot) = self.slots.get(old).filter(is_same) {
            slot.max_level.store(max_level, SeqCst);
            return;
        }
        let next = usize::from(old == 0);
        if callback.is_some() {
            let slot = &self.slots[next];
            // A thread that entered when it was current may still be leaving.
            slot.inside.wait_until_empty();
            // SAFETY: no thread is inside, and one that enters now leaves without
            // reading, because this is not the current slot yet.
            unsafe { *slot.callback.get() = callback };
            slot.max_level.store(max_level, SeqCst);
        }
        self.current.store(if callback.is_some() { next } else { NONE }, SeqCst);
        if let Some(slot) = self.slots.get(old) {
            slot.inside.wait_until_empty();
        }
    }
}

impl Slot {
    const fn new() -> Self {
        Slot {
            callback: UnsafeCell::new(None),
            max_level: AtomicI32::new(0),
            inside: Inside(AtomicU64::new(0)),
        }
    }
}

/// The number of threads inside a slot, in the lower half, and the process that counted
/// them, in the upper half. A forked child starts again from zero.
struct Inside(AtomicU64);

impl Inside {
    fn enter(&self) -> Visit<'_> {
        let process = process::id();
        self.change(|counted| match split(counted) {
            (by, count) if by == process => Some(join(process, count + 1)),
            _ => Some(join(process, 1)),
        });
        Visit { inside: self, process }
    }

    fn wait_until_empty(&self) {
        let process = process::id();
        while matches!(split(self.0.load(SeqCst)), (by, 1..) if by == process) {
            thread::sleep(POLL_INTERVAL);
        }
    }

    fn change(&self, change: impl FnMut(u64) -> Option<u64>) {
        // It fails only if `change` has nothing to change.
        let _ = self.0.fetch_update(SeqCst, SeqCst, change);
    }
}

struct Visit<'a> {
    inside: &'a Inside,
    process: u32,
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        // A callback may fork: in the child, this visit was never counted.
        if self.process == process::id() {
            self.inside.change(|counted| match split(counted) {
                (by, count @ 1..) if by == self.process => Some(join(by, count - 1)),
                _ => None,
            });
        }
    }
}

fn split(counted: u64) -> (u32, u32) {
    ((counted >> 32) as u32, counted as u32)
}

fn join(process: u32, count: u32) -> u64 {
    u64::from(process) << 32 | u64::from(count)
}

/// The right to replace the callback. A turn held by a thread of the parent process at a
/// fork does not count in the child.
struct Turn<'a>(&'a AtomicU32);

impl<'a> Turn<'a> {
    fn take(owner: &'a AtomicU32) -> Self {
        let process = process::id();
        loop {
            let found = owner.load(SeqCst);
            if found != process && owner.compare_exchange(found, process, SeqCst, SeqCst).is_ok() {
                return Turn(owner);
            }
            thread::sleep(POLL_INTERVAL);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(0, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr;

    static CELL: CallbackCell = CallbackCell::new();

    /// Increments the counter at its pointer, unless that was freed.
    unsafe extern "C" fn count(_: c_int, _: *const c_char, user_data: *mut c_void) {
        // SAFETY: the test passes a counter that lives while the callback is set.
        let counter = unsafe { &*user_data.cast::<AtomicU64>() };
        assert_ne!(counter.fetch_add(1, SeqCst), u64::MAX);
    }

    fn log() {
        CELL.with(1, |callback| {
            // SAFETY: `count` may be called while it is set.
            unsafe { (callback.function)(1, c"".as_ptr(), callback.user_data) }
        });
    }

    #[test]
    fn a_replaced_callback_no_longer_runs() {
        let is_over = AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while is_over.load(SeqCst) == 0 {
                        log();
                    }
                });
            }
            for _ in 0..2_000 {
                let counter = Box::new(AtomicU64::new(0));
                let user_data = ptr::from_ref(&*counter).cast_mut().cast();
                CELL.replace(Some(Callback { function: count, user_data }), 1);
                log();
                CELL.replace(None, 1);
                // A late call would find this value.
                let counted = counter.swap(u64::MAX, SeqCst);
                assert!(counted > 0 && counter.load(SeqCst) == u64::MAX);
            }
            is_over.store(1, SeqCst);
        });
    }

    #[test]
    fn state_left_behind_by_another_process_does_not_block() {
        let cell = CallbackCell::new();
        let callback = Callback { function: count, user_data: ptr::null_mut() };
        let parent = process::id() + 1;
        cell.replace(Some(callback), 1);
        cell.slots[0].inside.0.store(join(parent, 3), SeqCst);
        cell.replacing.store(parent, SeqCst);
        cell.replace(None, 1);
        assert!(!cell.is_enabled(1));
    }

    #[test]
    fn the_level_of_the_same_callback_changes_inside_it() {
        let cell = CallbackCell::new();
        let callback = Callback { function: count, user_data: ptr::null_mut() };
        cell.replace(Some(callback), 1);
        cell.with(1, |_| cell.replace(Some(callback), 4));
        assert!(cell.is_enabled(4) && !cell.is_enabled(5));
    }
}
