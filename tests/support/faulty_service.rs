//! A service that fails according to rules: the local endpoint, with a channel `c`.

use osslive::{ChannelConfig, ClientBuilder};
use osslive_local::{Config, Control, Disconnect, FaultRule, LocalEndpoint};

/// Returns a rule for every call, without an effect yet.
pub fn rule() -> FaultRule {
    FaultRule::new("*")
}

pub fn busy() -> FaultRule {
    FaultRule { status: Some(503), ..rule() }
}

/// Returns a rule that sends no response.
pub fn silence() -> FaultRule {
    FaultRule { disconnect: Some(Disconnect::Hang), ..rule() }
}

/// Returns a rule by which every channel exists and is idle.
pub fn idle() -> FaultRule {
    let body = "<LiveChannelStat><Status>Idle</Status></LiveChannelStat>";
    FaultRule { body: Some(body.to_owned()), ..rule() }
}

pub struct FaultyService {
    endpoint: LocalEndpoint,
    control: Control,
}

impl FaultyService {
    pub fn with<const N: usize>(rules: [FaultRule; N]) -> Self {
        let endpoint = LocalEndpoint::start(Config::temporary().control()).unwrap();
        let control = endpoint.control().unwrap();
        let service = FaultyService { endpoint, control };
        service.client().build().unwrap().put_channel("c", &ChannelConfig::new("c")).unwrap();
        service.control.clear_requests();
        rules.into_iter().for_each(|rule| service.add_fault(rule));
        service
    }

    /// Adds a fault for the following calls.
    pub fn add_fault(&self, rule: FaultRule) {
        self.control.add(rule).unwrap();
    }

    /// Returns a builder for a client of this service.
    pub fn client(&self) -> ClientBuilder {
        self.endpoint.client_builder()
    }

    /// Returns the number of calls.
    pub fn calls(&self) -> usize {
        self.control.requests().0.iter().filter(|event| event.operation.is_some()).count()
    }

    /// Returns the number of calls about a channel.
    pub fn calls_about(&self, channel: &str) -> usize {
        let (events, _) = self.control.requests();
        events.iter().filter(|event| event.key.as_deref() == Some(channel)).count()
    }
}
