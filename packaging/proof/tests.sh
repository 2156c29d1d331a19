# The tests that run on every system, as arguments of cargo test; sourced by the other
# scripts. Left out are `architecture` and `sources`, which test the sources and not the
# platform, `process` and `wiping`, which need Unix and Linux, and those with third-party
# clients and encoders.
portable_tests() {
  printf '%s' '-p osslive -p osslive-local -p osslive-cli --lib --bins'
  printf ' --test %s' certificates codes configuration credential_sources diagnosis failures \
    faults flow json load many \
    monitor objects peer proxy recordings refusals shutdown vectors wait
  printf ' --test %s' browsers control data_folder disk events flood hostile initial limits media
  printf ' --test %s' apply commands conformance credentials doctor local recording restart sites
}

# Twenty thousand connections take an emulated system many minutes.
too_long() {
  printf '%s' ten_thousand_channels
}
