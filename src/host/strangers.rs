//! Domains in which strangers have hosts, and public services that accept no ZITADEL
//! token.

/// Second-level labels under which anyone can register a country's names, as in `co.uk`
/// and `com.au`.
const CATEGORIES: &[&str] = &[
    "ac", "asn", "biz", "co", "com", "ed", "edu", "firm", "gen", "go", "gob", "gouv", "gov",
    "govt", "ind", "info", "law", "ltd", "me", "mil", "ne", "net", "nhs", "nom", "or", "org",
    "plc", "police", "res", "sch", "school", "web",
];

/// Providers that give every customer a name below these.
const PROVIDERS: &[&str] = &[
    "app.github.dev",
    "appspot.com",
    "azure-api.net",
    "azurecr.io",
    "azureedge.net",
    "azurefd.net",
    "azurestaticapps.net",
    "azurewebsites.net",
    "b-cdn.net",
    "blogspot.com",
    "cloudapp.net",
    "cloudfront.net",
    "cloudfunctions.net",
    "co.com",
    "codesandbox.io",
    "csb.app",
    "ddns.net",
    "de.com",
    "deno.dev",
    "duckdns.org",
    "dyndns.org",
    "eu.org",
    "firebaseapp.com",
    "fly.dev",
    "gitbook.io",
    "github.io",
    "gitlab.io",
    "gitpod.io",
    "glitch.me",
    "herokuapp.com",
    "hf.space",
    "hopto.org",
    "loca.lt",
    "myshopify.com",
    "netlify.app",
    "ngrok-free.app",
    "ngrok-free.dev",
    "ngrok.app",
    "ngrok.dev",
    "ngrok.io",
    "nip.io",
    "no-ip.org",
    "onrender.com",
    "pages.dev",
    "pythonanywhere.com",
    "r2.dev",
    "railway.app",
    "readthedocs.io",
    "replit.app",
    "run.app",
    "sslip.io",
    "streamlit.app",
    "surge.sh",
    "traefik.me",
    "trafficmanager.net",
    "trycloudflare.com",
    "ts.net",
    "uk.com",
    "up.railway.app",
    "us.com",
    "vercel.app",
    "web.app",
    "wordpress.com",
    "workers.dev",
    "xip.io",
    "zapto.org",
    "zitadel.cloud",
];

/// Providers whose customers have names at any depth below these, as below
/// `s3.eu-central-1.amazonaws.com` and `blob.core.windows.net`.
const CLOUDS: &[&str] = &[
    "aliyuncs.com",
    "amazonaws.com",
    "amazonaws.com.cn",
    "azure.com",
    "backblazeb2.com",
    "digitaloceanspaces.com",
    "googleapis.com",
    "linodeobjects.com",
    "myqcloud.com",
    "oraclecloud.com",
    "scw.cloud",
    "windows.net",
];

/// Cities of Japan, below which anyone may have a name, as below its prefectures.
const CITIES: &[&str] = &[
    "kawasaki",
    "kitakyushu",
    "kobe",
    "nagoya",
    "osaka",
    "sapporo",
    "sendai",
    "tokyo",
    "yokohama",
];

/// Top-level names for local networks: RFC 2606, RFC 6761 and RFC 6762, ICANN's
/// `internal`, and names that were never assigned.
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

/// Services that accept no ZITADEL token, with their hosts.
const SERVICES: &[(&str, &[&str])] = &[
    ("Docker Hub", &["docker.io", "docker.com"]),
    (
        "GitHub",
        &["github.com", "ghcr.io", "githubusercontent.com", "ghe.com"],
    ),
    ("GitLab.com", &["gitlab.com"]),
    ("Bitbucket Cloud", &["bitbucket.org"]),
    ("Azure DevOps", &["dev.azure.com", "visualstudio.com"]),
    ("Codeberg", &["codeberg.org"]),
    ("SourceHut", &["sr.ht"]),
    ("Amazon's public registry", &["public.ecr.aws"]),
    ("Microsoft's registry", &["mcr.microsoft.com"]),
    ("Kubernetes' registry", &["registry.k8s.io"]),
    ("crates.io", &["crates.io"]),
    ("Go's module proxy", &["proxy.golang.org", "sum.golang.org"]),
    ("npm's registry", &["npmjs.org", "npmjs.com"]),
    ("PyPI", &["pypi.org", "pythonhosted.org"]),
    ("HashiCorp", &["terraform.io"]),
];

/// True if strangers can have hosts below this name, as below `com`, `co.uk` and
/// `github.io`.
pub fn are_below(name: &str) -> bool {
    match name.rsplit_once('.') {
        None => !LOCAL.contains(&name),
        Some((label, country)) => {
            let is_category = country.len() == 2 && CATEGORIES.contains(&label);
            let is_city = country == "jp" && CITIES.contains(&label);
            is_category || is_city || PROVIDERS.contains(&name) || is_of(name, CLOUDS)
        }
    }
}

/// Returns the public service of a host, if it accepts no ZITADEL tokens.
pub fn service(host: &str) -> Option<&'static str> {
    let mut services = SERVICES.iter();
    let found = services.find(|(_, domains)| is_of(host, domains))?;
    Some(found.0)
}

/// True if a host is one of these domains or below one.
fn is_of(host: &str, domains: &[&str]) -> bool {
    domains.iter().any(|domain| {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}
