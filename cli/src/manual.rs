//! `osslive completions` and `osslive man`: shell completions and man pages.

use crate::failure::{Failure, Outcome};
use crate::output::Output;
use clap::{Args, Command};
use clap_complete::Shell;
use std::fs;
use std::path::PathBuf;

pub(crate) const COMPLETIONS_HELP: &str = "\
Examples:
  osslive completions bash > ~/.local/share/bash-completion/completions/osslive
  osslive completions zsh > \"${fpath[1]}/_osslive\"
  osslive completions fish > ~/.config/fish/completions/osslive.fish";

#[derive(Args)]
pub(crate) struct Completions {
    /// Target shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Args)]
pub(crate) struct Manual {
    /// Target directory, such as /usr/local/share/man/man1; created if missing
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(crate) fn completions(arguments: &Completions, mut command: Command, output: &Output) {
    // The generator panics if it cannot write, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "osslive", &mut script);
    output.text(|page| page.document(&String::from_utf8_lossy(&script)));
}

/// Writes a page for each command: `osslive.1`, `osslive-channel-put.1`, ...
pub(crate) fn pages(arguments: &Manual, command: Command) -> Outcome {
    let folder = &arguments.folder;
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(command, folder))
        .map_err(|error| Failure::file(folder, error))
}
