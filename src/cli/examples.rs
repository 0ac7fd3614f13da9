//! Examples below the help of commands.

pub(super) const CHECK: &str = "\
Examples:
  shapeline check                                    # the files on disk
  shapeline check --base origin/main --actor alice   # what a proposal by alice changes";

pub(super) const PLAN: &str = "\
Examples:
  shapeline plan                # against the default branch
  shapeline plan --live hre-1   # against what is live on a target";

pub(super) const PUBLISH: &str = "\
Examples:
  shapeline publish --dry-run          # what would happen
  shapeline publish --target hre-1     # on one target";

pub(super) const DIFF: &str = "\
Examples:
  shapeline diff                        # what the last publish changed
  shapeline diff 41                     # from version 41 to what is live
  shapeline diff 40 41                  # what version 41 changed
  shapeline diff 41 43 --target hre-1   # versions that `log` lists";

pub(super) const ROLLBACK: &str = "\
Examples:
  shapeline rollback --dry-run                  # which version would be restored
  shapeline rollback --target hre-1 --to 41     # a version that `log` lists";

pub(super) const HISTORY: &str = "\
Examples:
  shapeline history 10.10.10.25                      # who had this address
  shapeline history 10.10.10.25 --on 2026-11-01      # on that day
  shapeline history --from 2026-11-01 --format csv   # all changes since then";

pub(super) const LIST: &str = "\
Examples:
  shapeline subscriber list acme                 # in the id, name, address, plan or labels
  shapeline subscriber list 10.10.10.0/24        # who is inside
  shapeline subscriber list --status suspended";

pub(super) const ADD: &str = "\
Examples:
  shapeline subscriber add                       # asks for everything, on a terminal
  shapeline subscriber add 10.10.10.31 --plan 50_MEG_UP_50_MEG_DOWN --name ACME
  shapeline subscriber add --next-free --plan 50_MEG_UP_50_MEG_DOWN --push
  shapeline subscriber add --next-free --length 56 --plan 50_MEG_UP_50_MEG_DOWN";

pub(super) const SET: &str = "\
Examples:
  shapeline subscriber set acme-hq plan=50_MEG_UP_50_MEG_DOWN
  shapeline subscriber set 10.10.10.31 name= labels.ticket=4711 --dry-run";

#[cfg(all(unix, feature = "serve"))]
pub(super) const SERVE: &str = "\
Examples:
  shapeline serve --only lookup
  shapeline serve --listen 127.0.0.1:8081 --name lookup-1
  shapeline serve --settings /etc/shapeline/server.yaml --branch main";

#[cfg(all(unix, feature = "serve"))]
pub(super) const TOKEN: &str = "\
Examples:
  shapeline token add crm --all-domains
  shapeline token add ispcustomer-desk --domain ispcustomer.co.zw
  shapeline token add noc --operator
  shapeline token add monitoring --all-domains --state /var/lib/shapeline/server.sqlite";

#[cfg(all(unix, feature = "serve"))]
pub(super) const USER: &str = "\
Examples:
  shapeline user add sales --domain ispcustomer.co.zw --full-name Sales --email sales@ispcustomer.co.zw
  shapeline user add noc --role operator --full-name NOC --email noc@ispcustomer.co.zw
  pass show portal/desk | shapeline user add desk --role viewer --all-domains --full-name Desk --email desk@ispcustomer.co.zw";

#[cfg(all(unix, feature = "telemetry"))]
pub(super) const COLLECT: &str = "\
Examples:
  shapeline collect --settings /etc/shapeline/server.yaml
  shapeline collect --settings /etc/shapeline/server.yaml --once --stdout";

#[cfg(all(unix, feature = "telemetry"))]
pub(super) const CONFORM: &str = "\
Examples:
  shapeline conform
  shapeline conform --window 1h --format json --settings /etc/shapeline/server.yaml";
