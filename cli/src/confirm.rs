//! Asks for confirmation before data is lost.

use crate::failure::{Failure, Outcome};
use crate::output;
use console::Term;
use std::io::{self, BufRead, IsTerminal};

/// Returns whether a person can see and answer the question.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && Term::stderr().is_term()
}

/// Asks a question. Anything but yes means no.
pub(crate) fn ask(question: &str) -> Outcome<bool> {
    output::ask(&format!("{question} [y/N]"));
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Failure::Io("cannot read the answer".to_owned(), error))?;
    Ok(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    matches!(&*answer.trim().to_lowercase(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_confirms() {
        for answer in ["y\n", "Yes\r\n", " YES "] {
            assert!(is_yes(answer), "{answer:?}");
        }
        for answer in ["", "\n", "n\n", "yep\n", "no yes\n", "1\n"] {
            assert!(!is_yes(answer), "{answer:?}");
        }
    }
}
