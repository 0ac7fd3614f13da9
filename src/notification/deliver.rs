//! Delivers one notification: several tries, each with a limit, and all of them within one.

use std::time::{Duration, Instant};

use super::body::{BodyFormat, body};
use super::notice::Notice;
use super::post::{Client, PostAnswer, PostFailure};

/// How long a receiver is waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DeliveryPatience {
    /// For one answer.
    pub(super) answer: Duration,
    /// For all tries of one notification.
    pub(super) all: Duration,
    /// When the command has done its work: it waits no longer than this.
    pub(super) end: Duration,
}

impl DeliveryPatience {
    /// Of a command that ends, such as in a deploy job.
    pub(crate) const COMMAND: DeliveryPatience =
        DeliveryPatience { answer: Duration::from_secs(4), all: Duration::from_secs(5), end: Duration::from_secs(5) };

    /// Of a service: nothing waits for its deliveries until it ends.
    pub(crate) const SERVICE: DeliveryPatience = DeliveryPatience {
        answer: Duration::from_secs(10),
        all: Duration::from_secs(10 * 60),
        end: Duration::from_secs(3),
    };
}

/// How often a notification is sent at most.
const TRIES: u32 = 12;

/// The pause after the first try; the next ones are twice as long each.
const FIRST_PAUSE: Duration = Duration::from_millis(300);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Sends to one receiver.
pub(super) struct Postman {
    pub(super) client: Client,
    pub(super) format: BodyFormat,
    pub(super) patience: DeliveryPatience,
}

impl Postman {
    /// Delivers a notification; tries again what may succeed later.
    ///
    /// # Errors
    /// A sentence, once all tries have failed.
    pub(super) fn deliver(&self, notice: &Notice) -> Result<PostAnswer, String> {
        let (body, began) = (body(notice, self.format), Instant::now());
        let mut tried = 0;
        loop {
            let left = self.patience.all.saturating_sub(began.elapsed());
            tried += 1;
            let failure = match self.client.post(&notice.id, &body, self.patience.answer.min(left)) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            match pause(&failure, tried).filter(|pause| began.elapsed() + *pause < self.patience.all) {
                Some(pause) => std::thread::sleep(pause),
                None if tried == 1 => return Err(failure.why),
                None => return Err(format!("{} ({tried} tries)", failure.why)),
            }
        }
    }

    /// Sends a notification once.
    ///
    /// # Errors
    /// A sentence, if it was not accepted.
    pub(super) fn try_once(&self, notice: &Notice) -> Result<PostAnswer, String> {
        let answer = self.client.post(&notice.id, &body(notice, self.format), self.patience.answer);
        answer.map_err(|failure| failure.why)
    }
}

/// How long to wait before another try; `None` if there is none.
fn pause(failure: &PostFailure, tried: u32) -> Option<Duration> {
    if !failure.again || tried >= TRIES {
        return None;
    }
    let doubled = FIRST_PAUSE.saturating_mul(1 << tried.saturating_sub(1).min(16)).min(LONGEST_PAUSE);
    Some(failure.after.unwrap_or_default().max(doubled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end() {
        let failure = |again, after| PostFailure { why: String::new(), again, after };
        let of = |tried| pause(&failure(true, None), tried).map(|pause| pause.as_millis());
        assert_eq!([of(1), of(2), of(3)], [Some(300), Some(600), Some(1200)]);
        assert_eq!((of(11), of(12)), (Some(60_000), None));
        assert_eq!(pause(&failure(false, None), 1), None, "what is wrong stays wrong");
        assert_eq!(pause(&failure(true, Some(Duration::from_secs(7))), 1), Some(Duration::from_secs(7)));
    }
}
