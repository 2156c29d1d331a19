//! A service that goes wrong as rules say: the local endpoint, with a channel `c`.

use osslive::{ChannelConfig, ClientBuilder};
use osslive_local::{Config, Control, Disconnect, FaultRule, LocalEndpoint};

/// A rule about every call, without an effect yet.
pub fn rule() -> FaultRule {
    FaultRule::new("*")
}

pub fn busy() -> FaultRule {
    FaultRule { status: Some(503), ..rule() }
}

/// Nothing is answered.
pub fn silence() -> FaultRule {
    FaultRule { disconnect: Some(Disconnect::Hang), ..rule() }
}

/// Every channel exists, and is idle.
pub fn idle() -> FaultRule {
    let body = "<LiveChannelStat><Status>Idle</Status></LiveChannelStat>";
    FaultRule { body: Some(body.to_owned()), ..rule() }
}

pub struct Ordered {
    endpoint: LocalEndpoint,
    control: Control,
}

impl Ordered {
    pub fn with<const N: usize>(rules: [FaultRule; N]) -> Self {
        let endpoint = LocalEndpoint::start(Config::temporary().control()).unwrap();
        let control = endpoint.control().unwrap();
        let ordered = Ordered { endpoint, control };
        ordered.client().build().unwrap().put_channel("c", &ChannelConfig::new("c")).unwrap();
        ordered.control.clear_requests();
        rules.into_iter().for_each(|rule| ordered.order(rule));
        ordered
    }

    /// Orders a fault for the calls that come after this.
    pub fn order(&self, rule: FaultRule) {
        self.control.add(rule).unwrap();
    }

    /// A client of this service, still to be configured further.
    pub fn client(&self) -> ClientBuilder {
        self.endpoint.client_builder()
    }

    /// How often it was called.
    pub fn calls(&self) -> usize {
        self.control.requests().0.iter().filter(|event| event.operation.is_some()).count()
    }

    /// How often it was called about a channel.
    pub fn calls_about(&self, channel: &str) -> usize {
        let (events, _) = self.control.requests();
        events.iter().filter(|event| event.key.as_deref() == Some(channel)).count()
    }
}
