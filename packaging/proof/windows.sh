#!/bin/sh
# Tests SDK, endpoint and command on Windows: built by mingw-w64, with the standard
# library from source, and run under Wine.
#
#   packaging/proof/windows.sh
set -eu
cd "$(dirname -- "$0")/../.."

export CARGO_TARGET_DIR=target/windows RUSTC_BOOTSTRAP=1 CARGO_PROFILE_DEV_DEBUG=0
export WINEDEBUG=-all XDG_RUNTIME_DIR=/tmp CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=wine

# Keep Wine's server running: one that exits with its last program may take the next one
# with it. A new home directory has no Wine prefix yet.
wine wineboot --init
/usr/lib/*/wine/wineserver -w
/usr/lib/*/wine/wineserver -p

. packaging/proof/tests.sh
# These interrupt a program as Ctrl-C does, for which Windows has no command.
by_signal='channel_wait_returns_once_the_state_is_reached an_interrupted_run_removes_what_it_created
  an_interrupted_run_reports_what_was_not_done a_secret_from_a_file_or_the_environment_is_required
  an_unread_log_blocks_nothing no_secret_is_printed_without_a_terminal
  options_before_the_command_are_not_ignored the_log_has_the_chosen_format_and_level'
# shellcheck disable=SC2046
cargo test -Zbuild-std=std,panic_unwind,test --target x86_64-pc-windows-gnu --no-fail-fast \
  $(portable_tests) -- --skip "$(too_long)" $(printf -- '--skip %s ' $by_signal)
