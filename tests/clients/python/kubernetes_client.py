"""Makes API calls with PyPI's kubernetes, as standard input tells it to: `load`
reads the kubeconfig and makes a client of it, `call` asks the server for its
version. Each is answered by one line: `ok`, the version's minor number or the
status of a refusal, else `failed`, and why on stderr.
"""

import sys

from kubernetes import client, config


def main():
    api = None
    for line in sys.stdin:
        match line.strip():
            case "load":
                answer, api = load()
            case "call":
                answer = call(api)
            case other:
                sys.exit(f"{other}: neither load nor call")
        print(answer, flush=True)


def load():
    try:
        return "ok", client.VersionApi(config.new_client_from_config())
    except config.ConfigException as error:
        print(error, file=sys.stderr)
        return "failed", None


def call(api):
    try:
        return api.get_code().minor
    except client.ApiException as error:
        return error.status


main()
