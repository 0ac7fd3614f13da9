//! Reads the certificate again at SIGHUP, after it was renewed.

use std::sync::Arc;

use tokio::signal::unix::Signal;

use super::server::tls::TlsFront;
use crate::notification::notice::{NoticeKind, Subject, Trouble};
use crate::notification::notifier::Notifier;
use crate::sync::journal::Journal;

/// Renews the certificate of one replica.
pub(crate) struct Renewal {
    front: Arc<TlsFront>,
    notifier: Arc<Notifier>,
    /// Of this replica alone: others may have other files.
    subject: Subject,
}

impl Renewal {
    /// For the replica of this name, whose files were just read.
    pub(crate) fn new(front: Arc<TlsFront>, notifier: Arc<Notifier>, replica: &str) -> Renewal {
        let renewal = Renewal { front, notifier, subject: Subject::of(&format!("certificate/{replica}")) };
        renewal.fine();
        renewal
    }

    fn fine(&self) {
        self.notifier.fine(&self.subject, "the certificate was read again");
    }

    /// Reads the files again after each signal, one after the other, so that the last read counts.
    pub(crate) async fn follow(self, mut signal: Signal) {
        let renewal = Arc::new(self);
        while signal.recv().await.is_some() {
            let renewal = renewal.clone();
            // It fails only if it panics; the next signal tries again.
            let _ = tokio::task::spawn_blocking(move || renewal.reload()).await;
        }
    }

    fn reload(&self) {
        match self.front.reload() {
            Ok(is_other) => {
                if is_other {
                    let path = self.front.certificate().display();
                    Journal::default().event("tls", &format!("new connections get the certificate now in {path}"));
                }
                self.fine();
            }
            Err(error) => {
                let why = format!("the certificate that was read before stays in use: {error:#}");
                Journal::default().event("tls", &why);
                self.notifier.trouble(&self.subject, &Trouble::new(NoticeKind::CertificateFailed, None, why));
            }
        }
    }
}
