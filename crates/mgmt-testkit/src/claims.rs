//! Claims that name nobody, and claims that pretend to more than they grant: Faults, rows 9 and 10.

use serde_json::{Value, json};

use crate::gateway::Who;

/// Every form in which a request comes without an identity. With whole claims it would be a platform admin's.
pub fn without_identity() -> Vec<Option<Value>> {
    let with = |claim: &str, value: Value| changed(Who::PlatformAdmin, claim, Some(value));
    let without = |claim: &str| changed(Who::PlatformAdmin, claim, None);
    vec![
        None,
        Some(json!({})),
        Some(Value::Null),
        with("role", json!("service_role")),
        with("role", json!("anon")),
        with("is_anonymous", json!("true")),
        with("is_anonymous", json!(true)),
        without("sub"),
        without("org_id"),
        with("sub", json!("")),
        with("sub", json!("a\nb")),
        with("sub", json!("x".repeat(201))),
        with("sub", json!("[a b]")),
        with("org_id", json!("map[id:1]")),
        with("org_id", json!("[org-a org-b]")),
        with("org_id", json!({"id": 1})),
    ]
}

/// A member's claims, each with one trick to be taken for what the claim `flag` grants, such as `is_platform_admin`.
pub fn forged(flag: &str) -> Vec<Value> {
    let role = flag.trim_start_matches("is_");
    let with = |claim: &str, value: Value| changed(Who::Member, claim, Some(value)).unwrap_or_default();
    vec![
        with(flag, json!("[true]")),
        with(flag, json!("map[true:true]")),
        with(flag, json!(["true"])),
        with(flag, json!({"true": true})),
        with(flag, json!(1)),
        with(flag, json!("1")),
        with(flag, json!("TRUE")),
        with(flag, json!(" true ")),
        with(&camel_case(flag), json!("true")),
        with("roles", json!(format!("[member {role}]"))),
        with("roles", json!("[member platform_owner]")),
        with("role", json!(role)),
        with("user_metadata", json!({flag: true})),
        with("user_metadata", json!(format!("map[{flag}:true]"))),
        with("scope", json!(format!("openid {role} {flag}"))),
        with("permissions", json!(format!("{flag} platform:admin"))),
        with("sub", json!(format!("u\",\"{flag}\":true,\"x\":\""))),
        with("padding", json!("x".repeat(200_000))),
    ]
}

/// The claims of somebody with one of them set or taken away.
fn changed(who: Who, claim: &str, value: Option<Value>) -> Option<Value> {
    let mut claims = who.claims()?;
    let fields = claims.as_object_mut()?;
    match value {
        Some(value) => fields.insert(claim.to_owned(), value),
        None => fields.remove(claim),
    };
    Some(claims)
}

fn camel_case(snake_case: &str) -> String {
    let mut parts = snake_case.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| name + &part[..1].to_uppercase() + &part[1..])
}

#[cfg(test)]
mod tests {
    use super::camel_case;

    #[test]
    fn a_flag_has_a_spelling_in_camel_case() {
        assert_eq!(camel_case("is_platform_admin"), "isPlatformAdmin");
    }
}
