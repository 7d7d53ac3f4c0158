//! The tests' HTTP server responds and fails as set by a test.

use std::io;
use std::time::{Duration, Instant};

use crate::support::{Ca, Client, Reply, Request, Response, Server};

/// Returns the parsed request as the response.
fn echo(request: &Request) -> Reply {
    Response::new(200)
        .with_header("X-Saw", format!("{} {}", request.method, request.target))
        .with_body("application/octet-stream", request.body.clone())
        .into()
}

fn always(reply: Reply) -> Server {
    Server::http(move |_| reply.clone())
}

fn greeting() -> Response {
    Response::text(200, "good day")
}

#[test]
fn requests_follow_each_other_on_one_connection() {
    let server = Server::http(echo);
    let mut client = Client::http(server.port());
    for method in ["GET", "PUT", "PATCH", "DELETE", "POST"] {
        let answer = client.request(method, "/a?b=c", &[], b"body").unwrap();
        assert_eq!(answer.header("x-saw"), Some(&*format!("{method} /a?b=c")));
        assert_eq!(answer.body, b"body");
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_connection_ends_when_the_client_says_so() {
    let server = Server::http(echo);
    let mut client = Client::http(server.port());
    let answer = client.get("/", &[("Connection", "close")]).unwrap();
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(client.is_closed());
}

#[test]
fn head_has_the_length_and_not_the_body() {
    let server = always(greeting().into());
    let mut client = Client::http(server.port());
    let answer = client.request("HEAD", "/", &[], b"").unwrap();
    assert_eq!(answer.header("content-length"), Some("8"));
    assert_eq!(client.get("/", &[]).unwrap().body, b"good day");
}

#[test]
fn a_chunked_body_is_put_together() {
    let server = Server::http(echo);
    let mut client = Client::http(server.port());
    client
        .send(
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
              4;note=x\r\nWiki\r\n5\r\npedia\r\n0\r\nTrailer: t\r\n\r\n",
        )
        .unwrap();
    assert_eq!(client.answer(true).unwrap().body, b"Wikipedia");
    assert_eq!(client.get("/", &[]).unwrap().status, 200);
}

#[test]
fn a_client_that_waits_is_told_to_continue() {
    let server = Server::http(echo);
    let mut client = Client::http(server.port());
    client
        .send(b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        .unwrap();
    assert_eq!(client.answer(false).unwrap().status, 100);
    client.send(b"late").unwrap();
    assert_eq!(client.answer(true).unwrap().body, b"late");
}

#[test]
fn a_body_may_have_64_mebibytes_and_no_more() {
    let server = Server::http(|request| Response::text(200, request.body.len().to_string()).into());
    let full = vec![b'x'; 64 * 1024 * 1024];
    let answer = Client::http(server.port()).request("PUT", "/", &[], &full);
    assert_eq!(answer.unwrap().body, b"67108864");

    let mut client = Client::http(server.port());
    client
        .send(b"PUT / HTTP/1.1\r\nContent-Length: 67108865\r\n\r\n")
        .unwrap();
    assert_eq!(client.answer(true).unwrap().status, 413);
}

#[test]
fn invalid_requests_are_refused() {
    let server = Server::http(echo);
    for noise in [
        "GET\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ] {
        let mut client = Client::http(server.port());
        client.send(noise.as_bytes()).unwrap();
        assert_eq!(client.answer(true).unwrap().status, 400, "{noise:?}");
        assert!(client.is_closed(), "{noise:?}");
    }
}

#[test]
fn a_connection_can_end_without_an_answer() {
    let server = always(Reply::Close);
    let error = Client::http(server.port()).get("/", &[]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn a_connection_can_end_in_the_middle_of_the_body() {
    let server = always(Reply::CutShort(greeting()));
    let mut client = Client::http(server.port());
    client.send(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let head = client.answer(false).unwrap();
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("8"))
    );
    let error = Client::http(server.port()).get("/", &[]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn raw_bytes_go_out_as_they_are() {
    let server = always(Reply::Raw(b"HTTP/1.1 299 Odd\r\n\r\n".to_vec()));
    let answer = Client::http(server.port()).get("/", &[]).unwrap();
    assert_eq!(answer.status, 299);
}

#[test]
fn a_delayed_answer_comes_later() {
    let delay = Duration::from_millis(50);
    let server = always(Reply::Delayed(delay, Box::new(greeting().into())));
    let before = Instant::now();
    assert_eq!(
        Client::http(server.port()).get("/", &[]).unwrap().status,
        200
    );
    assert!(before.elapsed() >= delay);
}

#[test]
fn dropping_the_server_ends_whatever_hangs() {
    let hour = Duration::from_secs(3600);
    for reply in [Reply::Hang, Reply::Delayed(hour, Box::new(Reply::Close))] {
        let server = always(reply);
        let mut asking = Client::http(server.port());
        asking.send(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        asking.give_up_after(Duration::from_millis(50));
        let error = asking.answer(true).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        let mut idle = Client::http(server.port());
        drop(server);
        assert!(asking.is_closed() && idle.is_closed());
    }
}

#[test]
fn a_client_that_trusts_the_authority_gets_through() {
    let ca = Ca::new();
    let server = Server::https(ca.server_config(&["localhost", "127.0.0.1"]), echo);
    let mut client = Client::https(server.port(), &ca.client_config());
    for size in [0, 4, 1024 * 1024] {
        let body = vec![b'x'; size];
        let answer = client.request("PUT", "/", &[], &body).unwrap();
        assert_eq!(answer.body, body);
    }
}

#[test]
fn a_client_that_trusts_another_authority_stops_at_the_handshake() {
    let server = Server::https(Ca::new().server_config(&["localhost"]), echo);
    let mut client = Client::https(server.port(), &Ca::new().client_config());
    let error = client.get("/", &[]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_certificate_stands_for_its_own_names_only() {
    let ca = Ca::new();
    let server = Server::https(ca.server_config(&["git.acme.test"]), echo);
    let mut client = Client::https(server.port(), &ca.client_config());
    assert!(client.get("/", &[]).is_err());
}
