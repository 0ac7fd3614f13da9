//! The WebSocket of the live dashboard: see docs/live.md.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts as _, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, interval, sleep, timeout};

use super::app::Portal;
use super::dashboard::sight;
use super::session::secret;
use crate::web::live::hub::{Hub, Joined};
use crate::web::live::seats::Seat;
use crate::web::live::view::{Sight, View};
use crate::web::server::problem::Problem;
use crate::web::state::users::User;

/// The largest message of a client, in bytes.
const MAX_MESSAGE: usize = 4096;

/// How often a client is asked whether it is there, and after which silence it is given up.
const PING: Duration = Duration::from_secs(20);
const SILENCE: Duration = Duration::from_secs(60);

/// How long a client may take for a frame.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often the session is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// From one change of the view to the next, at least.
const BETWEEN_VIEWS: Duration = Duration::from_millis(200);

/// From one ping of a client to the next, at least: answers to a flood of them would pile up.
const BETWEEN_PINGS: Duration = Duration::from_millis(50);

/// Reasons to close: RFC 6455, section 7.4, and two of our own.
const AWAY: u16 = 1001;
const NO_SESSION: u16 = 4401;
const MALFORMED: u16 = 4400;

struct Client {
    portal: Arc<Portal>,
    hub: Arc<Hub>,
    secret: String,
    sight: Sight,
    seat: Seat,
}

/// Answers the request that becomes a WebSocket.
pub(super) async fn connect(portal: Arc<Portal>, request: Request) -> Response {
    match upgrade(portal, request).await {
        Ok(response) => response,
        Err((status, why)) => Problem::new(status, why).into_response(),
    }
}

async fn upgrade(portal: Arc<Portal>, request: Request) -> Result<Response, (StatusCode, &'static str)> {
    let (mut head, _) = request.into_parts();
    let hub = portal.hub.clone().ok_or((StatusCode::NOT_FOUND, "this server collects nothing"))?;
    if !is_own_page(&head.headers, hub.site.as_deref()) {
        return Err((StatusCode::FORBIDDEN, "the page of another site may not connect"));
    }
    let none = (StatusCode::UNAUTHORIZED, "sign in first");
    let secret = secret(&head.headers, portal.secure).ok_or(none)?;
    let user =
        user(&portal, &secret).await.map_err(|()| (StatusCode::SERVICE_UNAVAILABLE, "try again"))?.ok_or(none)?;
    let upgrade = WebSocketUpgrade::from_request_parts(&mut head, &()).await;
    let upgrade = upgrade.map_err(|_| (StatusCode::UPGRADE_REQUIRED, "this address is a WebSocket"))?;
    let seat = hub.seats.take(&user.id).ok_or((StatusCode::TOO_MANY_REQUESTS, "too many dashboards are open"))?;
    let client = Client { portal, hub, secret, sight: sight(&user), seat };
    let upgrade = upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE);
    Ok(upgrade.on_upgrade(|socket| client.serve(socket)))
}

async fn user(portal: &Portal, secret: &str) -> Result<Option<User>, ()> {
    let user = portal.store.session(secret).await.map_err(|_| ())?;
    Ok(user.filter(|user| portal.providers.accepts(user)))
}

/// Whether a request comes from a page of this site, or from no page at all. Browsers send `Origin` always.
fn is_own_page(headers: &HeaderMap, site: Option<&str>) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return true };
    let Some(origin) = origin.to_str().ok().filter(|_| origins.next().is_none()) else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let from = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    site.is_some_and(|site| site.eq_ignore_ascii_case(origin))
        || from.zip(host).is_some_and(|(from, host)| from.eq_ignore_ascii_case(host))
}

/// How a connection ends.
enum End {
    /// The client is gone.
    Gone,
    Closed(u16, &'static str),
}

impl Client {
    async fn serve(self, mut socket: WebSocket) {
        if let End::Closed(code, reason) = self.talk(&mut socket).await {
            let close = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::from_static(reason) }));
            // It may be gone.
            let _ = timeout(PATIENCE, socket.send(close)).await;
        }
    }

    async fn talk(&self, socket: &mut WebSocket) -> End {
        let mut view = View::default();
        let (mut ping, mut look) = (interval(PING), interval(LOOK));
        let mut heard = Instant::now();
        let mut joined = match self.join(socket, &view).await {
            Ok(joined) => joined,
            Err(end) => return end,
        };
        loop {
            tokio::select! {
                message = socket.recv() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => match View::read(&text) {
                            Ok(wanted) => view = wanted,
                            Err(why) => return End::Closed(MALFORMED, why),
                        },
                        Some(Ok(Message::Binary(_))) => return End::Closed(MALFORMED, "messages are text"),
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                            sleep(BETWEEN_PINGS).await;
                            continue;
                        }
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return End::Gone,
                    }
                    sleep(BETWEEN_VIEWS).await;
                }
                frame = joined.frames.recv() => match frame {
                    Ok(frame) => {
                        if let Err(end) = send(socket, Message::Text(frame)).await { return end }
                        continue;
                    }
                    // It was too slow: it begins anew.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return End::Closed(AWAY, "the server ends"),
                },
                _ = ping.tick() => {
                    if heard.elapsed() > SILENCE { return End::Gone }
                    if let Err(end) = send(socket, Message::Ping(Default::default())).await { return end }
                    continue;
                }
                _ = look.tick() => {
                    // While the state is away, whoever is there stays.
                    match pin!(user(&self.portal, &self.secret)).await {
                        Ok(user) if user.as_ref().map(sight) != Some(self.sight.clone()) => {
                            return End::Closed(NO_SESSION, "the session ended or its rights changed");
                        }
                        _ => continue,
                    }
                }
            }
            joined = match self.join(socket, &view).await {
                Ok(joined) => joined,
                Err(end) => return end,
            };
        }
    }

    /// Sends a snapshot. What comes after it is returned.
    async fn join(&self, socket: &mut WebSocket, view: &View) -> Result<Joined, End> {
        let joined = self.hub.join(&self.seat, self.sight.clone(), view.clone()).await;
        let joined = joined.ok_or(End::Closed(AWAY, "the server is busy"))?;
        send(socket, Message::Text(joined.snapshot.clone())).await?;
        Ok(joined)
    }
}

async fn send(socket: &mut WebSocket, message: Message) -> Result<(), End> {
    match timeout(PATIENCE, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(End::Gone),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_own_pages_connect() {
        let fits = |origin: &[&str], site: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "portal.ispcustomer.co.zw:8080".parse().unwrap());
            for origin in origin {
                headers.append(header::ORIGIN, origin.parse().unwrap());
            }
            is_own_page(&headers, site)
        };
        assert!(fits(&[], None) && fits(&["http://portal.ispcustomer.co.zw:8080"], None));
        assert!(fits(&["https://portal.ispcustomer.co.zw"], Some("https://portal.ispcustomer.co.zw")));
        for bad in
            ["null", "http://attacker.example", "https://portal.ispcustomer.co.zw", "portal.ispcustomer.co.zw:8080"]
        {
            assert!(!fits(&[bad], None), "{bad}");
        }
        assert!(!fits(&["http://portal.ispcustomer.co.zw:8080", "http://attacker.example"], None));
    }
}
