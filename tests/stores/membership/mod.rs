//! `MembershipStore`: the members of an organization and their roles.

use support::prelude::*;
mod conformance;
mod deployment;
mod postgres;
mod sqlite;

/// `not a member`, `member as ` with the roles, or `failed: ` with the kind of the error.
async fn ask(store: &impl MembershipStore, user_id: &str, organization_id: &str) -> String {
    match store.member(user_id, organization_id).await {
        Ok(None) => "not a member".to_owned(),
        Ok(Some(member)) => {
            assert_eq!(member.user_id(), user_id, "{member:?}");
            assert_eq!(member.organization_id(), organization_id, "{member:?}");
            let roles: Vec<_> = member.roles().collect();
            format!("member as {}", roles.join("+"))
        }
        Err(error) => format!("failed: {}", error.kind().as_str()),
    }
}

/// The error of a lookup with its causes.
async fn failure(store: &impl MembershipStore, user_id: &str, organization_id: &str) -> String {
    match store.member(user_id, organization_id).await {
        Ok(answer) => panic!("no error but {answer:?}"),
        Err(error) => format!("{:?}: {}", error.kind(), with_causes(&error)),
    }
}

/// Other spellings of an existing id, and invalid ids.
fn malformed(id: &str) -> Vec<String> {
    vec![
        id.to_uppercase() + "0",
        format!("00{id}"),
        format!("+{id}"),
        format!(" {id}"),
        format!("{id} "),
        format!("{id}.0"),
        format!("{id}e0"),
        format!("{{{id}}}"),
        format!("{id}\0"),
        format!("{id}\0 "),
        format!("{id}'"),
        format!("{id}' OR true --"),
        format!("{id}%"),
        id.replace('-', "") + "x",
        "%".to_owned(),
        "-0".to_owned(),
        "99999999999".to_owned(),
        "99999999999999999999".to_owned(),
        "not-an-id".to_owned(),
        "x".repeat(100_000),
        String::new(),
        "\0".to_owned(),
        "\u{202e}\u{fffd}🦀".to_owned(),
    ]
}
