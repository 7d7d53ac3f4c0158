"""Gets an access token of Google's with PyPI's google-auth, by the credential
configuration that is named, and prints it; `interactive` as the second word has a
person sit at it.
"""

import sys

from google.auth import exceptions, pluggable
from google.auth.transport.requests import Request


def main():
    configuration, *mode = sys.argv[1:]
    credentials = pluggable.Credentials.from_file(
        configuration,
        interactive=mode == ["interactive"],
        scopes=["https://www.googleapis.com/auth/cloud-platform"],
    )
    try:
        credentials.refresh(Request())
    except exceptions.GoogleAuthError as error:
        sys.exit(str(error))
    print(credentials.token)


main()
