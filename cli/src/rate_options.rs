//! Request rate and concurrency of commands for many channels.

use clap::{Args, value_parser};
use osslive::SweepOptions;

#[derive(Debug, Args)]
pub(crate) struct RateOptions {
    /// Maximum concurrent requests
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = value_parser!(u16).range(1..=256))]
    pub(crate) parallel: u16,
    /// Maximum requests per second [default: limited only by the service]
    #[arg(long, value_name = "N", value_parser = parse_rate)]
    pub(crate) rate: Option<f64>,
}

impl RateOptions {
    pub(crate) fn options<'a>(&self) -> SweepOptions<'a> {
        let options = SweepOptions::new().max_parallel(self.parallel.into());
        match self.rate {
            Some(rate) => options.rate(rate),
            None => options,
        }
    }
}

pub(crate) fn parse_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate.is_finite() => Ok(rate),
        _ => Err("must be greater than zero".to_owned()),
    }
}
