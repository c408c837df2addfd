//! Project Wycheproof's signatures, verified by [`VerificationKey`] directly because their messages
//! are not in JWS form.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

use super::*;

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn key(members: Value) -> Result<VerificationKey, KeyProblem> {
    let Value::Object(members) = members else {
        panic!("a key is an object");
    };
    VerificationKey::new(&Jwk::new(members), None)
}

/// Counts the signatures that were accepted and rejected as expected.
#[derive(Debug, Default)]
struct Counts {
    accepted: usize,
    rejected: usize,
}

impl Counts {
    /// Fails if a vector file is empty.
    fn assert_at_least(&self, accepted: usize, rejected: usize) {
        assert!(
            self.accepted >= accepted && self.rejected >= rejected,
            "{self:?}"
        );
    }

    fn count(&mut self, what: &str, key: &VerificationKey, test: (&[u8], &[u8], TestResult)) {
        let (message, signature, expected) = test;
        let accepted = key.verify(message, signature);
        match expected {
            TestResult::Valid => assert!(accepted, "{what}"),
            TestResult::Invalid => assert!(!accepted, "{what}"),
            // Harmless encodings that implementations may accept or reject.
            TestResult::Acceptable => return,
        }
        if accepted {
            self.accepted += 1;
        } else {
            self.rejected += 1;
        }
    }
}

#[test]
fn ed25519_vectors() {
    let mut counts = Counts::default();
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    for group in &set.test_groups {
        let x = base64url(group.key.pk.as_ref());
        let key = key(json!({"kty": "OKP", "crv": "Ed25519", "x": x})).unwrap();
        for test in &group.tests {
            let what = format!("ed25519 #{}: {}", test.tc_id, test.comment);
            counts.count(
                &what,
                &key,
                (test.msg.as_ref(), test.sig.as_ref(), test.result),
            );
        }
    }
    counts.assert_at_least(88, 60);
}

fn ecdsa(name: ecdsa::TestName, crv: &str) -> Counts {
    let mut counts = Counts::default();
    let set = ecdsa::TestSet::load(name).unwrap();
    for group in &set.test_groups {
        let point = group.key.key.as_ref().get(1..).unwrap();
        let (x, y) = point.split_at(point.len() / 2);
        let members = json!({"kty": "EC", "crv": crv, "x": base64url(x), "y": base64url(y)});
        let key = key(members).unwrap();
        for test in &group.tests {
            let what = format!("{crv} #{}: {}", test.tc_id, test.comment);
            counts.count(
                &what,
                &key,
                (test.msg.as_ref(), test.sig.as_ref(), test.result),
            );
        }
    }
    counts
}

#[test]
fn ecdsa_vectors() {
    let p256 = ecdsa(ecdsa::TestName::EcdsaSecp256r1Sha256P1363, "P-256");
    p256.assert_at_least(170, 80);
    let p521 = ecdsa(ecdsa::TestName::EcdsaSecp521r1Sha512P1363, "P-521");
    p521.assert_at_least(170, 80);
}

fn rsa_key(alg: &str, n: &[u8], e: &[u8]) -> Result<VerificationKey, KeyProblem> {
    key(json!({"kty": "RSA", "alg": alg, "n": base64url(n), "e": base64url(e)}))
}

#[test]
fn rsa_pkcs1_vectors() {
    use rsa_pkcs1_verify::{TestName, TestSet};
    let mut counts = Counts::default();
    for name in [
        TestName::Rsa2048Sha256,
        TestName::Rsa3072Sha256,
        TestName::Rsa4096Sha256,
        TestName::Rsa8192Sha256,
    ] {
        for group in &TestSet::load(name).unwrap().test_groups {
            let key = rsa_key("RS256", group.key.n.as_ref(), group.key.e.as_ref()).unwrap();
            for test in &group.tests {
                let what = format!("{name:?} #{}: {}", test.tc_id, test.comment);
                counts.count(
                    &what,
                    &key,
                    (test.msg.as_ref(), test.sig.as_ref(), test.result),
                );
            }
        }
    }
    counts.assert_at_least(30, 900);
}

#[test]
fn rsa_pss_vectors() {
    use rsa_pss_verify::{TestName, TestSet};
    let mut counts = Counts::default();
    for name in [
        TestName::RsaPss2048Sha256Mgf1SaltLen32,
        TestName::RsaPss3072Sha256Mgf1SaltLen32,
        TestName::RsaPss4096Sha256Mgf1SaltLen32,
    ] {
        for group in &TestSet::load(name).unwrap().test_groups {
            let key = rsa_key("PS256", group.key.n.as_ref(), group.key.e.as_ref()).unwrap();
            for test in &group.tests {
                let what = format!("{name:?} #{}: {}", test.tc_id, test.comment);
                counts.count(
                    &what,
                    &key,
                    (test.msg.as_ref(), test.sig.as_ref(), test.result),
                );
            }
        }
    }
    counts.assert_at_least(180, 130);
}

/// RFC 7518 §3.5: the salt is as long as the hash.
#[test]
fn rsa_pss_without_salt_is_rejected() {
    use rsa_pss_verify::{TestName, TestSet};
    let set = TestSet::load(TestName::RsaPss2048Sha256Mgf1SaltLen0).unwrap();
    let mut rejected = 0;
    for group in &set.test_groups {
        let key = rsa_key("PS256", group.key.n.as_ref(), group.key.e.as_ref()).unwrap();
        let is_valid = |test: &&rsa_pss_verify::Test| test.result == TestResult::Valid;
        for test in group.tests.iter().filter(is_valid) {
            assert!(
                !key.verify(test.msg.as_ref(), test.sig.as_ref()),
                "{}",
                test.tc_id
            );
            rejected += 1;
        }
    }
    assert!(rejected > 50, "{rejected}");
}

/// An odd number of 2048 bits.
fn modulus() -> Vec<u8> {
    let mut modulus: Vec<u8> = (0..=255).map(|byte: u8| byte.wrapping_mul(37)).collect();
    modulus[0] = 0xc5;
    modulus[255] |= 1;
    modulus
}

#[test]
fn weak_rsa_keys_are_not_used() {
    const E: &[u8] = &[1, 0, 1];
    let valid = modulus();
    assert!(rsa_key("RS256", &valid, E).is_ok());
    assert!(rsa_key("RS256", &[&[0, 0], valid.as_slice()].concat(), E).is_ok());
    let even: Vec<u8> = valid
        .iter()
        .enumerate()
        .map(|(i, b)| if i == 255 { b & !1 } else { *b })
        .collect();
    let mut short = valid.clone();
    short[0] = 0x45;
    for (what, n, e) in [
        ("an exponent of one", valid.clone(), vec![1]),
        ("an exponent of one, with zeros", valid.clone(), vec![0, 1]),
        ("an even exponent", valid.clone(), vec![2]),
        ("no exponent", valid.clone(), vec![]),
        ("an even modulus", even, E.to_vec()),
        ("2047 bits", short, E.to_vec()),
        ("1024 bits", valid[..128].to_vec(), E.to_vec()),
        ("more than 8192 bits", valid.repeat(5), E.to_vec()),
    ] {
        assert_eq!(
            rsa_key("RS256", &n, &e).err(),
            Some(KeyProblem::Weak),
            "{what}"
        );
    }
}
