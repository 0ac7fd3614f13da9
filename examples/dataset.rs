//! Writes a data repository of any size, with the same bytes in every run:
//!
//! ```sh
//! cargo run --release --example dataset -- --subscribers 100000 --layout lists /tmp/data
//! ```
//!
//! 20 plans, 50 domains; nine in ten subscribers have an IPv4 address, the others IPv6 or both;
//! some have names, some are suspended, some have dates. The data passes `shapeline check`.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};

const PLANS: u32 = 20;
const DOMAINS: u32 = 50;

/// Subscribers of one domain in one list file.
const A_FILE: u32 = 20_000;

/// Write a deterministic data repository for benches and load tests.
#[derive(Parser)]
struct Arguments {
    /// How many subscribers.
    #[arg(long, default_value_t = 10_000)]
    subscribers: u32,
    /// One list file per domain, or one file per subscriber.
    #[arg(long, value_enum, default_value = "lists")]
    layout: Layout,
    /// The folder to write; it must be missing or empty.
    dir: PathBuf,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
/// How subscribers are spread over files.
pub enum Layout {
    /// One list file per domain, several for large ones.
    Lists,
    /// One file per subscriber.
    Files,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    write_dataset(&arguments.dir, arguments.subscribers, arguments.layout)
}

/// Writes the data repository into `dir`; benches call this too.
pub fn write_dataset(dir: &Path, subscribers: u32, layout: Layout) -> Result<()> {
    if subscribers > DOMAINS * 65_000 {
        bail!("at most {} subscribers: each domain has one /16", DOMAINS * 65_000);
    }
    if fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) {
        bail!("{} is not empty", dir.display());
    }
    for folder in ["plans", "domains", "subscribers"] {
        fs::create_dir_all(dir.join(folder)).with_context(|| format!("cannot make {}", dir.display()))?;
    }
    write(&dir.join("shapeline.yaml"), "outputs:\n  shaper: {template: shaper}\n")?;
    for plan in 0..PLANS {
        let (name, rate) = (plan_name(plan), rate(plan));
        write(&dir.join(format!("plans/{name}.yaml")), &format!("name: {name}\nup: {rate} Mbps\ndown: {rate} Mbps\n"))?;
    }
    for domain in 0..DOMAINS {
        write_domain(dir, domain, subscribers, layout)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn rate(plan: u32) -> u32 {
    5 * (plan + 1)
}

fn plan_name(plan: u32) -> String {
    let rate = rate(plan);
    format!("{rate}_MEG_UP_{rate}_MEG_DOWN")
}

fn domain_name(domain: u32) -> String {
    format!("d{domain:02}.ispcustomer.co.zw")
}

fn write_domain(dir: &Path, domain: u32, subscribers: u32, layout: Layout) -> Result<()> {
    let name = domain_name(domain);
    let text = format!("name: {name}\nprefixes: [10.{domain}.0.0/16, 2001:db8:{:x}::/48]\n", domain + 1);
    write(&dir.join(format!("domains/{name}.yaml")), &text)?;
    let share = subscribers / DOMAINS + u32::from(domain < subscribers % DOMAINS);
    let folder = dir.join("subscribers").join(&name);
    fs::create_dir_all(&folder)?;
    match layout {
        Layout::Files => {
            for number in 0..share {
                write(&folder.join(format!("{number:05}.yaml")), &record(domain, number, ""))?;
            }
        }
        Layout::Lists => {
            for start in (0..share).step_by(A_FILE as usize) {
                let path = folder.join(format!("{:02}.yaml", start / A_FILE));
                let mut file = std::io::BufWriter::new(fs::File::create(&path)?);
                for number in start..(start + A_FILE).min(share) {
                    let record = record(domain, number, "  ");
                    writeln!(file, "- {}", record.trim())?;
                }
                file.flush()?;
            }
        }
    }
    Ok(())
}

/// One subscriber; lines after the first are indented by `indent`.
fn record(domain: u32, number: u32, indent: &str) -> String {
    // A fixed mix, spread by a multiplicative hash (Knuth, TAOCP 6.4), so that neighbours differ.
    let mix = (domain * 65_536 + number).wrapping_mul(2_654_435_761) >> 8;
    // Hosts from .1 up, without the last address of the /16, which is the broadcast address.
    let host = number + 1;
    let v4 = format!("10.{domain}.{}.{}", host >> 8, host & 0xff);
    let v6 = format!("2001:db8:{:x}:{host:x}::/64", domain + 1);
    let ip = match mix % 10 {
        0 if mix.is_multiple_of(20) => format!("[{v4}, '{v6}']"),
        0 => v6,
        _ => v4,
    };
    let mut text =
        format!("ip: {ip}\n{indent}domain: {}\n{indent}plan: {}\n", domain_name(domain), plan_name(mix % PLANS));
    if mix.is_multiple_of(7) {
        let _ = writeln!(text, "{indent}name: Subscriber {number}");
    }
    if mix.is_multiple_of(31) {
        let _ = writeln!(text, "{indent}status: suspended");
    }
    if mix.is_multiple_of(37) {
        let _ = writeln!(text, "{indent}starts: 2026-01-01");
    }
    text
}
