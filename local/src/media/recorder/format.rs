//! The format of a track, and its changes.

/// A track's current configuration, and the one that will replace it.
pub(super) struct Format<C> {
    pub(super) current: Option<C>,
    next: Option<C>,
}

impl<C> Default for Format<C> {
    fn default() -> Self {
        Format { current: None, next: None }
    }
}

impl<C: PartialEq> Format<C> {
    pub(super) fn latest(&self) -> Option<&C> {
        self.next.as_ref().or(self.current.as_ref())
    }

    pub(super) fn changes(&self) -> bool {
        self.next.is_some()
    }

    pub(super) fn offer(&mut self, config: C) {
        self.next = Some(config).filter(|config| self.current.as_ref() != Some(config));
    }

    /// Removes the track until it is adopted again.
    pub(super) fn retire(&mut self) {
        if let Some(current) = self.current.take() {
            self.next.get_or_insert(current);
        }
    }

    /// Adopts the new configuration; returns whether there was one.
    pub(super) fn adopt(&mut self) -> bool {
        let next = self.next.take();
        let changes = next.is_some();
        self.current = next.or(self.current.take());
        changes
    }
}
