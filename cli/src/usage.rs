//! Help and usage errors from clap.

use crate::text::clean_lines;
use clap::error::ErrorKind;

/// Returns whether this is the help or the version, not a usage error.
pub(crate) fn is_help(error: &clap::Error) -> bool {
    matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion)
}

/// Returns the whole text, with clap's styles if wanted. It may quote the command
/// line.
pub(crate) fn text(error: &clap::Error, is_styled: bool) -> String {
    let text = error.render();
    let plain = text.to_string();
    let safe = clean_lines(&plain);
    let text = if is_styled && safe == plain { text.ansi().to_string() } else { safe };
    text.trim_end().to_owned()
}

/// Returns the error in one line.
pub(crate) fn message(error: &clap::Error) -> String {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "no command given".to_owned();
    }
    let text = error.render().to_string();
    let first = paragraphs(&text).next().unwrap_or_default();
    first.strip_prefix("error: ").unwrap_or(&first).to_owned()
}

/// Returns the next step: clap's tips, or where to find help.
pub(crate) fn hint(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let is_tip = |paragraph: &String| paragraph.starts_with("tip: ");
    let tips: Vec<_> = paragraphs(&text).filter(is_tip).collect();
    if tips.is_empty() { "try `osslive --help`".to_owned() } else { tips.join("; ") }
}

/// Returns the text's paragraphs, each as one line.
fn paragraphs(text: &str) -> impl Iterator<Item = String> {
    let words = |paragraph: &str| paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    text.split("\n\n").map(words)
}
