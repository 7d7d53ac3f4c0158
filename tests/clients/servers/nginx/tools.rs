//! The other tools at an HTTP server behind the gate, with `site.conf`.

use std::sync::{Arc, Mutex};

use super::{Asks, Nginx};
use crate::gateway::Gateway;
use crate::program::{cargo, client, output, stderr_of_failure, stdout_of_success};
use crate::servers::cast::{Cast, Who};
use crate::support::http::{Request, Response};
use crate::support::{Server, TokenKind};
use crate::{cargo as registry, go, keyring, pnpm, terraform};

/// A server of packages behind nginx.
struct Packages<'a> {
    nginx: Nginx<'a>,
    // nginx's connections are closed first.
    _server: Server,
}

impl<'a> Packages<'a> {
    /// Starts the server; `None` if a program is missing.
    fn new(
        cast: &'a Cast,
        answer: impl Fn(&Request) -> Response + Send + Sync + 'static,
    ) -> Option<Self> {
        let server = Server::http(move |request| answer(request).into());
        let upstream = format!("127.0.0.1:{}", server.port());
        let placeholders = [
            ("packages.acme.dev", "localhost"),
            ("127.0.0.1:8080", &upstream),
        ];
        let mut nginx = Nginx::new(cast, Asks::Introspection, &placeholders)?;
        let site = "/etc/nginx/sites-enabled/site.conf";
        nginx.files.copy("nginx/site.conf", site);
        nginx.certificate("packages");
        nginx.start()?;
        Some(Self {
            nginx,
            _server: server,
        })
    }

    fn gateway(&self) -> Gateway {
        Gateway::elsewhere(self.nginx.port)
    }
}

#[test]
fn go_downloads_a_module() {
    for go in go::gos() {
        let cast = Cast::new();
        let Some(packages) = Packages::new(&cast, go::answer) else {
            return;
        };
        let gateway = packages.gateway();
        let host = gateway.host();
        let acme = go::Acme::with(&go, cast.home_of(Who::Viewer), &cast.ca, gateway);
        acme.world.allow(&host);
        acme.downloads(&host);

        let gateway = packages.gateway();
        let acme = go::Acme::with(&go, cast.home_of(Who::Nobody), &cast.ca, gateway);
        acme.world.allow(&host);
        let said = stderr_of_failure(acme.go(&host, &["mod", "download"]));
        assert!(said.contains("403 Forbidden"), "{said}");
    }
}

#[test]
fn cargo_publishes_as_a_deployer_alone() {
    let Some(cargo) = cargo() else { return };
    let cast = Cast::new();
    let index = registry::Index::default();
    let served = index.clone();
    let answer = move |request: &Request| registry::answer(&mut served.lock().unwrap(), request);
    let Some(packages) = Packages::new(&cast, answer) else {
        return;
    };
    let publish = [
        "publish",
        "--no-verify",
        "--manifest-path",
        "greeter/Cargo.toml",
    ];
    for who in [Who::Viewer, Who::Deployer] {
        let gateway = packages.gateway();
        let host = gateway.host();
        let world = cast.home_of(who);
        world.allow(&host);
        let acme = registry::Acme::with(&cargo, world, &cast.ca, index.clone(), gateway);
        if who == Who::Deployer {
            stdout_of_success(acme.cargo(&publish));
        } else {
            let said = stderr_of_failure(acme.cargo(&publish));
            assert!(said.contains("403"), "{said}");
        }
    }
    assert!(index.lock().unwrap().contains_key("greeter"));
}

#[test]
fn pnpm_publishes_and_installs() {
    for pnpm in pnpm::Pnpm::all() {
        let cast = Cast::new();
        let published = pnpm::Published::default();
        let answer = move |request: &Request| {
            pnpm::answer(&mut published.lock().unwrap(), None, "", request)
        };
        let Some(packages) = Packages::new(&cast, answer) else {
            return;
        };
        let acme = |who| {
            let nowhere = Gateway::elsewhere(0);
            let (world, gateway) = (cast.home_of(who), packages.gateway());
            world.allow(&gateway.host());
            let acme = pnpm::Acme::with(&pnpm, world, &cast.ca, gateway, nowhere);
            acme.use_helper(&acme.helper());
            acme
        };
        let publish = ["publish", "--no-git-checks"];
        let [viewer, deployer] = [Who::Viewer, Who::Deployer].map(acme);
        assert!(!output(viewer.pnpm("greeter", &publish)).status.success());
        stdout_of_success(deployer.pnpm("greeter", &publish));
        stdout_of_success(viewer.install());
        let manifest = viewer.world.home.read(pnpm::INSTALLED);
        assert!(manifest.contains("\"@acme/greeter\""), "{manifest}");
    }
}

#[test]
fn pip_and_uv_install() {
    let cast = Cast::new();
    let world = cast.home_of(Who::Viewer);
    let Some(files) = keyring::Files::make(&world) else {
        return;
    };
    let served = files.clone();
    let answer = move |request: &Request| served.answer(request);
    let Some(packages) = Packages::new(&cast, answer) else {
        return;
    };
    let gateway = packages.gateway();
    let host = gateway.host();
    world.allow(&host);
    let Some(shop) = keyring::Shop::with(world, cast.ca.clone(), files.clone(), gateway) else {
        return;
    };
    let url = format!("https://__token__@{host}/simple/");
    for installer in keyring::ALL {
        stdout_of_success(shop.installs(installer, &url));
        shop.has_the_package(installer);
    }

    let world = cast.home_of(Who::Nobody);
    world.allow(&host);
    let shop = keyring::Shop::with(world, cast.ca.clone(), files, packages.gateway()).unwrap();
    for installer in keyring::ALL {
        stderr_of_failure(shop.installs(installer, &url));
    }
    packages.nginx.assert_no_secret_written("packages");
}

#[test]
fn terraform_gets_a_module() {
    let Some(terraform) = client("terraform") else {
        return;
    };
    let cast = Cast::new();
    let world = cast.home_of(Who::Viewer);
    let Some(packages) = Packages::new(&cast, terraform::answer(&world)) else {
        return;
    };
    for who in [Who::Viewer, Who::Nobody] {
        let (world, gateway) = (cast.home_of(who), packages.gateway());
        world.allow(&format!("127.0.0.1:{}", gateway.port()));
        let site = terraform::Site::with(terraform.clone(), world, &cast.ca, gateway);
        if who == Who::Viewer {
            stdout_of_success(site.gets_the_module());
        } else {
            let said = stderr_of_failure(site.gets_the_module());
            assert!(said.contains("403"), "{said}");
        }
    }
}

#[test]
fn the_server_gets_the_users_id_and_not_the_token() {
    let cast = Cast::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let remembered = Arc::clone(&seen);
    let answer = move |request: &Request| {
        let mut headers = request.headers.clone();
        headers.sort();
        remembered.lock().unwrap().push(headers);
        Response::new(200)
    };
    let Some(packages) = Packages::new(&cast, answer) else {
        return;
    };
    let token = cast.token(Who::Viewer, TokenKind::Opaque);
    let arguments = ["--header", "X-Forwarded-User: root"].map(str::to_owned);
    let (url, bearer) = (packages.nginx.url("/"), format!("Bearer {token}"));
    let ask = |method| {
        let nginx = &packages.nginx;
        nginx.ask_with(method, &url, Some(&bearer), &arguments)
    };
    assert_eq!([ask("GET"), ask("PUT"), ask("DELETE")], [200, 403, 403]);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 1);
    let users: Vec<_> = seen[0]
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("x-forwarded-user"))
        .map(|(_, value)| value)
        .collect();
    assert_eq!(users, [&cast.user(Who::Viewer).user_id]);
    assert!(!format!("{seen:?}").contains(&token));
}
