//! A real MariaDB: its dumps, in every form, give the data that was inserted.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{empty, import_bytes, rendered};

/// A server of Debian's `mariadb-server` on a socket in a temporary folder, without any network. It is
/// stopped by its process id when dropped.
struct MariaDb {
    dir: tempfile::TempDir,
    process: Child,
}

/// The programs; without them there is nothing to run against: the test says so, and on a build server
/// it fails.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|path| path.exists());
    if found.is_none() {
        crate::support::left_out(&format!("{name} is not there: run scripts/install-test-tools"));
    }
    found
}

impl MariaDb {
    fn start() -> Option<MariaDb> {
        let (server, install) = (program("mariadbd")?, program("mariadb-install-db")?);
        program("mariadb")?;
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let user = format!("--user={}", user());
        let made = Command::new(install)
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", &user])
            .arg(format!("--datadir={}", data.display()))
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}{}",
            String::from_utf8_lossy(&made.stdout),
            String::from_utf8_lossy(&made.stderr)
        );
        let log = std::fs::File::create(dir.path().join("log")).unwrap();
        let process = Command::new(server)
            .args(["--no-defaults", "--skip-networking", "--innodb-flush-log-at-trx-commit=0", &user])
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", dir.path().join("socket").display()))
            .arg(format!("--pid-file={}", dir.path().join("pid").display()))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let server = MariaDb { dir, process };
        let patience = Instant::now() + Duration::from_secs(60);
        while !server.client("mariadb").args(["-e", "SELECT 1"]).output().unwrap().status.success() {
            let log = std::fs::read_to_string(server.dir.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < patience, "mariadbd does not start: {log}");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(server)
    }

    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let user = "--user=root";
        command.args(["--no-defaults", user]).arg(format!("--socket={}", self.dir.path().join("socket").display()));
        command
    }

    /// Loads SQL from a file.
    fn load(&self, file: &Path) {
        let run = self.client("mariadb").stdin(std::fs::File::open(file).unwrap()).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    }

    fn dump(&self, program: &str, args: &[&str]) -> Vec<u8> {
        let run = self.client(program).args(args).output().unwrap();
        assert!(run.status.success(), "{args:?} {}", String::from_utf8_lossy(&run.stderr));
        run.stdout
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn user() -> String {
    let id = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(id.stdout).unwrap().trim().to_owned()
}

/// What a portal may hold, beside other things that a dump has to be read over.
const PORTAL: &str = r"
CREATE DATABASE portal CHARACTER SET utf8mb4;
USE portal;
CREATE TABLE domains (dom_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, domain_name varchar(255) NOT NULL, UNIQUE KEY n (domain_name));
CREATE TABLE plan (plan_id int NOT NULL AUTO_INCREMENT PRIMARY KEY, plan_name varchar(255) NOT NULL);
CREATE TABLE subscriber (
  sub_id bigint NOT NULL PRIMARY KEY,
  ipaddress varbinary(64) NOT NULL,
  attribute varchar(32) DEFAULT ':=set_attribute',
  plan_id int CHECK (plan_id > 0),
  dom_id int unsigned,
  CONSTRAINT of_domain FOREIGN KEY (dom_id) REFERENCES domains (dom_id), KEY p (plan_id)
);
CREATE TABLE notes (id int PRIMARY KEY, t text, b longblob);
INSERT INTO notes VALUES
  (1, 'it''s; INSERT INTO subscriber VALUES (1)\n-- \\ /* ', 0x00ff27225c603b),
  (2, 'ünï ''; -- Dump completed', REPEAT('''\\', 1000)), (3, NULL, NULL);
INSERT INTO domains VALUES (1, '@ispcustomer.co.zw'), (2, '@other.example');
INSERT INTO plan VALUES (1, '30_MEG_UP_30_MEG_DOWN'), (2, '\'Plan\'=GOLD_7.5MEG'), (3, '\\10M\\');
INSERT INTO subscriber SELECT seq, CONCAT('10.1.', seq DIV 200, '.', seq MOD 200 + 1), ':=set_attribute', seq MOD 3 + 1, 1 FROM seq_1_to_5000;
INSERT INTO subscriber VALUES (9001, '10.2.0.1', ':=set_attribute', 1, 2), (9002, '2001:db8::1', ':=set_attribute', 2, 2), (9003, '10.2.0.64/29', ':=set_attribute', 3, 2);
CREATE TRIGGER t BEFORE INSERT ON subscriber FOR EACH ROW INSERT INTO notes VALUES (NEW.sub_id, 'a;b', '');
CREATE VIEW v AS SELECT * FROM subscriber;
";

fn expected() -> String {
    let plans = ["30_MEG_UP_30_MEG_DOWN", "'Plan'=GOLD_7.5MEG", "\\10M\\"];
    let of =
        |seq: usize| super::line(&format!("10.1.{}.{}", seq / 200, seq % 200 + 1), "ispcustomer.co.zw", plans[seq % 3]);
    let mut seqs: Vec<usize> = (1..=5000).collect();
    seqs.sort_by_key(|seq| (seq / 200, seq % 200));
    let first: String = seqs.into_iter().map(of).collect();
    first
        + &super::line("10.2.0.1", "other.example", plans[0])
        + &super::line("10.2.0.64/29", "other.example", plans[2])
        + &super::line("2001:db8::1", "other.example", plans[1])
}

const OPTIONS: [&[&str]; 9] = [
    &["portal"],
    &["--databases", "portal", "--hex-blob", "--complete-insert"],
    &["--skip-extended-insert", "portal"],
    &["--compatible=ansi", "portal"],
    &["--compact", "portal"],
    &["--no-create-info", "--replace", "portal"],
    &["--compact", "--no-create-info", "--insert-ignore", "--all-databases"],
    &["--quote-names=0", "--default-character-set=latin1", "--skip-dump-date", "--routines", "portal"],
    &["--net-buffer-length=4096", "--no-autocommit", "--single-transaction", "--order-by-primary", "portal"],
];

/// What a dump without CREATE TABLE leaves to say.
fn order(args: &[&str]) -> Vec<&'static str> {
    if !args.contains(&"--no-create-info") {
        return Vec::new();
    }
    let tables = [
        "subscriber=sub_id,ipaddress,attribute,plan_id,dom_id",
        "plan=plan_id,plan_name",
        "domains=dom_id,domain_name",
    ];
    tables.into_iter().flat_map(|table| ["--columns", table]).collect()
}

#[test]
fn whatever_it_dumps_is_taken_over() {
    let Some(server) = MariaDb::start() else { return };
    let file = server.dir.path().join("portal.sql");
    std::fs::write(&file, PORTAL).unwrap();
    server.load(&file);
    let expected = expected();
    // A dump of a dump, as a portal that was moved has it.
    let dump = server.dump("mysqldump", &["--databases", "--add-drop-database", "portal"]);
    std::fs::write(&file, &dump).unwrap();
    server.load(&file);
    for (number, args) in OPTIONS.iter().enumerate() {
        let program = if number % 2 == 0 { "mysqldump" } else { "mariadb-dump" };
        let dump = server.dump(program, args);
        let repo = empty();
        let order = order(args);
        let run = import_bytes(&repo, &dump, &order);
        assert_eq!(run.code, 0, "{args:?}\n{}", run.stderr);
        assert!(
            run.stderr.contains("5,003 subscribers, 3 plans, 2 domains, 0 rows refused"),
            "{args:?}\n{}",
            run.stderr
        );
        assert_eq!(rendered(&repo), expected, "{args:?}");
        let again = import_bytes(&repo, &dump, &order);
        assert!(again.stdout.starts_with("Nothing to do: 5,003 subscribers"), "{args:?}\n{}", again.stdout);
        // Truncated anywhere it is refused, if its form shows that.
        if !args.contains(&"--compact") {
            let cut = dump.len() * (number + 1) / 10;
            let run = import_bytes(&empty(), &dump[..cut], &["--skip-bad"]);
            assert_eq!(run.code, 1, "{args:?} cut at {cut}");
        }
    }
    // Others that are no source.
    let xml = import_bytes(&empty(), &server.dump("mysqldump", &["--xml", "portal"]), &[]);
    assert!(xml.code == 1 && xml.stderr.contains("without --xml"), "{}", xml.stderr);
    let two = server.dump("mysqldump", &["--databases", "portal", "mysql"]);
    let run = import_bytes(&empty(), &two, &["--database", "portal"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
}
