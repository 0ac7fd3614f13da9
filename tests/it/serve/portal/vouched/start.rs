//! The settings of sign-ins, as they are read at the start.

use super::{SITE, portal_command};
use crate::serve::data;
use crate::serve::portal::state;

#[test]
fn every_mistake_is_reported_with_its_place() {
    let repo = data();
    let settings = "sign_in:\n  local: false\n  openid:\n    issuer: http://id.ispcustomer.co.zw\n    label: Staff\n    \
                    roles:\n      - {claim: groups, role: boss}\n      - {claim: groups, value: a, role: editor}\n      \
                    - {claim: groups, value: a, role: operator, domains: [a.example]}\n      - noc\n  github:\n    \
                    client_id: a\n    label: GitHub\n    url: https://u:p@github.com\n    roles:\n      - {login: a, \
                    team: b/c, role: operator}\n      - {team: b, role: operator}\n      - {organization: a/b, role: \
                    operator}\n";
    let out = portal_command(&repo, &state(&repo), settings).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    for wanted in [
        ":2:3: sign_in needs `url`",
        ":4:5: client_id is missing",
        ":4:13: issuer is not an https address",
        ":7:9: value is missing",
        ":7:31: role is `boss`, not viewer, editor or operator",
        ":8:9: name the domains with domains, or write all_domains: true",
        ":9:9: an operator has all domains",
        ":10:9: an entry of roles needs keys with values",
        ":14:10: url is not an https address",
        ":16:9: a rule has one of login, organization and team",
        ":17:16: team is not ORGANIZATION/TEAM",
        ":18:24: organization is no name at GitHub",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert_eq!(out.status.code(), Some(2), "{said}");
    let alone = format!("url: {SITE}\nsign_in: {{local: false}}\n");
    let out = portal_command(&repo, &state(&repo), &alone).output().unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(said.contains(":2:18: local is false, and there is no other way to sign in"), "{said}");
}
