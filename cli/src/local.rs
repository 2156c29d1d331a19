//! `osslive local`: the endpoint in the foreground.

use crate::signal;
use clap::Args;
use osslive::{Client, Credentials, RtmpUrlOptions};
use osslive_local::{Account, Acl, Config, LocalEndpoint, PeerLimits};
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The address to listen on, for HTTP and RTMP alike; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:9000", value_name = "HOST:PORT")]
    listen: SocketAddr,
    /// The folder for channels, history, fragments and playlists
    #[arg(long, default_value = "osslive-data", value_name = "DIR")]
    data: PathBuf,
    /// Keep the data in a new temporary folder, which is deleted at the end
    #[arg(long, conflicts_with = "data")]
    temporary: bool,
    /// Exit when standard input is closed, as it is when the parent process ends
    #[arg(long)]
    exit_with_stdin: bool,
    /// A bucket to create; repeat for more
    #[arg(id = "bucket", long, default_value = Config::BUCKET, value_name = "NAME")]
    buckets: Vec<String>,
    /// The access key's id
    #[arg(long, default_value = Config::ACCESS_KEY_ID, env = "OSSLIVE_LOCAL_ACCESS_KEY_ID", value_name = "ID")]
    access_key_id: String,
    /// The access key's secret
    #[arg(
        long,
        default_value = Config::ACCESS_KEY_SECRET,
        env = "OSSLIVE_LOCAL_ACCESS_KEY_SECRET",
        hide_env_values = true,
        value_name = "SECRET"
    )]
    access_key_secret: String,
    /// The STS token of a temporary key, which is then accepted too
    #[arg(long, env = "OSSLIVE_LOCAL_STS_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    sts_token: Option<String>,
    /// The temporary key's id
    #[arg(long, default_value = "STS.osslive-local", requires = "sts_token", value_name = "ID")]
    sts_access_key_id: String,
    /// The temporary key's secret
    #[arg(
        long,
        default_value = "osslive-local-sts-secret",
        requires = "sts_token",
        value_name = "SECRET"
    )]
    sts_access_key_secret: String,
    /// The region that signatures of version 4 must name
    #[arg(long, default_value = "cn-hangzhou", value_name = "REGION")]
    region: String,
    /// The endpoint's own host name; BUCKET.DOMAIN addresses a bucket, and other names are refused
    #[arg(long, default_value = "localhost", value_name = "DOMAIN")]
    domain: String,
    /// A custom domain that stands for the first bucket; repeat for more
    #[arg(id = "cname", long, value_name = "HOST")]
    cnames: Vec<String>,
    /// An origin whose pages may play from every bucket, or * for any; repeat for more
    #[arg(id = "cors", long, value_name = "ORIGIN")]
    origins: Vec<String>,
    /// Who may read and write without a signature: private, public-read or public-read-write
    /// [default: private for new buckets]
    #[arg(long, value_name = "ACL")]
    acl: Option<Acl>,
    /// Refuse what OSS refuses to such an account: established or new
    #[arg(long, default_value_t, value_name = "AGE")]
    account: Account,
    /// Answers 503 beyond this many operations on channels a second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    qps_limit: Option<u32>,
    /// hls.js, with which the page plays in browsers that have no HLS player of their own
    #[arg(long, env = "OSSLIVE_HLS_JS", value_name = "FILE")]
    hls_js: Option<PathBuf>,
    /// Do not serve the page
    #[arg(long, conflicts_with = "remote_page")]
    no_page: bool,
    /// Serve the page to other machines and through proxies too, to whoever knows its token
    #[arg(long)]
    remote_page: bool,
    /// The token in the page's address; a random one at each start if not set
    #[arg(long, env = "OSSLIVE_LOCAL_PAGE_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    page_token: Option<String>,
    /// Drop the oldest recordings of all channels beyond this size on disk, such as 500M or 20G;
    /// none keeps them all
    #[arg(long, default_value = "10G", value_name = "SIZE", value_parser = storage)]
    max_storage: Storage,
    /// Closes connections beyond so many, of which one address may have half
    #[arg(long, default_value_t = PeerLimits::default().connections, value_name = "N")]
    max_connections: usize,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let is_default = arguments.access_key_secret == Config::ACCESS_KEY_SECRET;
    if is_default && !arguments.listen.ip().is_loopback() {
        return Err("the default secret is public: give --access-key-secret to listen beyond \
                    this machine"
            .into());
    }
    let data = Some(&arguments.data).filter(|_| !arguments.temporary);
    let mut config = data
        .map_or_else(Config::temporary, Config::new)
        .listen(arguments.listen)
        .account(arguments.account)
        .access_key(&arguments.access_key_id, &arguments.access_key_secret)
        .region(&arguments.region)
        .domain(&arguments.domain)
        .max_storage(arguments.max_storage.0);
    config = sites(config, &arguments);
    for bucket in &arguments.buckets {
        config = config.bucket(bucket);
    }
    if let Some(acl) = arguments.acl {
        config = config.acl(acl);
    }
    if let Some(token) = &arguments.sts_token {
        config = config.temporary_key(
            &arguments.sts_access_key_id,
            &arguments.sts_access_key_secret,
            token,
        );
    }
    if let Some(file) = &arguments.hls_js {
        let script = fs::read_to_string(file)
            .map_err(|error| format!("cannot read hls.js from {}: {error}", file.display()))?;
        config = config.hls_js(script);
    }
    if let Some(limit) = arguments.qps_limit {
        config = config.qps_limit(limit);
    }
    let connections = arguments.max_connections;
    let connections_per_address = connections.div_ceil(2);
    let limits = PeerLimits { connections, connections_per_address, ..PeerLimits::default() };
    let endpoint = LocalEndpoint::start(config.limits(limits))?;
    announce(&endpoint, &arguments)?;
    signal::wait_also_for_stdin(arguments.exit_with_stdin)?;
    endpoint.stop();
    Ok(())
}

/// Who is answered over HTTP besides the owner of a key: sites and the page.
fn sites(mut config: Config, arguments: &Arguments) -> Config {
    config = config.page(!arguments.no_page).remote_page(arguments.remote_page);
    if let Some(token) = &arguments.page_token {
        config = config.page_token(token);
    }
    config = arguments.cnames.iter().fold(config, Config::cname);
    arguments.origins.iter().fold(config, Config::cors)
}

/// The most that recordings may take, unless there is no limit.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Storage(Option<u64>);

/// Reads a size; `none` and 0 are no limit.
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
        _ => return Err(String::from("not a number with K, M, G or T behind it")),
    };
    let number: u64 = digits.parse().map_err(|_| String::from("not a whole number"))?;
    number.checked_mul(1 << shift).ok_or_else(|| String::from("too large"))
}

/// Says where it listens and how to use it. The first line is for programs.
fn announce(endpoint: &LocalEndpoint, arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let bucket = &endpoint.buckets()[0];
    let Arguments { access_key_id: id, access_key_secret: secret, .. } = arguments;
    let client = Client::builder()
        .endpoint(endpoint.url())
        .region(&arguments.region)
        .bucket(bucket)
        .credentials(Credentials::new(id, secret))
        .build()?;
    let publish = client.get_rtmp_url("test", &RtmpUrlOptions::new().expires(86_400))?;

    let mut out = io::stdout().lock();
    writeln!(out, "listening on {}", endpoint.url())?;
    print_page(&mut out, endpoint)?;
    writeln!(out, "access key id      {id}")?;
    writeln!(out, "access key secret  {secret}")?;
    if arguments.sts_token.is_some() {
        writeln!(out, "STS access key id  {}", arguments.sts_access_key_id)?;
    }
    writeln!(out, "region             {}", arguments.region)?;
    writeln!(out, "bucket             {}", endpoint.buckets().join(", "))?;
    writeln!(out, "data               {}", endpoint.data().display())?;
    writeln!(out)?;
    writeln!(out, "Create a channel \"test\", then publish to it (good for a day):")?;
    writeln!(
        out,
        "  ffmpeg -re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine \\\n    \
         -c:v libx264 -preset ultrafast -g 60 -pix_fmt yuv420p -c:a aac -f flv \\\n    '{publish}'"
    )?;
    writeln!(out)?;
    writeln!(out, "This is for development and tests. Ctrl-C ends it.")?;
    out.flush()?;
    Ok(())
}

/// Prints the address of the page, which opens it to whoever reads it.
fn print_page(out: &mut impl Write, endpoint: &LocalEndpoint) -> io::Result<()> {
    match endpoint.page_url() {
        Some(url) => writeln!(out, "page               {url}"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn a_size_is_a_number_of_bytes_or_of_their_powers_of_1024() {
        for (text, bytes) in
            [("0", 0), ("1000", 1000), ("2k", 2048), ("500M", 500 << 20), ("20GiB", 20 << 30)]
        {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "G", "-1", "1.5G", "10X", "1 G", "99999999T", "99999999999999999999"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
