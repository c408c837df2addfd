//! Project Wycheproof's signatures through the keys as they are used.
//!
//! The messages are no JWS, so they are put to the key itself.

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

/// How many were accepted and refused, each as it should be.
#[derive(Debug, Default)]
struct Tally {
    accepted: usize,
    refused: usize,
    either: usize,
}

impl Tally {
    /// So that a file that has become empty is noticed.
    fn assert_at_least(&self, accepted: usize, refused: usize) {
        assert!(
            self.accepted >= accepted && self.refused >= refused,
            "{self:?}"
        );
    }

    fn count(&mut self, what: &str, key: &VerificationKey, test: (&[u8], &[u8], TestResult)) {
        let (message, signature, expected) = test;
        let accepted = key.verify(message, signature);
        match expected {
            TestResult::Valid => assert!(accepted, "{what}"),
            TestResult::Invalid => assert!(!accepted, "{what}"),
            // Signatures that some take and some do not: none of them is more than a waste of a byte.
            TestResult::Acceptable => {
                self.either += 1;
                return;
            }
        }
        if accepted {
            self.accepted += 1;
        } else {
            self.refused += 1;
        }
    }
}

#[test]
fn ed25519() {
    let mut tally = Tally::default();
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    for group in &set.test_groups {
        let x = base64url(group.key.pk.as_ref());
        let key = key(json!({"kty": "OKP", "crv": "Ed25519", "x": x})).unwrap();
        for test in &group.tests {
            let what = format!("ed25519 #{}: {}", test.tc_id, test.comment);
            tally.count(
                &what,
                &key,
                (test.msg.as_ref(), test.sig.as_ref(), test.result),
            );
        }
    }
    tally.assert_at_least(88, 60);
}

fn ecdsa(name: ecdsa::TestName, crv: &str) -> Tally {
    let mut tally = Tally::default();
    let set = ecdsa::TestSet::load(name).unwrap();
    for group in &set.test_groups {
        let point = group.key.key.as_ref().get(1..).unwrap();
        let (x, y) = point.split_at(point.len() / 2);
        let members = json!({"kty": "EC", "crv": crv, "x": base64url(x), "y": base64url(y)});
        let key = key(members).unwrap();
        for test in &group.tests {
            let what = format!("{crv} #{}: {}", test.tc_id, test.comment);
            tally.count(
                &what,
                &key,
                (test.msg.as_ref(), test.sig.as_ref(), test.result),
            );
        }
    }
    tally
}

#[test]
fn ecdsa_on_p256_and_p521() {
    let p256 = ecdsa(ecdsa::TestName::EcdsaSecp256r1Sha256P1363, "P-256");
    p256.assert_at_least(170, 80);
    let p521 = ecdsa(ecdsa::TestName::EcdsaSecp521r1Sha512P1363, "P-521");
    p521.assert_at_least(170, 80);
}

fn rsa_key(alg: &str, n: &[u8], e: &[u8]) -> Result<VerificationKey, KeyProblem> {
    key(json!({"kty": "RSA", "alg": alg, "n": base64url(n), "e": base64url(e)}))
}

#[test]
fn rsa_pkcs1() {
    use rsa_pkcs1_verify::{TestName, TestSet};
    let mut tally = Tally::default();
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
                tally.count(
                    &what,
                    &key,
                    (test.msg.as_ref(), test.sig.as_ref(), test.result),
                );
            }
        }
    }
    tally.assert_at_least(30, 900);
}

#[test]
fn rsa_pss() {
    use rsa_pss_verify::{TestName, TestSet};
    let mut tally = Tally::default();
    for name in [
        TestName::RsaPss2048Sha256Mgf1SaltLen32,
        TestName::RsaPss3072Sha256Mgf1SaltLen32,
        TestName::RsaPss4096Sha256Mgf1SaltLen32,
    ] {
        for group in &TestSet::load(name).unwrap().test_groups {
            let key = rsa_key("PS256", group.key.n.as_ref(), group.key.e.as_ref()).unwrap();
            for test in &group.tests {
                let what = format!("{name:?} #{}: {}", test.tc_id, test.comment);
                tally.count(
                    &what,
                    &key,
                    (test.msg.as_ref(), test.sig.as_ref(), test.result),
                );
            }
        }
    }
    tally.assert_at_least(180, 130);
}

/// RFC 7518 §3.5: the salt is as long as the hash.
#[test]
fn rsa_pss_without_a_salt_is_refused() {
    use rsa_pss_verify::{TestName, TestSet};
    let set = TestSet::load(TestName::RsaPss2048Sha256Mgf1SaltLen0).unwrap();
    let mut refused = 0;
    for group in &set.test_groups {
        let key = rsa_key("PS256", group.key.n.as_ref(), group.key.e.as_ref()).unwrap();
        let good = |test: &&rsa_pss_verify::Test| test.result == TestResult::Valid;
        for test in group.tests.iter().filter(good) {
            assert!(
                !key.verify(test.msg.as_ref(), test.sig.as_ref()),
                "{}",
                test.tc_id
            );
            refused += 1;
        }
    }
    assert!(refused > 50, "{refused}");
}

/// Odd, of 2048 bits, and with no mark of any generator.
fn modulus() -> Vec<u8> {
    let mut modulus: Vec<u8> = (0..=255).map(|byte: u8| byte.wrapping_mul(37)).collect();
    modulus[0] = 0xc5;
    modulus[255] |= 1;
    assert!(!roca::has_mark(&modulus));
    modulus
}

/// One more than a multiple of all the primes: modulo each of them it is one, which is a power of anything.
fn modulus_with_the_mark() -> Vec<u8> {
    let some: u128 = [3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 53, 61, 71]
        .iter()
        .product();
    let others: u128 = [73, 79, 97, 103, 107, 109, 127, 151, 157].iter().product();
    let primes = multiply(&some.to_be_bytes(), &others.to_be_bytes());
    let multiples = (1..=255).flat_map(|first: u8| {
        [256, 257].map(|length| {
            let mut factor = vec![0; length - primes.len()];
            factor[0] = first;
            multiply(&primes, &factor)
        })
    });
    let has_2048_bits = |number: &Vec<u8>| number.len() == 256 && number[0] & 0x80 != 0;
    let mut multiple = multiples.into_iter().find(has_2048_bits).unwrap();
    multiple[255] |= 1;
    multiple
}

fn multiply(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut digits = vec![0u32; a.len() + b.len()];
    for (i, x) in a.iter().rev().enumerate() {
        let mut carry = 0;
        for (j, y) in b.iter().rev().enumerate() {
            let sum = digits[i + j] + u32::from(*x) * u32::from(*y) + carry;
            digits[i + j] = sum & 0xff;
            carry = sum >> 8;
        }
        digits[i + b.len()] += carry;
    }
    let bytes = digits.iter().rev().map(|digit| digit.to_be_bytes()[3]);
    bytes.skip_while(|byte| *byte == 0).collect()
}

#[test]
fn weak_rsa_keys_are_left_out() {
    const E: &[u8] = &[1, 0, 1];
    let good = modulus();
    assert!(rsa_key("RS256", &good, E).is_ok());
    assert!(rsa_key("RS256", &[&[0, 0], good.as_slice()].concat(), E).is_ok());
    let marked = modulus_with_the_mark();
    let even: Vec<u8> = good
        .iter()
        .enumerate()
        .map(|(i, b)| if i == 255 { b & !1 } else { *b })
        .collect();
    let mut short = good.clone();
    short[0] = 0x45;
    for (what, n, e) in [
        ("an exponent of one", good.clone(), vec![1]),
        ("an exponent of one, with zeros", good.clone(), vec![0, 1]),
        ("an even exponent", good.clone(), vec![2]),
        ("no exponent", good.clone(), vec![]),
        ("an even modulus", even, E.to_vec()),
        ("2047 bits", short, E.to_vec()),
        ("1024 bits", good[..128].to_vec(), E.to_vec()),
        ("more than 8192 bits", good.repeat(5), E.to_vec()),
        ("the mark of a broken generator", marked, E.to_vec()),
    ] {
        assert_eq!(
            rsa_key("RS256", &n, &e).err(),
            Some(KeyProblem::Weak),
            "{what}"
        );
    }
}

/// With such a key, and `S` zero, the equation of RFC 8032 §5.1.7 holds without a private key.
#[test]
fn ed25519_keys_of_small_order_are_left_out() {
    let spelled = |first: u8, others: u8, last: u8| {
        let mut key = [others; 32];
        (key[0], key[31]) = (first, last);
        key
    };
    let of_order_eight = [
        "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU",
        "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o",
    ];
    let of_order_eight = of_order_eight.map(|x| URL_SAFE_NO_PAD.decode(x).unwrap());
    let mut keys: Vec<Vec<u8>> = of_order_eight.into();
    keys.extend([0, 1].map(|first| spelled(first, 0, 0).to_vec()));
    keys.extend([0xec, 0xed, 0xee].map(|first| spelled(first, 0xff, 0x7f).to_vec()));
    for mut x in keys {
        for _ in 0..2 {
            let members = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(&x)});
            assert_eq!(key(members).err(), Some(KeyProblem::Weak), "{x:02x?}");
            x[31] ^= 0x80;
        }
    }
    // Their neighbours are no such points; whether they are points at all is another matter.
    for x in [
        spelled(2, 0, 0),
        spelled(0xef, 0xff, 0x7f),
        spelled(0, 0, 1),
    ] {
        let members = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(&x)});
        assert_ne!(key(members).err(), Some(KeyProblem::Weak), "{x:02x?}");
    }
    let forged = [spelled(1, 0, 0), [0; 32]].concat();
    let neutral = ParsedPublicKey::new(&ED25519, spelled(1, 0, 0)).unwrap();
    assert!(neutral.verify_sig(b"anything at all", &forged).is_ok());
}
