//! The results of every store.

use super::deployment::{Deployment, Memory, Postgres, Sqlite};
use super::{ask, malformed};
use support::prelude::*;

macro_rules! contract {
    ($($store:ident => $deployment:ident;)*) => {$(
        mod $store {
            use super::*;

            #[tokio::test]
            async fn members_have_roles() {
                super::members_have_roles(&$deployment::new().await).await;
            }

            #[tokio::test]
            async fn others_are_not_members() {
                super::others_are_not_members(&$deployment::new().await).await;
            }

            #[tokio::test]
            async fn changes_are_seen_at_once() {
                super::changes_are_seen_at_once(&$deployment::new().await).await;
            }
        }
    )*};
}

contract! {
    memory => Memory;
    sqlite => Sqlite;
    postgres => Postgres;
}

async fn members_have_roles(deployment: &impl Deployment) {
    deployment.insert("usr_ada", "org_1", "owner").await;
    deployment.insert("usr_ada", "org_2", "member, billing,,").await;
    deployment.insert("usr_eve", "org_1", "member").await;
    deployment.insert("usr_eve", "org_3", "").await;
    let store = deployment.store();
    for (user_id, organization_id, expected) in [
        ("usr_ada", "org_1", "member as owner"),
        ("usr_ada", "org_2", "member as member+billing"),
        ("usr_eve", "org_1", "member as member"),
        ("usr_eve", "org_3", "member as "),
    ] {
        let answer = ask(&store, user_id, organization_id).await;
        assert_eq!(answer, expected, "{user_id} {organization_id}");
    }
}

async fn others_are_not_members(deployment: &impl Deployment) {
    deployment.insert("usr_ada", "org_1", "owner").await;
    deployment.insert("usr_eve", "org_2", "owner").await;
    let store = deployment.store();
    for (user_id, organization_id) in [
        ("usr_ada", "org_2"),
        ("usr_eve", "org_1"),
        ("usr_nobody", "org_1"),
        ("usr_ada", "org_9"),
        ("org_1", "usr_ada"),
        ("USR_ADA", "org_1"),
        ("usr_ada", "ORG_1"),
    ] {
        let answer = ask(&store, user_id, organization_id).await;
        assert_eq!(answer, "not a member", "{user_id} {organization_id}");
    }
    for bad in malformed("usr_ada") {
        assert_eq!(ask(&store, &bad, "org_1").await, "not a member", "{bad:?}");
    }
    for bad in malformed("org_1") {
        assert_eq!(ask(&store, "usr_ada", &bad).await, "not a member", "{bad:?}");
    }
    assert_eq!(ask(&store, "usr_ada", "org_1").await, "member as owner");
}

async fn changes_are_seen_at_once(deployment: &impl Deployment) {
    let store = deployment.store();
    assert_eq!(ask(&store, "usr_ada", "org_1").await, "not a member");
    for organization_id in ["org_1", "org_2"] {
        deployment.insert("usr_ada", organization_id, "admin").await;
        deployment.insert("usr_eve", organization_id, "member").await;
    }
    assert_eq!(ask(&store, "usr_ada", "org_1").await, "member as admin");
    deployment.change("usr_ada", "org_1", "member").await;
    assert_eq!(ask(&store, "usr_ada", "org_1").await, "member as member");
    deployment.remove("usr_ada", "org_1").await;
    assert_eq!(ask(&store, "usr_ada", "org_1").await, "not a member");
    // Another organization, and another user.
    assert_eq!(ask(&store, "usr_ada", "org_2").await, "member as admin");
    assert_eq!(ask(&store, "usr_eve", "org_1").await, "member as member");
    deployment.remove_user("usr_eve").await;
    assert_eq!(ask(&store, "usr_eve", "org_1").await, "not a member");
    assert_eq!(ask(&store, "usr_eve", "org_2").await, "not a member");
    assert_eq!(ask(&store, "usr_ada", "org_2").await, "member as admin");
}

#[tokio::test]
async fn closure_gets_both_ids() {
    let store = membership_fn(|user_id, organization_id| async move {
        match (&*user_id, &*organization_id) {
            ("usr_ada", "org_1") => {
                Ok(Some(Member::new(user_id, organization_id).with_role("a,b")))
            }
            ("usr_ada", _) => Ok(None),
            _ => Err(StoreError::from(StoreErrorKind::Unavailable)),
        }
    });
    assert_eq!(ask(&store, "usr_ada", "org_1").await, "member as a+b");
    assert_eq!(ask(&store, "usr_ada", "org_2").await, "not a member");
    assert_eq!(ask(&store, "usr_eve", "org_1").await, "failed: unavailable");
    assert_eq!(format!("{store:?}"), "MembershipFn(..)");
}

#[test]
fn member_shows_ids_and_roles() {
    let member = Member::new("usr_ada", "org_1").with_role("owner");
    let shown = format!("{member:?}");
    for part in ["usr_ada", "org_1", "owner"] {
        assert!(shown.contains(part), "{shown}");
    }
}
