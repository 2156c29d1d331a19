//! Helpers shared by the parsers of several responses.

use crate::error::Error;
use crate::xml::Element;

pub(super) fn urls(list: Element<'_, '_>) -> Vec<String> {
    list.children().filter(|child| child.name() == "Url").map(|url| url.string()).collect()
}

pub(super) fn missing(element: &str) -> Error {
    Error::bad_reply(format!("the response has no {element}"))
}
