//! Who is at the other end of a connection: TLS and client certificates of both listeners, and the
//! Unix socket.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};

use mandate_host::Sha256Digest;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::{Value, json};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use crate::cli::Folder;
use crate::ext_authz::{Stage, free_port};
use crate::operation::refused;
use crate::world::{
    DECISIONS, ISSUER, World, deploy, gateway, listen_on_a_socket, now, sign, token_for,
};

/// Who signs certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
struct Pair {
    certificate: String,
    key: String,
    digest: [u8; 32],
}

impl Authority {
    fn new() -> Self {
        let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Where both have the same name, Envoy takes a certificate for one that signed itself.
        authority.distinguished_name.push(DnType::CommonName, "authority");
        Self(CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap())
    }

    fn pair(&self, name: &str) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut certificate = CertificateParams::new(vec![name.to_owned()]).unwrap();
        certificate.distinguished_name.push(DnType::CommonName, name);
        let certificate = certificate.signed_by(&key, &self.0).unwrap();
        Pair {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            digest: *Sha256Digest::of(certificate.der()).as_bytes(),
        }
    }

    /// A client that trusts this authority alone, with a certificate of its own or none.
    fn client(&self, own: Option<&Pair>) -> ureq::Agent {
        let root = Certificate::from_pem(self.0.pem().as_bytes()).unwrap();
        let own = own.map(|pair| {
            let certificate = Certificate::from_pem(pair.certificate.as_bytes()).unwrap();
            let key = PrivateKey::from_pem(pair.key.as_bytes()).unwrap();
            ClientCert::new_with_certs(&[certificate], key)
        });
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&[root]))
            .client_cert(own)
            .build();
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
        config.tls_config(tls).build().into()
    }
}

fn write_server(folder: &Folder, authority: &Authority, clients: &Authority) {
    let server = authority.pair("localhost");
    folder.write("acme/tls.crt", server.certificate);
    folder.write("acme/tls.key", server.key);
    folder.write("acme/ca.crt", clients.0.pem());
}

fn tls() -> Value {
    json!({ "certificate": "tls.crt", "key": "tls.key", "client_authorities": "ca.crt" })
}

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_token_that_is_bound_to_a_certificate_needs_its_connection() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let (authority, clients, strangers) = (Authority::new(), Authority::new(), Authority::new());
    let folder = deploy("tls", &json!({ "tls": tls() }));
    write_server(&folder, &authority, &clients);
    let world = World::serve(folder);
    let port = world.address.rsplit(':').next().unwrap().to_owned();
    let (right, other) = (clients.pair("gateway"), clients.pair("gateway"));
    let stranger = strangers.pair("gateway");
    let bound = sign(&json!({
        "iss": ISSUER, "sub": "svc-gateway", "aud": "https://pdp.example", "client_id": "gateway",
        "iat": now(), "exp": now() + 300, "scope": "board:read board:write",
        "cnf": { "x5t#S256": URL_SAFE_NO_PAD.encode(right.digest) },
    }));
    let ask = |client: Option<&Pair>, token: &str| {
        let question = json!({ "subject": { "type": "user", "id": "anne" },
            "action": { "name": "view" }, "resource": { "type": "board", "id": "roadmap" } });
        let answer = authority
            .client(client)
            .post(format!("https://localhost:{port}/access/v1/evaluation"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .send(question.to_string());
        answer.map(|answer| answer.status().as_u16()).ok()
    };
    let statuses = [Some(&right), Some(&other), None, Some(&stranger)].map(|it| ask(it, &bound));
    assert_eq!(statuses, [Some(200), Some(401), Some(401), None]);
    let free = [Some(&right), None].map(|client| ask(client, &gateway()));
    assert_eq!(free, [Some(200), Some(200)]);
    // Without TLS, and without trust in who serves, there is nothing.
    let mut plain = std::net::TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    let trusting_others =
        strangers.client(Some(&right)).get(format!("https://localhost:{port}/healthz"));
    let answer = trusting_others.call().map(|answer| answer.status().as_u16());
    assert_eq!(answer.ok(), None);
}

#[test]
fn a_proxy_is_answered_for_its_certificate_alone() {
    let (authority, clients, strangers) = (Authority::new(), Authority::new(), Authority::new());
    let (right, other) = (clients.pair("envoy"), clients.pair("envoy"));
    let door = free_port();
    let settings = json!({ "ext_authz": {
        "listen": format!("127.0.0.1:{door}"), "tls": tls(), "proxies": [hexadecimal(&right.digest)],
    } });
    let folder = deploy("proxies-tls", &settings);
    write_server(&folder, &authority, &clients);
    let stranger = strangers.pair("envoy");
    for (name, pair) in [("right", &right), ("other", &other), ("stranger", &stranger)] {
        folder.write(&format!("{name}.crt"), &pair.certificate);
        folder.write(&format!("{name}.key"), &pair.key);
    }
    folder.write("server-ca.crt", authority.0.pem());
    let world = World::serve(folder);
    // A message without attributes: 3 is said to who may ask, 7 to who may not.
    let status = |client: Option<&Pair>| {
        let url = format!("https://localhost:{door}/envoy.service.auth.v3.Authorization/Check");
        let request = authority.client(client).post(url).header("content-type", "application/grpc");
        let answer = request.send(&[0_u8; 5]).ok()?;
        Some(answer.headers().get("grpc-status")?.to_str().unwrap().to_owned())
    };
    let statuses = [Some(&right), Some(&other), None, Some(&stranger)].map(status);
    let [three, seven] = ["3", "7"].map(str::to_owned);
    assert_eq!(statuses, [Some(three), Some(seven.clone()), Some(seven), None]);
    let anne = token_for(DECISIONS, "u-anne", "helper");
    let bearer = format!("authorization: Bearer {anne}");
    // And as Envoy asks: the same request of the same user.
    for (name, expected) in
        [(Some("right"), 200), (Some("other"), 403), (None, 403), (Some("stranger"), 403)]
    {
        let socket = transport(&world.folder, name);
        let Some(stage) = Stage::before(&world.folder, door, Some(&socket)) else { return };
        assert_eq!(stage.status(0, &["GET /boards/roadmap", &bearer], ""), expected, "{name:?}");
    }
}

/// TLS of Envoy to the server, with a certificate of these.
fn transport(folder: &Folder, name: Option<&str>) -> Value {
    let pair = name.map(|name| {
        let file = |kind: &str| json!({ "filename": folder.path(&format!("{name}.{kind}")) });
        json!({ "certificate_chain": file("crt"), "private_key": file("key") })
    });
    let own: Vec<Value> = pair.into_iter().collect();
    json!({ "name": "envoy.transport_sockets.tls", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
        "sni": "localhost",
        "common_tls_context": {
            "tls_certificates": own,
            "validation_context": {
                "trusted_ca": { "filename": folder.path("server-ca.crt") },
                "match_typed_subject_alt_names": [
                    { "san_type": "DNS", "matcher": { "exact": "localhost" } },
                ],
            },
        },
    } })
}

#[test]
fn a_socket_is_its_owners_and_of_one_server() {
    let folder = deploy("socket", &json!({}));
    let path = listen_on_a_socket(&folder, "socket");
    let listen = format!("unix:{}", path.display());
    // What a process that is gone has left there is replaced.
    drop(UnixListener::bind(&path).unwrap());
    let world = World::serve(folder.clone());
    assert_eq!(world.address, listen);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert_eq!(refused(&folder), format!("error: `serve.listen` {listen}: address in use"));
    assert_eq!(world.stop().0, Some(0));
    assert!(!path.exists());
}

#[test]
fn a_certificate_that_cannot_serve_is_one_line() {
    let authority = Authority::new();
    let folder = deploy("certificate", &json!({ "tls": tls() }));
    write_server(&folder, &authority, &authority);
    let good = authority.pair("localhost");
    let path = |name: &str| folder.path(&format!("acme/{name}"));
    folder.write("acme/tls.key", &good.key);
    assert_eq!(
        refused(&folder),
        format!("error: `serve.tls.key` `{}`: is not the certificate's", path("tls.key"))
    );
    folder.write("acme/tls.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    let line = refused(&folder);
    assert!(line.starts_with("error: `serve.tls."), "{line}");
    folder.write("acme/tls.key", &good.key);
    folder.write("acme/tls.crt", "no certificate");
    assert_eq!(
        refused(&folder),
        format!("error: `serve.tls.certificate` `{}`: no certificate in it", path("tls.crt"))
    );
    folder.write("acme/tls.crt", &good.certificate);
    folder.write("acme/ca.crt", "");
    assert_eq!(
        refused(&folder),
        format!("error: `serve.tls.client_authorities` `{}`: no certificate in it", path("ca.crt"))
    );
}
