//! What answers take until they are sent.

use super::*;
use crate::control_http::ControlApi;
use crate::front_ends::FrontEnds;
use crate::http::outgoing::Outgoing;
use crate::limits::PeerLimits;
use crate::page::{self, Page};
use crate::serve::Application;
use crate::workers::Workers;
use tokio::runtime::{self, Runtime};

/// The service behind HTTP, without a connection: an answer is unread as long
/// as it is held.
struct Door {
    application: Application,
    runtime: Runtime,
    _folder: TempDir,
}

impl Door {
    fn of(world: World, limits: &PeerLimits) -> Door {
        let workers = Arc::new(Workers::start().unwrap());
        let page = page::Options { token: None, remote: false, hls_js: None };
        let page = Page::new(world.service.site.clone(), page);
        let control = ControlApi::new(world.service.site.clone(), None);
        let front_ends = Arc::new(FrontEnds { control, page, service: world.service });
        let application = Application::new(front_ends, limits, workers);
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Door { application, runtime, _folder: world._folder }
    }

    fn answer(&self, request: &Request) -> hyper::Response<Outgoing> {
        let target = format!("{}?{}", request.path, request.query);
        let mut builder = hyper::Request::builder().method(&*request.method).uri(target);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let request = builder.body(Outgoing::Empty).unwrap();
        self.runtime.block_on(self.application.answer(request)).unwrap()
    }
}

#[test]
fn answers_in_memory_share_a_budget_until_they_are_sent() {
    let world = World::new();
    // A listing repeats its prefix.
    let list = |length| {
        let mut request = plain("GET", &format!("/demo/?prefix={}", "a".repeat(length)), b"");
        world.sign(&mut request);
        request
    };
    let (large, small) = (list(60_000), list(10));
    let door = Door::of(world, &PeerLimits { answers: 200_000, ..PeerLimits::default() });
    let mut unread: Vec<_> = std::iter::repeat_with(|| door.answer(&large))
        .take_while(|answer| answer.status() == 200)
        .take(10)
        .collect();
    assert!((2..=4).contains(&unread.len()), "{} answers", unread.len());
    let refused = door.answer(&large);
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(door.answer(&small).status(), 200, "small answers have room");
    unread.pop();
    assert_eq!(door.answer(&large).status(), 200);
}
