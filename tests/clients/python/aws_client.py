"""Asks AWS who it is, with PyPI's botocore and whatever credentials its environment
leads to, and prints the answer.
"""

import sys

from botocore import exceptions, session


def main():
    try:
        service = session.get_session().create_client("sts")
        identity = service.get_caller_identity()
    except (exceptions.BotoCoreError, exceptions.ClientError) as error:
        sys.exit(str(error))
    print(identity["Arn"])


main()
