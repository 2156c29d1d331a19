//! The fragments of a download, and the position of each in the file.

use super::fragment::{self, Fragment};
use super::journal::Placed;
use super::range::Resolved;
use super::timeline;
use crate::client::Client;
use crate::error::Result;

pub(super) struct Plan {
    pub(super) times: Resolved,
    /// All fragments in the range, in order.
    pub(super) fragments: Vec<Fragment>,
    /// The place of each fragment.
    pub(super) placed: Vec<Placed>,
}

impl Plan {
    pub(super) fn new(times: Resolved) -> Self {
        Plan { times, fragments: Vec::new(), placed: Vec::new() }
    }

    /// Adds the fragments in the range that are not known yet.
    pub(super) fn extend(&mut self, client: &Client, id: &str) -> Result<()> {
        let from = match self.fragments.last() {
            Some(last) => last.start + 1,
            None if self.times.is_session => self.times.start,
            None => self.times.start.saturating_sub(timeline::LONGEST),
        };
        // Keys come after this one.
        let after = fragment::key(id, from.saturating_sub(1));
        let mut found = Vec::new();
        for object in client.objects(format!("{id}/"), after) {
            match Fragment::of(&object?, id) {
                Some(fragment) if fragment.start >= self.times.end => break,
                Some(fragment) => found.push(fragment),
                None => {}
            }
        }
        if self.fragments.is_empty() {
            let past = timeline::ends(&found).take_while(|end| *end <= self.times.start).count();
            found.drain(..past);
        }
        self.add(found);
        Ok(())
    }

    /// Adds fragments, each after the previous one.
    pub(super) fn add(&mut self, found: Vec<Fragment>) {
        for fragment in found {
            let placed =
                Placed { start: fragment.start, offset: self.bytes(), size: fragment.size };
            self.fragments.push(fragment);
            self.placed.push(placed);
        }
    }

    /// Ends an open range after the last known fragment.
    pub(super) fn close(&mut self) {
        if let Some(last) = self.fragments.last().filter(|_| self.times.is_open) {
            (self.times.end, self.times.is_open) = (last.start + 1, false);
        }
    }

    /// Returns the total size.
    pub(super) fn bytes(&self) -> u64 {
        self.placed.last().map_or(0, Placed::end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_range_is_closed_after_its_last_fragment() {
        let range = |is_open| Resolved { start: 0, end: 9000, is_open, is_session: false };
        for (is_open, end) in [(true, 5001), (false, 9000)] {
            let mut plan = Plan::new(range(is_open));
            plan.add([1000, 5000].map(|start| Fragment { start, size: 1, stored: None }).to_vec());
            plan.close();
            assert_eq!((plan.times.end, plan.times.is_open), (end, false));
        }
    }
}
