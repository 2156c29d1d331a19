//! Experiments: the steps of one or more observations.

use super::bench::{Bench, Miss};
use super::observation::{Need, Observation, Source};
use super::record::{MESSAGE, Record};
use super::reply::Reply;
use super::request_spec::{MINIMAL, RequestSpec, put};
use osslive_local::push::PushError;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

type Run = dyn Fn(&Notes<'_>) -> Result<(), Miss> + Send + Sync;

/// An experiment.
pub(super) struct Experiment {
    pub(super) observations: Vec<Observation>,
    pub(super) needs: Vec<Need>,
    run: Box<Run>,
}

/// The outcome of an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    Observed(Record),
    /// Not observed, for this reason.
    NotObserved(String),
}

impl Experiment {
    /// Creates an experiment with several observations.
    pub(super) fn new(
        observations: &[(&'static str, &'static str, Source)],
        run: impl Fn(&Notes<'_>) -> Result<(), Miss> + Send + Sync + 'static,
    ) -> Self {
        let observation = |&(id, title, source)| Observation { id, title, source };
        let observations = observations.iter().map(observation).collect();
        Experiment { observations, needs: Vec::new(), run: Box::new(run) }
    }

    pub(super) fn needs(mut self, needs: &[Need]) -> Self {
        self.needs.extend_from_slice(needs);
        self
    }

    /// Makes the observations, or returns why there are none.
    pub(super) fn run(&self, bench: &Bench) -> BTreeMap<&'static str, Seen> {
        let none = |reason: &str| {
            let skipped =
                |observation: &Observation| (observation.id, Seen::NotObserved(reason.to_owned()));
            self.observations.iter().map(skipped).collect::<BTreeMap<_, _>>()
        };
        if let Some(missing) = self.needs.iter().find(|need| !bench.has(**need)) {
            return none(missing.reason());
        }
        let first = self.observations.first().map_or("", |observation| observation.id);
        let notes = Notes { bench, first, records: Mutex::default() };
        let mut all = match (self.run)(&notes) {
            Ok(()) => none("the experiment did not get that far"),
            Err(Miss::Stopped) => none("interrupted"),
            Err(Miss::Throttled) => none("the service throttled the requests"),
            // A failure is also an observation: of the step that failed.
            Err(Miss::Silent(why)) => notes.fail(&self.observations, "response", &why),
            Err(Miss::Setup(why)) => notes.fail(&self.observations, "setup", &why),
        };
        let records = notes.records.into_inner().unwrap_or_else(PoisonError::into_inner);
        let masked = |seen| match seen {
            Seen::Observed(record) => Seen::Observed(record.masked(&bench.mask)),
            skipped => skipped,
        };
        all.extend(records.into_iter().map(|(id, seen)| (id, masked(seen))));
        all
    }
}

/// The context of an experiment, and where it records its observations.
pub(super) struct Notes<'a> {
    pub(super) bench: &'a Bench,
    first: &'static str,
    records: Mutex<BTreeMap<&'static str, Seen>>,
}

impl Notes<'_> {
    /// Returns the name of the experiment's channel, from its first observation.
    pub(super) fn name(&self) -> String {
        self.name_of(self.first)
    }

    pub(super) fn name_of(&self, id: &str) -> String {
        format!("{}{id}", self.bench.prefix)
    }

    pub(super) fn record(&self, id: &'static str, record: Record) {
        self.insert(id, Seen::Observed(record));
    }

    /// Records why something was not observed.
    pub(super) fn skip(&self, id: &'static str, reason: &str) {
        self.insert(id, Seen::NotObserved(reason.to_owned()));
    }

    fn insert(&self, id: &'static str, seen: Seen) {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).insert(id, seen);
    }

    /// Records the outcome for a publisher.
    pub(super) fn record_push(&self, id: &'static str, outcome: &Result<(), PushError>) {
        self.record(id, push_record(outcome));
    }

    /// Sends a request for an observation without recording anything.
    pub(super) fn send(&self, id: &str, spec: &RequestSpec) -> Result<Reply, Miss> {
        self.bench.send(id, spec)
    }

    /// Sends a request and records its response.
    pub(super) fn see(&self, id: &'static str, spec: &RequestSpec) -> Result<Reply, Miss> {
        match self.bench.send(id, spec) {
            Ok(reply) => {
                self.record(id, reply.record(&spec.see));
                Ok(reply)
            }
            Err(Miss::Silent(why)) => {
                self.record(id, Record::of("response", format!("none: {why}")));
                Ok(Reply::default())
            }
            Err(miss) => Err(miss),
        }
    }

    /// Sends a request that the rest of the experiment depends on.
    pub(super) fn must(&self, id: &str, spec: &RequestSpec) -> Result<Reply, Miss> {
        let reply = self.bench.send(id, spec)?;
        if reply.is_success() {
            return Ok(reply);
        }
        let (method, failure) = (spec.method, reply.failure());
        let names: Vec<_> = spec.query.iter().map(|(name, _)| name.as_str()).collect();
        Err(Miss::Setup(format!("{method} {}: {failure}", names.join("&"))))
    }

    /// Creates a channel or replaces its configuration.
    pub(super) fn put(&self, id: &str, name: &str, configuration: &str) -> Result<Reply, Miss> {
        self.must(id, &put(name, configuration))
    }

    /// Records a failure as the first observation; the others are not observed.
    fn fail(
        &self,
        observations: &[Observation],
        facet: &str,
        why: &str,
    ) -> BTreeMap<&'static str, Seen> {
        let reason = format!("an earlier step failed: {}", self.bench.mask.apply(why));
        let is_recorded =
            |id: &str| self.records.lock().unwrap_or_else(PoisonError::into_inner).contains_key(id);
        let mut all = BTreeMap::new();
        let mut open = observations.iter().filter(|observation| !is_recorded(observation.id));
        if let Some(failed) = open.next() {
            let record = Record::of(facet, format!("failed: {}", self.bench.mask.apply(why)));
            all.insert(failed.id, Seen::Observed(record));
        }
        all.extend(open.map(|open| (open.id, Seen::NotObserved(reason.clone()))));
        all
    }
}

/// Returns a record of the outcome for a publisher.
pub(super) fn push_record(outcome: &Result<(), PushError>) -> Record {
    let of = |outcome| Record::of("outcome", outcome);
    match outcome {
        Ok(()) => of("accepted"),
        Err(PushError::Refused { code, description }) => {
            // The local endpoint's message starts with the same code as over HTTP.
            let word = description.split(':').next().unwrap_or_default();
            let is_code = !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric());
            let record = of("rejected").with("rtmp-code", code).with(MESSAGE, description);
            if is_code { record.with("code", word) } else { record }
        }
        Err(PushError::Closed) => of("the connection was closed"),
        Err(PushError::TimedOut) => of("no response"),
        Err(PushError::Connect(error)) => {
            of("could not connect").with("error", error.kind().to_string())
        }
        Err(PushError::Io(error)) => {
            of("the connection was lost").with("error", error.kind().to_string())
        }
        Err(PushError::Protocol(error)) => of("not RTMP").with("error", error.to_string()),
        Err(PushError::Url(_) | PushError::Clip(_) | PushError::EmptyClip) => {
            of("nothing was sent")
        }
    }
}

/// The names for the requests of an observation.
pub(super) struct Names<'a> {
    pub(super) bench: &'a Bench,
    /// The name of a channel and of a folder of objects.
    pub(super) name: String,
}

impl Names<'_> {
    /// Returns the prefix of all names of the run.
    pub(super) fn prefix(&self) -> &str {
        &self.bench.prefix
    }

    /// Returns a name with this many bytes.
    pub(super) fn padded(&self, length: usize) -> String {
        let mut name = self.bench.prefix.clone();
        name.extend(std::iter::repeat_n('x', length.saturating_sub(name.len())));
        name
    }
}

/// Creates an experiment of one request, whose response is observed.
pub(super) fn probe(
    id: &'static str,
    title: &'static str,
    source: Source,
    spec: impl Fn(&Names<'_>) -> RequestSpec + Send + Sync + 'static,
) -> Experiment {
    Experiment::new(&[(id, title, source)], move |notes| {
        let names = Names { bench: notes.bench, name: notes.name() };
        notes.see(id, &spec(&names)).map(drop)
    })
}

/// The same, with an existing channel.
pub(super) fn probe_channel(
    id: &'static str,
    title: &'static str,
    source: Source,
    spec: impl Fn(&Names<'_>) -> RequestSpec + Send + Sync + 'static,
) -> Experiment {
    Experiment::new(&[(id, title, source)], move |notes| {
        let names = Names { bench: notes.bench, name: notes.name() };
        notes.put(id, &names.name, MINIMAL)?;
        notes.see(id, &spec(&names)).map(drop)
    })
}
