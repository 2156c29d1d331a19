//! Why is there no video? One call examines everything between a publisher and its
//! viewers, and says in plain words what it saw and what to do.
//!
//! Observations are judged by functions without I/O: [`reach`], [`access`],
//! [`channel`], [`publish_url`] and [`playback`]. Nothing here changes anything:
//! permissions are tested with requests that cannot succeed.

mod access;
mod channel;
mod examination;
mod options;
mod playback;
mod publish_url;
mod reach;
mod report;
mod rtmp;
mod words;

pub use options::DiagnosisOptions;
pub use report::{Check, CheckId, Diagnosis, Verdict};

use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::stop::StopHandle;
use examination::Examination;
use report::Findings;
use std::time::{Duration, Instant};

impl Client {
    /// Examines the path from this machine to the bucket's live channels, and returns
    /// a verdict for each [`CheckId`]. Takes at most ten seconds and changes nothing.
    /// Never fails: whatever goes wrong is a finding.
    ///
    /// ```no_run
    /// # let client: osslive::Client = unimplemented!();
    /// use osslive::{DiagnosisOptions, Verdict};
    ///
    /// let diagnosis = client.diagnose(&DiagnosisOptions::new().channel("main-stage"));
    /// for check in diagnosis.checks.iter().filter(|check| check.verdict == Verdict::Problem) {
    ///     println!("{}: {}", check.id, check.seen);
    /// }
    /// ```
    pub fn diagnose(&self, options: &DiagnosisOptions<'_>) -> Diagnosis {
        let started = Instant::now();
        let mut on_check = |check: &Check| options.report(check);
        let mut findings = Findings::new(options.stop.clone(), &mut on_check);
        findings.ok(CheckId::Settings, "complete and consistent");
        Examination::new(self, options, started).run(&mut findings);
        findings.finish(started.elapsed())
    }
}

impl Diagnosis {
    /// Returns the diagnosis of a client that cannot be created, from the error of
    /// [`build`](crate::ClientBuilder::build).
    pub fn of_build_error(error: &Error) -> Diagnosis {
        let mut ignore = |_: &Check| {};
        let mut findings = Findings::new(StopHandle::new(), &mut ignore);
        let seen = words::brief(error.message());
        if error.kind() == ErrorKind::Credentials {
            let advice = "set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, or use a profile of \
                          ossutil's or the aliyun command's config file";
            findings.problem(CheckId::Credentials, seen, advice);
        } else {
            findings.problem(CheckId::Settings, seen, "correct this setting");
        }
        findings.finish(Duration::ZERO)
    }
}
