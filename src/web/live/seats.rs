//! How much of the server an account may have: so many clients, views that are made for them, histories that are read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Clients at a time, of all and of one account.
pub(super) const CLIENTS: usize = 1000;
const CLIENTS_OF_ACCOUNT: usize = 50;

/// Histories of one account: one at a time is read, so many more wait.
const HISTORIES_OF_ACCOUNT: usize = 8;

/// Histories at a time: the store has 4 connections, and what is shown live needs one.
const HISTORIES: usize = 2;

/// How much longer than its last view took an account waits for its next one: it has a fifth of the thread at most.
const PAUSE: u32 = 4;

/// The places.
pub(crate) struct Seats {
    clients: Arc<Semaphore>,
    histories: Semaphore,
    accounts: Mutex<HashMap<String, Arc<Account>>>,
}

/// What one account has left, and whose turn it is among those who wait.
struct Account {
    clients: Arc<Semaphore>,
    view: Arc<tokio::sync::Mutex<()>>,
    histories: Semaphore,
    history: tokio::sync::Mutex<()>,
}

/// The place of a client.
pub(crate) struct Seat {
    account: Arc<Account>,
    _of_all: OwnedSemaphorePermit,
    _of_account: OwnedSemaphorePermit,
}

impl Default for Seats {
    fn default() -> Seats {
        let (clients, histories) = (Arc::new(Semaphore::new(CLIENTS)), Semaphore::new(HISTORIES));
        Seats { clients, histories, accounts: Mutex::default() }
    }
}

impl Default for Account {
    fn default() -> Account {
        let (clients, histories) = (Arc::new(Semaphore::new(CLIENTS_OF_ACCOUNT)), Semaphore::new(HISTORIES_OF_ACCOUNT));
        Account { clients, view: Arc::default(), histories, history: tokio::sync::Mutex::default() }
    }
}

impl Seats {
    fn account(&self, id: &str) -> Arc<Account> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        // One that waits for its pause to end is still in use, whether its client left or not.
        accounts.retain(|_, account| Arc::strong_count(account) > 1);
        accounts.entry(id.to_owned()).or_default().clone()
    }

    /// A place for a client of an account; nothing if there are too many.
    pub(crate) fn take(&self, account: &str) -> Option<Seat> {
        let account = self.account(account);
        let of_account = account.clients.clone().try_acquire_owned().ok()?;
        let of_all = self.clients.clone().try_acquire_owned().ok()?;
        Some(Seat { account, _of_all: of_all, _of_account: of_account })
    }

    /// Reads a history when it is the account's turn; nothing if too many of its requests wait.
    pub(crate) async fn read<T>(&self, account: &str, history: impl Future<Output = T>) -> Option<T> {
        let account = self.account(account);
        let _place = account.histories.try_acquire().ok()?;
        let _turn = account.history.lock().await;
        let _reader = self.histories.acquire().await.ok()?;
        Some(history.await)
    }
}

impl Seat {
    /// Makes a view when it is the account's turn. The turn ends after a pause by how long that took.
    pub(super) async fn view<T>(&self, view: impl Future<Output = Option<(T, Duration)>>) -> Option<T> {
        let turn = self.account.view.clone().lock_owned().await;
        let (view, cost) = view.await?;
        // The account is kept for as long, also without this client.
        let account = self.account.clone();
        tokio::spawn(async move {
            tokio::time::sleep(cost * PAUSE).await;
            drop((turn, account));
        });
        Some(view)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::future::{pending, ready};

    use tokio::time::timeout;

    use super::*;

    const SHORT: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn an_account_waits_for_its_turn_also_if_it_comes_anew() {
        let seats = Seats::default();
        let cost = Duration::from_millis(100);
        let seat = seats.take("a").unwrap();
        assert_eq!(seat.view(ready(Some(((), cost)))).await, Some(()));
        drop(seat);
        let (again, other) = (seats.take("a").unwrap(), seats.take("b").unwrap());
        assert!(timeout(SHORT, again.view(ready(Some(((), cost))))).await.is_err());
        assert_eq!(timeout(SHORT, other.view(ready(Some(((), cost))))).await.unwrap(), Some(()));
        assert_eq!(again.view(ready(Some(((), cost)))).await, Some(()), "after the pause");
    }

    #[tokio::test]
    async fn clients_are_counted_and_accounts_without_any_forgotten() {
        let seats = Seats::default();
        let all: Vec<Seat> = (0..CLIENTS_OF_ACCOUNT).map(|_| seats.take("a").unwrap()).collect();
        assert!(seats.take("a").is_none() && seats.take("b").is_some());
        drop(all);
        assert!(seats.take("a").is_some());
        drop(seats.take("c"));
        assert_eq!(seats.accounts.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn histories_of_one_account_leave_room_for_those_of_another() {
        let seats = Arc::new(Seats::default());
        let reading: Vec<_> = (0..20)
            .map(|_| {
                let seats = seats.clone();
                tokio::spawn(async move { seats.read("a", pending::<()>()).await })
            })
            .collect();
        tokio::time::sleep(SHORT).await;
        let refused = reading.iter().filter(|one| one.is_finished()).count();
        assert_eq!(refused, 20 - HISTORIES_OF_ACCOUNT);
        assert_eq!(seats.read("a", ready(1)).await, None);
        assert_eq!(timeout(SHORT, seats.read("b", ready(1))).await.unwrap(), Some(1));
        reading.iter().for_each(tokio::task::JoinHandle::abort);
        tokio::time::sleep(SHORT).await;
        assert_eq!(seats.read("a", ready(1)).await, Some(1), "they are gone");
    }
}
