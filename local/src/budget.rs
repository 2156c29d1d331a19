//! Memory budgets that peers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A number of bytes. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Budget(Arc<Account>);

#[derive(Debug)]
struct Account {
    limit: usize,
    taken: AtomicUsize,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        Budget(Arc::new(Account { limit, taken: AtomicUsize::new(0) }))
    }

    /// Returns an empty share, which can grow.
    pub(crate) fn share(&self) -> Share {
        Share { budget: self.clone(), bytes: 0 }
    }

    #[cfg(test)]
    pub(crate) fn taken(&self) -> usize {
        self.0.taken.load(Ordering::SeqCst)
    }
}

/// A part of a budget, released when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Budget,
    bytes: usize,
}

impl Share {
    /// Returns a share of a budget without a limit.
    pub(crate) fn unlimited() -> Self {
        Budget::new(usize::MAX).share()
    }

    /// Grows or shrinks to a number of bytes. Returns false, and changes nothing,
    /// if not enough are available.
    #[must_use]
    pub(crate) fn resize(&mut self, bytes: usize) -> bool {
        match bytes.checked_sub(self.bytes) {
            Some(more) => self.grow(more),
            None => {
                self.shrink(self.bytes - bytes);
                true
            }
        }
    }

    /// Takes more bytes. Returns false, and takes none, if not enough are
    /// available. It never waits: one slow peer would then block another.
    #[must_use]
    pub(crate) fn grow(&mut self, bytes: usize) -> bool {
        let Account { limit, taken } = &*self.budget.0;
        let add = |taken: usize| taken.checked_add(bytes).filter(|sum| sum <= limit);
        let is_available = taken.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add).is_ok();
        if is_available {
            self.bytes += bytes;
        }
        is_available
    }

    /// Releases bytes.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.budget.0.taken.fetch_sub(bytes, Ordering::SeqCst);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shrink(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_never_exceed_the_budget_and_are_released() {
        let budget = Budget::new(10);
        let (mut first, mut second) = (budget.share(), budget.share());
        assert!(first.grow(6));
        assert!(!second.grow(5));
        assert!(second.grow(4));
        assert!(!first.grow(1) && !first.grow(usize::MAX));
        assert_eq!(budget.taken(), 10);
        first.shrink(2);
        assert!(second.grow(2));
        drop(first);
        drop(second);
        assert_eq!(budget.taken(), 0);
    }
}
