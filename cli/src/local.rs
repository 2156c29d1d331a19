//! `osslive local`: runs the endpoint in the foreground.

mod announcement;
mod keys;
mod log;

use crate::failure::{Failure, Outcome};
use crate::log::Format;
use crate::output::Output;
use crate::signal::Ending;
use announcement::{Announcement, Shown};
use clap::Args;
use keys::{Keys, Temporary};
use osslive_local::{Account, Acl, Config, InitialState, Level, LocalEndpoint, PeerLimits};
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Address to listen on for HTTP and RTMP; port 0 picks a free one.
    /// Non-loopback addresses require your own secrets
    #[arg(
        long,
        default_value = "127.0.0.1:9000",
        value_name = "HOST:PORT",
        env = "OSSLIVE_LOCAL_LISTEN"
    )]
    listen: SocketAddr,
    /// Data directory: channels, history, fragments and playlists
    #[arg(long, default_value = "osslive-data", value_name = "DIR", env = "OSSLIVE_LOCAL_DATA")]
    data: PathBuf,
    /// Use a temporary data directory, deleted on exit
    #[arg(long, conflicts_with = "data", env = "OSSLIVE_LOCAL_TEMPORARY", value_parser = clap::builder::FalseyValueParser::new())]
    temporary: bool,
    /// Keep nothing on disk: use a temporary data directory in memory (Linux only)
    #[arg(long, conflicts_with_all = ["data", "temporary"], env = "OSSLIVE_LOCAL_MEMORY", value_parser = clap::builder::FalseyValueParser::new())]
    memory: bool,
    /// Flush each fragment to disk before a playlist lists it
    #[arg(long, conflicts_with_all = ["temporary", "memory"], env = "OSSLIVE_LOCAL_DURABLE", value_parser = clap::builder::FalseyValueParser::new())]
    durable: bool,
    /// Create the buckets, channels, objects and keys described in this JSON file;
    /// osslive control reset restores them
    #[arg(long, value_name = "FILE", env = "OSSLIVE_LOCAL_INIT")]
    init: Option<PathBuf>,
    /// Exit when stdin closes, such as when the parent process exits
    #[arg(long)]
    exit_with_stdin: bool,
    /// Bucket to create (repeatable)
    /// [default: live-demo, or the buckets of --init]
    #[arg(
        id = "bucket",
        long,
        value_name = "NAME",
        env = "OSSLIVE_LOCAL_BUCKETS",
        value_delimiter = ','
    )]
    buckets: Vec<String>,
    #[command(flatten)]
    keys: keys::Options,
    /// Region required in version 4 signatures
    #[arg(
        long,
        default_value = "cn-hangzhou",
        value_name = "REGION",
        env = "OSSLIVE_LOCAL_REGION"
    )]
    region: String,
    /// The endpoint's host name; BUCKET.DOMAIN addresses a bucket, and requests
    /// for other names are rejected
    #[arg(long, default_value = "localhost", value_name = "DOMAIN", env = "OSSLIVE_LOCAL_DOMAIN")]
    domain: String,
    /// Custom domain bound to the first bucket (repeatable)
    #[arg(
        id = "cname",
        long,
        value_name = "HOST",
        env = "OSSLIVE_LOCAL_CNAMES",
        value_delimiter = ','
    )]
    cnames: Vec<String>,
    /// Origin allowed to play from all buckets, or * for any (repeatable)
    #[arg(
        id = "cors",
        long,
        value_name = "ORIGIN",
        env = "OSSLIVE_LOCAL_CORS",
        value_delimiter = ','
    )]
    origins: Vec<String>,
    /// Bucket ACL: private, public-read or public-read-write
    /// [default: private for new buckets]
    #[arg(long, value_name = "ACL", env = "OSSLIVE_LOCAL_ACL")]
    acl: Option<Acl>,
    /// Account type to emulate: established or new
    #[arg(long, default_value_t, value_name = "AGE", env = "OSSLIVE_LOCAL_ACCOUNT")]
    account: Account,
    /// Return 503 above this many channel operations per second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), env = "OSSLIVE_LOCAL_QPS_LIMIT")]
    qps_limit: Option<u32>,
    /// Path to hls.js, for browsers without native HLS support
    #[arg(long, env = "OSSLIVE_HLS_JS", value_name = "FILE")]
    hls_js: Option<PathBuf>,
    /// Let programs on this machine inject faults, move the clock and inspect
    /// requests, as osslive control does
    #[arg(long, env = "OSSLIVE_LOCAL_CONTROL", value_parser = clap::builder::FalseyValueParser::new())]
    control: bool,
    /// Disable the web page
    #[arg(long, conflicts_with = "remote_page", env = "OSSLIVE_LOCAL_NO_PAGE", value_parser = clap::builder::FalseyValueParser::new())]
    no_page: bool,
    /// Serve the web page to other machines and proxies that present its token
    #[arg(long, env = "OSSLIVE_LOCAL_REMOTE_PAGE", value_parser = clap::builder::FalseyValueParser::new())]
    remote_page: bool,
    /// Delete the oldest recordings when the total exceeds this size on disk, such
    /// as 500M or 20G; none keeps everything [default: 10G, or 256M with --memory]
    #[arg(long, value_name = "SIZE", value_parser = storage, env = "OSSLIVE_LOCAL_MAX_STORAGE")]
    max_storage: Option<Storage>,
    /// Maximum connections, at most half of them per IP address
    #[arg(long, default_value_t = PeerLimits::default().connections, value_name = "N", env = "OSSLIVE_LOCAL_MAX_CONNECTIONS")]
    max_connections: usize,
    /// Log events to stderr in this format [default: text, or json with --json]
    #[arg(long, value_enum, value_name = "FORMAT", env = "OSSLIVE_LOCAL_LOG")]
    log: Option<Format>,
    /// Log level: error, warn, info or debug (includes every request)
    #[arg(long, default_value = "info", value_name = "LEVEL", env = "OSSLIVE_LOCAL_LOG_LEVEL")]
    log_level: Level,
    /// Print secrets and a signed publish URL even if stdout is not a terminal
    #[arg(long, env = "OSSLIVE_LOCAL_PRINT_KEYS", value_parser = clap::builder::FalseyValueParser::new())]
    print_keys: bool,
}

pub(crate) fn run(arguments: Arguments, output: &Output) -> Outcome {
    let keys = Keys::of(&arguments.keys, output)?;
    let format = arguments.log.unwrap_or(Format::usual(output.json));
    let config = log::observe(format, arguments.log_level, config(&arguments, &keys)?);
    let endpoint = LocalEndpoint::start(config).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => Failure::usage(error.to_string()),
        _ => Failure::Other(error.into()),
    })?;
    // From here on, nothing can fail: readers of the first line may rely on the
    // endpoint.
    let ending = Ending::watch_with_stdin(arguments.exit_with_stdin)?;
    // Logs and journals are readable by others and kept for a long time.
    let is_private = arguments.print_keys || output.is_terminal() && !output.json;
    let shown = Shown { secret: arguments.print_keys, urls: is_private };
    let announcement = Announcement::of(&endpoint, &arguments.region, &keys, shown)?;
    output.line(&announcement, |page| announcement.write(page));
    ending.wait_indefinitely();
    endpoint.stop();
    Ok(())
}

fn config(arguments: &Arguments, keys: &Keys) -> Outcome<Config> {
    let place = match (arguments.memory, arguments.temporary) {
        (true, _) => Config::in_memory(),
        (false, true) => Config::temporary(),
        (false, false) => Config::new(&arguments.data),
    };
    let mut config = place
        .listen(arguments.listen)
        .durable(arguments.durable)
        .account(arguments.account)
        .access_key(&keys.id, &keys.secret)
        .region(&arguments.region)
        .domain(&arguments.domain);
    if let Some(Storage(limit)) = arguments.max_storage {
        config = config.max_storage(limit);
    }
    if let Some(file) = &arguments.init {
        let wrong = |error: io::Error| Failure::usage(format!("--init {error}"));
        config = config.initial(InitialState::read(file).map_err(wrong)?);
    }
    config = sites(config, arguments, keys);
    for bucket in &arguments.buckets {
        config = config.bucket(bucket);
    }
    if let Some(acl) = arguments.acl {
        config = config.acl(acl);
    }
    if let Some(Temporary { id, secret, token }) = &keys.temporary {
        config = config.temporary_key(id, secret, token);
    }
    if arguments.control {
        config = config.control();
        if let Some(token) = &keys.control_token {
            let wrong = |error: io::Error| Failure::usage(error.to_string());
            config = config.control_token(token).map_err(wrong)?;
        }
    }
    if let Some(file) = &arguments.hls_js {
        let script = fs::read_to_string(file).map_err(|error| Failure::file(file, error))?;
        config = config.hls_js(script);
    }
    if let Some(limit) = arguments.qps_limit {
        config = config.qps_limit(limit);
    }
    let connections = arguments.max_connections;
    let connections_per_address = connections.div_ceil(2);
    let limits = PeerLimits { connections, connections_per_address, ..PeerLimits::default() };
    Ok(config.limits(limits))
}

/// Sets who may access the endpoint over HTTP without signing: sites and the page.
fn sites(mut config: Config, arguments: &Arguments, keys: &Keys) -> Config {
    config = config.page(!arguments.no_page).remote_page(arguments.remote_page);
    if let Some(token) = &keys.page_token {
        config = config.page_token(token);
    }
    config = arguments.cnames.iter().fold(config, Config::cname);
    arguments.origins.iter().fold(config, Config::cors)
}

/// The maximum size of recordings; `None` without a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Storage(Option<u64>);

/// Parses a size; `none` and 0 mean no limit.
fn storage(text: &str) -> Result<Storage, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(Storage(None));
    }
    size(text).map(|bytes| Storage((bytes > 0).then_some(bytes)))
}

/// Reads a size in bytes, or with K, M, G or T in powers of 1024.
fn size(text: &str) -> Result<u64, String> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let shift = match unit.to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 10,
        "M" | "MB" | "MIB" => 20,
        "G" | "GB" | "GIB" => 30,
        "T" | "TB" | "TIB" => 40,
        _ => return Err(String::from("must be a number, optionally with K, M, G or T")),
    };
    let number: u64 = digits.parse().map_err(|_| String::from("must be a whole number"))?;
    number.checked_mul(1 << shift).ok_or_else(|| String::from("too large"))
}

#[cfg(test)]
mod tests {
    use super::{Arguments, Storage, size, storage};
    use clap::{Args, Command, FromArgMatches};
    use osslive_local::Config;

    #[test]
    fn a_size_is_in_bytes_or_powers_of_1024() {
        for (text, bytes) in
            [("0", 0), ("1000", 1000), ("2k", 2048), ("500M", 500 << 20), ("20GiB", 20 << 30)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "G", "-1", "1.5G", "10X", "1 G", "99999999T", "99999999999999999999"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_option_can_be_set_in_the_environment() {
        let command = Arguments::augment_args(Command::new("local"));
        for option in command.get_arguments().filter(|option| !option.is_hide_set()) {
            let name = option.get_id().as_str();
            let help = option.get_help().map(ToString::to_string).unwrap_or_default();
            // Secret values are hidden, and a flag that depends on a
            // parent process is left out.
            let is_documented = help.contains("[env: OSSLIVE_LOCAL_");
            assert!(
                option.get_env().is_some() || is_documented || name == "exit_with_stdin",
                "{name}"
            );
        }
    }

    #[test]
    fn recordings_are_limited_unless_the_limit_is_disabled() {
        let limit = |line: &[&str]| {
            let command = Arguments::augment_args(Command::new("local"));
            let matches = command.try_get_matches_from([&["local"], line].concat()).unwrap();
            Arguments::from_arg_matches(&matches).unwrap().max_storage
        };
        assert_eq!(limit(&[]), None, "the library's default");
        assert_eq!(
            (Config::MAX_STORAGE, Config::MAX_MEMORY),
            (10 << 30, 256 << 20),
            "as in --help"
        );
        assert_eq!(limit(&["--max-storage", "5M"]), Some(Storage(Some(5 << 20))));
        for text in ["none", "None", "0"] {
            assert_eq!(storage(text), Ok(Storage(None)), "{text}");
        }
    }
}
