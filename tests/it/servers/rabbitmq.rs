//! A throw-away RabbitMQ on free ports of this host, and a client that reads its queues.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lapin::options::{BasicAckOptions, BasicGetOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::wait;

/// A server of Debian's `rabbitmq-server`. It and its port mapper are stopped by their process ids.
pub struct Rabbit {
    dir: tempfile::TempDir,
    /// The shell around the server.
    process: Option<Child>,
    /// Erlang's port mapper: on its own port, not that of the host.
    mapper: Child,
    ports: [u16; 4],
}

/// A message of a queue.
#[derive(Clone, Debug)]
pub struct Delivered {
    pub key: String,
    pub id: String,
    pub sequence: i64,
    pub persistent: bool,
    pub content_type: String,
    pub body: serde_json::Value,
}

/// The folder of the scripts. Debian's own ones change to another user.
fn scripts() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/rabbitmq/lib").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|entry| entry.path().join("sbin")).collect();
    found.sort();
    found.pop().expect("rabbitmq-server is not there: run scripts/install-test-tools")
}

impl Rabbit {
    pub fn start() -> Rabbit {
        let dir = tempfile::tempdir().unwrap();
        // All at once: none is given out twice.
        let free = [(); 4].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = free.each_ref().map(|socket| socket.local_addr().unwrap().port());
        drop(free);
        let (certificate, key) = super::https::certificate(dir.path());
        let tls = format!(
            "listeners.ssl.default = 127.0.0.1:{}\nssl_options.certfile = {}\nssl_options.keyfile = {}\n",
            ports[3],
            certificate.display(),
            key.display()
        );
        std::fs::write(dir.path().join("rabbitmq.conf"), format!("loopback_users.guest = true\n{tls}")).unwrap();
        std::fs::write(dir.path().join("plugins"), "[].\n").unwrap();
        let mapper = Command::new("epmd").args(["-address", "127.0.0.1", "-port", &ports[2].to_string()]).spawn();
        let mut rabbit = Rabbit { dir, process: None, mapper: mapper.unwrap(), ports };
        rabbit.open();
        rabbit
    }

    /// Starts the server again, with what it stored.
    pub fn open(&mut self) {
        let _ = std::fs::remove_file(self.dir.path().join("pid"));
        self.process =
            Some(self.command("rabbitmq-server").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let address = SocketAddr::from(([127, 0, 0, 1], self.port()));
        let up = || TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok();
        wait(up, || "RabbitMQ does not start".to_owned());
    }

    /// Kills it with SIGKILL.
    pub fn kill(&mut self) {
        let pid = std::fs::read_to_string(self.dir.path().join("pid")).ok();
        if let Some(pid) = pid.and_then(|pid| Pid::from_raw(pid.trim().parse().ok()?)) {
            let _ = kill_process(pid, Signal::KILL);
        }
        if let Some(mut shell) = self.process.take() {
            let _ = shell.wait();
        }
    }

    fn command(&self, script: &str) -> Command {
        let mut command = Command::new(scripts().join(script));
        let place = |name: &str| self.dir.path().join(name);
        command.current_dir("/").env("HOME", self.dir.path()).env("RABBITMQ_NODENAME", "shapeline@localhost");
        command.env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1").env("ERL_EPMD_ADDRESS", "127.0.0.1");
        for (name, port) in ["RABBITMQ_NODE_PORT", "RABBITMQ_DIST_PORT", "ERL_EPMD_PORT"].iter().zip(self.ports) {
            command.env(name, port.to_string());
        }
        command.env("RABBITMQ_MNESIA_BASE", place("data")).env("RABBITMQ_LOG_BASE", place("log"));
        command.env("RABBITMQ_PID_FILE", place("pid")).env("RABBITMQ_ENABLED_PLUGINS_FILE", place("plugins"));
        command.env("RABBITMQ_CONFIG_FILE", place("rabbitmq")).env("RABBITMQ_CONF_ENV_FILE", "/dev/null");
        let arguments = "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none";
        command.env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", arguments);
        command
    }

    /// A command of its operator.
    pub fn control(&self, args: &[&str]) {
        let ran = self.command("rabbitmqctl").arg("-q").args(args).output().unwrap();
        assert!(ran.status.success(), "{args:?}: {ran:?}");
    }

    /// The port of AMQP.
    pub fn port(&self) -> u16 {
        self.ports[0]
    }

    /// The port of AMQP over TLS, and the certificate to trust.
    pub fn tls(&self) -> (u16, PathBuf) {
        (self.ports[3], self.dir.path().join("certificate.pem"))
    }

    /// Makes a durable queue for all that goes to an exchange, which it makes, too, if `make` is true; of at most
    /// `limit` messages, if there is one.
    pub fn queue(&self, name: &str, exchange: &str, make: bool, limit: Option<i32>) {
        self.with(async |channel| {
            let mut arguments = FieldTable::default();
            if let Some(limit) = limit {
                arguments.insert("x-max-length".into(), AMQPValue::LongInt(limit));
                arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
            }
            let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
            channel.queue_declare(name.into(), durable, arguments).await.unwrap();
            if make {
                let durable = lapin::options::ExchangeDeclareOptions { durable: true, ..Default::default() };
                let (kind, none) = (lapin::ExchangeKind::Topic, FieldTable::default());
                channel.exchange_declare(exchange.into(), kind, durable, none).await.unwrap();
            }
            let (all, none) = (QueueBindOptions::default(), FieldTable::default());
            channel.queue_bind(name.into(), exchange.into(), "#".into(), all, none).await.unwrap();
        });
    }

    /// Takes up to `most` messages out of a queue.
    pub fn take(&self, queue: &str, most: usize) -> Vec<Delivered> {
        self.with(async |channel| {
            let mut all = Vec::new();
            while all.len() < most {
                let Some(got) = channel.basic_get(queue.into(), BasicGetOptions::default()).await.unwrap() else {
                    break;
                };
                let properties = &got.properties;
                let header = properties.headers().as_ref().and_then(|headers| headers.inner().get("sequence").cloned());
                all.push(Delivered {
                    key: got.routing_key.to_string(),
                    id: properties.message_id().as_ref().unwrap().to_string(),
                    sequence: header.and_then(|value| value.as_long_long_int()).unwrap(),
                    persistent: *properties.delivery_mode() == Some(2),
                    content_type: properties.content_type().as_ref().unwrap().to_string(),
                    body: serde_json::from_slice(&got.data).unwrap(),
                });
                got.ack(BasicAckOptions::default()).await.unwrap();
            }
            all
        })
    }

    fn with<T>(&self, work: impl AsyncFnOnce(&Channel) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let url = format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.port());
            // A broker that has just started may accept a connection and then refuse it.
            let patience = tokio::time::Instant::now() + crate::support::PATIENCE;
            let connection = loop {
                match Connection::connect(&url, ConnectionProperties::default()).await {
                    Ok(connection) => break connection,
                    Err(error) => assert!(tokio::time::Instant::now() < patience, "{error}"),
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            };
            let channel = connection.create_channel().await.unwrap();
            let value = work(&channel).await;
            connection.close(200, "".into()).await.unwrap();
            value
        })
    }
}

impl Drop for Rabbit {
    fn drop(&mut self) {
        self.kill();
        let _ = self.mapper.kill();
        let _ = self.mapper.wait();
    }
}
