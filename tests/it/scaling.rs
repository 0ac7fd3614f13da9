//! Time and memory grow with the input, and no faster: every command at two sizes of hostile shapes.
//!
//! What a run takes is its processor time, which other processes do not change much. A pair that
//! grows too fast is measured again before it counts.

mod shapes;

use std::process::Command;

use crate::support::Repo;
use shapes::SHAPES;

/// How many times as much the larger input, which is twice the smaller one, may take.
const MOST_GROWTH: f64 = 3.0;

/// How much memory the larger one may take in any case, in MiB: none of them has four megabytes.
const MOST_MEBIBYTES: f64 = 128.0;

/// How often a pair is measured before it counts as too slow.
const ATTEMPTS: usize = 4;

/// Less than this is not a matter of growth, in seconds and in MiB.
const FLOOR: Taken = Taken { seconds: 0.15, mebibytes: 48.0 };

/// Input that a proposal may contain, in any size.
struct Shape {
    name: &'static str,
    /// The smaller of the two sizes.
    size: usize,
    /// Writes it into a repository.
    write: fn(&Repo, usize),
    /// The commands that read it.
    runs: &'static [&'static str],
}

/// What a run takes.
#[derive(Clone, Copy, Debug)]
struct Taken {
    /// Processor time of the program and of the kernel for it.
    seconds: f64,
    /// The most memory at once.
    mebibytes: f64,
}

impl Taken {
    fn least(self, other: Self) -> Self {
        Self { seconds: self.seconds.min(other.seconds), mebibytes: self.mebibytes.min(other.mebibytes) }
    }

    fn grows_too_fast(self, larger: Self) -> bool {
        // Ended by the limit: how far it would have gone is not known.
        larger.seconds.is_infinite()
            || larger.seconds > self.seconds.max(FLOOR.seconds) * MOST_GROWTH
            || larger.mebibytes > self.mebibytes.max(FLOOR.mebibytes) * MOST_GROWTH
            || larger.mebibytes > MOST_MEBIBYTES
    }
}

/// Runs a program and prints its exit code, its processor time in microseconds and its memory in KiB,
/// as the kernel counted them. What takes 20 seconds is ended by SIGXCPU.
const MEASURE: &str = "
import os, resource, sys
child = os.fork()
if child == 0:
    quiet = os.open(os.devnull, os.O_RDWR)
    [os.dup2(quiet, stream) for stream in (0, 1, 2)]
    resource.setrlimit(resource.RLIMIT_CPU, (20, 25))
    os.execv(sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(child, 0)
print(os.waitstatus_to_exitcode(status), int((used.ru_utime + used.ru_stime) * 1e6), used.ru_maxrss)
";

fn measured(repo: &Repo, run: &str) -> Taken {
    let out = Command::new("python3")
        .current_dir(repo.path())
        .args(["-I", "-S", "-c", MEASURE, env!("CARGO_BIN_EXE_shapeline")])
        .args(run.split(' '))
        .args(["--color", "never"])
        .env("RAYON_NUM_THREADS", "2")
        .output()
        .expect("python3 is needed for the tests");
    let numbers: Vec<f64> =
        String::from_utf8(out.stdout).unwrap().split_whitespace().map(|number| number.parse().unwrap()).collect();
    let [code, microseconds, kibibytes] = numbers[..] else {
        panic!("{run}: {}", String::from_utf8_lossy(&out.stderr))
    };
    if code == -24.0 {
        return Taken { seconds: f64::INFINITY, mebibytes: 0.0 };
    }
    assert!((0.0..=3.0).contains(&code), "{run} ended with {code}");
    Taken { seconds: microseconds / 1e6, mebibytes: kibibytes / 1024.0 }
}

/// Says how a command grows with a shape, if it grows too fast.
fn too_fast(shape: &Shape, run: &str, smaller: &Repo, larger: &Repo) -> Option<String> {
    let mut pair = [smaller, larger].map(|repo| measured(repo, run));
    for _ in 1..ATTEMPTS {
        if !pair[0].grows_too_fast(pair[1]) || pair[1].seconds.is_infinite() {
            break;
        }
        pair = [pair[0].least(measured(smaller, run)), pair[1].least(measured(larger, run))];
    }
    let [one, two] = pair;
    let shown = format!(
        "{}: {run}: {:.2} s and {:.0} MiB, then {:.2} s and {:.0} MiB",
        shape.name, one.seconds, one.mebibytes, two.seconds, two.mebibytes
    );
    println!("{shown}");
    one.grows_too_fast(two).then_some(shown)
}

/// `SHAPELINE_SHAPE=name` looks at the shapes of that name alone.
#[test]
fn twice_the_input_takes_at_most_three_times_as_much() {
    let wanted = std::env::var("SHAPELINE_SHAPE").unwrap_or_default();
    let mut slow = Vec::new();
    for shape in SHAPES.iter().filter(|shape| shape.name.contains(&wanted)) {
        let [smaller, larger] = [shape.size, 2 * shape.size].map(|size| {
            let repo = Repo::new();
            (shape.write)(&repo, size);
            repo
        });
        slow.extend(shape.runs.iter().filter_map(|run| too_fast(shape, run, &smaller, &larger)));
    }
    assert!(slow.is_empty(), "twice the input takes more than three times as much:\n{}", slow.join("\n"));
}
