//! Which rights the claims of a person give.

use serde_json::{Map, Value};

use crate::web::access::Scope;
use crate::web::settings::sign_in::{Condition, RoleRule};
use crate::web::state::users::Role;

/// What a person may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rights {
    pub(super) role: Role,
    pub(super) scope: Scope,
}

/// What a provider says of a person.
pub(super) type Claims = Map<String, Value>;

impl From<&RoleRule> for Rights {
    fn from(rule: &RoleRule) -> Rights {
        Rights { role: rule.role, scope: rule.scope.clone() }
    }
}

/// The rights by the first rule that fits.
pub(super) fn rights(rules: &[RoleRule], claims: &Claims) -> Option<Rights> {
    let fits = |rule: &&RoleRule| match &rule.condition {
        Condition::Claim { name, value } => has(claims, name, value),
        Condition::Login(_) | Condition::Organization(_) | Condition::Team { .. } => false,
    };
    rules.iter().find(fits).map(Rights::from)
}

fn has(claims: &Claims, name: &str, value: &str) -> bool {
    // An address that is not checked belongs to whom it does not belong to.
    if name == "email" && claims.get("email_verified") != Some(&Value::Bool(true)) {
        return false;
    }
    match claim(claims, name) {
        Some(Value::String(text)) => text == value,
        Some(Value::Array(texts)) => texts.iter().any(|text| text.as_str() == Some(value)),
        _ => false,
    }
}

/// A claim; `a.b` is also `b` in `a`, as Keycloak has its roles.
pub(super) fn claim<'c>(claims: &'c Claims, name: &str) -> Option<&'c Value> {
    if let Some(value) = claims.get(name).filter(|value| !value.is_null()) {
        return Some(value);
    }
    let (first, rest) = name.split_once('.')?;
    claim(claims.get(first)?.as_object()?, rest)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rule(name: &str, value: &str, role: Role) -> RoleRule {
        RoleRule { condition: Condition::Claim { name: name.into(), value: value.into() }, role, scope: Scope::all() }
    }

    #[test]
    fn the_first_rule_that_fits_counts() {
        let rules = [
            rule("groups", "noc", Role::Operator),
            rule("realm_access.roles", "editor", Role::Editor),
            rule("email", "a@ispcustomer.co.zw", Role::Operator),
            rule("https://id.example/role", "desk", Role::Viewer),
        ];
        let role = |claims: &str| rights(&rules, &serde_json::from_str(claims).unwrap()).map(|rights| rights.role);
        assert_eq!(role(r#"{"groups": ["desk", "noc"], "realm_access": {"roles": ["editor"]}}"#), Some(Role::Operator));
        assert_eq!(role(r#"{"groups": "noc"}"#), Some(Role::Operator));
        assert_eq!(role(r#"{"groups": ["desk"], "realm_access": {"roles": ["editor"]}}"#), Some(Role::Editor));
        assert_eq!(role(r#"{"https://id.example/role": "desk"}"#), Some(Role::Viewer));
        let email = |verified: &str| role(&format!(r#"{{"email": "a@ispcustomer.co.zw"{verified}}}"#));
        assert_eq!(email(r#", "email_verified": true"#), Some(Role::Operator));
        for verified in ["", r#", "email_verified": false"#, r#", "email_verified": "true""#] {
            assert_eq!(email(verified), None, "{verified}");
        }
        for none in
            [r#"{"groups": ["NOC", "noc ", "nocs"]}"#, r#"{"groups": {"noc": true}}"#, r#"{"groups": [["noc"]]}"#, "{}"]
        {
            assert_eq!(role(none), None, "{none}");
        }
    }
}
