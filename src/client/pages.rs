//! Lists that come in pages.

use crate::error::{Error, Result};
use std::fmt;
use std::vec;

/// A page, and where the next one starts, if there is one.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
}

/// Fetches the page that starts here; the first one starts at an empty string.
type Fetch<T> = Box<dyn FnMut(&str) -> Result<Page<T>> + Send>;

/// The maximum number of consecutive empty pages. A page is empty if its items were
/// deleted while the service assembled it; an endless run of them would block the
/// caller forever.
const MAX_EMPTY: u32 = 100;

/// The items of all pages, which are fetched as needed. Ends after an error.
pub(super) struct Pages<T> {
    fetch: Fetch<T>,
    /// Where the next page to fetch starts, if there is one.
    next: Option<String>,
    page: vec::IntoIter<T>,
    /// The number of empty pages since the last item.
    empty: u32,
}

impl<T> Pages<T> {
    pub(super) fn new(fetch: impl FnMut(&str) -> Result<Page<T>> + Send + 'static) -> Self {
        let next = Some(String::new());
        Pages { fetch: Box::new(fetch), next, page: Vec::new().into_iter(), empty: 0 }
    }

    fn next_page(&mut self, from: &str) -> Result<()> {
        let page = (self.fetch)(from)?;
        self.empty = if page.items.is_empty() { self.empty + 1 } else { 0 };
        let is_stuck = page.next.as_deref() == Some(from);
        if is_stuck || page.next.is_some() && self.empty >= MAX_EMPTY {
            return Err(Error::bad_reply(format!("the list does not advance past {from:?}")));
        }
        (self.page, self.next) = (page.items.into_iter(), page.next);
        Ok(())
    }
}

impl<T> Iterator for Pages<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.page.next() {
                return Some(Ok(item));
            }
            let from = self.next.take()?;
            if let Err(error) = self.next_page(&from) {
                return Some(Err(error));
            }
        }
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("next", &self.next).finish_non_exhaustive()
    }
}
