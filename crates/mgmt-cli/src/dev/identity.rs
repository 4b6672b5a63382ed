//! Who signs in to the local platform: an identity provider of one key, and tokens for three people.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64_URL;
use jiff::{Timestamp, ToSpan as _};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::ministack::Python;

/// Who the tokens are meant for; the authorizer checks it.
pub(crate) const AUDIENCE: &str = "module-mgmt";
/// A day at work.
const TOKEN_HOURS: i64 = 12;
/// ring signs with RSA keys but makes none; the package that MiniStack checks tokens with makes them.
const MAKE_KEY: &str = "
import sys
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
sys.stdout.buffer.write(key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
                                          serialization.NoEncryption()))
";

/// Somebody with a token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    /// As the start-up message calls them.
    pub(crate) title: &'static str,
    /// Their user id, and the name of the file with their token.
    pub(crate) id: &'static str,
    pub(crate) org_id: &'static str,
    is_platform_admin: bool,
    is_org_admin: bool,
}

pub(crate) const PLATFORM_ADMIN: Person = Person {
    title: "platform admin",
    id: "platform-admin",
    org_id: "org-platform",
    is_platform_admin: true,
    is_org_admin: false,
};
pub(crate) const ORG_ADMIN: Person =
    Person { title: "org admin", id: "org-admin", org_id: "org-acme", is_platform_admin: false, is_org_admin: true };
pub(crate) const MEMBER: Person =
    Person { title: "member", id: "member", org_id: "org-acme", is_platform_admin: false, is_org_admin: false };
pub(crate) const PEOPLE: [Person; 3] = [PLATFORM_ADMIN, ORG_ADMIN, MEMBER];

/// The provider's signing key, and where it publishes the public half.
pub(crate) struct Issuer {
    pub(crate) url: String,
    key: RsaKeyPair,
    key_id: String,
}

impl Issuer {
    /// Reads the key, or makes it at the first start.
    pub(crate) fn open(folder: &Path, python: &Python, url: String) -> Result<Self> {
        let file = folder.join("signing-key.der");
        if !file.exists() {
            write_secret(&file, &make_key(python)?)?;
        }
        let der = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let key = RsaKeyPair::from_pkcs8(&der)
            .map_err(|error| anyhow::anyhow!("{} holds no usable key ({error}); delete it", file.display()))?;
        let digest = Sha256::digest(key.public().as_ref());
        Ok(Self { url, key, key_id: BASE64_URL.encode(&digest[..8]) })
    }

    pub(crate) fn token(&self, person: &Person) -> Result<String> {
        let now = Timestamp::now();
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.key_id });
        let claims = json!({
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": person.id,
            "org_id": person.org_id,
            "is_platform_admin": person.is_platform_admin,
            "is_org_admin": person.is_org_admin,
            "role": "authenticated",
            "iat": now.as_second(),
            "exp": now.checked_add(TOKEN_HOURS.hours())?.as_second(),
        });
        let signed = format!("{}.{}", BASE64_URL.encode(header.to_string()), BASE64_URL.encode(claims.to_string()));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| anyhow::anyhow!("the token cannot be signed"))?;
        Ok(format!("{signed}.{}", BASE64_URL.encode(signature)))
    }

    /// The document of `/.well-known/jwks.json` (RFC 7517).
    pub(crate) fn key_set(&self) -> Value {
        let public: PublicKeyComponents<Vec<u8>> = self.key.public().into();
        json!({ "keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.key_id,
            "n": BASE64_URL.encode(public.n), "e": BASE64_URL.encode(public.e),
        }] })
    }

    /// The document of `/.well-known/openid-configuration`, as far as an authorizer reads it.
    pub(crate) fn configuration(&self) -> Value {
        json!({
            "issuer": self.url,
            "jwks_uri": format!("{}/.well-known/jwks.json", self.url),
            "id_token_signing_alg_values_supported": ["RS256"],
        })
    }
}

/// Writes a file that only its owner reads.
pub(crate) fn write_secret(path: &Path, content: &[u8]) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    let opened = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    let mut file = opened.with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(content).with_context(|| format!("cannot write {}", path.display()))
}

fn make_key(python: &Python) -> Result<Vec<u8>> {
    let output = Command::new(&python.program).args(["-c", MAKE_KEY]).output().context("cannot start Python")?;
    if !output.status.success() {
        bail!("the signing key cannot be made:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.stdout)
}
