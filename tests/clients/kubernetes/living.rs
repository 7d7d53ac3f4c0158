//! Long-running clients: a library's program, with one command after another.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use super::client::{Client, REFUSED};
use super::cluster::{Cluster, MINOR};
use crate::support::{Endpoint, until};

/// A process that is ended when this is dropped.
struct Living {
    child: Child,
    stdin: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Living {
    fn start(client: &Client, cluster: &Cluster) -> Self {
        cluster.configure(client.versions()[0], None);
        let mut child = client
            .living(&cluster.world.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut living = Self {
            child,
            stdin,
            answers,
        };
        assert_eq!(living.told("load"), "ok", "{client}");
        living
    }

    fn told(&mut self, what: &str) -> String {
        writeln!(self.stdin, "{what}").unwrap();
        self.answers.next().unwrap().unwrap()
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_client_that_lives_across_an_expiry_gets_in_with_a_fresh_token() {
    for client in Client::libraries() {
        let cluster = Cluster::new();
        let issuer = &cluster.world.issuer;
        issuer.set_lifetime(5);
        let mut living = Living::start(&client, &cluster);
        assert_eq!(living.told("call"), MINOR, "{client}");
        let old = issuer.issued_tokens();
        until("the token runs out", || {
            old.iter().all(|token| !issuer.accepts(token))
        });
        assert_eq!(living.told("call"), MINOR, "{client}");
        assert_eq!(cluster.take_statuses(), [200], "{client}");
    }
}

/// A client asks at each call in the last minute (kube) or the last five (Python): this
/// costs a check, and no early token.
#[test]
fn a_client_asks_early_and_does_not_ask_again_after_a_refusal() {
    for client in Client::libraries() {
        let cluster = Cluster::new();
        let issuer = &cluster.world.issuer;
        issuer.set_lifetime(61);
        let mut living = Living::start(&client, &cluster);
        for _ in 0..3 {
            assert_eq!(living.told("call"), MINOR, "{client}");
        }
        assert_eq!(issuer.token_requests(), 1, "{client}");
        assert_eq!(issuer.requests(Endpoint::Userinfo), 1, "{client}");

        issuer.set_lifetime(3600);
        cluster.lets_the_token_expire();
        assert_eq!(living.told("call"), MINOR, "{client}");
        assert_eq!(issuer.token_requests(), 2, "{client}");
        cluster.lets_the_token_expire();
        for _ in 0..2 {
            assert_eq!(living.told("call"), REFUSED, "{client}");
        }
        assert_eq!(issuer.token_requests(), 2, "{client}");
        assert_eq!(living.told("load"), "ok", "{client}");
        assert_eq!(living.told("call"), MINOR, "{client}");
        assert_eq!(issuer.token_requests(), 3, "{client}");
    }
}
