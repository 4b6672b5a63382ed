"""A tiny function of a module in Python: it answers while the module is on, stays warm, and counts its uses.

Settings: ``MODULE_MGMT_URL`` and ``MODULE_NAME``; with ``USAGE_QUEUE_URL`` uses go to that queue, without it to the
API. The package is this file and ``clients/python/module_mgmt.py`` side by side; the handler is ``handler.handler``.
"""

import json
import os

from module_mgmt import Gate, HttpSource, Usage, Warm

URL, MODULE, QUEUE_URL = os.environ["MODULE_MGMT_URL"], os.environ["MODULE_NAME"], os.environ.get("USAGE_QUEUE_URL")


def make_usage():
    if not QUEUE_URL:
        return Usage(MODULE, url=URL)
    import boto3  # Part of Lambda's Python runtimes; loading it takes long, so only where it is used.

    return Usage(MODULE, sqs=boto3.client("sqs"), queue_url=QUEUE_URL)


# A functional module closes while nothing is known about it; a core module would stay open.
gate = Gate(MODULE, "functional", HttpSource(URL))
usage = make_usage()
warm = Warm(on_ping=gate.refresh)


@warm
@gate
@usage
def handler(event, context):
    headers = {"content-type": "application/json"}
    return {"statusCode": 200, "headers": headers, "body": json.dumps({"path": event["rawPath"]})}
