//! Memory used by responses until they are sent.

use super::*;
use crate::control_http::ControlApi;
use crate::front_ends::FrontEnds;
use crate::http::outgoing::Outgoing;
use crate::limits::PeerLimits;
use crate::page::{self, Page};
use crate::serve::Application;
use crate::workers::Workers;
use tokio::runtime::{self, Runtime};

/// The service behind HTTP, without a connection: a response is unread until it
/// is dropped.
struct TestApplication {
    application: Application,
    runtime: Runtime,
    _folder: TempDir,
}

impl TestApplication {
    fn of(fixture: Fixture, limits: &PeerLimits) -> TestApplication {
        let workers = Arc::new(Workers::start().unwrap());
        let page = page::Options { token: None, remote: false, hls_js: None };
        let page = Page::new(fixture.service.site.clone(), page);
        let control = ControlApi::new(fixture.service.site.clone(), None);
        let front_ends = Arc::new(FrontEnds { control, page, service: fixture.service });
        let application = Application::new(front_ends, limits, workers);
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        TestApplication { application, runtime, _folder: fixture._folder }
    }

    fn send(&self, request: &Request) -> hyper::Response<Outgoing> {
        let target = format!("{}?{}", request.path, request.query);
        let mut builder = hyper::Request::builder().method(&*request.method).uri(target);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let request = builder.body(Outgoing::Empty).unwrap();
        self.runtime.block_on(self.application.handle(request)).unwrap()
    }
}

#[test]
fn responses_in_memory_share_a_budget_until_they_are_sent() {
    let fixture = Fixture::new();
    // A listing repeats its prefix.
    let list = |length| {
        let mut request = plain("GET", &format!("/demo/?prefix={}", "a".repeat(length)), b"");
        fixture.sign(&mut request);
        request
    };
    let (large, small) = (list(60_000), list(10));
    let app =
        TestApplication::of(fixture, &PeerLimits { answers: 200_000, ..PeerLimits::default() });
    let mut unread: Vec<_> = std::iter::repeat_with(|| app.send(&large))
        .take_while(|response| response.status() == 200)
        .take(10)
        .collect();
    assert!((2..=4).contains(&unread.len()), "{} responses", unread.len());
    let refused = app.send(&large);
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(app.send(&small).status(), 200, "small responses do not count");
    unread.pop();
    assert_eq!(app.send(&large).status(), 200);
}
