//! Names below which strangers have hosts, and public services that take no ZITADEL token.

/// Second-level labels under which a country's registry gives names to everybody, as in
/// `co.uk` and `com.au`.
const CATEGORIES: &[&str] = &[
    "ac", "asn", "biz", "co", "com", "ed", "edu", "firm", "gen", "go", "gob", "gouv", "gov",
    "govt", "ind", "info", "law", "ltd", "me", "mil", "ne", "net", "nhs", "nom", "or", "org",
    "plc", "police", "res", "sch", "school", "web",
];

/// Providers that give names below these to every customer.
const PROVIDERS: &[&str] = &[
    "amazonaws.com",
    "appspot.com",
    "azurecr.io",
    "azurewebsites.net",
    "cloudapp.net",
    "cloudfront.net",
    "duckdns.org",
    "firebaseapp.com",
    "fly.dev",
    "github.io",
    "gitlab.io",
    "herokuapp.com",
    "netlify.app",
    "ngrok-free.app",
    "ngrok.app",
    "ngrok.io",
    "nip.io",
    "onrender.com",
    "pages.dev",
    "run.app",
    "sslip.io",
    "trafficmanager.net",
    "ts.net",
    "vercel.app",
    "web.app",
    "windows.net",
    "workers.dev",
    "zitadel.cloud",
];

/// Top-level names that a local network uses by itself: RFC 2606, RFC 6761 and RFC 6762,
/// ICANN's `internal`, and names that were never given to anybody.
const LOCAL: &[&str] = &[
    "corp",
    "example",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "private",
    "test",
];

/// The name of Docker Hub.
pub const DOCKER_HUB: &str = "Docker Hub";

/// Services with their hosts, which know no ZITADEL.
const SERVICES: &[(&str, &[&str])] = &[
    (DOCKER_HUB, &["docker.io", "docker.com"]),
    (
        "GitHub",
        &["github.com", "ghcr.io", "githubusercontent.com"],
    ),
    ("GitLab.com", &["gitlab.com"]),
    ("Bitbucket Cloud", &["bitbucket.org"]),
];

/// True if strangers can have hosts below this name, as below `com`, `co.uk` and
/// `github.io`.
pub fn are_below(name: &str) -> bool {
    match name.rsplit_once('.') {
        None => !LOCAL.contains(&name),
        Some((label, country)) => {
            let is_category = country.len() == 2 && CATEGORIES.contains(&label);
            is_category || PROVIDERS.contains(&name)
        }
    }
}

/// Returns the public service that a host belongs to, if it takes no tokens of ZITADEL.
pub fn service(host: &str) -> Option<&'static str> {
    let is_of = |domain: &&str| {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let mut services = SERVICES.iter();
    let found = services.find(|(_, domains)| domains.iter().any(is_of))?;
    Some(found.0)
}
