//! The API server, as a pod reaches it: through the variables and files that the kubelet
//! gives each pod.

use std::path::Path;

use super::content::{Kind, Login, patch};
use super::name::{OPTION, SecretName, is_namespace};
use super::refusal::{self, Asked};
use crate::error::{Error, Report};
use crate::net::answer::Answer;
use crate::net::http::{Http, Network, Patch};
use crate::net::peer::Peer;
use crate::net::proxy::Rules;
use crate::sys::Environment;
use crate::text::clock::Deadline;
use crate::text::input::{LIMIT, read_file};
use crate::text::quote;
use crate::text::quote::quoted;
use crate::token::Token;
use crate::url::{HttpUrl, Origin, Scheme};

/// The mount point of the service account.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

const API_SERVER: Peer = Peer {
    proxy: Rules::Go,
    unreachable: "check that the API server is up and reachable from this pod (network policy, proxy)",
    other_server: "check KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: no API server answers there",
    other_name: "check KUBERNETES_SERVICE_HOST, and which server answers there",
    authority: "mount the service account's own volume: its ca.crt is the cluster's authority",
    client_certificate: "client certificates are not supported: use an address of the API server that requires none",
    ca_file: "the cluster's authority",
    bad_ca_file: MOUNT,
};

const MOUNT: &str = "set automountServiceAccountToken: true in the pod and its service account";

const IN_A_POD: &str =
    "run the agent in a pod, as packaging/kubernetes has it: it uses the pod's own service account";

/// The field manager: the owner of the fields that the agent applies.
const QUERY: &str = "fieldManager=zitadel-credential";

/// JSON is YAML too.
const APPLY: &str = "application/apply-patch+yaml";

/// Only the Secret's metadata: its data, which others own too, stays at the server.
const METADATA: &str =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

/// The API server of the pod's cluster.
pub struct Cluster<'a> {
    origin: Origin,
    environment: &'a Environment<'a>,
}

impl<'a> Cluster<'a> {
    /// Returns the cluster of this pod.
    ///
    /// # Errors
    /// [`Error::Usage`]: this is not a pod.
    pub fn of_pod(environment: &'a Environment<'a>) -> Result<Self, Error> {
        let value = |name: &str| {
            let value = environment(name).filter(|value| !value.is_empty());
            let value = value.and_then(|value| value.into_string().ok());
            value.ok_or_else(|| {
                let what = format!("{OPTION}: {name} is not set, so this is not a pod");
                Error::Usage(Report::new(what).hint(IN_A_POD))
            })
        };
        let host = value("KUBERNETES_SERVICE_HOST")?;
        let port = value("KUBERNETES_SERVICE_PORT")?;
        let authority = if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        };
        let origin = Origin::new(Scheme::Https, &authority).ok_or_else(|| {
            let what = format!(
                "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: invalid address {}",
                quoted(&authority)
            );
            Error::Usage(Report::new(what).hint(IN_A_POD))
        })?;
        Ok(Self {
            origin,
            environment,
        })
    }

    /// Applies the token to a Secret.
    ///
    /// # Errors
    /// The service account cannot be read, or there is no response or a refusal.
    pub fn apply(
        &self,
        secret: &SecretName,
        kind: Kind,
        token: &Token,
        logins: &[Login],
        deadline: Deadline,
    ) -> Result<(), Error> {
        // Read each time: the kubelet replaces the file before its token expires.
        let account = read("token", &deadline)?;
        let account = Token::new(account, None).ok_or_else(|| {
            let what = "the token of the service account contains invalid characters";
            Error::Final(Report::new(what).hint(MOUNT))
        })?;
        let namespace = match &secret.namespace {
            Some(namespace) => namespace.clone(),
            None => own_namespace(&deadline)?,
        };
        let (host, name) = (&self.origin, &secret.name);
        let url = format!("{host}/api/v1/namespaces/{namespace}/secrets/{name}");
        let url = HttpUrl::parse(&url)
            .ok_or_else(|| Error::Final(Report::new(format!("invalid URL: {}", quoted(&url)))))?;
        let network = Network {
            ca_file: Some(Path::new(ACCOUNT).join("ca.crt")),
            allow_http: false,
            environment: self.environment,
        };
        let http = Http::new(&network, deadline, &API_SERVER);
        let asked = Asked {
            namespace: &namespace,
            name,
            kind,
            account: &account,
        };
        let body = patch(&namespace, name, kind, token, logins);
        let patch = Patch {
            query: QUERY,
            content_type: APPLY,
            accept: METADATA,
            body: &body,
        };
        let judge = |answer: &Answer<'_>| refusal::passing(answer, &asked);
        let answer = http.patch(&url, &account, &patch, &judge)?;
        refusal::read(&answer, &asked)?;
        log::info!("applied the token to Secret {namespace}/{name}");
        Ok(())
    }
}

fn own_namespace(deadline: &Deadline) -> Result<String, Error> {
    let namespace = read("namespace", deadline)?;
    if is_namespace(&namespace) {
        return Ok(namespace);
    }
    let what = format!("invalid namespace of the pod: {}", quoted(&namespace));
    Err(Error::Final(Report::new(what).hint(format!(
        "give the namespace too: {OPTION} NAMESPACE/NAME"
    ))))
}

/// Reads a file of the service account.
fn read(name: &str, deadline: &Deadline) -> Result<String, Error> {
    let path = Path::new(ACCOUNT).join(name);
    let unreadable = |reason: String| {
        let what = format!(
            "the service account's {name}: {}: {reason}",
            quote::path(&path)
        );
        Error::Final(Report::new(what).hint(MOUNT))
    };
    let bytes = read_file(&path, LIMIT, deadline).map_err(|error| unreadable(error.to_string()))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| unreadable("not UTF-8".to_owned()))?;
    Ok(text.trim().to_owned())
}
