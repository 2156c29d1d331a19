//! A program with a data race, which ThreadSanitizer must report.

use std::cell::UnsafeCell;
use std::sync::Arc;
use std::thread;

struct Counter(UnsafeCell<u64>);

// SAFETY: none, on purpose.
unsafe impl Sync for Counter {}

impl Counter {
    fn increment(&self) {
        unsafe { *self.0.get() += 1 };
    }
}

fn main() {
    let counter = Arc::new(Counter(UnsafeCell::new(0)));
    let other = counter.clone();
    let thread = thread::spawn(move || other.increment());
    counter.increment();
    thread.join().unwrap();
}
