"""Prints an enrolment token of an installation whose server is stopped: DATA DATABASE-URL CAPABILITY…"""

import sys
from pathlib import Path

from quarterdeck.fleet.workers import enrolment
from quarterdeck.identity import setup
from quarterdeck.instance import Instance
from quarterdeck.kernel.settings_reading import load


def main() -> None:
    data, database_url, *capabilities = sys.argv[1:]
    flags = {"data_dir": Path(data), "database_url": database_url or None}
    instance = Instance.open(load(flags))
    try:
        organization = instance.db.write_sync(setup.default_organization)
        _, token = instance.db.write_sync(enrolment.create, organization.id, capabilities)
    finally:
        instance.close_sync()
    sys.stdout.write(token.reveal())


main()
