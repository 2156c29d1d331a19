//! The queue of one receiver: which event to deliver next, and when. It does not
//! read a clock.

use super::event::Event;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The minimum and maximum delay before an event is delivered again.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// The number of an event within this process, in chronological order.
pub(super) type Number = u64;

/// Events of a channel are delivered in order, one at a time. If one cannot be
/// delivered, those of other channels still are. If several fail one after the
/// other, the receiver is considered down, and everything waits.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: BTreeMap<Number, Arc<Event>>,
    channels: HashMap<String, Blocked>,
    /// Failures since the last success.
    failures: u32,
    paused_until: Option<Instant>,
}

/// Why the events of a channel wait.
#[derive(Debug, Clone, Copy)]
enum Blocked {
    /// One of them is being delivered, after this many failures.
    InFlight { failures: u32 },
    /// One of them could not be delivered.
    Until { failures: u32, time: Instant },
}

/// What to do next.
#[derive(Debug)]
pub(super) enum Next {
    Deliver(Number, Arc<Event>),
    /// Wait until this time.
    WaitUntil(Instant),
    /// Wait until an event is added or a delivery ends.
    Wait,
}

impl Queue {
    pub(super) fn push(&mut self, number: Number, event: Arc<Event>) {
        self.waiting.insert(number, event);
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Returns the oldest event that may be delivered now. It stays in the queue
    /// until it is [`settle`](Self::settle)d.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        if let Some(time) = self.paused_until.filter(|time| *time > now && !self.waiting.is_empty())
        {
            return Next::WaitUntil(time);
        }
        let mut earliest: Option<Instant> = None;
        for (number, event) in &self.waiting {
            let failures = match self.channels.get(&event.channel) {
                None => 0,
                Some(Blocked::InFlight { .. }) => continue,
                Some(Blocked::Until { time, .. }) if *time > now => {
                    earliest = Some(earliest.map_or(*time, |earliest| earliest.min(*time)));
                    continue;
                }
                Some(Blocked::Until { failures, .. }) => *failures,
            };
            self.channels.insert(event.channel.clone(), Blocked::InFlight { failures });
            return Next::Deliver(*number, event.clone());
        }
        earliest.map_or(Next::Wait, Next::WaitUntil)
    }

    /// Removes a delivered event.
    pub(super) fn delivered(&mut self, number: Number) {
        (self.failures, self.paused_until) = (0, None);
        self.settle(number);
    }

    /// Removes an event, whatever the outcome of its delivery.
    pub(super) fn settle(&mut self, number: Number) {
        if let Some(event) = self.waiting.remove(&number) {
            self.channels.remove(&event.channel);
        }
    }

    /// Removes the oldest event that is not being delivered.
    pub(super) fn drop_oldest(&mut self) -> Option<(Number, Arc<Event>)> {
        let is_in_flight = |event: &Event| {
            matches!(self.channels.get(&event.channel), Some(Blocked::InFlight { .. }))
        };
        let (number, _) = self.waiting.iter().find(|(_, event)| !is_in_flight(event))?;
        let number = *number;
        self.waiting.remove(&number).map(|event| (number, event))
    }

    /// Keeps an event that could not be delivered, for another attempt.
    /// `retry_after` is the receiver's requested delay, and `jitter` is from 0 to
    /// 1.
    pub(super) fn failed(
        &mut self,
        number: Number,
        now: Instant,
        retry_after: Option<Duration>,
        jitter: f64,
    ) {
        let Some(event) = self.waiting.get(&number) else { return };
        let failures = match self.channels.get(&event.channel) {
            Some(Blocked::InFlight { failures }) => failures + 1,
            _ => 1,
        };
        let time = now + retry_after.unwrap_or_else(|| delay(failures, jitter));
        self.channels.insert(event.channel.clone(), Blocked::Until { failures, time });
        // Deliveries that fail at the same time count as one failure.
        if self.paused_until.is_some_and(|until| until > now) {
            return;
        }
        self.failures += 1;
        self.paused_until = match retry_after {
            Some(after) => Some(now + after),
            None if self.failures > 1 => Some(now + delay(self.failures - 1, jitter)),
            None => None,
        };
    }
}

/// Returns the delay after this many failures: between half and all of a limit that
/// doubles each time.
fn delay(failures: u32, jitter: f64) -> Duration {
    let limit = FIRST_DELAY.saturating_mul(1 << failures.saturating_sub(1).min(16));
    limit.min(LONGEST_DELAY).mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn event(channel: &str) -> Arc<Event> {
        let text = format!(
            r#"{{"id":"{channel}","event":"idle","bucket":"b","channel":"{channel}","time":"2026-05-01T19:30:00Z"}}"#
        );
        Arc::new(serde_json::from_str(&text).unwrap())
    }

    fn queue(channels: &[&str]) -> Queue {
        let mut queue = Queue::default();
        for (number, channel) in (0..).zip(channels) {
            queue.push(number, event(channel));
        }
        queue
    }

    /// Returns the number of the next event; `None` if nothing may be delivered
    /// now.
    fn next(queue: &mut Queue, now: Instant) -> Option<Number> {
        match queue.next(now) {
            Next::Deliver(number, _) => Some(number),
            Next::WaitUntil(time) => {
                assert!(time > now);
                None
            }
            Next::Wait => None,
        }
    }

    #[test]
    fn events_of_a_channel_are_delivered_one_at_a_time_and_in_order() {
        let (mut queue, now) = (queue(&["a", "a", "b"]), Instant::now());
        assert_eq!(next(&mut queue, now), Some(0));
        assert_eq!(next(&mut queue, now), Some(2), "the second of a waits for the first");
        assert_eq!(next(&mut queue, now), None);
        queue.delivered(0);
        assert_eq!(next(&mut queue, now), Some(1));
        queue.delivered(1);
        queue.delivered(2);
        assert_eq!(queue.len(), 0);
        assert!(matches!(queue.next(now), Next::Wait));
    }

    #[test]
    fn a_failed_event_holds_up_only_its_channel() {
        let (mut queue, now) = (queue(&["a", "a", "b", "c"]), Instant::now());
        assert_eq!(next(&mut queue, now), Some(0));
        queue.failed(0, now, None, 1.0);
        for other in [2, 3] {
            assert_eq!(next(&mut queue, now), Some(other));
            queue.delivered(other);
        }
        assert_eq!(next(&mut queue, now), None);
        assert_eq!(next(&mut queue, now + SECOND), Some(0), "and is tried again first");
    }

    #[test]
    fn delays_grow_while_a_receiver_is_down() {
        let names: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        let mut queue = queue(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let (mut now, mut attempts) = (Instant::now(), 0);
        let end = now + 3600 * SECOND;
        while now < end {
            match queue.next(now) {
                Next::Deliver(number, _) => {
                    attempts += 1;
                    queue.failed(number, now, None, 1.0);
                }
                Next::WaitUntil(time) => now = time,
                Next::Wait => panic!("there are events"),
            }
        }
        assert!((60..80).contains(&attempts), "{attempts} attempts in an hour");
        let Next::Deliver(number, _) = queue.next(now) else { panic!("it is due") };
        queue.delivered(number);
        assert!(next(&mut queue, now).is_some(), "once it is up, nothing waits");
    }

    #[test]
    fn a_receiver_can_request_a_delay() {
        let (mut queue, now) = (queue(&["a", "b"]), Instant::now());
        assert_eq!(next(&mut queue, now), Some(0));
        queue.failed(0, now, Some(SECOND * 30), 0.0);
        assert_eq!(next(&mut queue, now + SECOND * 29), None);
        assert_eq!(next(&mut queue, now + SECOND * 30), Some(0));
    }

    #[test]
    fn delays_double_up_to_a_minute_and_are_jittered() {
        let delays: Vec<u64> = (1..9).map(|n| delay(n, 1.0).as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(delay(u32::MAX, 0.0), SECOND * 30);
    }

    #[test]
    fn the_oldest_event_is_dropped_unless_it_is_being_delivered() {
        let (mut queue, now) = (queue(&["a", "b"]), Instant::now());
        assert_eq!(next(&mut queue, now), Some(0));
        assert_eq!(queue.drop_oldest().map(|(number, _)| number), Some(1));
        assert!(queue.drop_oldest().is_none());
    }
}
