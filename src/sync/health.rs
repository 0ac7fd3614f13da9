//! The status file in one line, for monitoring many hosts.

use super::state::SyncState;
use super::status::SyncStatus;
use crate::records::moment::Moment;
use crate::text::quote::short_id;

/// How late a round may be, in seconds: it may wait for another publisher and for the reload.
const GRACE: u64 = 300;

/// The state, and one line about it.
pub(crate) fn health(status: &SyncStatus, now: Moment) -> (SyncState, String) {
    let age = status.last_attempt.map(|attempt| now.seconds_since(attempt));
    let allowed = status.interval.saturating_mul(3).max(status.pause.unwrap_or_default()).saturating_add(GRACE);
    let synced = status.synced_commit.as_deref().map_or("no commit", short_id);
    let last = status.last_success.map_or_else(|| "never".to_owned(), |last| last.to_string());
    let detail = format!("synced {synced}, last success {last}");
    match age {
        None => (SyncState::Failing, "starting: no round has ended yet".to_owned()),
        Some(age) if age > allowed => (
            SyncState::Failing,
            format!("stale: the last round began {age} s ago, and more than {allowed} s is too long; {detail}"),
        ),
        Some(_) if status.state == SyncState::Starting => (SyncState::Failing, format!("starting: {detail}")),
        Some(_) => {
            let target = status.targets.iter().find(|target| target.state == status.state);
            let of_target = target.and_then(|target| Some(format!("{}: {}", target.target, target.reasons.first()?)));
            let why = status.error.clone().or(of_target).map(|why| format!("; {why}")).unwrap_or_default();
            (status.state, format!("{}: {detail}{why}", status.state.as_str()))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_late_after_three_intervals_or_the_pause_and_a_while() {
        for (interval, pause, allowed) in [(60, 0, 480), (60, 900, 1200)] {
            let status: SyncStatus = serde_json::from_value(serde_json::json!({
                "version": 1, "tool": "x", "state": "ok", "remote": "origin", "branch": "main", "interval": interval,
                "last_attempt": "2026-11-21T12:00:00Z", "last_success": null, "remote_commit": null,
                "synced_commit": null, "failures": 0, "error": null, "pause": pause, "next_attempt": null, "targets": [],
            }))
            .unwrap();
            let began: Moment = "2026-11-21T12:00:00Z".parse().unwrap();
            let after = |seconds| health(&status, began.after(std::time::Duration::from_secs(seconds))).0;
            assert_eq!([after(allowed), after(allowed + 1)], [SyncState::Ok, SyncState::Failing], "{interval} {pause}");
        }
    }
}
