//! Questions about the data: which subscribers match, which one is meant, what is free. The command
//! line, the portal and the API ask them.

mod lines;
mod names;
mod next_free;
mod refusal;
mod subscribers;
mod unread;
mod view;
pub mod who;

pub use lines::shaper_lines;
pub(crate) use names::unread;
pub use names::{address, domain, offered, plan};
pub use next_free::{domains_of, next_free};
pub use refusal::Refusal;
pub use subscribers::{PAGE, Page, SortField, StatusFilter, SubscriberQuery};
pub use unread::UnreadAddresses;
pub use view::{SubscriberView, Viewer, status};
