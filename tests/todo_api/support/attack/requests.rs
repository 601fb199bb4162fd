//! Bytes that are almost requests: well-formed, pipelined, huge and malformed ones.

use fastrand::Rng;

/// Bytes for one connection.
pub(super) fn compose(random: &mut Rng, token: &str) -> Vec<u8> {
    let requests = if random.u8(..4) == 0 { random.usize(2..40) } else { 1 };
    let mut bytes = Vec::new();
    for _ in 0..requests {
        bytes.extend_from_slice(&request(random, token));
    }
    match random.u8(..8) {
        0..4 => mutate(random, &mut bytes),
        4 => bytes = noise(random),
        _ => {}
    }
    bytes
}

fn request(random: &mut Rng, token: &str) -> Vec<u8> {
    let method = pick(random, METHODS);
    let mut head = format!("{method} {} {}\r\n", target(random), pick(random, VERSIONS));
    let mut field = |name: &str, value: &str| head += &format!("{name}: {value}\r\n");
    match random.u8(..16) {
        0 => {}
        1 => field("host", pick(random, &["", "a b", "[::1", "a, b", "\u{e9}", "localhost:99999"])),
        2 => ["a", "b"].into_iter().for_each(|host| field("host", host)),
        _ => field("host", "localhost"),
    }
    match random.u8(..8) {
        0 => {}
        1 => field("authorization", &format!("Bearer {}", text(random, 20_000))),
        // The signature is wrong.
        2 => field("authorization", &format!("Bearer {}AAAA", &token[..token.len() - 4])),
        3 => field("authorization", pick(random, &["Bearer", "Basic dTpw", "Bearer a b", "\u{0}"])),
        _ => field("authorization", &format!("Bearer {token}")),
    }
    for _ in 0..random.usize(..4) {
        let (name, value) = pick(random, FIELDS);
        field(name, value);
    }
    match random.u8(..24) {
        0 => (0..random.usize(90..120)).for_each(|number| field(&format!("x-{number}"), "a")),
        1 => field("x-large", &"a".repeat(random.usize(30_000..80_000))),
        2 => field("x-huge", &"a".repeat(random.usize(1_000_000..2_000_000))),
        _ => {}
    }
    let body = if ["POST", "PATCH", "PUT"].contains(&method) { body(random) } else { Vec::new() };
    if !body.is_empty() {
        field(
            "content-type",
            pick(random, &["application/json", "application/json", "text/plain"]),
        );
    }
    let framed = frame(random, &mut field, body);
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&framed);
    bytes
}

const METHODS: &[&str] = &[
    "GET", "GET", "GET", "POST", "POST", "PATCH", "DELETE", "HEAD", "OPTIONS", "PUT", "TRACE",
    "CONNECT", "PRI", "get", "G\u{e9}T", "",
];

const VERSIONS: &[&str] = &[
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.0",
    "HTTP/2.0",
    "HTTP/0.9",
    "HTTP/1.1 ",
    "HTP/1.1",
    "",
];

const TARGETS: &[&str] = &[
    "/todoitems",
    "/todoitems",
    "/todoitems?limit=1000",
    "/todoitems?limit=1&limit=2",
    "/todoitems?after=%00",
    "/todoitems/1",
    "/todoitems/9223372036854775808",
    "/todoitems/%ff",
    "/health",
    "/health/ready",
    "/openapi.json",
    "/docs",
    "/docs/swagger-ui-bundle.js",
    "/.well-known/oauth-protected-resource",
    "/",
    "//",
    "/../..//etc/passwd",
    "*",
    "localhost:80",
    "http://localhost/todoitems",
    "http://[::1",
    "",
];

/// Fields that change how a connection or a body is treated, and preconditions.
const FIELDS: &[(&str, &str)] = &[
    ("connection", "close"),
    ("connection", "keep-alive"),
    ("connection", "upgrade, http2-settings"),
    ("upgrade", "h2c"),
    ("upgrade", "websocket"),
    ("expect", "100-continue"),
    ("expect", "200-ok"),
    ("te", "trailers"),
    ("trailer", "content-length"),
    ("accept-encoding", "gzip"),
    ("content-encoding", "gzip"),
    ("if-match", "*"),
    ("if-match", "\"1"),
    ("if-none-match", "\"a\", W/\"b\""),
    ("idempotency-key", "again"),
    ("idempotency-key", "\u{7f}"),
    ("origin", "null"),
    ("access-control-request-method", "PUT"),
    ("x-forwarded-for", "127.0.0.1, [::1"),
    ("forwarded", "for=\"["),
    ("x-request-id", "<script>"),
    ("range", "bytes=0-0,-1"),
    ("content-length", "-1"),
    ("content-length", "18446744073709551616"),
    ("content-length", "3, 4"),
    ("transfer-encoding", "chunked, gzip"),
    ("transfer-encoding", "xchunked"),
    ("x-folded", "a\r\n b"),
    ("x bad", "a"),
    ("", "a"),
];

fn target(random: &mut Rng) -> String {
    match random.u8(..24) {
        0 => format!("/{}", "a".repeat(random.usize(60_000..70_000))),
        1 => format!("/todoitems?{}", text(random, 300)),
        2 => format!("/todoitems/{}", random.i64(..)),
        _ => pick(random, TARGETS).to_owned(),
    }
}

fn body(random: &mut Rng) -> Vec<u8> {
    match random.u8(..12) {
        0 => Vec::new(),
        1 => "[".repeat(random.usize(1..60_000)).into_bytes(),
        2 => format!("{{\"item\":{{\"name\":\"{}\"}}}}", "a".repeat(random.usize(190..70_000)))
            .into(),
        3 => (0..random.usize(..5_000)).map(|_| random.u8(..)).collect(),
        4 => vec![b' '; random.usize(60_000..70_000)],
        5 if random.u8(..8) == 0 => vec![b'{'; random.usize(1_000_000..10_000_000)],
        6 => b"{\"item\":{\"name\":\"\\ud800\"}}".into(),
        7 => b"{\"item\":{\"is_complete\":1e999}}".into(),
        _ => b"{\"item\":{\"name\":\"Walk the dog\"}}".into(),
    }
}

/// Says how long the body is, usually truthfully. Returns the body as it is sent.
fn frame(random: &mut Rng, field: &mut impl FnMut(&str, &str), body: Vec<u8>) -> Vec<u8> {
    let length = body.len();
    match random.u8(..10) {
        0 => field("content-length", &(length + random.usize(1..100_000)).to_string()),
        1 => field("content-length", &(length / 2).to_string()),
        2 => return body,
        3..6 => {
            field("transfer-encoding", "chunked");
            if random.bool() && random.bool() {
                field("content-length", &length.to_string());
            }
            return chunked(random, &body);
        }
        _ if length == 0 => {}
        _ => field("content-length", &length.to_string()),
    }
    body
}

fn chunked(random: &mut Rng, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in body.chunks(random.usize(1..70_000).max(body.len() / 100)) {
        let extension = match random.u8(..20) {
            0 => format!(";a={}", "b".repeat(random.usize(..40_000))),
            _ => String::new(),
        };
        bytes.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    let end: &[&str] = &[
        "0\r\n\r\n",
        "0\r\n\r\n",
        "0\r\n\r\n",
        "0\r\nx-trailer: a\r\n\r\n",
        "-1\r\n\r\n",
        "fffffffffffffffff\r\n",
        "0\r\n",
        "",
    ];
    bytes.extend_from_slice(pick(random, end).as_bytes());
    if random.u8(..20) == 0 {
        bytes.extend_from_slice(&b"x-trailer: a\r\n".repeat(30_000));
    }
    bytes
}

/// Changes some of the bytes.
fn mutate(random: &mut Rng, bytes: &mut Vec<u8>) {
    for _ in 0..random.usize(1..6) {
        // The beginning, where the header is, gets most of the changes.
        let end = if random.bool() { bytes.len().min(200) } else { bytes.len() };
        let at = random.usize(..=end);
        let length = random.usize(..=(bytes.len() - at).min(64));
        match random.u8(..5) {
            0 => drop(bytes.drain(at..at + length)),
            1 => {
                let copy = bytes[at..at + length].to_vec();
                bytes.splice(at..at, copy);
            }
            2 => {
                let part = pick(random, PARTS);
                bytes.splice(at..at, part.iter().copied());
            }
            3 => bytes.insert(at, random.u8(..)),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.u8(..8);
                }
            }
        }
    }
}

const PARTS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b"\r\n\r\n",
    b"%00",
    b"\xff\xfe",
    b";",
    b",",
    b"content-length: 1\r\n",
    b"transfer-encoding: chunked\r\n",
    b"HTTP/1.1 200 OK\r\n",
];

/// Bytes of other protocols, and of none.
fn noise(random: &mut Rng) -> Vec<u8> {
    match random.u8(..6) {
        // TLS, HTTP/2, SSH, a Redis command.
        0 => b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".into(),
        1 => b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".into(),
        2 => b"SSH-2.0-attacker\r\n".into(),
        3 => b"*1\r\n$4\r\nPING\r\n".into(),
        4 => Vec::new(),
        _ => (0..random.usize(..10_000)).map(|_| random.u8(..)).collect(),
    }
}

/// Visible ASCII characters.
fn text(random: &mut Rng, length: usize) -> String {
    (0..random.usize(..length)).map(|_| char::from(random.u8(b'!'..=b'~'))).collect()
}

fn pick<T: Copy>(random: &mut Rng, all: &[T]) -> T {
    all[random.usize(..all.len())]
}
