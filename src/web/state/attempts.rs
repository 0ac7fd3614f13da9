//! Failed attempts to sign in. Who fails often has to wait, also at another replica.

use anyhow::Result;
use sqlx::Row as _;

use crate::database::random::now;
use crate::database::store::StateStore;

/// After this time without a failure, earlier ones do not count, in seconds.
const FORGOTTEN: i64 = 3600;

/// The longest time to wait, in seconds.
const LONGEST: i64 = 3600;

/// How often an attempt is counted anew because another one was counted at the same moment.
const RACES: u32 = 20;

/// What failures are counted for, and how many have no consequence.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// A name for it, such as `address 192.0.2.1`.
    pub(crate) name: String,
    /// So many failures are free.
    pub(crate) free: i64,
}

impl StateStore {
    /// Counts an attempt as failed before it is looked at, unless one of these has to wait: of many at the same time,
    /// no more are looked at than of those one after the other. Returns the seconds to wait: a minute that doubles
    /// with every failure.
    ///
    /// # Errors
    /// If the state cannot be used.
    pub(crate) async fn begin_attempt(&self, subjects: &[Subject]) -> Result<Option<i64>> {
        let now = now();
        self.run(sqlx::query("DELETE FROM attempts WHERE last < $1").bind(now - FORGOTTEN).execute(&self.pool).await)?;
        for subject in subjects {
            if let Some(wait) = self.count_attempt(subject, now).await? {
                return Ok(Some(wait));
            }
        }
        Ok(None)
    }

    async fn count_attempt(&self, subject: &Subject, now: i64) -> Result<Option<i64>> {
        for _ in 0..RACES {
            let insert = "INSERT INTO attempts (subject, failures, last) VALUES ($1, 1, $2) ON CONFLICT DO NOTHING";
            let insert = sqlx::query(insert).bind(&subject.name).bind(now).execute(&self.pool).await;
            if self.run(insert)?.rows_affected() > 0 {
                return Ok(None);
            }
            let select = sqlx::query("SELECT failures, last FROM attempts WHERE subject = $1");
            let row = self.run(select.bind(&subject.name).fetch_optional(&self.pool).await)?;
            let Some(row) = row else { continue };
            let (failures, last): (i64, i64) =
                self.run(row.try_get("failures").and_then(|failures| Ok((failures, row.try_get("last")?))))?;
            if let Some(wait) = left(failures - subject.free, now - last) {
                return Ok(Some(wait));
            }
            // Only if no other attempt was counted since.
            let update = "UPDATE attempts SET failures = failures + 1, last = $1 WHERE subject = $2 AND failures = $3";
            let update = sqlx::query(update).bind(now).bind(&subject.name).bind(failures);
            if self.run(update.execute(&self.pool).await)?.rows_affected() > 0 {
                return Ok(None);
            }
        }
        Ok(Some(1))
    }

    /// Takes the attempt that turned out right from the count of failures.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(crate) async fn was_right(&self, subjects: &[Subject]) -> Result<()> {
        for subject in subjects {
            let update = sqlx::query("UPDATE attempts SET failures = failures - 1 WHERE subject = $1 AND failures > 0");
            self.run(update.bind(&subject.name).execute(&self.pool).await)?;
        }
        Ok(())
    }

    /// Forgets the failures of one.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub(crate) async fn succeeded(&self, subject: &Subject) -> Result<()> {
        let delete = sqlx::query("DELETE FROM attempts WHERE subject = $1");
        self.run(delete.bind(&subject.name).execute(&self.pool).await).map(drop)
    }
}

/// The seconds that are left to wait after so many failures more than are free.
fn left(failures: i64, since: i64) -> Option<i64> {
    let wait = match failures {
        ..=0 => 0,
        // An hour is less than 60 · 2^6 s.
        counted => (60 << (counted - 1).min(6)).min(LONGEST),
    };
    Some(wait - since).filter(|left| *left > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_an_hour() {
        let waits: Vec<_> = [-3, 0, 1, 2, 3, 6, 7, 1_000_000].iter().map(|failures| left(*failures, 0)).collect();
        let wanted = [None, None, Some(60), Some(120), Some(240), Some(1920), Some(3600), Some(3600)];
        assert_eq!(waits, wanted);
        assert_eq!((left(1, 59), left(1, 60)), (Some(1), None));
    }
}
