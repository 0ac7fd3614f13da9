//! RabbitMQ: a connection, its exchange, and messages with publisher confirms.
//!
//! Every wait is bounded. A message counts as delivered when the broker has confirmed it; of those that were sent
//! together, only the ones before the first that was not.

pub(crate) mod settings;
mod transport;

use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Result, anyhow};
use async_rs::Runtime;
use futures_util::future::join_all;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions};
use lapin::protocol::{AMQPError, AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::types::{FieldTable, ShortString};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{
    AsyncTcpStream, BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Error, ErrorKind,
    ExchangeKind, PublisherConfirm,
};
use tokio::time::{Instant, timeout, timeout_at};

use self::settings::BusSettings;
use self::transport::{Duplex, Hangup, dial, kit};
use super::message::{Message, Topic};

/// How long connecting may take, with all that comes before the first message.
const CONNECTING: Duration = Duration::from_secs(10);

/// How long the broker may take for the confirms of a window.
const CONFIRMING: Duration = Duration::from_secs(15);

/// How long the end of a connection may take.
const CLOSING: Duration = Duration::from_secs(1);

/// Seconds without a sign of life after which a connection is given up.
const HEARTBEAT: u16 = 15;

/// The largest frame, in bytes, which is the broker's own default. A broker that offers more, or no limit, would have
/// the client take memory for it.
const FRAME: u32 = 131_072;

/// Messages that may wait for their confirms. After one was refused it starts at 1 and doubles: a full queue takes a
/// later message as soon as there is room for it, so what follows a refused one comes out of order.
const WINDOW: usize = 10_000;

/// Messages that are handed over at once.
const TOGETHER: usize = 30;

/// A message, and its place in the outbox.
pub(crate) struct Numbered<'m> {
    /// Grows with each message.
    pub(crate) sequence: i64,
    pub(crate) message: &'m Message,
}

/// What became of messages.
pub(crate) struct Delivery {
    /// How many at the beginning are delivered.
    pub(crate) delivered: usize,
    /// A routing key of a message that no queue took.
    pub(crate) unroutable: Option<String>,
    /// Why the others are not.
    pub(crate) failed: Option<anyhow::Error>,
}

/// A broker. It is connected to when there is something to send.
pub(crate) struct Bus {
    settings: BusSettings,
    link: Option<Link>,
    window: usize,
}

/// A connection. Dropped in this order.
struct Link {
    channel: Channel,
    connection: Connection,
    _hangup: Hangup,
}

impl Bus {
    pub(crate) fn new(settings: BusSettings) -> Bus {
        Bus { settings, link: None, window: WINDOW }
    }

    /// Publishes messages in order, until one is not confirmed or all are.
    pub(crate) async fn publish(&mut self, messages: &[Numbered<'_>]) -> Delivery {
        let mut delivery = Delivery { delivered: 0, unroutable: None, failed: None };
        while delivery.delivered < messages.len() && delivery.failed.is_none() {
            let end = messages.len().min(delivery.delivered + self.window);
            let window = &messages[delivery.delivered..end];
            if let Err(error) = self.publish_window(window, &mut delivery).await {
                let BusSettings { host, port, vhost, .. } = &self.settings;
                delivery.failed = Some(error.context(format!("RabbitMQ at {host}:{port}, virtual host {vhost}")));
            }
        }
        delivery
    }

    async fn publish_window(&mut self, window: &[Numbered<'_>], delivery: &mut Delivery) -> Result<()> {
        // Taken out: what is cut off leaves no connection in an unknown condition.
        let link = match self.link.take() {
            Some(link) if link.connection.status().connected() => link,
            _ => timeout(CONNECTING, self.connect()).await.unwrap_or_else(|_| Err(hangs(CONNECTING)))?,
        };
        let sent = send_window(&link.channel, &self.settings, window);
        let confirms = timeout(CONFIRMING, sent).await;
        let confirms = confirms.unwrap_or_else(|_| Err(blocked(&link).unwrap_or_else(|| hangs(CONFIRMING))))?;
        let until = Instant::now() + CONFIRMING;
        for confirm in confirms {
            let confirmed = timeout_at(until, confirm).await;
            let confirmed = confirmed.map_err(|_| blocked(&link).unwrap_or_else(|| hangs(CONFIRMING)))?;
            match confirmed.map_err(|error| explained(&error, &self.settings))? {
                Confirmation::Ack(returned) => {
                    delivery.delivered += 1;
                    if let Some(returned) = returned {
                        delivery.unroutable = Some(returned.routing_key.to_string());
                    }
                }
                Confirmation::Nack(_) | Confirmation::NotRequested => {
                    self.window = 1;
                    self.link = Some(link);
                    return Err(anyhow!(
                        "a queue refuses messages: it is full (`overflow` is `reject-publish`), or the broker cannot \
                         store; look at its consumers"
                    ));
                }
            }
        }
        self.window = WINDOW.min(self.window * 2);
        self.link = Some(link);
        Ok(())
    }

    async fn connect(&self) -> Result<Link> {
        let settings = &self.settings;
        let (stream, hangup) = dial(settings).await?;
        let properties = ConnectionProperties::default().with_connection_name("shapeline".into());
        // lapin asks once: a connection that is lost is none of its business.
        let stream = Mutex::new(Some(stream));
        let connect = async move |_: AMQPUri, _: Runtime<_>| take(&stream);
        let connection = Connection::connector(uri(settings), Runtime::new(kit()), connect, properties).await;
        let connection = connection.map_err(|error| explained(&error, settings))?;
        let channel = declared(&connection, settings).await.map_err(|error| explained(&error, settings))?;
        Ok(Link { channel, connection, _hangup: hangup })
    }

    /// Ends the connection.
    pub(crate) async fn close(&mut self) {
        if let Some(link) = self.link.take() {
            // One that is lost is closed.
            let _ = timeout(CLOSING, link.connection.close(200, ShortString::default())).await;
        }
    }
}

fn take(stream: &Mutex<Option<Box<dyn Duplex>>>) -> Result<AsyncTcpStream<Box<dyn Duplex>>, Error> {
    let stream = stream.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    let lost = || Error::from(std::io::Error::from(std::io::ErrorKind::ConnectionAborted));
    stream.map(AsyncTcpStream::Plain).ok_or_else(lost)
}

fn uri(settings: &BusSettings) -> AMQPUri {
    let userinfo = AMQPUserInfo { username: settings.user.clone(), password: settings.password.0.clone() };
    AMQPUri {
        // Encrypted or not is up to the stream.
        scheme: AMQPScheme::AMQP,
        authority: AMQPAuthority { userinfo, host: settings.host.clone(), port: settings.port },
        vhost: settings.vhost.clone(),
        query: AMQPQueryString { heartbeat: Some(HEARTBEAT), frame_max: Some(FRAME), ..AMQPQueryString::default() },
    }
}

/// A channel with confirms, on which the exchange is there: as it is, or as a durable one of type `topic`.
async fn declared(connection: &Connection, settings: &BusSettings) -> Result<Channel, Error> {
    let mut channel = connection.create_channel().await?;
    let name = short(&settings.exchange);
    let passive = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
    let kind = ExchangeKind::Topic;
    if let Err(error) = channel.exchange_declare(name.clone(), kind.clone(), passive, FieldTable::default()).await {
        if !is(&error, AMQPSoftError::NOTFOUND) {
            return Err(error);
        }
        // The refusal has ended the channel.
        channel = connection.create_channel().await?;
        let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
        channel.exchange_declare(name, kind, durable, FieldTable::default()).await?;
    }
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(channel)
}

async fn send_window(
    channel: &Channel,
    settings: &BusSettings,
    window: &[Numbered<'_>],
) -> Result<Vec<PublisherConfirm>> {
    let mut confirms = Vec::with_capacity(window.len());
    for some in window.chunks(TOGETHER) {
        // Polled in order for the first time, which is when they get their places.
        for sent in join_all(some.iter().map(|one| send_one(channel, settings, one))).await {
            confirms.push(sent?);
        }
    }
    Ok(confirms)
}

async fn send_one(channel: &Channel, settings: &BusSettings, one: &Numbered<'_>) -> Result<PublisherConfirm> {
    let message = one.message;
    let body = serde_json::to_vec(&message.body)?;
    let mut headers = FieldTable::default();
    headers.insert("sequence".into(), lapin::types::AMQPValue::LongLongInt(one.sequence));
    let at = message.body.get("timestamp").and_then(serde_json::Value::as_u64).unwrap_or_default();
    let properties = BasicProperties::default()
        .with_app_id("shapeline".into())
        .with_content_type("application/json".into())
        // Persistent.
        .with_delivery_mode(2)
        .with_headers(headers)
        .with_message_id(short(&message.id))
        .with_timestamp(at / 1000)
        .with_type(short(message.topic.name()));
    // Returned if there is no queue for it.
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let sent =
        channel.basic_publish(short(&settings.exchange), short(&key(settings, message)), options, &body, properties);
    sent.await.map_err(|error| explained(&error, settings))
}

/// The routing key of a message.
fn key(settings: &BusSettings, message: &Message) -> String {
    match message.topic {
        Topic::Interface => settings.interface_key.clone(),
        Topic::Traffic => settings.traffic_key.clone(),
        Topic::Subscriber => {
            let event = message.body.get("event").and_then(serde_json::Value::as_str).unwrap_or_default();
            format!("{}.{event}", settings.subscriber_key)
        }
    }
}

/// A short string of AMQP. The settings and the ids are never too long for one; what would be is cut.
fn short(text: &str) -> ShortString {
    let end = (0..=text.len().min(255)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    ShortString::try_new(text[..end].to_owned()).unwrap_or_default()
}

fn hangs(limit: Duration) -> anyhow::Error {
    anyhow!("it does not answer within {} s", limit.as_secs())
}

/// Why a broker reads nothing, if it said so.
fn blocked(link: &Link) -> Option<anyhow::Error> {
    let why = "it blocks all publishers: it is short of memory or disk space; see `rabbitmqctl status`";
    link.connection.status().blocked().then(|| anyhow!(why))
}

fn is(error: &Error, kind: AMQPSoftError) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(error) if *error.kind() == AMQPErrorKind::Soft(kind))
}

/// An error with what to do about it.
fn explained(error: &Error, settings: &BusSettings) -> anyhow::Error {
    let hint = match error.kind() {
        ErrorKind::ProtocolError(error) => refusal(error, settings),
        ErrorKind::IOError(_) | ErrorKind::MissingHeartbeatError => "the connection is lost".to_owned(),
        _ => "the connection fails".to_owned(),
    };
    // Without the sources of the error, whose texts it repeats.
    anyhow!("{error}").context(hint)
}

fn refusal(error: &AMQPError, settings: &BusSettings) -> String {
    let BusSettings { exchange, user, vhost, .. } = settings;
    match error.kind() {
        AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND) => {
            format!("the exchange {exchange} was deleted; it is declared again")
        }
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) if error.get_message().as_str().contains("Login") => {
            format!("the login of the user {user} is refused: correct `user` or RMQ_PASS")
        }
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => format!(
            "the user {user} needs the permission to write to the exchange {exchange}, and if there is none yet, to \
             configure it"
        ),
        AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => {
            format!("the user {user} has no access to the virtual host {vhost}, or there is none of that name")
        }
        AMQPErrorKind::Hard(AMQPHardError::CONNECTIONFORCED) => "the broker ends the connection".to_owned(),
        _ => "the broker reports an error".to_owned(),
    }
}
